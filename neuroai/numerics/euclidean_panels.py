"""Squared Euclidean distances of NumPy patterns, panel by panel of the lower half."""

from __future__ import annotations

import numpy as np
import torch

from neuroai.numerics.arrays import not_finite_error
from neuroai.numerics.distances import MAY_BE_EQUAL, equal_to_zero
from neuroai.numerics.gram_panels import ROWS, WHOLE, GramPanels


def euclidean_by_panels(patterns: np.ndarray, share: int, block_bytes: int) -> np.ndarray:
    """Finish the distances of some rows while their products are in the cache, and mirror them.

    Parameters
    ----------
    patterns : array of shape (n_stimuli, n_units)
        float32 or float64.
    share : int
        What distances are divided by.
    block_bytes : int
        As in `neuroai.numerics.distances.squared_euclidean`.

    Returns
    -------
    array of shape (n_stimuli, n_stimuli)
        float64, symmetric, at least 0.

    Raises
    ------
    DataError
        Some entries are not finite.

    Examples
    --------
    >>> euclidean_by_panels(np.array([[0.0, 0.0], [3.0, 4.0]]), 1, 2**20)
    array([[ 0., 25.],
           [25.,  0.]])
    """
    gram = GramPanels.of(patterns, block_bytes=block_bytes)
    if not np.isfinite(gram.squares).all():
        if patterns.dtype == np.float32 and np.isfinite(patterns).all():
            return euclidean_by_panels(patterns.astype(np.float64), share, block_bytes)
        raise not_finite_error(patterns, name="patterns")
    if len(patterns) <= WHOLE:
        return _whole(patterns, gram, share)
    squares = torch.from_numpy(gram.squares / share)
    least = MAY_BE_EQUAL[patterns.itemsize] * float(squares.max())
    distance, near = np.empty((len(patterns),) * 2), np.zeros(len(patterns), dtype=bool)
    whole = torch.from_numpy(distance)
    for rows, products in gram:
        panel = whole[rows, : rows.stop].copy_(products)
        panel.mul_(-2.0 / share).add_(squares[: rows.stop]).add_(squares[rows, None]).clamp_(min=0)
        corner = panel[:, rows.start :]
        lower = torch.tril(corner, -1)
        corner.copy_(lower + lower.T).fill_diagonal_(np.inf)
        close = (panel <= least).numpy()
        near[rows] |= close.any(axis=1)
        near[: rows.stop] |= close.any(axis=0)
        corner.fill_diagonal_(0)
        for start in range(0, rows.start, ROWS):
            other = slice(start, start + ROWS)
            whole[other, rows] = panel[:, other].T
    equal_to_zero(distance, patterns, near)
    return distance


def _whole(patterns: np.ndarray, gram: GramPanels, share: int) -> np.ndarray:
    [(_, distance)] = gram
    distance *= -2.0 / share
    squares = gram.squares / share
    # One sum for both, so that rounding keeps the matrix symmetric.
    distance += squares[:, None] + squares
    np.maximum(distance, 0.0, out=distance)
    np.fill_diagonal(distance, np.inf)
    near = (distance <= MAY_BE_EQUAL[patterns.itemsize] * squares.max()).any(axis=1)
    np.fill_diagonal(distance, 0.0)
    equal_to_zero(distance, patterns, near)
    return distance
