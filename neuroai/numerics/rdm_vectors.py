"""Turn square RDMs into vectors of pairs and back."""

from __future__ import annotations

from math import isqrt

import numpy as np

from neuroai.errors import UsageError


def to_vector(square: np.ndarray) -> np.ndarray:
    """Return the entries above the diagonal, row by row.

    Parameters
    ----------
    square : array of shape (..., n_stimuli, n_stimuli)
        Symmetric matrices; what lies on and below the diagonal is not read.

    Returns
    -------
    array of shape (..., n_pairs)
        ``n_pairs = n_stimuli * (n_stimuli - 1) / 2``, in the order (0,1), (0,2), ..., (1,2), ...

    Raises
    ------
    UsageError
        The last two axes differ in length.

    Examples
    --------
    >>> to_vector(np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]]))
    array([1, 2, 3])
    """
    square = np.asarray(square)
    if square.ndim < 2 or square.shape[-1] != square.shape[-2]:
        raise UsageError(
            f"A square RDM has two last axes of one length; got an array of shape {square.shape}."
        )
    rows, columns = pair_indices(square.shape[-1])
    return square[..., rows, columns]


def to_square(vector: np.ndarray, *, diagonal: float = 0.0) -> np.ndarray:
    """Return symmetric matrices from vectors of pairs.

    Parameters
    ----------
    vector : array of shape (..., n_pairs)
        Entries above the diagonal, row by row.
    diagonal : float
        What the diagonal holds.

    Returns
    -------
    array of shape (..., n_stimuli, n_stimuli)
        In the dtype of `vector`.

    Raises
    ------
    UsageError
        No number of stimuli has `n_pairs` pairs.

    Examples
    --------
    >>> to_square(np.array([1.0, 2.0, 3.0]))
    array([[0., 1., 2.],
           [1., 0., 3.],
           [2., 3., 0.]])
    """
    vector = np.asarray(vector)
    n_stimuli = n_stimuli_of(vector.shape[-1])
    rows, columns = pair_indices(n_stimuli)
    square = np.full((*vector.shape[:-1], n_stimuli, n_stimuli), diagonal, dtype=vector.dtype)
    square[..., rows, columns] = vector
    square[..., columns, rows] = vector
    return square


def n_stimuli_of(n_pairs: int) -> int:
    """Return the number of stimuli that has `n_pairs` pairs.

    Raises
    ------
    UsageError
        There is no such number.

    Examples
    --------
    >>> n_stimuli_of(4186)
    92
    """
    n_stimuli = (1 + isqrt(1 + 8 * n_pairs)) // 2
    if n_pairs < 1 or n_stimuli * (n_stimuli - 1) // 2 != n_pairs:
        raise UsageError(
            f"An RDM vector of n stimuli has n(n-1)/2 entries (1, 3, 6, 10, ...); got {n_pairs}. "
            "Was the diagonal kept, or were entries dropped?"
        )
    return n_stimuli


def pair_indices(n_stimuli: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and the column, each (n_pairs,), of every entry of an RDM vector.

    Examples
    --------
    >>> pair_indices(3)
    (array([0, 0, 1]), array([1, 2, 2]))
    """
    return np.triu_indices(n_stimuli, k=1)


def pair_numbers(n_stimuli: int) -> np.ndarray:
    """Return the square matrix (n_stimuli, n_stimuli) that holds each pair's place in the vector.

    The diagonal, which no vector holds, is -1.

    Examples
    --------
    >>> pair_numbers(3)
    array([[-1,  0,  1],
           [ 0, -1,  2],
           [ 1,  2, -1]])
    """
    return to_square(np.arange(n_stimuli * (n_stimuli - 1) // 2), diagonal=-1)


def pairs_within(stimuli: np.ndarray, n_stimuli: int) -> np.ndarray:
    """Return the places, in the vector of all pairs, of the pairs among some of the stimuli.

    Examples
    --------
    >>> pairs_within(np.array([0, 2, 3]), 4)
    array([1, 2, 5])
    """
    return to_vector(pair_numbers(n_stimuli)[np.ix_(stimuli, stimuli)])
