"""Models with something to fit, scored on stimuli and subjects that they were not fitted to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import as_complete_rdms, compare_rdms, same_pairs
from neuroai.numerics.rdm_ceiling import pool
from neuroai.numerics.rdm_regression import fitted_weights
from neuroai.numerics.rdm_vectors import n_stimuli_of, pairs_within

FLEXIBLE = ("weighted", "selected")
# Of two stimuli there is one pair, which correlates with nothing.
FEWEST_TESTED = 3


class FlexibleScores(NamedTuple):
    """Scores of a fitted model in every fold.

    Attributes
    ----------
    scores : array of shape (n_subject_folds, n_stimulus_folds)
        Mean similarity over the tested subjects and stimuli; NaN where undefined.
    parameters : array of shape (n_subject_folds, n_stimulus_folds, n_models)
        Weights; for a selected model 1 for the chosen one.
    lower, upper : arrays of shape (n_subject_folds, n_stimulus_folds)
        Noise ceiling of the same test: the training subjects' pooled RDM of the tested stimuli,
        and that of the tested subjects themselves.
    """

    scores: np.ndarray
    parameters: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def flexible_model(
    data: np.ndarray,
    models: np.ndarray,
    *,
    kind: str,
    method: str,
    subject_folds: np.ndarray,
    stimulus_folds: np.ndarray,
) -> FlexibleScores:
    r"""Fit a mixture or a choice of models, and score it on other subjects and other stimuli.

    .. math:: s_{fg} = \frac{1}{|f|} \sum_{s \in f} \mathrm{sim}(D_s^{gg}, M^{gg} \hat\theta(D_{-f},
              -g))

    A model with weights to fit, scored on the pairs that it was fitted to, wins by its freedom
    alone. Pairs of a training with a tested stimulus serve neither.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli.
    kind : {"weighted", "selected"}
        A non-negative mixture, or the one model with the best mean similarity.
    method : {"cosine", "pearson"}, and any comparator for ``selected``
        The comparator.
    subject_folds : array of shape (n_subjects,)
        Fold of each subject; two folds or more.
    stimulus_folds : array of shape (n_stimuli,)
        Fold of each stimulus; two folds or more, of three stimuli or more.

    Returns
    -------
    FlexibleScores
        With one entry a pair of folds.

    Raises
    ------
    UsageError
        Folds that do not fit the data or leave nothing to fit or to test.

    References
    ----------
    Khaligh-Razavi & Kriegeskorte (2014), https://doi.org/10.1371/journal.pcbi.1003915;
    Schütt et al. (2023), https://doi.org/10.7554/eLife.82566

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> models = rng.random((2, 15))
    >>> data = np.tile(models[1], (4, 1))
    >>> found = flexible_model(data, models, kind="selected", method="pearson",
    ...                        subject_folds=np.array([0, 0, 1, 1]),
    ...                        stimulus_folds=np.array([0, 0, 0, 1, 1, 1]))
    >>> found.scores.round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    one_of(kind, FLEXIBLE, option="kind")
    data, models = as_complete_rdms(data, name="data"), as_complete_rdms(models, name="models")
    same_pairs(data, models)
    n_stimuli = n_stimuli_of(data.shape[1])
    subjects = _parts(subject_folds, len(data), name="subject_folds", least=1)
    stimuli = _parts(stimulus_folds, n_stimuli, name="stimulus_folds", least=FEWEST_TESTED)
    shape = (len(subjects), len(stimuli))
    scores, lower, upper = np.full((3, *shape), np.nan)
    parameters = np.full((*shape, len(models)), np.nan)
    for g, tested in enumerate(stimuli):
        test = pairs_within(np.flatnonzero(tested), n_stimuli)
        train = pairs_within(np.flatnonzero(~tested), n_stimuli)
        for f, others in enumerate(subjects):
            held_out = data[others][:, test]
            parameters[f, g], scores[f, g] = fitted_score(
                data[~others][:, train], held_out, models[:, train], models[:, test], kind=kind,
                method=method,
            )  # fmt: skip
            lower[f, g] = _pooled(data[~others][:, test], held_out, method)
            upper[f, g] = _pooled(held_out, held_out, method)
    return FlexibleScores(scores, parameters, lower, upper)


def fitted_score(
    learnt: np.ndarray,
    held_out: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    *,
    kind: str,
    method: str,
) -> tuple[np.ndarray, float]:
    """Fit to some subjects and pairs; give the weights and the score on others.

    Parameters
    ----------
    learnt, held_out : arrays of shape (n_subjects, n_pairs)
        RDM vectors that are fitted and scored, each with pairs and subjects of its own.
    train, test : arrays of shape (n_models, n_pairs)
        The models' vectors of the same pairs as `learnt` and as `held_out`.
    kind, method
        As in `flexible_model`.

    Examples
    --------
    >>> learnt, train = np.array([[1.0, 2.0, 4.0]]), np.array([[3.0, 1.0, 1.0], [1.0, 2.0, 4.0]])
    >>> fitted_score(learnt, learnt, train, train, kind="selected", method="cosine")
    (array([0., 1.]), 1.0)
    """
    theta = _fit(learnt, train, kind, method)
    return theta, float(compare_rdms(held_out, (theta @ test)[None], method=method).mean())


def _fit(data: np.ndarray, models: np.ndarray, kind: str, method: str) -> np.ndarray:
    if kind == "weighted":
        return fitted_weights(data, models, method=method)
    mean = compare_rdms(data, models, method=method).mean(axis=0)
    chosen = np.zeros(len(models))
    # A model without a score among the training data is no choice.
    chosen[int(np.argmax(np.where(np.isnan(mean), -np.inf, mean)))] = 1.0
    return chosen


def _pooled(pooled: np.ndarray, tested: np.ndarray, method: str) -> float:
    return float(compare_rdms(tested, pool(pooled, method=method)[None], method=method).mean())


def _parts(folds: np.ndarray, n: int, *, name: str, least: int) -> list[np.ndarray]:
    folds = np.asarray(folds)
    names, counts = np.unique(folds, return_counts=True)
    if folds.shape != (n,) or len(names) < 2 or counts.min() < least or n - counts.max() < least:
        raise UsageError(
            f"{name} must put each of {n} into one of two folds or more of at least {least}; got "
            f"{folds.size} entries in {len(names)} folds, the smallest of {counts.min(initial=0)}."
        )
    return [folds == one for one in names]
