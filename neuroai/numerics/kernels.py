"""Psychophysical kernels: what in the noise makes an observer choose one way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.errors import DataError, UsageError


@dataclass(frozen=True)
class Kernel:
    """A psychophysical kernel with its error and null.

    Attributes
    ----------
    value : array, shape (n_features,)
        Difference of the mean features of the two choices, in the unit of the features.
    error : array, shape (n_features,)
        Its standard error from the trials.
    p : array, shape (n_features,)
        Two-sided p of the largest absolute z over features under permuted choices.
    n : int
        Trials that were used.
    """

    value: np.ndarray
    error: np.ndarray
    p: np.ndarray
    n: int


def psychophysical_kernel(
    features: np.ndarray,
    choice: np.ndarray,
    strata: np.ndarray,
    *,
    n_permutations: int = 199,
    seed: int = 0,
) -> Kernel:
    r"""Subtract the mean noise before one choice from that before the other, truth by truth.

    .. math:: K = \sum_s \frac{w_s}{\sum w} [\bar x_{s, 1} - \bar x_{s, 0}], \quad
              w_s = \frac{n_{s,1}\, n_{s,0}}{n_{s,1} + n_{s,0}}

    Within a stratum (one right answer) the signal is the same, so that what differs is noise. The
    null permutes the choices within the strata; p holds for all features together (max-statistic).

    Parameters
    ----------
    features : array, shape (n_trials, n_features)
        Noise of every trial: pixels, or named features.
    choice : array, shape (n_trials,)
        1 or 0.
    strata : array, shape (n_trials,)
        What was right.
    n_permutations : int
        At least 1.
    seed : int
        Seed of the permutations.

    Returns
    -------
    Kernel

    Raises
    ------
    DataError
        Shapes do not match, a value is not finite, or no stratum holds both choices.
    UsageError
        `n_permutations` is below 1.

    References
    ----------
    Ahumada 1996; Murray 2011, doi:10.1167/11.5.2.

    Examples
    --------
    >>> x = np.array([[1.0, 0], [3, 0], [0, 1], [0, 1]])
    >>> psychophysical_kernel(x, np.array([1, 1, 0, 0]), np.zeros(4), n_permutations=9).value
    array([ 2., -1.])
    """
    x, y = np.asarray(features, dtype=float), np.asarray(choice, dtype=float)
    if x.ndim != 2 or y.shape != x.shape[:1] or np.shape(strata) != y.shape:
        raise DataError(
            f"A kernel needs (n_trials, n_features) and one choice and stratum a trial; got "
            f"{x.shape}, {y.shape} and {np.shape(strata)}."
        )
    if not np.isfinite(x).all() or not np.isin(y, (0, 1)).all():
        raise DataError("A kernel needs finite features, and choices of 0 or 1.")
    if n_permutations < 1:
        raise UsageError(f"n_permutations must be at least 1; got {n_permutations}.")
    groups = [np.flatnonzero(np.asarray(strata) == s) for s in np.unique(strata)]
    groups = [rows for rows in groups if len(np.unique(y[rows])) == 2]
    if not groups:
        raise DataError("Both choices must occur on trials with the same truth; none has both.")
    value, error = _difference(x, y, groups)
    observed = _largest(value, error)
    rng = np.random.default_rng(seed)
    null = np.empty(n_permutations)
    for i in range(n_permutations):
        shuffled = y.copy()
        for rows in groups:
            shuffled[rows] = rng.permutation(y[rows])
        null[i] = np.max(_largest(*_difference(x, shuffled, groups)))
    reached = (null[:, None] >= observed - 1e-12).sum(axis=0)
    n = sum(map(len, groups))
    return Kernel(value, error, (1 + reached) / (1 + n_permutations), n)


def _difference(
    x: np.ndarray, y: np.ndarray, groups: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean over strata of the difference of means, and its standard error."""
    total, value, variance = 0.0, np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for rows in groups:
        one, none = x[rows][y[rows] == 1], x[rows][y[rows] == 0]
        weight = len(one) * len(none) / len(rows)
        spread = ((one - one.mean(axis=0)) ** 2).sum(axis=0)
        spread = spread + ((none - none.mean(axis=0)) ** 2).sum(axis=0)
        pooled = spread / max(len(rows) - 2, 1)
        value += weight * (one.mean(axis=0) - none.mean(axis=0))
        variance += weight**2 * pooled * (1 / len(one) + 1 / len(none))
        total += weight
    return value / total, np.sqrt(variance) / total


def _largest(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Absolute z; a feature that never varies within choices has none where it does not differ."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(value == 0, 0.0, np.abs(value) / error)
