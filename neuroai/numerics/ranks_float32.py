"""Average ranks of single-precision numbers, by sorting whole numbers of 32 or 64 bits."""

from __future__ import annotations

import numpy as np
import torch

from neuroai.errors import UsageError
from neuroai.numerics.arrays import require_finite
from neuroai.numerics.ranks import average_ranks

# Rows are ranked in blocks of this many entries, which stay in the cache of a processor.
_BLOCK_ENTRIES = 2**18

# With this many bits or fewer for the position, 32 bits leave room to tell values apart.
_POSITION_BITS = 13
_VALUE_BITS = 18
_SIGN_BITS = 31
_LONG_BITS = 32


def ranks_of_float32(values: np.ndarray) -> np.ndarray:
    """Rank single-precision numbers along the last axis from 1; ties share the mean of their ranks.

    The same as `neuroai.numerics.ranks.average_ranks` and several times as fast: values are first
    sorted by their leading bits, packed with their positions, and only those that these bits do
    not tell apart are sorted again by all of them.

    Parameters
    ----------
    values : array of shape (n_rows, n_entries)
        float32, finite, any unit; fewer than 2 ** 23 entries a row.

    Returns
    -------
    array of shape (n_rows, n_entries)
        float32, which holds every half of such a number exactly.

    Raises
    ------
    UsageError
        The numbers are not single precision, or a row has too many.
    DataError
        Some entries are not finite; the message counts them.

    Examples
    --------
    >>> ranks_of_float32(np.array([[3.0, 1.0, 3.0]], dtype=np.float32)).tolist()
    [[2.5, 1.0, 2.5]]
    """
    values = np.asarray(values)
    if values.dtype != np.float32 or values.ndim != 2 or values.shape[1] >= 2**23:
        raise UsageError(
            "values must be a float32 matrix with fewer than 2 ** 23 columns; got "
            f"{values.dtype} of shape {values.shape}. Use ranks.average_ranks for others."
        )
    require_finite(values, name="values")
    out = np.empty(values.shape, dtype=np.float32)
    height = max(1, _BLOCK_ENTRIES // max(values.shape[1], 1))
    for start in range(0, len(values), height):
        _rank(values[start : start + height], out[start : start + height])
    return out


def average_ranks_of(values: torch.Tensor) -> torch.Tensor:
    """Rank the rows of a tensor from 1 where it is; ties share the mean of their ranks.

    Parameters
    ----------
    values : tensor of shape (n_rows, n_entries)
        float32 or float64, finite.

    Returns
    -------
    tensor of shape (n_rows, n_entries)
        In the precision and on the device of `values`.

    Examples
    --------
    >>> average_ranks_of(torch.tensor([[3.0, 1.0, 3.0]])).tolist()
    [[2.5, 1.0, 2.5]]
    """
    if values.device.type != "cpu":
        return _ranks_on_device(values)
    array = values.numpy()
    ranks = ranks_of_float32(array) if array.dtype == np.float32 else average_ranks(array)
    return torch.from_numpy(ranks)


def _ranks_on_device(values: torch.Tensor) -> torch.Tensor:
    ordered, order = values.sort(dim=1)
    n_entries = values.shape[1]
    place = torch.arange(n_entries, device=values.device).expand(values.shape)
    starts = torch.ones_like(values, dtype=torch.bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = starts.roll(-1, dims=1)
    ends[:, -1] = True
    first = torch.where(starts, place, 0).cummax(dim=1).values
    last = torch.where(ends, place, n_entries).flip(1).cummin(dim=1).values.flip(1)
    mean = (first + last).to(values.dtype) / 2 + 1
    return torch.empty_like(values).scatter_(1, order, mean)


def _rank(values: np.ndarray, out: np.ndarray) -> None:
    """Write the ranks of one block of rows."""
    n_entries = values.shape[1]
    bits = max(1, (n_entries - 1).bit_length())
    order, tied = _by_leading_bits(values, bits) or _by_all_bits(values, bits)
    ranks = torch.arange(1, n_entries + 1, dtype=torch.float32).expand(values.shape)
    torch.from_numpy(out).scatter_(1, torch.from_numpy(order), ranks)
    starts, counts = _runs(tied)
    if len(starts):
        mean = (starts % n_entries + 1) + (counts - 1) / 2
        places = _places(starts, counts)
        at = order.ravel()[places] + places // n_entries * n_entries
        # A block of rows is contiguous, so that this writes into it.
        out.reshape(-1)[at] = np.repeat(mean, counts)


def _runs(tied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where runs start in the flattened rows, and how long each is, 2 or more.

    `tied` (n_rows, n_entries - 1) says which entries go with the next one.
    """
    found = np.flatnonzero(tied)
    found += found // max(tied.shape[1], 1)
    first = np.flatnonzero(np.diff(found, prepend=-2) != 1)
    return found[first], np.diff(first, append=len(found)) + 1


def _places(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts, counts) + within


def _whole(values: np.ndarray) -> np.ndarray:
    """Return int32 in the order of the values; adding 0 makes both zeros one."""
    bits = (values + np.float32(0)).view(np.int32)
    return bits ^ ((bits >> _SIGN_BITS) & np.int32(0x7FFFFFFF))


def _by_all_bits(values: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the order and which neighbours tie, from whole numbers of 64 bits."""
    keys = (_whole(values).astype(np.int64) << bits) | np.arange(values.shape[1])
    keys.sort(axis=1)
    order = keys & ((1 << bits) - 1)
    keys >>= bits
    return order, keys[:, 1:] == keys[:, :-1]


def _by_leading_bits(values: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the order and which neighbours tie; None where 32 bits do not do."""
    low = values.min(axis=1, keepdims=True)
    with np.errstate(over="ignore", divide="ignore"):
        spread = values.max(axis=1, keepdims=True) - low
        scale = np.where(spread > 0, np.float32(2**_VALUE_BITS - 2) / spread, np.float32(0))
    if bits > _POSITION_BITS or not (np.isfinite(scale) & np.isfinite(spread)).all():
        return None
    keys = ((values - low) * scale).astype(np.int32)
    keys <<= _POSITION_BITS
    keys |= np.arange(values.shape[1], dtype=np.int32)
    keys.sort(axis=1)
    order = (keys & (2**_POSITION_BITS - 1)).astype(np.int64)
    keys >>= _POSITION_BITS
    return order, _resolved(values, order, keys[:, 1:] == keys[:, :-1])


def _resolved(values: np.ndarray, order: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Sort again, by all bits and in place, what the leading bits do not tell apart.

    Returns which neighbours tie.
    """
    starts, counts = _runs(same)
    tied = np.zeros(same.shape, dtype=bool)
    if not len(starts):
        return tied
    places = _places(starts, counts)
    at = order.ravel()[places]
    exact = _whole(values[places // order.shape[1], at]).astype(np.int64) + 2**_SIGN_BITS
    run = np.repeat(np.arange(len(starts)), counts)
    keys = (run << (_LONG_BITS + _POSITION_BITS)) | (exact << _POSITION_BITS) | at
    keys.sort()
    order.ravel()[places] = keys & (2**_POSITION_BITS - 1)
    keys >>= _POSITION_BITS
    equal = places[:-1][keys[1:] == keys[:-1]]
    tied[equal // order.shape[1], equal % order.shape[1]] = True
    return tied
