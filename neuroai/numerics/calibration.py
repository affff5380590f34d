"""Calibration: whether confidence says how often one is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError

BINNINGS = ("width", "count")


@dataclass(frozen=True)
class Reliability:
    """A reliability curve and what follows from it.

    Attributes
    ----------
    confidence, accuracy : array, shape (n_bins,)
        Means in each bin, in [0, 1]; NaN in empty bins.
    n : int array, shape (n_bins,)
        Trials in each bin.
    brier : float
        Mean squared difference of confidence and correctness, in [0, 1]; 0 is best.
    ece : float
        Expected calibration error of these bins, in [0, 1].
    reliability, resolution, uncertainty : float
        Murphy's parts: ``reliability - resolution + uncertainty`` is the Brier score of the
        confidences rounded to their bins' means.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    n: np.ndarray
    brier: float
    ece: float
    reliability: float
    resolution: float
    uncertainty: float


def calibrate(
    confidence: np.ndarray, correct: np.ndarray, *, n_bins: int = 10, binning: str = "width"
) -> Reliability:
    r"""Compare confidence with the share of right choices, bin by bin.

    .. math:: \mathrm{Brier} = \frac1n \sum_i (c_i - y_i)^2, \quad
              \mathrm{ECE} = \sum_b \frac{n_b}{n} |\bar c_b - \bar y_b|

    Parameters
    ----------
    confidence : array, shape (n_trials,)
        Probability given to the choice, in [0, 1]; no NaN.
    correct : array, shape (n_trials,)
        1 right, 0 wrong.
    n_bins : int
        Number of bins, at least 1. ECE depends on it: it is part of the answer.
    binning : {"width", "count"}
        Bins of equal width over [0, 1], closed on the right, or of (nearly) equal counts, with
        equal confidences in one bin.

    Returns
    -------
    Reliability

    Raises
    ------
    DataError
        A confidence lies outside [0, 1], the lengths differ, or there is no trial.
    UsageError
        `n_bins` is below 1, or the binning unknown.

    References
    ----------
    Brier 1950; Murphy 1973, doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2; Guo et al. 2017,
    doi:10.48550/arXiv.1706.04599.

    Examples
    --------
    >>> found = calibrate(np.array([0.9, 0.9, 0.6, 0.6]), np.array([1, 1, 1, 0]))
    >>> round(found.brier, 3), round(found.ece, 3)
    (0.135, 0.1)
    """
    one_of(binning, BINNINGS, option="binning")
    c, y = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    if n_bins < 1:
        raise UsageError(f"n_bins must be at least 1; got {n_bins}.")
    if c.ndim != 1 or c.shape != y.shape or not c.size:
        raise DataError(f"Calibration needs one confidence a trial; got {c.shape} and {y.shape}.")
    if not ((c >= 0) & (c <= 1)).all():
        raise DataError(
            f"Confidence is a probability: in [0, 1]; got {c.min():g} to {c.max():g}. Rescale "
            "ratings, or leave trials without one out."
        )
    bins = _bins(c, n_bins=n_bins, binning=binning)
    n = np.bincount(bins, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        mean_c = np.bincount(bins, weights=c, minlength=n_bins) / n
        mean_y = np.bincount(bins, weights=y, minlength=n_bins) / n
    share, base = n / n.sum(), y.mean()
    gap = np.where(n > 0, mean_c - mean_y, 0.0)
    lift = np.where(n > 0, mean_y - base, 0.0)
    return Reliability(
        confidence=mean_c,
        accuracy=mean_y,
        n=n,
        brier=float(np.mean((c - y) ** 2)),
        ece=float(share @ np.abs(gap)),
        reliability=float(share @ gap**2),
        resolution=float(share @ lift**2),
        uncertainty=float(base * (1 - base)),
    )


def _bins(c: np.ndarray, *, n_bins: int, binning: str) -> np.ndarray:
    if binning == "width":
        return np.clip(np.ceil(c * n_bins).astype(int) - 1, 0, n_bins - 1)
    # The place of the first equal value, so that ties share a bin whatever their order.
    place = np.searchsorted(np.sort(c), c, side="left")
    return np.minimum(place * n_bins // len(c), n_bins - 1)
