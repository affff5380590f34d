"""Decoding in closed form against scikit-learn and mne, fold by fold and time by time."""

import numpy as np
import pytest
from mne.decoding import GeneralizingEstimator, SlidingEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from neuroai.errors import DataError, UsageError
from neuroai.numerics.decoding import decode, temporal_generalisation
from neuroai.numerics.discriminant import class_sums, decisions, fit_rule, moments_without

# Both sides solve the same equations in float64, by different factorisations.
SAME = 1e-8
N_INPUTS = 200


def problem(seed, *, n_classes=2, n_times=1):
    rng = np.random.default_rng(seed)
    n_rows, n_units = int(rng.integers(12, 40)) * n_classes, int(rng.integers(2, 12))
    codes = rng.permutation(np.arange(n_rows) % n_classes)
    means = rng.standard_normal((n_classes, n_units, n_times))
    patterns = rng.standard_normal((n_rows, n_units, n_times)) + 0.8 * means[codes]
    patterns *= rng.uniform(0.1, 10, n_units)[None, :, None]
    folds = np.empty(n_rows, dtype=int)
    for code in range(n_classes):
        folds[codes == code] = rng.permutation((codes == code).sum()) % 4
    return patterns + 3, codes, folds


def rules_of(patterns, codes, **options):
    cube = np.ascontiguousarray(patterns.transpose(2, 0, 1))
    rows = [cube[:, codes == code] for code in range(codes.max() + 1)]
    nothing = class_sums([own[:, :0] for own in rows])
    rule = fit_rule(moments_without(class_sums(rows), nothing), [[r] for r in rows], **options)
    return decisions(rule, cube)[0]


def contrast(values):
    # Decision values of several classes mean something up to a constant of the row alone.
    return values - values.mean(-1, keepdims=True) if values.shape[-1] > 1 else values


