"""Pseudo-trials: averages of a few trials of one class, made within folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neuroai.errors import UsageError


class PseudoTrials(NamedTuple):
    """Averaged rows with their class and fold.

    Attributes
    ----------
    patterns : array, shape (n_pseudo, ...)
        Mean patterns.
    labels : array, shape (n_pseudo,)
        Class of each.
    folds : array, shape (n_pseudo,)
        Fold of each.
    n_left_out : int
        Rows that filled no average.
    """

    patterns: np.ndarray
    labels: np.ndarray
    folds: np.ndarray
    n_left_out: int


def pseudo_trials(
    patterns: np.ndarray,
    labels: Sequence[object],
    folds: Sequence[object],
    *,
    size: int,
    seed: int = 0,
) -> PseudoTrials:
    r"""Average rows of one class and one fold, `size` at a time, in a random order.

    .. math:: \bar x = \frac{1}{k} \sum_{i=1}^k x_i

    Nothing that is tested is averaged with anything that is learnt from: a row meets rows of its
    own fold alone. Noise falls with the root of `size`, and so does the number of rows with it.

    Parameters
    ----------
    patterns : array, shape (n_rows, ...)
        Activity, any unit.
    labels, folds : sequence, length n_rows
        Class and fold of each row.
    size : int
        Rows in an average, at least 1. A class with fewer rows in a fold has one average of all.
    seed : int
        Seed of the order.

    Returns
    -------
    PseudoTrials

    Raises
    ------
    UsageError
        `size` is below 1, or the lengths differ.

    References
    ----------
    Guggenmos, Sterzer & Cichy 2018, doi:10.1016/j.neuroimage.2018.02.044

    Examples
    --------
    >>> made = pseudo_trials(np.array([[1.0], [3.0], [8.0]]), "aab", [0, 0, 0], size=2)
    >>> made.patterns.ravel().tolist(), made.labels.tolist()
    ([2.0, 8.0], ['a', 'b'])
    """
    patterns, names = np.asarray(patterns), np.asarray(list(labels))
    places = np.asarray(list(folds))
    if size < 1 or not len(patterns) == len(names) == len(places):
        raise UsageError(
            "Averages need size of at least 1, and one label and one fold a row; got "
            f"size={size}, {len(patterns)} rows, {len(names)} labels and {len(places)} folds."
        )
    rng = np.random.default_rng(seed)
    members: list[np.ndarray] = []
    for fold in np.unique(places):
        for label in np.unique(names):
            rows = rng.permutation(np.flatnonzero((places == fold) & (names == label)))
            full = len(rows) // size * size
            members += np.split(rows[:full], full // size) if full else [rows] * bool(len(rows))
    first = np.array([rows[0] for rows in members])
    means = np.stack([patterns[rows].mean(0) for rows in members])
    used = sum(len(rows) for rows in members)
    return PseudoTrials(means, names[first], places[first], len(patterns) - used)
