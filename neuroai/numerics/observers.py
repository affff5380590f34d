"""Worked models of binary choice: a Bayesian observer, its ideal special case, and a heuristic."""

from __future__ import annotations

import numpy as np
from scipy.special import logit, ndtr

from neuroai.checks import known_name
from neuroai.errors import DataError
from neuroai.numerics.rational import ChoiceTrials, Observer

MOST_LAPSE = 0.3
NAMES = ("bayesian", "ideal", "win-stay", "coin")


def observer_named(name: str, *, evidence: np.ndarray) -> Observer:
    r"""Give a model by name, scaled to the stimuli of the task.

    ``bayesian``: the observer measures the evidence with noise, :math:`m \sim N(s, \sigma^2)`, and
    knows that the stimuli of either side are :math:`N(\pm\mu, \tau^2)`, with :math:`\mu` and
    :math:`\tau` the mean and SD of |s|. It chooses the side of higher posterior probability,

    .. math:: \frac{2 \mu m}{\sigma^2 + \tau^2} + \ln\frac{\pi}{1 - \pi} > 0, \quad
              P(1 \mid s) = \frac{\lambda}{2} + (1 - \lambda)\,
              \Phi\left(\frac{s + \frac{\sigma^2 + \tau^2}{2 \mu} \ln\frac{\pi}{1 - \pi}}{\sigma}
              \right)

    so that a prior sways it the more, the noisier it sees. ``ideal`` is the same with equal priors:
    noise and lapses alone. ``win-stay``: the last choice is repeated with one probability after a
    right choice and with another after a wrong one, whatever is shown. ``coin``: one probability
    for all trials, the floor of any comparison.

    Parameters
    ----------
    name : {"bayesian", "ideal", "win-stay", "coin"}
        Which model.
    evidence : array, shape (n_trials,)
        Signed strengths of the task; they set the bounds of the noise and what the observer knows.

    Returns
    -------
    Observer

    Raises
    ------
    UnknownName
        No such model.
    DataError
        There is no evidence at all: every stimulus is 0.

    References
    ----------
    Green & Swets 1966; Ma, Kording & Goldreich 2023, Bayesian Models of Perception and Action.

    Examples
    --------
    >>> trials = ChoiceTrials(np.array([0.0, 1]), np.ones(2), np.ones(2), np.zeros(2))
    >>> ideal = observer_named("ideal", evidence=trials.evidence)
    >>> ideal.probability(np.array([1.0, 0.0]), trials).round(4)
    array([0.5   , 0.8413])
    """
    known_name(name, NAMES, kind="model of choice")
    if name == "coin":
        return Observer("coin", {"p": (0.0, 1.0)}, lambda v, t: np.full(len(t), v[0]))
    if name == "win-stay":
        bounds = {"stay after right": (0.0, 1.0), "stay after wrong": (0.0, 1.0)}
        return Observer("win-stay", bounds, _win_stay, uses_history=True)
    size = np.abs(np.asarray(evidence, dtype=float))
    if not size.size or size.max() == 0:
        raise DataError(f"The model '{name}' needs evidence that is not always 0.")
    noise = {"noise": (0.02 * size.max(), 20 * size.max())}
    lapse = {"lapse": (0.0, MOST_LAPSE)}
    if name == "ideal":
        return Observer("ideal", {**noise, **lapse}, _ideal)
    mean, spread = float(size.mean()), float(size.std())

    def bayesian(values: np.ndarray, trials: ChoiceTrials) -> np.ndarray:
        sigma, prior, lost = values
        shift = (sigma**2 + spread**2) / (2 * mean) * logit(prior)
        return lost / 2 + (1 - lost) * ndtr((trials.evidence + shift) / sigma)

    return Observer("bayesian", {**noise, "prior": (0.02, 0.98), **lapse}, bayesian)


def _ideal(values: np.ndarray, trials: ChoiceTrials) -> np.ndarray:
    sigma, lapse = values
    return lapse / 2 + (1 - lapse) * ndtr(trials.evidence / sigma)


def _win_stay(values: np.ndarray, trials: ChoiceTrials) -> np.ndarray:
    after_right, after_wrong = values
    choice, correct = np.asarray(trials.choice), np.asarray(trials.correct)
    sequence = np.asarray(trials.sequence)
    p = np.full(len(trials), 0.5)
    linked = sequence[1:] == sequence[:-1]
    stay = np.where(correct[:-1] == 1, after_right, after_wrong)
    p[1:] = np.where(linked, np.where(choice[:-1] == 1, stay, 1 - stay), 0.5)
    return p