@pytest.mark.parametrize("shrinkage", ["auto", 0.3])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_lda_gives_the_decisions_of_scikit_learn(shrinkage, n_classes):
    """LDA gives the decisions of scikit-learn."""
    for seed in range(N_INPUTS // 2):
        patterns, codes, _ = problem(seed, n_classes=n_classes)
        peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
        wanted = peer.fit(patterns[..., 0], codes).decision_function(patterns[..., 0])
        wanted = wanted.reshape(len(codes), -1)
        ours = rules_of(patterns, codes, shrinkage=shrinkage)
        scale = np.abs(contrast(wanted)).max()
        np.testing.assert_allclose(contrast(ours), contrast(wanted), atol=SAME * scale, rtol=SAME)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_ridge_gives_the_decisions_of_scikit_learn(n_classes):
    """Ridge gives the decisions of scikit-learn."""
    for seed in range(N_INPUTS // 2):
        patterns, codes, _ = problem(seed, n_classes=n_classes)
        peer = RidgeClassifier(alpha=2.5).fit(patterns[..., 0], codes)
        wanted = peer.decision_function(patterns[..., 0]).reshape(len(codes), -1)
        ours = rules_of(patterns, codes, classifier="ridge", penalty=2.5)
        np.testing.assert_allclose(ours, wanted, atol=SAME)


def test_correlation_chooses_the_class_mean_that_correlates_best():
    """Correlation chooses the class mean that correlates best."""
    for seed in range(40):
        patterns, codes, folds = problem(seed, n_classes=3)
        if patterns.shape[1] < 4:
            continue  # correlations of two or three numbers tie
        right = []
        for fold in np.unique(folds):
            held = folds == fold
            means = [patterns[~held & (codes == code), :, 0].mean(0) for code in range(3)]
            rs = [[np.corrcoef(row, mean)[0, 1] for mean in means] for row in patterns[held, :, 0]]
            right.append((np.argmax(rs, 1) == codes[held]).mean())
        ours = decode(patterns[..., 0], codes, folds, classifier="correlation")
        assert ours.scores == pytest.approx(np.mean(right))


@pytest.mark.parametrize(
    "scoring, peer", [("balanced-accuracy", balanced_accuracy_score), ("auc", roc_auc_score)]
)
def test_scores_are_those_of_each_fold_averaged(scoring, peer):
    """Scores are those of each fold averaged."""
    for seed in range(60):
        patterns, codes, folds = problem(seed)
        wanted = []
        for fold in np.unique(folds):
            held = folds == fold
            rule = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            rule.fit(patterns[~held, :, 0], codes[~held])
            values = rule.decision_function(patterns[held, :, 0])
            wanted.append(peer(codes[held], values if scoring == "auc" else (values > 0)))
        ours = decode(patterns[..., 0], codes, folds, scoring=scoring)
        np.testing.assert_allclose(ours.fold_scores, wanted, atol=SAME)
        assert ours.scores == pytest.approx(np.mean(wanted))


@pytest.mark.parametrize("shrinkage", ["auto", 0.2])
@pytest.mark.parametrize("across", [False, True])
def test_scores_are_those_of_mne_with_scikit_learn(across, shrinkage):
    """From every time to every other for 200 inputs, and at every time for 50, of both kinds."""
    peer = (GeneralizingEstimator if across else SlidingEstimator)(
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage), verbose=False
    )
    ours = temporal_generalisation if across else decode
    for seed in range(N_INPUTS // 2 if across else N_INPUTS // 8):
        patterns, codes, folds = problem(seed, n_classes=2 + seed % 2, n_times=2)
        held = folds == 0
        wanted = peer.fit(patterns[~held], codes[~held]).score(patterns[held], codes[held])
        found = ours(patterns, codes, held, shrinkage=shrinkage)
        np.testing.assert_allclose(found.fold_scores[1], wanted, atol=SAME)


def test_blocks_do_not_change_the_result():
    """Blocks do not change the result."""
    patterns, codes, folds = problem(3, n_times=7)
    whole = temporal_generalisation(patterns, codes, folds)
    blocks = temporal_generalisation(patterns, codes, folds, block_bytes=1)
    np.testing.assert_array_equal(whole.fold_scores, blocks.fold_scores)


def test_the_diagonal_is_decoding_at_every_time():
    """The diagonal is decoding at every time."""
    patterns, codes, folds = problem(4, n_times=6)
    across = temporal_generalisation(patterns, codes, folds)
    alone = decode(patterns, codes, folds)
    np.testing.assert_allclose(np.diag(across.scores), alone.scores, atol=SAME)


@pytest.mark.parametrize("classifier", ["lda", "ridge", "correlation"])
def test_a_time_without_variance_is_counted_and_has_no_score(classifier):
    """A time without variance is counted and has no score."""
    patterns, codes, folds = problem(5, n_times=3)
    patterns[:, :, 1] = 7.0
    decoded = decode(patterns, codes, folds, classifier=classifier)
    assert np.isnan(decoded.scores[1]) and not np.isnan(decoded.scores[[0, 2]]).any()
    assert decoded.n_undefined.tolist() == [0, len(np.unique(folds)), 0]


def test_one_class_in_a_fold_has_no_auc_and_is_counted():
    """One class in a fold has no AUC and is counted."""
    patterns = np.random.default_rng(0).standard_normal((8, 2))
    decoded = decode(patterns, "aabbabab", [0, 0, 1, 1, 2, 2, 3, 3], scoring="auc")
    assert decoded.n_undefined == 2 and np.isfinite(decoded.scores)


def test_chance_is_the_share_of_the_largest_class():
    """Chance is the share of the largest class."""
    patterns = np.random.default_rng(0).standard_normal((8, 2))
    folds = [0, 1] * 4
    assert decode(patterns, "aaaaaabb", folds).chance == 0.75
    assert decode(patterns, "aaaaaabb", folds, scoring="balanced-accuracy").chance == 0.5


def test_what_cannot_be_decoded_says_why():
    """What cannot be decoded says why."""
    patterns = np.ones((4, 2)) * np.arange(4)[:, None]
    with pytest.raises(UsageError, match="at least two classes and two folds; got 1 and 2"):
        decode(patterns, "aaaa", [0, 1, 0, 1])
    with pytest.raises(UsageError, match="takes two classes; got 3"):
        decode(patterns, "abca", [0, 1, 0, 1], scoring="auc")
    with pytest.raises(DataError, match="nothing is left to learn it from"):
        decode(patterns, "aabb", [0, 0, 1, 1])
    with pytest.raises(DataError, match="1 of 8 entries of patterns are not finite"):
        decode(np.where(patterns == 3, [np.nan, 3], patterns), "abab", [0, 0, 1, 1])
    with pytest.raises(UsageError, match="more training rows than units; got 4 rows"):
        decode(np.random.default_rng(0).standard_normal((8, 9)), "abababab", [0, 0, 1, 1] * 2,
               shrinkage=0.0)  # fmt: skip
    with pytest.raises(UsageError, match="rows x units x times"):
        temporal_generalisation(patterns, "abab", [0, 1, 0, 1])
