"""Learning curves: from where, to where and how fast performance rises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.special import xlogy

from neuroai.errors import DataError

MIN_STAGES = 3
_TINY = 1e-9


@dataclass(frozen=True)
class LearningFit:
    """An exponential learning curve.

    Attributes
    ----------
    start, asymptote : float
        Share of right choices at the first stage, and in the end; in [0, 1].
    rate : float
        Per unit of the stage, at least 0; half of the way is covered every ln 2 / rate.
    log_likelihood : float
        Of the trials, binomial coefficients left out.
    gain : float
        Twice the log likelihood over that of a constant share: large where anything was learnt.
    """

    start: float
    asymptote: float
    rate: float
    log_likelihood: float
    gain: float

    def at(self, stage: np.ndarray, *, first: float = 0.0) -> np.ndarray:
        """Give the share of right choices at stages, where `first` is the first one."""
        since = np.asarray(stage, dtype=float) - first
        return self.asymptote - (self.asymptote - self.start) * np.exp(-self.rate * since)


def fit_learning(stage: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray) -> LearningFit:
    r"""Fit an exponential learning curve by maximum likelihood.

    .. math:: p(t) = p_\infty - (p_\infty - p_0)\, e^{-r (t - t_0)}

    The rate lies between that of no visible change and that of a jump within the first step.

    Parameters
    ----------
    stage : array, shape (n_stages,)
        Sessions, trials, ages or training steps; at least three, distinct.
    n_correct, n_trials : array, shape (n_stages,)
        Counts; fractions of trials are allowed.

    Returns
    -------
    LearningFit

    Raises
    ------
    DataError
        Fewer than three stages, stages that repeat, or more right choices than trials.

    References
    ----------
    Heathcote, Brown & Mewhort 2000, doi:10.3758/BF03212979.

    Examples
    --------
    >>> t = np.arange(10.0)
    >>> p = 0.9 - 0.4 * np.exp(-0.5 * t)
    >>> fit = fit_learning(t, 1e4 * p, np.full(10, 1e4))
    >>> round(fit.start, 3), round(fit.asymptote, 3), round(fit.rate, 3)
    (0.5, 0.9, 0.5)
    """
    t, k, n = (np.asarray(v, dtype=float) for v in (stage, n_correct, n_trials))
    if t.ndim != 1 or k.shape != t.shape or n.shape != t.shape or len(np.unique(t)) != len(t):
        raise DataError(
            f"A learning curve needs distinct stages and counts for each; got {t.shape}, {k.shape} "
            f"and {n.shape}. Add up the trials of each stage."
        )
    if (n > 0).sum() < MIN_STAGES:
        raise DataError(f"A learning curve needs trials at {MIN_STAGES} stages or more.")
    if (k < 0).any() or (k > n).any():
        raise DataError("Right choices must lie between 0 and the number of trials.")
    since = t - t.min()
    span, step = since.max(), np.diff(np.sort(t)).min()
    rates = np.geomspace(0.1 / span, 5.0 / step, 12)

    def loss(theta: np.ndarray) -> float:
        start, end, rate = theta[0], theta[1], np.exp(theta[2])
        p = np.clip(end - (end - start) * np.exp(-rate * since), _TINY, 1 - _TINY)
        return -float((k * np.log(p) + (n - k) * np.log1p(-p)).sum())

    share = k.sum() / n.sum()
    bounds = [(0.0, 1.0), (0.0, 1.0), (np.log(rates[0]), np.log(rates[-1]))]
    first, last = (_share(k, n, since, side) for side in (np.argsort(since), np.argsort(-since)))
    found = [
        optimize.minimize(loss, [first, last, np.log(r)], bounds=bounds, method="L-BFGS-B")
        for r in rates[::3]
    ]
    best = min(found, key=lambda result: result.fun)
    flat = float((xlogy(k, share) + xlogy(n - k, 1 - share)).sum())
    return LearningFit(
        start=float(best.x[0]),
        asymptote=float(best.x[1]),
        rate=float(np.exp(best.x[2])),
        log_likelihood=-float(best.fun),
        gain=max(2 * (-float(best.fun) - flat), 0.0),
    )


def _share(k: np.ndarray, n: np.ndarray, since: np.ndarray, order: np.ndarray) -> float:
    """Share of right choices over the third of the stages at one end."""
    some = order[: max(1, len(since) // 3)]
    return float(np.clip(k[some].sum() / max(n[some].sum(), 1.0), 0.01, 0.99))


def order_agreement(times_a: np.ndarray, times_b: np.ndarray) -> float:
    """Kendall's tau of the order in which two systems acquire the same things.

    Parameters
    ----------
    times_a, times_b : array, shape (n_things,)
        When each was acquired, in any unit of either system; NaN where it never was, which counts
        as later than all.

    Returns
    -------
    float
        tau-b in [-1, 1]: 1 for the same order; NaN with fewer than two things or all at once.

    Raises
    ------
    DataError
        The lengths differ.

    References
    ----------
    Evanson, Lakretz & King 2023, doi:10.18653/v1/2023.findings-acl.773.

    Examples
    --------
    Sessions and training steps are not commensurable; the orders are.

    >>> order_agreement(np.array([1.0, 5, 9]), np.array([10, 4000, np.nan]))
    1.0
    """
    a, b = np.asarray(times_a, dtype=float), np.asarray(times_b, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise DataError(f"Both sides must have acquired the same things; got {a.shape}, {b.shape}.")
    a, b = (np.where(np.isnan(v), np.inf, v) for v in (a, b))
    i, j = np.triu_indices(len(a), 1)
    with np.errstate(invalid="ignore"):
        x, y = (np.where(v[i] == v[j], 0.0, np.sign(v[j] - v[i])) for v in (a, b))
    room = np.sqrt((x != 0).sum() * (y != 0).sum())
    return float((x * y).sum() / room) if room else float("nan")
