"""Welch's t of many units at once."""

from __future__ import annotations

import numpy as np

from neuroai.errors import DataError

# Units worked on at once, so that the float64 copies of a large layer stay small.
_CHUNK = 65_536


def welch_t(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    r"""t statistic of the difference between two groups of stimuli, unequal variances allowed.

    .. math:: t = \frac{\bar x_1 - \bar x_0}{\sqrt{s_1^2 / n_1 + s_0^2 / n_0}}

    Parameters
    ----------
    values : array, shape (n_stimuli, n_units)
        Activity, in any unit.
    group : bool array, shape (n_stimuli,)
        True for the stimuli of the positive group.

    Returns
    -------
    array, shape (n_units,)
        t; positive where the positive group drives the unit more. NaN (undefined) for units that
        are constant in both groups, that miss a value, or where a group has fewer than two
        stimuli.

    Raises
    ------
    DataError
        The shapes do not match.

    References
    ----------
    Welch 1947, doi:10.1093/biomet/34.1-2.28.

    Examples
    --------
    Means 4 and 1, both variances 2 in groups of two: 3 / sqrt(2/2 + 2/2).

    >>> t = welch_t(np.array([[5.0], [3.0], [2.0], [0.0]]), np.array([True, True, False, False]))
    >>> t.round(4)
    array([2.1213])
    """
    values, group = np.asarray(values), np.asarray(group)
    if values.ndim != 2 or group.shape != values.shape[:1] or group.dtype != bool:
        raise DataError(
            "welch_t needs values (n_stimuli, n_units) and a boolean group (n_stimuli,); got "
            f"{values.shape} and {group.dtype} {group.shape}."
        )
    n_units = values.shape[1]
    chunks = [values[:, first : first + _CHUNK] for first in range(0, max(n_units, 1), _CHUNK)]
    return np.concatenate([_welch(chunk[group], chunk[~group]) for chunk in chunks])


def _welch(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    mean_1, error_1 = _mean_and_squared_error(positive)
    mean_0, error_0 = _mean_and_squared_error(negative)
    error = error_1 + error_0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(error > 0, (mean_1 - mean_0) / np.sqrt(error), np.nan)


def _mean_and_squared_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n, n_units = values.shape
    if n < 2:
        return np.full(n_units, np.nan), np.full(n_units, np.nan)
    mean = values.mean(axis=0, dtype=np.float64)
    variance = ((values - mean) ** 2).sum(axis=0) / (n - 1)
    # Rounding of the mean would give a constant unit a tiny variance and so a huge t.
    constant = (values == values[0]).all(axis=0)
    return mean, np.where(constant, 0.0, variance) / n
