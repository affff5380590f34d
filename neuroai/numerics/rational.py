"""Rational models of choice: a frame to fit them, and to compare them on trials held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from neuroai.checks import no_duplicates
from neuroai.errors import DataError, UsageError

_TINY = 1e-9
N_STARTS = 4


@dataclass(frozen=True)
class ChoiceTrials:
    """Binary choices in order, with what the observer could go by.

    Attributes
    ----------
    evidence : array, shape (n_trials,)
        Signed strength of the stimulus in favour of choice 1.
    choice : array, shape (n_trials,)
        1 or 0.
    correct : array, shape (n_trials,)
        1 where the choice was right (rewarded), else 0.
    sequence : int array, shape (n_trials,)
        What runs without a break; history does not reach across.
    """

    evidence: np.ndarray
    choice: np.ndarray
    correct: np.ndarray
    sequence: np.ndarray

    def __post_init__(self) -> None:
        shapes = {np.shape(v) for v in (self.evidence, self.choice, self.correct, self.sequence)}
        if len(shapes) != 1 or len(shapes.copy().pop()) != 1:
            raise DataError(f"Every column of choice trials has one entry a trial; got {shapes}.")
        if not np.isfinite(self.evidence).all():
            raise DataError("The evidence of every trial must be finite.")
        if not (np.isin(self.choice, (0, 1)).all() and np.isin(self.correct, (0, 1)).all()):
            raise DataError("Choices and their correctness must be 0 or 1.")

    def __len__(self) -> int:
        return len(self.choice)


@dataclass(frozen=True)
class Observer:
    """A model of how choices come about.

    Attributes
    ----------
    name : str
        Name in tables.
    parameters : mapping of str to (float, float)
        Lower and upper bound of every parameter.
    probability : callable
        ``(values, trials) -> P(choice 1)`` of every trial, given the trials before it; `values`
        in the order of `parameters`.
    uses_history : bool
        Whether it looks at earlier trials, which a network's choices need not have.
    """

    name: str
    parameters: Mapping[str, tuple[float, float]]
    probability: Callable[[np.ndarray, ChoiceTrials], np.ndarray]
    uses_history: bool = False


@dataclass(frozen=True)
class ObserverFit:
    """A fitted model.

    Attributes
    ----------
    values : array, shape (n_parameters,)
        In the order of the observer's parameters.
    log_likelihood : float
        Natural logarithm, of the trials that were fitted.
    bic : float
        ``n_parameters ln n - 2 log_likelihood``; smaller is better.
    """

    values: np.ndarray
    log_likelihood: float
    bic: float


def observer_log_likelihood(
    observer: Observer, values: np.ndarray, trials: ChoiceTrials
) -> np.ndarray:
    """Log likelihood (natural) of every choice under a model with given parameters.

    Examples
    --------
    >>> trials = ChoiceTrials(np.zeros(1), np.ones(1), np.ones(1), np.zeros(1))
    >>> coin = Observer("coin", {"p": (0, 1)}, lambda v, t: np.full(len(t), v[0]))
    >>> observer_log_likelihood(coin, np.array([0.5]), trials).round(4)
    array([-0.6931])
    """
    p = np.clip(observer.probability(np.asarray(values, dtype=float), trials), _TINY, 1 - _TINY)
    return np.where(np.asarray(trials.choice) == 1, np.log(p), np.log1p(-p))


def fit_observer(
    observer: Observer, trials: ChoiceTrials, *, use: np.ndarray | None = None, seed: int = 0
) -> ObserverFit:
    r"""Fit a model by maximum likelihood within its bounds, from several starts.

    .. math:: \hat\theta = \arg\max_\theta \sum_{i \in use} \ln p(y_i \mid x_i, y_{<i}; \theta)

    Parameters
    ----------
    observer : Observer
        The model.
    trials : ChoiceTrials
        All trials in order: those left out still are the history of the others.
    use : bool array, shape (n_trials,), optional
        Trials whose likelihood counts; all by default.
    seed : int
        Seed of the starts.

    Returns
    -------
    ObserverFit

    Raises
    ------
    DataError
        No trial is to be used.

    References
    ----------
    Wilson & Collins 2019, doi:10.7554/eLife.49547.

    Examples
    --------
    >>> trials = ChoiceTrials(np.zeros(4), np.array([1, 1, 1, 0]), np.ones(4), np.zeros(4))
    >>> coin = Observer("coin", {"p": (0.0, 1.0)}, lambda v, t: np.full(len(t), v[0]))
    >>> fit_observer(coin, trials).values.round(3)
    array([0.75])
    """
    use = np.ones(len(trials), dtype=bool) if use is None else np.asarray(use, dtype=bool)
    if not use.any():
        raise DataError("A model needs trials to be fitted on; none was given.")
    bounds = np.array(list(observer.parameters.values()), dtype=float).reshape(-1, 2)
    rng = np.random.default_rng(seed)
    shares = np.vstack([np.full(len(bounds), 0.5), rng.random((N_STARTS - 1, len(bounds)))])

    def loss(values: np.ndarray) -> float:
        return -float(observer_log_likelihood(observer, values, trials)[use].sum())

    if not len(bounds):
        best, value = np.empty(0), loss(np.empty(0))
    else:
        found = [
            optimize.minimize(loss, bounds[:, 0] + s * (bounds[:, 1] - bounds[:, 0]), bounds=bounds)
            for s in shares
        ]
        chosen = min(found, key=lambda result: result.fun)
        best, value = chosen.x, float(chosen.fun)
    return ObserverFit(best, -value, len(bounds) * float(np.log(use.sum())) + 2 * value)


def held_out_log_likelihoods(
    observers: Sequence[Observer], trials: ChoiceTrials, *, n_folds: int = 5, seed: int = 0
) -> np.ndarray:
    r"""Log likelihood of every choice under each model fitted without it.

    .. math:: \ell_{m i} = \ln p_m(y_i \mid x_i, y_{<i}; \hat\theta_m^{(-fold(i))})

    All models meet the same folds, dealt over trials at random.

    Parameters
    ----------
    observers : sequence of Observer
        Models of different names.
    trials : ChoiceTrials
        All trials in order.
    n_folds : int
        At least 2.
    seed : int
        Seed of the folds and starts.

    Returns
    -------
    array, shape (n_observers, n_trials)
        Natural logarithm.

    Raises
    ------
    AlignmentError
        Two models have one name.
    UsageError
        Fewer than two folds, or fewer trials than folds.

    References
    ----------
    Wilson & Collins 2019, doi:10.7554/eLife.49547.

    Examples
    --------
    >>> trials = ChoiceTrials(np.zeros(4), np.array([1, 1, 1, 1]), np.ones(4), np.zeros(4))
    >>> fair = Observer("fair", {}, lambda v, t: np.full(len(t), 0.5))
    >>> held_out_log_likelihoods([fair], trials, n_folds=2).round(4)
    array([[-0.6931, -0.6931, -0.6931, -0.6931]])
    """
    no_duplicates([observer.name for observer in observers], where="the models")
    if n_folds < 2 or len(trials) < n_folds:
        raise UsageError(
            f"n_folds must be at least 2 and at most the number of trials; got {n_folds} folds of "
            f"{len(trials)} trials."
        )
    folds = np.random.default_rng(seed).permutation(len(trials)) % n_folds
    found = np.empty((len(observers), len(trials)))
    for row, observer in enumerate(observers):
        for fold in range(n_folds):
            test = folds == fold
            fitted = fit_observer(observer, trials, use=~test, seed=seed)
            found[row, test] = observer_log_likelihood(observer, fitted.values, trials)[test]
    return found


def simulate_observer(
    observer: Observer,
    values: np.ndarray,
    evidence: np.ndarray,
    sequence: np.ndarray,
    *,
    rng: np.random.Generator,
) -> ChoiceTrials:
    """Let a model choose, trial by trial; what is right is the sign of the evidence.

    Parameters
    ----------
    observer : Observer
        The model.
    values : array, shape (n_parameters,)
        Its parameters.
    evidence, sequence : array, shape (n_trials,)
        As in :class:`ChoiceTrials`.
    rng : numpy.random.Generator
        Where the draws come from; where the evidence is 0 it also draws what is right.

    Returns
    -------
    ChoiceTrials

    Examples
    --------
    >>> sure = Observer("sure", {}, lambda v, t: (t.evidence > 0).astype(float))
    >>> simulate_observer(sure, [], np.array([1.0, -2.0]), np.zeros(2),
    ...                   rng=np.random.default_rng(0)).choice.tolist()
    [1.0, 0.0]
    """
    evidence = np.asarray(evidence, dtype=float)
    right = np.where(evidence == 0, rng.random(len(evidence)) < 0.5, evidence > 0)
    choice, correct = np.zeros(len(evidence)), np.zeros(len(evidence))
    draws = rng.random(len(evidence))
    if not observer.uses_history:
        trials = ChoiceTrials(evidence, choice, correct, np.asarray(sequence))
        choice = (draws < observer.probability(np.asarray(values), trials)).astype(float)
        return ChoiceTrials(evidence, choice, (choice == right).astype(float), trials.sequence)
    for i in range(len(evidence)):
        upto = slice(max(0, i - 1), i + 1)
        trials = ChoiceTrials(evidence[upto], choice[upto], correct[upto], sequence[upto])
        choice[i] = draws[i] < observer.probability(np.asarray(values), trials)[-1]
        correct[i] = choice[i] == right[i]
    return ChoiceTrials(evidence, choice, correct, np.asarray(sequence))
