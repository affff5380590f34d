"""Correlation of profiles: one number a stimulus of every observer, with missing entries."""

from __future__ import annotations

import numpy as np

from neuroai.errors import DataError
from neuroai.numerics.agreement import stimulus_weights

# Variances below this share of the mean square are rounding of zero.
_CONSTANT = 1e-12


def profile_correlation(
    a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    r"""Pearson correlation over stimuli of every pair of profiles.

    Stimuli that either profile lacks are left out of that pair.

    Parameters
    ----------
    a : array, shape (n_a, n_stimuli)
        Profiles in any unit; NaN where missing.
    b : array, shape (n_b, n_stimuli)
        The same of the other observers.
    weights : array, shape (n_resamples, n_stimuli), optional
        How often each stimulus counts.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        In [-1, 1]; NaN where a profile is constant over the stimuli of the pair.

    Raises
    ------
    DataError
        The shapes do not match.

    Examples
    --------
    >>> profile_correlation([[1.0, 2, 3]], [[2.0, 4, 6], [3, 2, 1]]).round(6)
    array([[ 1., -1.]])
    """
    a, b = (np.atleast_2d(np.asarray(v, dtype=float)) for v in (a, b))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise DataError(
            f"Profiles are compared as (n_a, n_stimuli) and (n_b, n_stimuli); got {a.shape} and "
            f"{b.shape}. Restrict both sides to the same stimuli."
        )
    one = weights is None
    counts = np.ones((1, a.shape[1])) if one else stimulus_weights(weights, n_stimuli=a.shape[1])
    found = np.stack([_with_all(row, b, counts) for row in a], axis=1)
    return found[0] if one else found


def _with_all(row: np.ndarray, b: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Correlate one profile with all others, (n_resamples, n_b)."""
    known = ~np.isnan(row) & ~np.isnan(b)
    # Centred over all that is known first, so that the products below lose no digits.
    x, y = (_centred(v, known) for v in (np.broadcast_to(row, b.shape), b))
    parts = (known.astype(float), x, y, x * x, y * y, x * y)
    with np.errstate(invalid="ignore", divide="ignore"):
        n, sx, sy, sxx, syy, sxy = (counts @ part.T for part in parts)
        mx, my = sx / n, sy / n
        vx, vy = sxx / n - mx**2, syy / n - my**2
        r = (sxy / n - mx * my) / np.sqrt(vx * vy)
    constant = (vx <= _CONSTANT * (sxx / np.maximum(n, 1))) | (
        vy <= _CONSTANT * (syy / np.maximum(n, 1))
    )
    return np.where(constant | (n == 0), np.nan, np.clip(r, -1.0, 1.0))


def _centred(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    filled = np.where(known, values, 0.0)
    mean = filled.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, values - mean, 0.0)
