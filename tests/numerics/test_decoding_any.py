"""Any scikit-learn classifier: the scores of mne, of each fold, at and across times."""

import numpy as np
import pytest
from mne.decoding import GeneralizingEstimator, SlidingEstimator, cross_val_multiscore
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from neuroai.errors import DataError, UsageError
from neuroai.numerics.decoding import decode
from neuroai.numerics.decoding_any import decode_with
from neuroai.testing import EQUAL, readonly

LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())
PEERS = {"accuracy": "accuracy", "balanced-accuracy": "balanced_accuracy", "auc": "roc_auc"}


def problem(seed, n_times=3):
    """Two classes of 20 rows and a difference in the first unit, read-only."""
    rng = np.random.default_rng(seed)
    codes = np.arange(40) % 2
    patterns = rng.standard_normal((40, 5, n_times))
    patterns[:, 0] += codes[:, None]
    return readonly(patterns), codes, np.arange(40) // 2 % 4


@pytest.mark.parametrize("scoring", PEERS)
def test_flat_scores_are_those_of_scikit_learn(scoring):
    """Fold by fold, with scaling learnt from the training rows."""
    patterns, codes, folds = problem(0)
    wanted = cross_val_score(
        LOGISTIC, patterns[..., 0], codes, cv=PredefinedSplit(folds), scoring=PEERS[scoring]
    )
    found = decode_with(LOGISTIC, patterns[..., 0], codes, folds, scoring=scoring)
    np.testing.assert_allclose(found.fold_scores, wanted, atol=EQUAL)
    assert found.scores == pytest.approx(wanted.mean())


@pytest.mark.parametrize("generalise", [False, True])
def test_scores_over_time_are_those_of_mne(generalise):
    """At every time, and from every time to every other."""
    patterns, codes, folds = problem(1)
    peer = (GeneralizingEstimator if generalise else SlidingEstimator)(LOGISTIC, verbose=False)
    wanted = cross_val_multiscore(peer, patterns, codes, cv=PredefinedSplit(folds))
    found = decode_with(LOGISTIC, patterns, codes, folds, scoring="accuracy", generalise=generalise)
    np.testing.assert_allclose(found.fold_scores, wanted, atol=EQUAL)


def test_the_closed_form_gives_the_same_as_the_estimator():
    """LDA by name and LDA by scikit-learn have one score."""
    for seed in range(20):
        patterns, codes, folds = problem(seed)
        peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        found = decode_with(peer, patterns, codes, folds, scoring="accuracy")
        np.testing.assert_allclose(found.scores, decode(patterns, codes, folds).scores, atol=EQUAL)


def test_probabilities_serve_where_there_is_no_decision_function():
    """A forest has an AUC, too."""
    patterns, codes, folds = problem(2)
    forest = RandomForestClassifier(20, random_state=0)
    assert 0.5 < decode_with(forest, patterns[..., 0], codes, folds, scoring="auc").scores <= 1


def test_a_fold_without_a_class_is_scored_or_counted():
    """Balanced accuracy takes the classes that are there; an AUC needs both."""
    patterns, codes, folds = problem(3)
    folds = np.where(codes == 1, folds % 2, folds)
    found = decode_with(LOGISTIC, patterns[..., 0], codes, folds)
    assert np.isfinite(found.fold_scores).all()
    curve = decode_with(LOGISTIC, patterns[..., 0], codes, folds, scoring="auc")
    assert curve.n_undefined == 2 and np.isfinite(curve.scores)


def test_wrong_calls_say_what_to_do():
    """A regression, one class, shapes that differ, and entries that are not finite."""
    patterns, codes, folds = problem(4)
    with pytest.raises(UsageError, match="needs a scikit-learn classifier; got Ridge"):
        decode_with(Ridge(), patterns, codes, folds)
    with pytest.raises(UsageError, match="at least two classes and two folds"):
        decode_with(LOGISTIC, patterns, codes * 0, folds)
    with pytest.raises(UsageError, match=r"shape \(40, 5, 3\), 39 labels"):
        decode_with(LOGISTIC, patterns, codes[1:], folds)
    with pytest.raises(DataError, match="not finite"):
        decode_with(LOGISTIC, np.where(patterns > 2, np.nan, patterns), codes, folds)
