"""Average ranks, and their weighted form for resampled RDMs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuroai.numerics.arrays import require_finite

# Rows go in blocks of this many entries: they stay near the processor, and torch takes one thread.
_BLOCK_ENTRIES = 2**15


class Ranking(NamedTuple):
    """The order of the entries of every row, found once and used for any weights.

    Attributes
    ----------
    order : array of shape (n_rows, n_entries)
        Positions of the entries from the smallest to the largest.
    below : array of shape (n_rows, n_entries)
        How many entries of the row are smaller than this one.
    up_to : array of shape (n_rows, n_entries) or None
        How many are smaller or equal; None where no row has ties.
    """

    order: np.ndarray
    below: np.ndarray
    up_to: np.ndarray | None


def ranking(values: np.ndarray) -> Ranking:
    """Return the order of the entries of every row.

    Parameters
    ----------
    values : array of shape (n_rows, n_entries)
        Finite numbers, any unit.

    Raises
    ------
    DataError
        Some entries are not finite; the message counts them.

    Examples
    --------
    >>> ranking(np.array([[3.0, 1.0, 2.0]])).below
    array([[2, 0, 1]])
    """
    values = np.asarray(values)
    require_finite(values, name="values")
    n_rows, n_entries = values.shape
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    first = np.ones((n_rows, n_entries), dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=first[:, 1:])
    starts, counts = runs_of(first)
    below = _scattered(np.repeat(starts % max(n_entries, 1), counts), order)
    if len(starts) == values.size:
        return Ranking(order, below, None)
    up_to = _scattered(np.repeat(starts % n_entries + counts, counts), order)
    return Ranking(order, below, up_to)


def runs_of(first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where runs start in the flattened `first` and how long each is.

    `first` (n_rows, n_entries) is True where a run begins; every row begins one.

    Examples
    --------
    >>> runs_of(np.array([[True, False, True], [True, True, False]]))
    (array([0, 2, 3, 4]), array([2, 1, 1, 2]))
    """
    starts = np.flatnonzero(first)
    return starts, np.diff(starts, append=first.size)


