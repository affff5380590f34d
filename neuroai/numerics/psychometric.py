"""Psychometric functions fitted by maximum likelihood, many data sets at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from neuroai.checks import in_range
from neuroai.errors import DataError, UsageError
from neuroai.numerics.sigmoids import (
    psychometric_function,
    sigmoid_levels,
    unscaled_sigmoid,
)

PARAMETERS = ("threshold", "width", "lapse", "guess")
MIN_LEVELS = 3
# Steps that raise the log likelihood by less than this are at the maximum.
_CONVERGED = 1e-10
_MOST_STEPS = 200
# What 1 - S is as a function of minus the level, where it is another sigmoid.
_MIRRORED = {"gumbel": "rgumbel", "rgumbel": "gumbel", "weibull": "rgumbel"}
# Keeps logarithms finite; shares of trials are far coarser.
_TINY = 1e-12


@dataclass(frozen=True)
class PsychometricFit:
    """Fitted psychometric functions of n_fits data sets.

    Attributes
    ----------
    threshold, width, lapse, guess : array, shape (n_fits,)
        As in :func:`neuroai.numerics.sigmoids.psychometric_function`.
    log_likelihood : array, shape (n_fits,)
        Of the trials, binomial coefficients left out; natural logarithm.
    deviance : array, shape (n_fits,)
        Twice the log likelihood of the shares themselves minus that of the fit; at least 0.
    undetermined : bool array, shape (n_fits,)
        Whether the levels do not tell the function: threshold or width on a bound, or a width below
        the smallest distance of two levels.
    sigmoid : str
        Which sigmoid.
    decreasing : bool
        Whether the response falls with the level.
    """

    threshold: np.ndarray
    width: np.ndarray
    lapse: np.ndarray
    guess: np.ndarray
    log_likelihood: np.ndarray
    deviance: np.ndarray
    undetermined: np.ndarray
    sigmoid: str
    decreasing: bool

    def at(self, levels: np.ndarray) -> np.ndarray:
        """Give the probability of a response at levels (n_levels,), shape (n_fits, n_levels)."""
        return psychometric_function(
            np.asarray(levels, dtype=float)[None],
            threshold=self.threshold[:, None],
            width=self.width[:, None],
            lapse=self.lapse[:, None],
            guess=self.guess[:, None],
            sigmoid=self.sigmoid,
            decreasing=self.decreasing,
        )


def fit_psychometric(
    levels: np.ndarray,
    n_yes: np.ndarray,
    n_trials: np.ndarray,
    *,
    sigmoid: str = "norm",
    guess: float | None = 0.5,
    lapse: float | None = None,
    most_lapse: float = 0.1,
    most_guess: float = 0.5,
    decreasing: bool = False,
    start: PsychometricFit | None = None,
) -> PsychometricFit:
    r"""Fit psychometric functions by maximum likelihood within bounds.

    .. math:: \max_{m, w, \lambda, \gamma} \sum_i k_i \ln \psi(x_i) + (n_i - k_i) \ln(1 - \psi(x_i))

    by Fisher scoring with the expected information, damped, from several starts. The threshold
    lies within the levels or half their range beyond; the width between a tenth of the smallest
    distance of two levels and four times the range.

    Parameters
    ----------
    levels : array, shape (n_levels,)
        Distinct levels, in any unit.
    n_yes : array, shape (n_fits, n_levels) or (n_levels,)
        How often the response was given; right choices for a forced choice.
    n_trials : array
        Number of trials, of the same shape; levels with none carry no weight.
    sigmoid : str
        As in :func:`neuroai.numerics.sigmoids.unscaled_sigmoid`.
    guess : float or None
        Guess rate; None fits it in [0, `most_guess`] (yes/no tasks).
    lapse : float or None
        Lapse rate; None fits it in [0, `most_lapse`].
    most_lapse, most_guess : float
        Upper bounds of what is fitted.
    decreasing : bool
        Whether the response falls with the level.
    start : PsychometricFit, optional
        A further start, such as the fit of the data of which these are samples.

    Returns
    -------
    PsychometricFit

    Raises
    ------
    DataError
        Fewer than three levels with trials, more responses than trials, or a level that is not
        finite.
    UsageError
        A rate is out of range.

    References
    ----------
    Wichmann & Hill 2001, doi:10.3758/BF03194544

    Examples
    --------
    >>> levels = np.array([1.0, 2, 3, 4, 5])
    >>> p = psychometric_function(levels, threshold=3.0, width=3.0, lapse=0.02, guess=0.5)
    >>> fit = fit_psychometric(levels, 1e6 * p, np.full(5, 1e6))
    >>> fit.threshold.round(3), fit.width.round(3), fit.lapse.round(3)
    (array([3.]), array([3.]), array([0.02]))
    """
    yes, total = _counts(levels, n_yes, n_trials)
    x = sigmoid_levels(levels, sigmoid=sigmoid)
    x = -x if decreasing else x
    low, high = _bounds(x, guess=guess, lapse=lapse, most_guess=most_guess, most_lapse=most_lapse)
    mirrored = _MIRRORED.get(sigmoid, sigmoid) if decreasing else sigmoid
    best = None
    for first in _starts(x, yes, total, low, high, start, decreasing=decreasing):
        found = _climb(x, yes, total, first, low, high, sigmoid=mirrored)
        best = found if best is None else _better(best, found)
    theta, log_likelihood = best
    threshold, width = theta[:, 0], np.exp(theta[:, 1])
    threshold = -threshold if decreasing else threshold
    share = yes / np.maximum(total, 1)
    saturated = (xlogy(yes, share) + xlogy(total - yes, 1 - share)).sum(axis=1)
    edge = np.isclose(theta[:, :2], low[:2], rtol=1e-6) | np.isclose(
        theta[:, :2], high[:2], rtol=1e-6
    )
    return PsychometricFit(
        threshold=np.exp(threshold) if sigmoid == "weibull" else threshold,
        width=width,
        lapse=theta[:, 2],
        guess=theta[:, 3],
        log_likelihood=log_likelihood,
        deviance=np.maximum(2 * (saturated - log_likelihood), 0.0),
        undetermined=edge.any(axis=1) | (width < np.diff(np.sort(x)).min()),
        sigmoid=sigmoid,
        decreasing=decreasing,
    )


def _counts(
    levels: np.ndarray, n_yes: np.ndarray, n_trials: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    yes = np.atleast_2d(np.asarray(n_yes, dtype=float))
    total = np.broadcast_to(np.atleast_2d(np.asarray(n_trials, dtype=float)), yes.shape)
    levels = np.asarray(levels)
    if levels.ndim != 1 or yes.shape[1:] != levels.shape or len(np.unique(levels)) != len(levels):
        raise DataError(
            f"A psychometric function needs distinct levels (n_levels,) and counts (n_fits, "
            f"n_levels); got {levels.shape} and {yes.shape}. Add up the trials of each level."
        )
    if (total > 0).sum(axis=1).min() < MIN_LEVELS:
        raise DataError(
            f"A psychometric function needs trials at {MIN_LEVELS} levels or more; got "
            f"{int((total > 0).sum(axis=1).min())}."
        )
    if (yes < 0).any() or (yes > total).any():
        raise DataError("There are fewer trials than responses at a level, or fewer than none.")
    return yes, total


def _bounds(
    x: np.ndarray,
    *,
    guess: float | None,
    lapse: float | None,
    most_guess: float,
    most_lapse: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of threshold, log width, lapse and guess; equal where fixed."""
    span, step = np.ptp(x), np.diff(np.sort(x)).min()
    rates = []
    for name, value, most in (("lapse", lapse, most_lapse), ("guess", guess, most_guess)):
        in_range(most, option=f"most_{name}", low=0.0, high=0.9)
        known = None if value is None else in_range(value, option=name, low=0.0, high=0.9)
        rates.append((0.0, most) if known is None else (known, known))
    if rates[0][1] + rates[1][1] >= 1:
        raise UsageError("lapse and guess rates must leave room for a response: their sum below 1.")
    low = [x.min() - span / 2, np.log(step / 10), rates[0][0], rates[1][0]]
    high = [x.max() + span / 2, np.log(4 * span), rates[0][1], rates[1][1]]
    return np.array(low), np.array(high)


