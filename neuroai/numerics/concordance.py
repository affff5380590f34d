"""Concordant and discordant pairs of entries: Kendall's tau-a in about m log m steps."""

from __future__ import annotations

import numpy as np

from neuroai.numerics.arrays import require_finite
from neuroai.numerics.ranks import packed, ranking, runs_of

# Elements per block of row pairs: a block and its copies stay in the processor's cache.
_BLOCK_ENTRIES = 1 << 17
_LEAF = 16


def tau_a(a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None) -> np.ndarray:
    r"""Return Kendall's tau-a between every row of `a` and every row of `b`.

    .. math:: \tau_a = \frac{\sum_{k<l} \mathrm{sgn}(x_k - x_l)\,\mathrm{sgn}(y_k - y_l)}
              {m (m - 1) / 2}

    Parameters
    ----------
    a : array of shape (n_a, n_entries)
        Finite numbers, any unit.
    b : array of shape (n_b, n_entries)
        Finite numbers, any unit.
    weights : array of shape (n_entries,), optional
        Whole numbers of copies of each entry; copies of one entry tie.

    Returns
    -------
    array of shape (n_a, n_b)
        float64, without unit, from -1 to 1; NaN where a row is constant.

    References
    ----------
    Kendall (1938), A new measure of rank correlation, Biometrika 30,
    https://doi.org/10.1093/biomet/30.1-2.81

    Examples
    --------
    >>> tau_a(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 1.0, 2.0]]))
    array([[0.66666667]])
    """
    codes_a, codes_b = dense_codes(a), dense_codes(b)
    if weights is not None:
        codes_a, codes_b = (np.repeat(codes, weights, axis=1) for codes in (codes_a, codes_b))
    rows_a = np.repeat(np.arange(len(codes_a)), len(codes_b))
    rows_b = np.tile(np.arange(len(codes_b)), len(codes_a))
    out = np.empty(len(rows_a))
    block = max(1, _BLOCK_ENTRIES // max(1, codes_a.shape[1]))
    for start in range(0, len(out), block):
        part = slice(start, start + block)
        out[part] = paired_tau_a(codes_a[rows_a[part]], codes_b[rows_b[part]])
    return out.reshape(len(codes_a), len(codes_b))


def dense_codes(values: np.ndarray) -> np.ndarray:
    """Return whole numbers, at least 0, in the order of each row's values.

    Whole numbers that are small enough already stay as they are.

    Examples
    --------
    >>> dense_codes(np.array([[0.5, 0.1, 0.5]]))
    array([[1, 0, 1]])
    """
    values = np.asarray(values)
    if values.dtype.kind in "iu" and values.size and 0 <= values.min() <= values.max() < 2**20:
        return values.astype(np.int64)
    require_finite(values, name="values")
    return ranking(values).below.astype(np.int64)


def paired_tau_a(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return tau-a between row k of `x` and row k of `y`.

    Parameters
    ----------
    x, y : arrays of shape (n_rows, n_entries)
        Whole numbers, at least 0.

    Returns
    -------
    array of shape (n_rows,)
        float64, from -1 to 1; NaN where a row is constant.

    Examples
    --------
    >>> paired_tau_a(np.array([[0, 1, 2]]), np.array([[0, 2, 1]]))
    array([0.33333333])
    """
    n_rows, n_entries = x.shape
    if n_entries < 2:
        return np.full(n_rows, np.nan)
    x, y = _fitting(x), _fitting(y)
    rank_y, ties_x, ties_both = _in_order_of_x(x, y)
    keys, bits = packed(rank_y)
    keys.sort(axis=-1)
    ties_y = _tied_pairs(keys >> bits)
    discordant = _inversions(keys & ((1 << bits) - 1))
    all_pairs = n_entries * (n_entries - 1) // 2
    difference = all_pairs - ties_x - ties_y + ties_both - 2 * discordant
    constant = (ties_x == all_pairs) | (ties_y == all_pairs)
    return np.where(constant, np.nan, difference / all_pairs)


def _fitting(codes: np.ndarray) -> np.ndarray:
    """Return codes of which two fit in one 64-bit number."""
    if int(codes.max()).bit_length() <= 31:
        return codes
    return ranking(codes).below.astype(np.int64)


def _in_order_of_x(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort by x and within its ties by y; return y so sorted, and the tied pairs."""
    bits = max(1, int(y.max()).bit_length())
    keys = (x << bits) | y
    keys.sort(axis=-1)
    return keys & ((1 << bits) - 1), _tied_pairs(keys >> bits), _tied_pairs(keys)


def _tied_pairs(ordered: np.ndarray) -> np.ndarray:
    """Count, row by row, the pairs of equal entries where those stand side by side."""
    first = np.ones(ordered.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=first[:, 1:])
    if first.all():
        return np.zeros(len(ordered), dtype=np.int64)
    starts, counts = runs_of(first)
    row_starts = np.searchsorted(starts, np.arange(len(ordered)) * ordered.shape[1])
    return np.add.reduceat(counts * (counts - 1), row_starts) // 2


def _inversions(position: np.ndarray) -> np.ndarray:
    """Count, row by row, the pairs that stand in the wrong order.

    `position` (n_rows, n_entries) holds a permutation in every row. Each step counts the pairs
    between the lower and the upper half of every range of places and splits the range there.
    """
    n_rows, n_entries = position.shape
    depth = max(0, (n_entries - 1) // _LEAF).bit_length()
    leaf = -(-n_entries >> depth)
    size = leaf << depth
    # Added places stand last and in order, so that they pass nothing.
    keys = np.empty((n_rows, size), dtype=position.dtype)
    keys[:, :n_entries] = position
    keys[:, n_entries:] = np.arange(n_entries, size)
    count = np.zeros(n_rows, dtype=np.int64)
    for step in range(depth):
        groups, half = 1 << step, size >> step >> 1
        keys = keys.reshape(n_rows, groups, 2 * half)
        upper = keys >= ((np.arange(groups, dtype=keys.dtype) * 2 + 1) * half)[:, None]
        low = np.flatnonzero(~upper)
        count += _passed(low, keys.shape)
        halves = np.empty((n_rows, groups, 2, half), dtype=keys.dtype)
        halves[:, :, 0] = keys.take(low).reshape(n_rows, groups, half)
        halves[:, :, 1] = keys.take(np.flatnonzero(upper)).reshape(n_rows, groups, half)
        keys = halves
    keys = keys.reshape(n_rows, -1, leaf)
    for apart in range(1, leaf):
        count += np.count_nonzero(keys[..., :-apart] > keys[..., apart:], axis=(1, 2))
    return count


def _passed(low: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Count the entries of the upper half that each of the lower half has before it."""
    n_rows, groups, size = shape
    half = size // 2
    # The j-th lower entry of a group would stand at place j with no upper one before it.
    unpassed = groups * (half * (half - 1) // 2) + half * size * (groups * (groups - 1) // 2)
    row_offsets = np.arange(n_rows) * (groups * half * groups * size)
    return low.reshape(n_rows, -1).sum(axis=1) - row_offsets - unpassed
