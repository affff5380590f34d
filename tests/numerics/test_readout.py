"""The readout against scikit-learn, and its folds against leaks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from neuroai.errors import DataError, UsageError
from neuroai.numerics.readout import (
    cross_validated_choices,
    fit_folds,
    fit_readout,
    predict,
    predict_folds,
)
from neuroai.testing import EQUAL

CLASSES = ("bird", "car", "dog")


def _data(n: int, p: int, signal: float, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    features = rng.normal(size=(n, p)) + signal * rng.normal(size=(3, p))[codes]
    return features, [CLASSES[code] for code in codes]


@pytest.mark.parametrize("n, p", [(30, 200), (90, 7)], ids=["wide", "tall"])
@pytest.mark.parametrize("shrinkage", [0.05, 0.4, 1.0])
def test_scores_equal_scikit_learn(n, p, shrinkage):
    """Fixed shrinkage: decision values, choices and confidence of scikit-learn's LDA."""
    features, labels = _data(n, p, 0.3)
    features = features * np.linspace(0.1, 30, p) + 5
    labels[0] = CLASSES[1]
    others = _data(11, p, 0.3, seed=1)[0]
    scaler = StandardScaler().fit(features)
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    reference.fit(scaler.transform(features), labels)
    found = predict(fit_readout(features, labels, shrinkage=shrinkage), others)
    expected = reference.decision_function(scaler.transform(others))
    np.testing.assert_allclose(found.scores, expected, rtol=EQUAL, atol=EQUAL)
    assert found.labels.tolist() == reference.predict(scaler.transform(others)).tolist()
    chosen = reference.predict_proba(scaler.transform(others)).max(axis=1)
    np.testing.assert_allclose(found.confidence, chosen, atol=EQUAL)


def test_automatic_shrinkage_equals_scikit_learn():
    """The automatic shrinkage is Ledoit and Wolf's of the residuals within classes."""
    features, labels = _data(40, 120, 0.3)
    scaled = StandardScaler().fit_transform(features)
    codes = np.array([CLASSES.index(label) for label in labels])
    means = np.array([scaled[codes == k].mean(axis=0) for k in range(3)])
    expected = ledoit_wolf_shrinkage(scaled - means[codes], assume_centered=True)
    np.testing.assert_allclose(fit_readout(features, labels).shrinkage, expected, rtol=EQUAL)


def test_order_of_rows_changes_nothing():
    """Shuffled rows get the same choices."""
    features, labels = _data(36, 50, 0.2)
    groups = np.array([f"s{i:02d}" for i in range(36)])
    order = np.random.default_rng(5).permutation(36)
    straight = cross_validated_choices(features, labels, groups=groups.tolist())
    shuffled = cross_validated_choices(
        features[order], [labels[i] for i in order], groups=groups[order].tolist()
    )
    np.testing.assert_allclose(shuffled.scores, straight.scores[order], atol=EQUAL)
    np.testing.assert_array_equal(shuffled.codes, straight.codes[order])


def test_each_fold_is_fitted_on_the_others():
    """Scores are those of a readout fitted by hand on the other folds."""
    features, labels = _data(30, 20, 0.3)
    found = cross_validated_choices(features, labels, n_folds=3, seed=1)
    for fold in range(3):
        held = found.folds == fold
        trained = [label for label, out in zip(labels, held, strict=True) if not out]
        readout = fit_readout(features[~held], trained)
        expected = predict(readout, features[held]).scores
        np.testing.assert_allclose(found.scores[held], expected, atol=EQUAL)


def test_noise_is_read_out_at_chance():
    """Repeats of pure noise stimuli leak nothing: accuracy 1/3 within 4 standard errors."""
    accuracies = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        stimuli = rng.normal(size=(30, 40))
        features = np.repeat(stimuli, 4, axis=0) + 0.1 * rng.normal(size=(120, 40))
        labels = [CLASSES[i % 3] for i in range(30) for _ in range(4)]
        groups = [f"s{i}" for i in range(30) for _ in range(4)]
        found = cross_validated_choices(features, labels, groups=groups, seed=seed)
        accuracies.append((found.labels == np.array(labels, dtype=object)).mean())
    error = np.std(accuracies, ddof=1) / np.sqrt(len(accuracies))
    assert abs(np.mean(accuracies) - 1 / 3) < 4 * error


def test_variants_are_read_out_as_the_intact_were():
    """The intact features as variants change nothing; silenced informative units do harm."""
    features, labels = _data(60, 30, 0.0)
    features[:, :3] += 4 * np.eye(3)[[CLASSES.index(label) for label in labels]]
    lesioned = features.copy()
    lesioned[:, :3] = features[:, :3].mean(axis=0)
    found = cross_validated_choices(
        features, labels, test_features=np.stack([features, lesioned]).astype(np.float32)
    )
    intact = cross_validated_choices(features, labels)
    np.testing.assert_array_equal(found.codes[0], intact.codes)
    right = found.labels == np.array(labels, dtype=object)
    assert right[0].mean() > 0.9 and right[1].mean() < 0.7


def test_fitted_once_and_predicted_piece_by_piece():
    """One fit of the folds chooses on variants one at a time as on all at once."""
    features, labels = _data(30, 20, 0.3)
    rng = np.random.default_rng(7)
    variants = features + rng.normal(size=(4, 30, 20))
    folded = fit_folds(features, labels, seed=3)
    together = cross_validated_choices(features, labels, seed=3, test_features=variants)
    for one, codes in zip(variants, together.codes, strict=True):
        np.testing.assert_array_equal(predict_folds(folded, one).codes, codes)
    with pytest.raises(DataError, match=r"fitted on features of shape \(30, 20\)"):
        predict_folds(folded, variants[:, :5])


def test_activity_without_variance_is_undefined():
    """Constant activity gives no choice, counted as -1 and '', never a class."""
    found = cross_validated_choices(np.ones((6, 4)), ["a", "b"] * 3, n_folds=3)
    assert found.codes.tolist() == [-1] * 6 and found.labels.tolist() == [""] * 6
    assert np.isnan(found.confidence).all()


def test_wrong_options_are_refused():
    """Options out of range and features with gaps say what was wanted."""
    features, labels = _data(12, 4, 0.3)
    with pytest.raises(UsageError, match=r"shrinkage must lie in \(0, 1\]; got 0"):
        fit_readout(features, labels, shrinkage=0)
    with pytest.raises(UsageError, match="'auto' or lie in"):
        fit_readout(features, labels, shrinkage="none")
    features[2, 3] = np.nan
    with pytest.raises(DataError, match=r"1 unit\(s\) hold NaN .* column\(s\) 3"):
        fit_readout(features, labels)
    with pytest.raises(DataError, match="at least two classes; got a"):
        fit_readout(features[:, :2], ["a"] * 12)
