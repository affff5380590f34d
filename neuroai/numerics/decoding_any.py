"""Decoding with any scikit-learn classifier: at every time, or from every time to every other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import require_finite
from neuroai.numerics.decoding import SCORINGS, Decoded


def decode_with(
    estimator: Any,
    patterns: np.ndarray,
    labels: Sequence[object],
    folds: Sequence[int],
    *,
    scoring: str = "balanced-accuracy",
    generalise: bool = False,
) -> Decoded:
    """Decode classes with a scikit-learn classifier or pipeline, cloned for every fold and time.

    For ``lda``, ``ridge`` and ``correlation`` the closed forms of `neuroai.numerics.decoding` give
    the same scores many times faster.

    Parameters
    ----------
    estimator : scikit-learn classifier or pipeline
        Unfitted; whatever it scales or selects it learns from training rows alone.
    patterns : array, shape (n_rows, n_units[, n_times])
        Activity, any unit, finite.
    labels, folds : sequence, length n_rows
        Class and fold of each row.
    scoring : {"accuracy", "balanced-accuracy", "auc"}
        Within each fold, then averaged; "auc" takes two classes, and an estimator with a
        ``decision_function`` or ``predict_proba``.
    generalise : bool
        Test what was learnt at each time at every time.

    Returns
    -------
    Decoded
        Scores of shape (), (n_times,) or (n_times, n_times).

    Raises
    ------
    UsageError
        The estimator is no classifier, shapes differ, or there is one class or fold.
    DataError
        Entries are not finite.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> x = np.array([[0.0], [1.0], [4.0], [5.0]])
    >>> decode_with(KNeighborsClassifier(1), x, "aabb", [0, 1, 0, 1]).scores.item()
    1.0
    """
    one_of(scoring, SCORINGS, option="scoring")
    cube, names, places = _checked(estimator, patterns, labels, folds, scoring)
    flat = cube.ndim == 2
    cube = cube[..., None] if flat else cube
    n_times, found = cube.shape[2], np.unique(places)
    scores = np.full((len(found), n_times, n_times if generalise else 1), np.nan)
    for row, fold in enumerate(found):
        held = places == fold
        for time in range(n_times):
            fitted = clone(estimator).fit(cube[~held, :, time], names[~held])
            for column, at in enumerate(range(n_times) if generalise else [time]):
                scores[row, time, column] = _score(fitted, cube[held, :, at], names[held], scoring)
    scores = scores if generalise else scores[..., 0]
    scores = scores[:, 0] if flat else scores
    return _summary(scores, names, places, scoring)


def _checked(
    estimator: Any,
    patterns: np.ndarray,
    labels: Sequence[object],
    folds: Sequence[int],
    scoring: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not is_classifier(estimator):
        raise UsageError(f"Decoding needs a scikit-learn classifier; got {estimator!r}.")
    cube = np.asarray(patterns, dtype=np.float64)
    names, places = np.asarray(list(labels)), np.asarray(list(folds))
    if cube.ndim not in (2, 3) or not len(cube) == len(names) == len(places):
        raise UsageError(
            "patterns must be rows x units [x times], with one label and one fold a row; got "
            f"shape {cube.shape}, {len(names)} labels and {len(places)} folds."
        )
    require_finite(cube, name="patterns")
    n_classes, n_folds = len(np.unique(names)), len(np.unique(places))
    if n_classes < 2 or n_folds < 2 or (scoring == "auc" and n_classes > 2):
        raise UsageError(
            "Decoding needs at least two classes and two folds, and two classes for 'auc'; got "
            f"{n_classes} and {n_folds}."
        )
    return cube, names, places


def _score(fitted: Any, rows: np.ndarray, truth: np.ndarray, scoring: str) -> float:
    if scoring == "auc":
        if len(np.unique(truth)) < 2:
            return np.nan
        if hasattr(fitted, "decision_function"):
            return float(roc_auc_score(truth, fitted.decision_function(rows)))
        return float(roc_auc_score(truth, fitted.predict_proba(rows)[:, 1]))
    chosen = fitted.predict(rows)
    if scoring == "accuracy":
        return float(accuracy_score(truth, chosen))
    if not np.isin(chosen, truth).all():
        # A choice of a class that the fold does not hold is wrong, and no reason for a warning.
        return float(np.mean([(chosen[truth == one] == one).mean() for one in np.unique(truth)]))
    return float(balanced_accuracy_score(truth, chosen))


def _summary(scores: np.ndarray, names: np.ndarray, places: np.ndarray, scoring: str) -> Decoded:
    undefined = np.isnan(scores)
    defined = np.maximum((~undefined).sum(0), 1)
    means = np.where(undefined.all(0), np.nan, np.where(undefined, 0, scores).sum(0) / defined)
    counts = np.unique(names, return_counts=True)[1]
    chance = {"auc": 0.5, "balanced-accuracy": 1 / len(counts)}
    return Decoded(
        scores=means,
        fold_scores=scores,
        n_undefined=undefined.sum(0),
        n_tested=np.unique(places, return_counts=True)[1],
        chance=chance.get(scoring, float(counts.max() / len(names))),
    )
