"""Distances between the activity patterns of stimuli."""

from __future__ import annotations

import numpy as np

from neuroai.checks import one_of
from neuroai.numerics.arrays import (
    Array,
    as_float64,
    as_patterns,
    is_torch,
    namespace_of,
)
from neuroai.numerics.gram import BLOCK_BYTES, column_mean, fill_diagonal, gram_about

# Below these shares of the largest squared norm a distance may be rounding alone, and its two
# patterns are compared entry by entry.
MAY_BE_EQUAL = {4: 1e-4, 8: 1e-12}

# float32 squares of entries this small lose digits or vanish.
_SMALLEST_MEAN_SQUARE = 1e-28


def squared_euclidean(
    patterns: Array, *, normalize: str | None = "channels", block_bytes: int = BLOCK_BYTES
) -> Array:
    r"""Return the squared Euclidean distance between every two patterns.

    .. math:: d_{ij} = \frac{1}{p} \sum_u (x_{iu} - x_{ju})^2

    Parameters
    ----------
    patterns : array or tensor of shape (n_stimuli, n_units)
        Activity, any unit, finite. float32 is multiplied in float32, all else in float64.
    normalize : {"channels", None}
        Divide by the number of units p, or do not.
    block_bytes : int
        Memory for the centred copy of one block of units.

    Returns
    -------
    array or tensor of shape (n_stimuli, n_stimuli)
        float64, symmetric, at least 0, in the squared unit of `patterns`; exactly 0 on the
        diagonal and between identical patterns.

    Raises
    ------
    DataError
        Some entries are not finite; the message counts them.

    Examples
    --------
    >>> squared_euclidean([[0.0, 0.0], [3.0, 4.0]], normalize=None)
    array([[ 0., 25.],
           [25.,  0.]])
    """
    if normalize is not None:
        one_of(normalize, ("channels",), option="normalize")
    patterns = as_patterns(patterns)
    if not is_torch(patterns):
        # Loaded late, since it needs torch.
        from neuroai.numerics.euclidean_panels import euclidean_by_panels

        return euclidean_by_panels(patterns, patterns.shape[1] if normalize else 1, block_bytes)
    distance, squares = gram_about(patterns, column_mean, block_bytes=block_bytes)
    distance *= -2.0
    # One sum for both, so that rounding keeps the matrix symmetric.
    distance += squares[:, None] + squares[None, :]
    distance = (distance + distance.T) / 2
    distance.clamp_(min=0.0)
    fill_diagonal(distance, np.inf)
    itemsize = 4 if patterns.dtype == namespace_of(patterns).float32 else 8
    near = (distance <= MAY_BE_EQUAL[itemsize] * squares.max()).any(1)
    fill_diagonal(distance, 0.0)
    equal_to_zero(distance, patterns, near.cpu().numpy())
    return distance / patterns.shape[1] if normalize else distance


def equal_to_zero(distance: Array, patterns: Array, near: np.ndarray) -> None:
    """Set to 0 the distances of identical patterns, looking only where some distance is tiny.

    Examples
    --------
    >>> distance = np.full((2, 2), 1e-9)
    >>> equal_to_zero(distance, np.ones((2, 3)), np.array([True, True]))
    >>> float(distance.sum())
    0.0
    """
    groups: dict[bytes, list[int]] = {}
    for row in np.flatnonzero(near).tolist():
        pattern = patterns[row].cpu().numpy() if is_torch(patterns) else patterns[row]
        # Adding 0.0 turns -0.0 into 0.0, which equals it.
        groups.setdefault((pattern + 0.0).tobytes(), []).append(row)
    for same in groups.values():
        if len(same) > 1:
            index = np.array(same)
            distance[index[:, None], index[None, :]] = 0.0


def correlation_distance(patterns: Array, *, block_bytes: int = BLOCK_BYTES) -> Array:
    r"""Return 1 minus the Pearson correlation, over units, between every two patterns.

    .. math:: d_{ij} = 1 - \frac{\sum_u (x_{iu} - \bar x_i)(x_{ju} - \bar x_j)}
              {\sqrt{\sum_u (x_{iu} - \bar x_i)^2 \sum_u (x_{ju} - \bar x_j)^2}}

    Each pattern is centred over its own units; the mean pattern stays in.

    Parameters
    ----------
    patterns : array or tensor of shape (n_stimuli, n_units)
        Activity, any unit, finite. float32 is multiplied in float32, all else in float64.
    block_bytes : int
        Memory for the centred copy of one block of units.

    Returns
    -------
    array or tensor of shape (n_stimuli, n_stimuli)
        float64, symmetric, without unit, from 0 to 2; 0 on the diagonal. A pattern that is
        constant over units has no correlation: its row and column are NaN.

    Raises
    ------
    DataError
        Some entries are not finite; the message counts them.

    Examples
    --------
    >>> correlation_distance([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    array([[ 0.,  2., nan],
           [ 2.,  0., nan],
           [nan, nan, nan]])
    """
    patterns = as_patterns(patterns)
    xp = namespace_of(patterns)
    n_units = patterns.shape[1]
    means, left_over = _row_means(patterns)
    gram, squares = gram_about(patterns, lambda _: means[:, None], block_bytes=block_bytes)
    squares = squares - left_over * left_over * n_units
    constant = _constant_rows(patterns, squares, means)
    small = (squares < _SMALLEST_MEAN_SQUARE * n_units) & ~constant
    if patterns.dtype == xp.float32 and bool(small.any()):
        return correlation_distance(as_float64(patterns), block_bytes=block_bytes)
    gram -= left_over[:, None] * left_over[None, :] * n_units
    scale = xp.sqrt(xp.clip(squares, 0.0, None))
    scale[constant] = xp.nan
    gram /= scale[:, None] * scale[None, :]
    distance = xp.clip(1.0 - gram, 0.0, 2.0)
    if is_torch(distance):
        distance = (distance + distance.T) / 2
    fill_diagonal(distance, scale * 0.0)
    return distance


def _row_means(patterns: Array) -> tuple[Array, Array]:
    """Return each pattern's mean in the precision of the patterns, and what that leaves over."""
    with np.errstate(invalid="ignore", over="ignore"):
        exact = patterns.mean(1, dtype=namespace_of(patterns).float64)
        rounded = exact.to(patterns.dtype) if is_torch(exact) else exact.astype(patterns.dtype)
        return rounded, exact - rounded


def _constant_rows(patterns: Array, squares: Array, means: Array) -> Array:
    """Find the patterns whose entries are all equal, looking only where the variance is tiny."""
    xp = namespace_of(patterns)
    epsilon = xp.finfo(patterns.dtype).eps
    bound = patterns.shape[1] * (1e3 * epsilon * as_float64(means)) ** 2
    constant = squares <= bound
    for row in np.flatnonzero(np.asarray(constant.cpu() if is_torch(constant) else constant)):
        constant[row] = bool(patterns[row].max() == patterns[row].min())
    return constant
