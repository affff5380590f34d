"""Whether spikes come as a rate says: in its own time they are as good as random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import kstest

from neuroai.errors import DataError, UsageError

# Fewer intervals tell nothing of their distribution.
FEWEST_INTERVALS = 5


@dataclass(frozen=True)
class Rescaled:
    """How far intervals of every unit lie from those of a Poisson process of rate 1.

    Attributes
    ----------
    distance : array, shape (n_units,)
        Largest distance of the two distributions (Kolmogorov and Smirnov), from 0 to 1; NaN for a
        unit with fewer than six counts or without a rate.
    p : array, shape (n_units,)
        Of a distance as large, were the rates right.
    n_intervals : int array, shape (n_units,)
        How many were compared.
    """

    distance: np.ndarray
    p: np.ndarray
    n_intervals: np.ndarray


def time_rescaling(counts: np.ndarray, rate: np.ndarray, *, seed: int = 0) -> Rescaled:
    r"""Compare the intervals between spikes, in units of the expected count, with chance.

    .. math:: \Lambda(t) = \int_0^t \lambda(u) \, du, \qquad
              z_k = 1 - e^{-(\Lambda(t_k) - \Lambda(t_{k-1}))} \sim U(0, 1)

    Within a bin the spikes are put at random, which is where they lie if the rate holds: no bin
    need be so short that it takes one spike at most. Rates must not be learnt from these counts.

    Parameters
    ----------
    counts : array, shape (n_bins, n_units)
        Whole numbers from 0, in order of time; runs may follow one another.
    rate : array, shape (n_bins, n_units)
        Expected counts of the same bins, above 0; NaN for a unit without any.
    seed : int
        Of the places within bins.

    Returns
    -------
    Rescaled

    Raises
    ------
    UsageError
        The shapes differ.
    DataError
        Counts are not whole numbers from 0, or a rate is below 0.

    References
    ----------
    Brown et al., 2002, Neural Computation 14, 325, doi:10.1162/08997660252741149

    Examples
    --------
    >>> clock = np.ones((40, 1))
    >>> found = time_rescaling(clock, clock)
    >>> found.n_intervals.tolist(), bool(time_rescaling(clock, 9 * clock).p[0] < 1e-6)
    ([39], True)
    """
    counts, rate = np.asarray(counts, dtype=float), np.asarray(rate, dtype=float)
    if counts.ndim != 2 or counts.shape != rate.shape:
        raise UsageError(
            f"Counts and rates of the same bins and units are wanted; got {counts.shape} and "
            f"{rate.shape}."
        )
    if not (np.isfinite(counts) & (counts >= 0) & (counts == np.round(counts))).all():
        raise DataError("Counts are whole numbers from 0. Bin the spike times first.")
    if (rate < 0).any():
        raise DataError(f"Expected counts are 0 or more; got {np.nanmin(rate):g}.")
    rng = np.random.default_rng(seed)
    rows = [_one_unit(*pair, rng) for pair in zip(counts.T.astype(int), rate.T, strict=True)]
    distance, p, n = (np.array(column) for column in zip(*rows, strict=True))
    return Rescaled(distance, p, n)


def _one_unit(
    counts: np.ndarray, rate: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, int]:
    passed = np.cumsum(rate)
    where = np.repeat(np.arange(len(counts)), counts)
    place = passed[where] - rate[where] * rng.random(len(where))
    between = np.diff(np.sort(place))
    if len(between) < FEWEST_INTERVALS or not np.isfinite(passed[-1]):
        return np.nan, np.nan, len(between)
    found = kstest(-np.expm1(-between), "uniform")
    return float(found.statistic), float(found.pvalue), len(between)
