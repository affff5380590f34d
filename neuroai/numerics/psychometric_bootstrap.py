"""Parametric bootstrap of psychometric functions: intervals and goodness of fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.checks import in_range
from neuroai.errors import UsageError
from neuroai.numerics.intervals import percentile_interval, permutation_p
from neuroai.numerics.psychometric import PARAMETERS, PsychometricFit, fit_psychometric

MIN_SAMPLES = 50


@dataclass(frozen=True)
class PsychometricIntervals:
    """What sampling error does to one fitted psychometric function.

    Attributes
    ----------
    low, high : dict of str to float
        Ends of the interval of ``threshold, width, lapse, guess``.
    deviance_p : float
        Share of simulated data sets, the data among them, that fit no better; small values say
        that the function does not describe the data.
    """

    low: dict[str, float]
    high: dict[str, float]
    deviance_p: float


def bootstrap_psychometric(
    fit: PsychometricFit,
    levels: np.ndarray,
    n_trials: np.ndarray,
    *,
    rng: np.random.Generator,
    n_samples: int = 1000,
    level: float = 0.95,
    fixed_guess: float | None = 0.5,
    fixed_lapse: float | None = None,
    most_lapse: float = 0.1,
    most_guess: float = 0.5,
) -> PsychometricIntervals:
    r"""Simulate the fitted function, fit what came out, and give percentile intervals.

    .. math:: k_i^* \sim \mathrm{Binomial}(n_i, \hat\psi(x_i))

    Parameters
    ----------
    fit : PsychometricFit
        Of one data set.
    levels, n_trials : array, shape (n_levels,)
        As they were fitted.
    rng : numpy.random.Generator
        Where the draws come from.
    n_samples : int
        Number of samples, at least 50.
    level : float
        Coverage, between 0 and 1.
    fixed_guess, fixed_lapse : float or None
        The rates that were fixed, None where they were fitted.
    most_lapse, most_guess : float
        Upper bounds of what is fitted, as in :func:`fit_psychometric`.

    Returns
    -------
    PsychometricIntervals

    Raises
    ------
    UsageError
        Too few samples, a level out of range, or a fit of several data sets.

    References
    ----------
    Wichmann & Hill 2001, doi:10.3758/BF03194545

    Examples
    --------
    >>> levels, n = np.arange(1.0, 6.0), np.full(5, 100)
    >>> fit = fit_psychometric(levels, [51, 57, 75, 90, 97], n)
    >>> found = bootstrap_psychometric(fit, levels, n, rng=np.random.default_rng(0), n_samples=200)
    >>> bool(found.low["threshold"] < fit.threshold[0] < found.high["threshold"])
    True
    """
    in_range(level, option="level", low=0.0, high=1.0, low_open=True)
    if n_samples < MIN_SAMPLES:
        raise UsageError(f"n_samples must be at least {MIN_SAMPLES}; got {n_samples}.")
    if len(fit.threshold) != 1:
        raise UsageError(f"One fit is bootstrapped at a time; got {len(fit.threshold)}.")
    n = np.asarray(n_trials, dtype=np.int64)
    drawn = rng.binomial(n, np.clip(fit.at(levels)[0], 0, 1), size=(n_samples, len(n)))
    samples = fit_psychometric(
        levels,
        drawn,
        n,
        sigmoid=fit.sigmoid,
        guess=fixed_guess,
        lapse=fixed_lapse,
        most_lapse=most_lapse,
        most_guess=most_guess,
        decreasing=fit.decreasing,
        start=fit,
    )
    found = {name: percentile_interval(getattr(samples, name), level=level) for name in PARAMETERS}
    return PsychometricIntervals(
        low={name: float(pair[0]) for name, pair in found.items()},
        high={name: float(pair[1]) for name, pair in found.items()},
        deviance_p=float(permutation_p(fit.deviance[0], samples.deviance)),
    )
