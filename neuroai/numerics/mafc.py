"""Sensitivity in forced choice among m alternatives, by integration."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from neuroai.errors import DataError, UsageError

# Rates up to 1 - 1e-15 lie below this d' for any number of alternatives in use.
_LARGEST = 12.0
_GRID = np.linspace(-9.0, 9.0, 721)
_DENSITY = np.exp(-0.5 * _GRID**2) / np.sqrt(2 * np.pi) * (_GRID[1] - _GRID[0])
_HALVINGS = 60


def mafc_accuracy(d_prime: np.ndarray, *, n_alternatives: int) -> np.ndarray:
    r"""Give the share of right choices of an unbiased observer among m alternatives.

    .. math:: P = \int \varphi(x - d')\, \Phi(x)^{m - 1}\, dx

    One alternative gives evidence with mean d', the others with mean 0, all with variance 1; the
    observer chooses the largest.

    Parameters
    ----------
    d_prime : array
        Sensitivity in standard deviations.
    n_alternatives : int
        m, at least 2.

    Returns
    -------
    array
        In [0, 1]; 1 / m at d' = 0.

    Raises
    ------
    UsageError
        Fewer than two alternatives.

    References
    ----------
    Green & Swets 1966; Hacker & Ratcliff 1979, doi:10.3758/BF03208311.

    Examples
    --------
    >>> float(mafc_accuracy(0.0, n_alternatives=4).round(6))
    0.25
    """
    if n_alternatives < 2:
        raise UsageError(f"n_alternatives must be at least 2; got {n_alternatives}.")
    d_prime = np.asarray(d_prime, dtype=float)
    below = ndtr(_GRID + d_prime[..., None])
    return (_DENSITY * below ** (n_alternatives - 1)).sum(axis=-1)


def mafc_d_prime(n_correct: np.ndarray, n_trials: np.ndarray, *, n_alternatives: int) -> np.ndarray:
    r"""Give the sensitivity that an unbiased observer needs for a share of right choices.

    The share has the log-linear correction, with chance in place of one half,

    .. math:: p = \frac{n_{correct} + 1 / m}{n_{trials} + 1}

    which is that of Hautus for two alternatives, and :func:`mafc_accuracy` is inverted by halving.

    Parameters
    ----------
    n_correct, n_trials : array
        Counts, 0 <= n_correct <= n_trials.
    n_alternatives : int
        m, at least 2.

    Returns
    -------
    array
        d' in standard deviations, negative below chance; NaN where there was no trial.

    Raises
    ------
    DataError
        A count is negative, or more trials are correct than there are.
    UsageError
        Fewer than two alternatives.

    References
    ----------
    Green & Swets 1966; Hautus 1995, doi:10.3758/BF03203619.

    Examples
    --------
    >>> abs(float(mafc_d_prime(25, 100, n_alternatives=4).round(6)))
    0.0
    """
    right, total = np.asarray(n_correct, dtype=float), np.asarray(n_trials, dtype=float)
    if (right < 0).any() or (right > total).any():
        raise DataError("Right choices must lie between 0 and the number of trials.")
    mafc_accuracy(0.0, n_alternatives=n_alternatives)
    share = np.where(total > 0, (right + 1 / n_alternatives) / (total + 1), np.nan)
    low, high = np.full(share.shape, -_LARGEST), np.full(share.shape, _LARGEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = mafc_accuracy(middle, n_alternatives=n_alternatives) > share
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(np.isnan(share), np.nan, (low + high) / 2)
