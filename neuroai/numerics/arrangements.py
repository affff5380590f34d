"""Multi-arrangement: one matrix of dissimilarities from several arrangements of some items."""

from __future__ import annotations

import numpy as np

from neuroai.errors import DataError

_CONVERGED = 1e-10
_MOST_ROUNDS = 1000


def combine_arrangements(distances: np.ndarray) -> np.ndarray:
    r"""Combine partial arrangements whose scales are not comparable (inverse MDS).

    An arrangement fills the arena whatever its items, so that its distances are known up to a
    factor. Each is scaled to the current estimate over its own pairs, and the estimate is their
    average, weighted by the evidence that a pair has in it, its squared distance on the screen,

    .. math:: \hat d_{ij} = \frac{\sum_a w_{a, ij}\, s_a d_{a, ij}}{\sum_a w_{a, ij}}, \quad
              w_{a, ij} = d_{a, ij}^2, \quad
              s_a = \sqrt{\frac{\sum_{ij \in a} \hat d_{ij}^2}{\sum_{ij \in a} d_{a, ij}^2}}

    until nothing changes.

    Parameters
    ----------
    distances : array, shape (n_arrangements, n_items, n_items)
        Distances on the screen, symmetric, in any unit; NaN for pairs that an arrangement does
        not hold.

    Returns
    -------
    array, shape (n_items, n_items)
        Dissimilarities with a root mean square of 1 over the pairs that are known; NaN for pairs
        that no arrangement holds, 0 on the diagonal.

    Raises
    ------
    DataError
        The shape is another, a distance is negative, or an arrangement puts all items in one place.

    References
    ----------
    Kriegeskorte & Mur 2012, doi:10.3389/fpsyg.2012.00245.

    Examples
    --------
    The second arrangement shows two of the three items alone, twice as far apart.

    >>> nan = np.nan
    >>> first = np.array([[0, 1, 2.0], [1, 0, 2], [2, 2, 0]])
    >>> second = np.array([[0, 2, nan], [2, 0, nan], [nan, nan, 0.0]])
    >>> combine_arrangements(np.stack([first, second])).round(4)
    array([[0.    , 0.5774, 1.1547],
           [0.5774, 0.    , 1.1547],
           [1.1547, 1.1547, 0.    ]])
    """
    given = np.asarray(distances, dtype=float)
    if given.ndim != 3 or given.shape[1] != given.shape[2] or not len(given):
        raise DataError(
            f"Arrangements come as (n_arrangements, n_items, n_items); got {given.shape}."
        )
    i, j = np.triu_indices(given.shape[1], 1)
    pairs = given[:, i, j]
    if (pairs < 0).any():
        raise DataError("Distances on the screen must be at least 0.")
    held = ~np.isnan(pairs)
    pairs = np.nan_to_num(pairs)
    squares = (pairs**2).sum(axis=1)
    if (squares[held.any(axis=1)] == 0).any():
        raise DataError("An arrangement puts all of its items in one place: leave it out.")
    pairs, held = pairs[held.any(axis=1)], held[held.any(axis=1)]
    found = np.full(given.shape[1:], np.nan)
    np.fill_diagonal(found, 0.0)
    known = held.any(axis=0)
    if known.any():
        found[i[known], j[known]] = found[j[known], i[known]] = _combined(pairs, held)[known]
    return found


def _combined(pairs: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Alternate scaling and averaging; pairs on top of each other everywhere stay at 0."""
    weights = pairs**2
    total = weights.sum(axis=0)
    known = held.any(axis=0)
    # The arrangement of most pairs sets the first estimate's scale.
    estimate = _unit((pairs * held).sum(axis=0) / np.maximum(held.sum(axis=0), 1), known)
    for _ in range(_MOST_ROUNDS):
        scales = np.sqrt((held * estimate**2).sum(axis=1) / (pairs**2).sum(axis=1))
        mean = (weights * pairs * scales[:, None]).sum(axis=0) / np.where(total > 0, total, 1)
        new = _unit(mean, known)
        change = np.abs(new - estimate).max()
        estimate = new
        if change < _CONVERGED:
            break
    return estimate


def _unit(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    return values / np.sqrt((values[known] ** 2).mean())
