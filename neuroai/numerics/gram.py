"""Gram matrices of centred patterns, in blocks over units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuroai.numerics.arrays import Array, as_float64, as_patterns, namespace_of, not_finite_error

BLOCK_BYTES = 256 * 2**20

# Runs of this many units are summed in the patterns' own precision.
_CHUNK = 256


def centred_gram(patterns: Array, *, block_bytes: int = BLOCK_BYTES) -> Array:
    r"""Return the double-centred Gram matrix of activity patterns.

    .. math:: K = H X X^\top H, \qquad H = I - \tfrac{1}{n} 1 1^\top

    The mean pattern is subtracted before any product is formed. Products of float32 patterns are
    summed in float32 within a block of units and in float64 across blocks; the diagonal is summed
    in float64 throughout.

    Parameters
    ----------
    patterns : array or tensor of shape (n_stimuli, n_units)
        Activity, any unit, finite.
    block_bytes : int
        Memory for the centred copy of one block of units.

    Returns
    -------
    array or tensor of shape (n_stimuli, n_stimuli)
        float64; rows and columns sum to 0. In the squared unit of `patterns`.

    Raises
    ------
    DataError
        Some entries are not finite.

    Examples
    --------
    >>> centred_gram([[0.0, 1.0], [2.0, 1.0]])
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    patterns = as_patterns(patterns)
    gram, squares = gram_about(patterns, column_mean, block_bytes=block_bytes)
    fill_diagonal(gram, squares)
    return double_centred(gram)


def column_mean(block: Array) -> Array:
    """Return the mean pattern of a block of units, to the precision of the block.

    Any centre near the mean serves, because what is computed from it is centred again.
    """
    return block.mean(0)


def double_centred(gram: Array) -> Array:
    """Return `gram` with the mean of every row and of every column removed.

    Examples
    --------
    >>> double_centred(np.array([[1.0, 0.0], [0.0, 1.0]]))
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    rows = gram.mean(-1)
    shift = rows - 0.5 * rows.mean(-1)[..., None]
    out = gram - shift[..., :, None]
    out -= shift[..., None, :]
    return out


def gram_about(
    patterns: Array, centre: Callable[[Array], Array], *, block_bytes: int
) -> tuple[Array, Array]:
    """Return the Gram matrix of ``patterns - centre(block)`` and its diagonal summed in float64.

    Raises
    ------
    DataError
        Some entries are not finite.
    """
    gram, squares = _accumulate(patterns, centre, block_bytes)
    xp = namespace_of(patterns)
    if not bool(xp.isfinite(squares).all()):
        if patterns.dtype == xp.float32 and bool(xp.isfinite(patterns).all()):
            return gram_about(as_float64(patterns), centre, block_bytes=block_bytes)
        raise not_finite_error(patterns, name="patterns")
    return gram, squares


def _accumulate(
    patterns: Array, centre: Callable[[Array], Array], block_bytes: int
) -> tuple[Array, Array]:
    xp = namespace_of(patterns)
    n_stimuli, n_units = patterns.shape
    itemsize = 4 if patterns.dtype == xp.float32 else 8
    width = block_bytes // (n_stimuli * itemsize)
    width = min(n_units, max(_CHUNK, width // _CHUNK * _CHUNK))
    make = {} if xp is np else {"device": patterns.device}
    gram = xp.zeros((n_stimuli, n_stimuli), dtype=xp.float64, **make)
    squares = xp.zeros(n_stimuli, dtype=xp.float64, **make)
    work = xp.empty((n_stimuli, width), dtype=patterns.dtype, **make)
    # Entries that are not finite are counted by the caller, with a message of their own.
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, n_units, width):
            block = patterns[:, start : start + width]
            part = work[:, : block.shape[1]]
            xp.subtract(block, centre(block), out=part)
            gram += part @ part.T
            squares += squared_norms(part)
    return gram, squares


def squared_norms(block: Array) -> Array:
    """Sum squares over units: short runs in the block's own precision, the runs in float64.

    Examples
    --------
    >>> squared_norms(np.array([[3.0, 4.0]]))
    array([25.])
    """
    xp = namespace_of(block)
    if xp is not np:
        return (block * block).sum(1, dtype=xp.float64)
    whole = block.shape[1] // _CHUNK * _CHUNK
    runs = block[:, :whole].reshape(block.shape[0], -1, _CHUNK)
    total = np.einsum("ijk,ijk->ij", runs, runs).sum(1, dtype=np.float64)
    rest = block[:, whole:]
    return total + np.einsum("ij,ij->i", rest, rest)


def fill_diagonal(square: Array, values: Array | float) -> None:
    """Write `values` on the diagonal of a square matrix, in place, in its own library.

    Examples
    --------
    >>> square = np.ones((2, 2))
    >>> fill_diagonal(square, 0.0)
    >>> square
    array([[0., 1.],
           [1., 0.]])
    """
    if namespace_of(square) is np:
        np.fill_diagonal(square, values)
    else:
        square.diagonal()[:] = values
