"""Draw bootstrap counts and permutations from a generator that the caller seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.errors import UsageError


def bootstrap_counts(n_samples: int, n_items: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return how often each item is drawn when `n_items` are drawn with replacement.

    Parameters
    ----------
    n_samples : int
        Number of bootstrap samples, at least 1.
    n_items : int
        Number of items, at least 1.
    rng : numpy.random.Generator
        Where the draws come from.

    Returns
    -------
    array of shape (n_samples, n_items)
        int64; every row sums to `n_items`.

    Raises
    ------
    UsageError
        A number is below 1, or `rng` is not a generator.

    Examples
    --------
    >>> bootstrap_counts(2, 5, rng=np.random.default_rng(0)).sum(axis=1)
    array([5, 5])
    """
    _check(n_samples, n_items, rng, option="n_items")
    return rng.multinomial(n_items, np.full(n_items, 1.0 / n_items), size=n_samples)


def stimulus_permutations(
    n_permutations: int, n_stimuli: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Return random orders of the stimuli.

    Parameters
    ----------
    n_permutations : int
        Number of orders, at least 1.
    n_stimuli : int
        Number of stimuli, at least 1.
    rng : numpy.random.Generator
        Where the draws come from.

    Returns
    -------
    array of shape (n_permutations, n_stimuli)
        int64; every row holds 0 to ``n_stimuli - 1`` once.

    Raises
    ------
    UsageError
        A number is below 1, or `rng` is not a generator.

    Examples
    --------
    >>> orders = stimulus_permutations(2, 4, rng=np.random.default_rng(0))
    >>> np.sort(orders, axis=1)
    array([[0, 1, 2, 3],
           [0, 1, 2, 3]])
    """
    _check(n_permutations, n_stimuli, rng, option="n_stimuli")
    return rng.permuted(np.tile(np.arange(n_stimuli), (n_permutations, 1)), axis=1)


def group_permutations(permutations: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Turn orders of stimuli into orders of whole groups, members within each group included.

    Stimuli of one group are alike, so that free relabelling would make a null too narrow. Groups
    come in the order in which their first member does. Groups of one size change places as wholes;
    of unequal sizes, their members stay neighbours.

    Parameters
    ----------
    permutations : array of shape (n_permutations, n_stimuli)
        Every row holds 0 to ``n_stimuli - 1`` once.
    groups : sequence of str
        The group of each stimulus.

    Returns
    -------
    array of shape (n_permutations, n_stimuli)
        int64; every row holds 0 to ``n_stimuli - 1`` once.

    Raises
    ------
    UsageError
        Another number of groups than of stimuli.

    References
    ----------
    Winkler et al. (2015), Multi-level block permutation, https://doi.org/10.1016/j.neuroimage.2015.05.092

    Examples
    --------
    >>> group_permutations(np.array([[3, 0, 2, 1]]), ["a", "a", "b", "b"])
    array([[3, 2, 0, 1]])
    """
    permutations = np.asarray(permutations, dtype=np.int64)
    if permutations.ndim != 2 or permutations.shape[1] != len(groups):
        raise UsageError(
            f"permutations must have shape (n_permutations, {len(groups)}), a column for each "
            f"stimulus that has a group; got {permutations.shape}."
        )
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    places = np.argsort(group, kind="stable")
    out = np.empty_like(permutations)
    for row, order in zip(out, permutations, strict=True):
        _, first = np.unique(group[order], return_index=True)
        row[places] = order[np.argsort(first[group[order]], kind="stable")]
    return out


def _check(n_samples: int, n_items: int, rng: np.random.Generator, *, option: str) -> None:
    if n_samples < 1 or n_items < 1:
        raise UsageError(
            f"The number of draws and {option} must be at least 1; got {n_samples} and {n_items}."
        )
    if not isinstance(rng, np.random.Generator):
        raise UsageError(
            f"rng must be a numpy.random.Generator; got {type(rng).__name__}. "
            "Make one with numpy.random.default_rng(seed)."
        )