def _scattered(flat: np.ndarray, order: np.ndarray) -> np.ndarray:
    out = np.empty(order.shape, dtype=np.intp)
    np.put_along_axis(out, order, flat.reshape(order.shape), axis=-1)
    return out


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Rank along the last axis from 1; tied entries share the mean of their ranks.

    Parameters
    ----------
    values : array of shape (..., n_entries)
        Finite numbers, any unit.

    Returns
    -------
    array of shape (..., n_entries)
        float64, from 1 to n_entries.

    Raises
    ------
    DataError
        Some entries are not finite; the message counts them.

    Examples
    --------
    >>> average_ranks(np.array([10.0, 30.0, 10.0]))
    array([1.5, 3. , 1.5])
    """
    values = np.asarray(values)
    flat = values.reshape(-1, values.shape[-1])
    found = ranking(flat)
    up_to = found.below + 1 if found.up_to is None else found.up_to
    return ((found.below + up_to + 1) / 2).reshape(values.shape)


def weighted_ranks(found: Ranking, weights: np.ndarray) -> np.ndarray:
    """Return the average ranks that every entry has once entry k is there ``weights[k]`` times.

    Parameters
    ----------
    found : Ranking of shape (n_rows, n_entries)
        From :func:`ranking`.
    weights : array of shape (n_entries,)
        Whole numbers of copies, at least 0, the same for all rows.

    Returns
    -------
    array of shape (n_rows, n_entries)
        float64. Entries of weight 0 hold the rank they would take between the others.

    Examples
    --------
    >>> weighted_ranks(ranking(np.array([[10.0, 20.0, 30.0]])), np.array([2, 1, 1]))
    array([[1.5, 3. , 4. ]])
    """
    return doubled_ranks(found, weights) / 2


def doubled_ranks(
    found: Ranking, weights: np.ndarray, *, at: np.ndarray | None = None
) -> np.ndarray:
    """Return twice the weighted average ranks: whole numbers, so that sums of them are exact.

    Those of the entries `at` are made alone, where they are given.

    Examples
    --------
    >>> found = ranking(np.array([[10.0, 20.0, 30.0]]))
    >>> doubled_ranks(found, np.array([2, 1, 1]))
    array([[3, 6, 8]])
    >>> doubled_ranks(found, np.array([2, 1, 1]), at=np.array([2]))
    array([[8]])
    """
    # Here, so that ranks alone load no torch.
    import torch

    weights = np.asarray(weights, dtype=np.int64)
    n_rows, n_entries = found.order.shape
    height = max(1, min(n_rows, _BLOCK_ENTRIES // max(n_entries, 1)))
    copies = np.zeros((height, n_entries + 1), dtype=np.int64)
    offset = np.arange(height)[:, None] * (n_entries + 1)
    own = weights if at is None else weights.take(at)
    doubled = np.empty((n_rows, len(own)), dtype=np.int64)
    for start in range(0, n_rows, height):
        rows = slice(start, start + height)
        out = doubled[rows]
        # Running sums by torch take a sixth of NumPy's time.
        counted = torch.from_numpy(weights.take(found.order[rows]))
        torch.cumsum(counted, dim=1, out=torch.from_numpy(copies)[: len(out), 1:])
        # Clipped, since NumPy would check bounds in a copy of `out`.
        place = _columns(found.below[rows], at) + offset[: len(out)]
        np.take(copies, place, out=out, mode="clip")
        if found.up_to is None:
            out += out
        else:
            out += copies.take(_columns(found.up_to[rows], at) + offset[: len(out)])
    doubled += own + 1 if found.up_to is None else 1
    return doubled


def _columns(rows: np.ndarray, at: np.ndarray | None) -> np.ndarray:
    return rows if at is None else rows.take(at, axis=1)


def doubled_ranks_of(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return twice the weighted average ranks of whole numbers, for rows that are ranked once.

    Sorting values packed with their positions is several times faster than finding the order of
    floats.

    Parameters
    ----------
    values : array of shape (n_rows, n_entries)
        Whole numbers, at least 0.
    weights : array of shape (n_entries,), optional
        Whole numbers of copies, at least 0; all 1 if not given.

    Returns
    -------
    array of shape (n_rows, n_entries)
        int64.

    Examples
    --------
    >>> doubled_ranks_of(np.array([[7, 3, 7]]))
    array([[5, 2, 5]])
    """
    keys, bits = packed(values)
    keys.sort(axis=-1)
    position = keys & ((1 << bits) - 1)
    code = keys >> bits
    copies = np.ones_like(position) if weights is None else weights.take(position)
    up_to = np.cumsum(copies, axis=-1, dtype=np.int64)
    doubled = 2 * up_to - copies + 1
    first = np.ones(code.shape, dtype=bool)
    np.not_equal(code[:, 1:], code[:, :-1], out=first[:, 1:])
    _share_ties(doubled, up_to - copies, up_to, first)
    out = np.empty_like(doubled)
    offset = np.arange(len(values))[:, None] * values.shape[1]
    out.put(position + offset, doubled)
    return out


def packed(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Return whole numbers with their position in the low bits, and the number of those bits.

    Examples
    --------
    >>> packed(np.array([[1, 0]]))
    (array([[2, 1]], dtype=int32), 1)
    """
    n_entries = values.shape[-1]
    bits = max(1, (n_entries - 1).bit_length())
    largest = int(values.max(initial=0))
    dtype = np.int32 if largest.bit_length() + bits < 32 else np.int64
    return (values.astype(dtype) << bits) | np.arange(n_entries, dtype=dtype), bits


def _share_ties(
    doubled: np.ndarray, before: np.ndarray, up_to: np.ndarray, first: np.ndarray
) -> None:
    """Give tied entries, which stand side by side, the mean of their ranks, in place."""
    starts, counts = runs_of(first)
    tied = counts > 1
    starts, counts = starts[tied], counts[tied]
    if len(starts) == 0:
        return
    shared = before.ravel()[starts] + up_to.ravel()[starts + counts - 1] + 1
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    doubled.ravel()[np.repeat(starts, counts) + within] = np.repeat(shared, counts)
