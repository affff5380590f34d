"""Signal detection: sensitivity and bias from counts."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from neuroai.errors import DataError


def d_prime(
    hits: np.ndarray,
    misses: np.ndarray,
    false_alarms: np.ndarray,
    correct_rejections: np.ndarray,
) -> np.ndarray:
    r"""Sensitivity of a yes/no observer, with the log-linear correction.

    .. math:: d' = z(H) - z(F), \quad H = \frac{hits + 0.5}{n_{signal} + 1}, \quad
              F = \frac{false\ alarms + 0.5}{n_{noise} + 1}

    Parameters
    ----------
    hits, misses, false_alarms, correct_rejections : array
        Counts, at least 0, of shapes that broadcast.

    Returns
    -------
    array
        d' in standard deviations; NaN where no signal or no noise trial was given.

    Raises
    ------
    DataError
        A count is negative.

    References
    ----------
    Hautus 1995, doi:10.3758/BF03203619. Green & Swets 1966.

    Examples
    --------
    >>> float(d_prime(10, 10, 10, 10))
    0.0
    >>> round(float(d_prime(84, 15, 15, 84)), 2)  # z(.845) - z(.155)
    2.03
    """
    hit, false_alarm = _rates(hits, misses, false_alarms, correct_rejections)
    return ndtri(hit) - ndtri(false_alarm)


def criterion(
    hits: np.ndarray,
    misses: np.ndarray,
    false_alarms: np.ndarray,
    correct_rejections: np.ndarray,
) -> np.ndarray:
    r"""Bias of a yes/no observer: positive where "no" is said too often.

    .. math:: c = -\tfrac{1}{2} [z(H) + z(F)]

    Parameters and the log-linear correction are those of :func:`d_prime`.

    Returns
    -------
    array
        c in standard deviations; NaN where no signal or no noise trial was given.

    References
    ----------
    Hautus 1995, doi:10.3758/BF03203619.

    Examples
    --------
    >>> round(abs(float(criterion(15, 5, 5, 15))), 12)
    0.0
    >>> bool(criterion(5, 15, 1, 19) > 0)
    True
    """
    hit, false_alarm = _rates(hits, misses, false_alarms, correct_rejections)
    return -(ndtri(hit) + ndtri(false_alarm)) / 2


def log_beta(
    hits: np.ndarray,
    misses: np.ndarray,
    false_alarms: np.ndarray,
    correct_rejections: np.ndarray,
) -> np.ndarray:
    r"""Logarithm of the likelihood ratio at the criterion.

    .. math:: \ln \beta = d' c = \tfrac{1}{2} [z(F)^2 - z(H)^2]

    Parameters and the log-linear correction are those of :func:`d_prime`.

    Returns
    -------
    array
        Natural logarithm of beta; NaN where no signal or no noise trial was given.

    References
    ----------
    Green & Swets 1966.

    Examples
    --------
    >>> round(abs(float(log_beta(15, 5, 5, 15))), 12)
    0.0
    """
    hit, false_alarm = _rates(hits, misses, false_alarms, correct_rejections)
    return (ndtri(false_alarm) ** 2 - ndtri(hit) ** 2) / 2


def a_prime(
    hits: np.ndarray,
    misses: np.ndarray,
    false_alarms: np.ndarray,
    correct_rejections: np.ndarray,
) -> np.ndarray:
    r"""Sensitivity without a distribution: the area under the one-point ROC curve.

    .. math:: A' = \tfrac12 + \mathrm{sign}(H - F)\,
              \frac{(H - F)^2 + |H - F|}{4 \max(H, F) - 4 H F}

    with the raw rates H and F; A' is 1/2 where they are equal.

    Returns
    -------
    array
        A' in [0, 1]; NaN where no signal or no noise trial was given.

    References
    ----------
    Pollack & Norman 1964, doi:10.3758/BF03342823; Snodgrass & Corwin 1988,
    doi:10.1037/0096-3445.117.1.34.

    Examples
    --------
    >>> float(a_prime(10, 0, 0, 10)), float(a_prime(5, 5, 5, 5))
    (1.0, 0.5)
    """
    hit, false_alarm = _rates(hits, misses, false_alarms, correct_rejections, corrected=False)
    gap = hit - false_alarm
    below = 4 * np.maximum(hit, false_alarm) - 4 * hit * false_alarm
    with np.errstate(invalid="ignore", divide="ignore"):
        area = 0.5 + np.sign(gap) * (gap**2 + np.abs(gap)) / below
    return np.where(gap == 0, 0.5, area)


def d_prime_2afc(n_correct: np.ndarray, n_trials: np.ndarray) -> np.ndarray:
    r"""Sensitivity of an unbiased observer in two-alternative forced choice.

    .. math:: d' = \sqrt{2}\, z(p), \quad p = \frac{n_{correct} + 0.5}{n_{trials} + 1}

    Parameters
    ----------
    n_correct, n_trials : array
        Counts, 0 <= n_correct <= n_trials.

    Returns
    -------
    array
        d' in standard deviations; NaN where there was no trial.

    Raises
    ------
    DataError
        A count is negative, or more trials are correct than there are.

    References
    ----------
    Green & Swets 1966; Hautus 1995, doi:10.3758/BF03203619.

    Examples
    --------
    >>> float(d_prime_2afc(50, 100))
    0.0
    """
    n_correct, n_trials = np.asarray(n_correct, dtype=float), np.asarray(n_trials, dtype=float)
    rate = _rate(n_correct, n_trials - n_correct, corrected=True)
    return np.sqrt(2) * ndtri(rate)


def _rates(
    hits: np.ndarray,
    misses: np.ndarray,
    false_alarms: np.ndarray,
    correct_rejections: np.ndarray,
    *,
    corrected: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    return (
        _rate(hits, misses, corrected=corrected),
        _rate(false_alarms, correct_rejections, corrected=corrected),
    )


def _rate(yes: np.ndarray, no: np.ndarray, *, corrected: bool) -> np.ndarray:
    yes, no = np.asarray(yes, dtype=float), np.asarray(no, dtype=float)
    if (yes < 0).any() or (no < 0).any():
        raise DataError("Counts of trials must be at least 0; got a negative one.")
    n, shift = yes + no, 0.5 if corrected else 0.0
    # The correction would turn no trials at all into a rate of one half.
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n > 0, (yes + shift) / (n + 2 * shift), np.nan)
