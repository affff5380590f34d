"""Shattering: how many ways of splitting conditions in two a linear readout can tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np

from neuroai.errors import DataError, UsageError
from neuroai.numerics.decoding_flat import decode_flat
from neuroai.numerics.group_folds import stratified_group_folds


class Shattered(NamedTuple):
    """Accuracy over dichotomies.

    Attributes
    ----------
    score : float
        Mean balanced accuracy over dichotomies, chance .5; 1 for a space of highest dimension.
    accuracies : array, shape (n_dichotomies,)
        Of each dichotomy.
    sides : tuple of tuples of str
        Conditions on one side of each dichotomy: that of the first condition, or the smaller.
    """

    score: float
    accuracies: np.ndarray
    sides: tuple[tuple[str, ...], ...]


def shattering(
    patterns: np.ndarray,
    conditions: Sequence[str],
    groups: Sequence[str],
    *,
    n_dichotomies: int = 50,
    n_folds: int = 5,
    shrinkage: float | str = "auto",
    seed: int = 0,
) -> Shattered:
    r"""Tell the two sides of every even split of conditions apart, cross-validated.

    .. math:: SD = \frac{1}{|D|} \sum_{d \in D} \text{balanced accuracy of } d

    over the splits D of k conditions into halves (for an odd number, as even as can be). Few
    splits are decodable where conditions lie in a plane, and all where they lie in general.

    Parameters
    ----------
    patterns : array, shape (n_rows, n_units)
        Activity, any unit, finite.
    conditions : sequence of str, length n_rows
        Condition of each row, at least four; the same in all rows of a group.
    groups : sequence of str, length n_rows
        What no fold may split, such as the stimulus; at least two of every condition.
    n_dichotomies : int
        Most splits; where there are more, as many different ones are drawn.
    n_folds : int
        Folds, every condition spread over them.
    shrinkage : float in (0, 1] or "auto"
        Of the covariance.
    seed : int
        Seed of the folds and splits.

    Returns
    -------
    Shattered

    Raises
    ------
    UsageError
        There is no dichotomy to take.
    DataError
        There are fewer than four conditions, or a condition has one group.

    References
    ----------
    Bernardi et al. 2020, doi:10.1016/j.cell.2020.09.031; Rigotti et al. 2013,
    doi:10.1038/nature12160

    Examples
    --------
    >>> corners = np.eye(4).repeat(2, axis=0) + 1e-3 * np.arange(8)[:, None]
    >>> shattering(corners, "aabbccdd", "12345678", n_folds=2).score
    1.0
    """
    names = sorted(set(conditions))
    if n_dichotomies < 1:
        raise UsageError(f"n_dichotomies must be at least 1; got {n_dichotomies}.")
    if len(names) < 4:
        raise DataError(f"Dichotomies need at least four conditions; got {len(names)}.")
    folds = stratified_group_folds(conditions, groups, n_folds=n_folds, seed=seed)
    splits = _splits(names, n_dichotomies, np.random.default_rng(seed))
    accuracies = []
    for side in splits:
        labels = ["first" if condition in side else "second" for condition in conditions]
        accuracies.append(float(decode_flat(patterns, labels, folds, shrinkage=shrinkage).scores))
    return Shattered(float(np.mean(accuracies)), np.array(accuracies), tuple(splits))


def _splits(
    names: list[str], n_dichotomies: int, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Give one side of every split, the smaller one, or of halves that with the first name."""
    size, even = len(names) // 2, len(names) % 2 == 0
    # Halves would come twice, once a side: the first name is on the side that is listed.
    fixed, free = (names[:1], names[1:]) if even else ([], names)
    size -= len(fixed)
    if comb(len(free), size) <= n_dichotomies:
        return [(*fixed, *rest) for rest in combinations(free, size)]
    drawn: dict[tuple[str, ...], None] = {}
    while len(drawn) < n_dichotomies:
        rest = sorted(rng.choice(free, size, replace=False).tolist())
        drawn[(*fixed, *rest)] = None
    return list(drawn)