def _starts(
    x: np.ndarray,
    yes: np.ndarray,
    total: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    start: PsychometricFit | None,
    *,
    decreasing: bool,
):
    """Go through starts (n_fits, 4): a weighted middle, narrow and wide, and the one given."""
    share = np.where(total > 0, yes / np.maximum(total, 1), 0.0)
    rates = low[2:] + 0.2 * (high[2:] - low[2:])
    middle = (rates[1] + 1 - rates[0]) / 2
    nearest = x[np.abs(np.where(total > 0, share, np.inf) - middle).argmin(axis=1)]
    span = np.ptp(x)
    for width in (span / 4, span):
        theta = np.column_stack(
            [nearest, np.full(len(yes), np.log(width)), np.tile(rates, (len(yes), 1))]
        )
        yield np.clip(theta, low, high)
    if start is not None:
        at = np.log(start.threshold) if start.sigmoid == "weibull" else start.threshold
        at = -at if decreasing else at
        theta = np.column_stack([at, np.log(start.width), start.lapse, start.guess])
        yield np.clip(np.broadcast_to(theta, (len(yes), 4)), low, high)


def _better(
    one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    higher = other[1] > one[1]
    return np.where(higher[:, None], other[0], one[0]), np.maximum(one[1], other[1])


def _climb(
    x: np.ndarray,
    yes: np.ndarray,
    total: np.ndarray,
    theta: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    sigmoid: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Climb to the maximum of every data set by damped, projected Fisher scoring."""
    theta, damping = theta.copy(), np.full(len(theta), 1e-3)
    value, score, information = _likelihood(x, yes, total, theta, sigmoid=sigmoid)
    going = np.arange(len(theta))
    for _ in range(_MOST_STEPS):
        g, h = score[going], information[going]
        at = theta[going]
        # A parameter on its bound that would leave it stays there.
        held = ((at <= low) & (g <= 0)) | ((at >= high) & (g >= 0))
        free = ~held
        h = h * free[:, :, None] * free[:, None, :]
        scale = np.einsum("bii->bi", h) * damping[going, None] + _TINY
        h = h + np.eye(4) * np.where(free, scale, 1.0)[:, None, :]
        step = np.linalg.solve(h, (g * free)[..., None])[..., 0]
        new = np.clip(at + step, low, high)
        found = _likelihood(x, yes[going], total[going], new, sigmoid=sigmoid)
        gain = found[0] - value[going]
        taken = gain >= 0
        at_rest = (np.abs(gain) < _CONVERGED * (1 + np.abs(value[going]))) & taken
        rows = going[taken]
        theta[rows], value[rows] = new[taken], found[0][taken]
        score[rows], information[rows] = found[1][taken], found[2][taken]
        damping[going] = np.where(taken, damping[going] / 5, damping[going] * 8)
        going = going[~at_rest & (damping[going] < 1e12)]
        if not len(going):
            break
    return theta, value


def _likelihood(
    x: np.ndarray, yes: np.ndarray, total: np.ndarray, theta: np.ndarray, *, sigmoid: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log likelihood (n,), its gradient (n, 4) and the expected information (n, 4, 4)."""
    threshold, width = theta[:, :1], np.exp(theta[:, 1:2])
    lapse, guess = theta[:, 2:3], theta[:, 3:]
    inner, slope = unscaled_sigmoid(x[None], threshold, width, sigmoid=sigmoid)
    span = 1 - lapse - guess
    p = np.clip(guess + span * inner, _TINY, 1 - _TINY)
    value = (yes * np.log(p) + (total - yes) * np.log1p(-p)).sum(axis=1)
    jacobian = np.stack(
        [-span * slope, -span * slope * (x[None] - threshold), -inner, 1 - inner], axis=1
    )
    variance = p * (1 - p)
    score = np.einsum("bpl,bl->bp", jacobian, (yes - total * p) / variance)
    information = np.einsum("bpl,bl,bql->bpq", jacobian, total / variance, jacobian, optimize=True)
    return value, score, information
