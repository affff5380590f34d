"""Splits of stimuli that never let one stimulus stand on both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.checks import no_duplicates
from neuroai.errors import UsageError


def halves(
    stimuli: Sequence[str],
    *,
    condition: Sequence[str] | None = None,
    n_splits: int = 10,
    seed: int = 0,
) -> np.ndarray:
    """Split stimuli into random halves, stratified by condition.

    Parameters
    ----------
    stimuli : sequence of str
        Unique ids.
    condition : sequence of str, optional
        Condition of each stimulus; each is split as evenly as it can be, and what is left over
        goes where the halves balance.
    n_splits : int
        How many splits.
    seed : int
        Seed of the draw.

    Returns
    -------
    array of bool, shape (n_splits, n_stimuli)
        True where a stimulus is in half A, in the order given. The split depends on the ids and
        the seed, not on their order.

    Raises
    ------
    UsageError
        Fewer than four stimuli.

    Examples
    --------
    >>> halves(["a", "b", "c", "d"], n_splits=3).sum(axis=1).tolist()
    [2, 2, 2]
    """
    no_duplicates(stimuli, where="the stimuli to split")
    if len(stimuli) < 4:
        raise UsageError(f"Halves need at least 4 stimuli; got {len(stimuli)}.")
    conditions = [""] * len(stimuli) if condition is None else [str(c) for c in condition]
    # Sorting first makes the draw independent of the order in which the stimuli came.
    order = sorted(range(len(stimuli)), key=lambda i: stimuli[i])
    sorted_conditions = [conditions[i] for i in order]
    rng = np.random.default_rng(seed)
    splits = np.zeros((n_splits, len(stimuli)), dtype=bool)
    for split in splits:
        split[order] = _one_split(sorted_conditions, rng)
    return splits


def _one_split(conditions: list[str], rng: np.random.Generator) -> np.ndarray:
    """Alternate within each condition, in a random order."""
    keys = rng.random(len(conditions))
    shuffled = sorted(range(len(conditions)), key=lambda i: (conditions[i], keys[i]))
    # Alternating through the whole list keeps both the conditions and the halves balanced.
    start = int(rng.integers(2))
    split = np.empty(len(conditions), dtype=bool)
    split[shuffled] = (np.arange(len(conditions)) + start) % 2 == 0
    return split


def group_folds(groups: Sequence[str], *, n_folds: int = 5, seed: int = 0) -> np.ndarray:
    """Number the fold of each row so that no group stands in two folds.

    Parameters
    ----------
    groups : sequence of str
        Group of each row (such as its stimulus id).
    n_folds : int
        How many folds; at most the number of groups.
    seed : int
        Seed of the draw.

    Returns
    -------
    array of int, shape (n_rows,)
        Fold of each row, 0 to n_folds - 1.

    Raises
    ------
    UsageError
        There are fewer groups than folds.

    Examples
    --------
    >>> folds = group_folds(["a", "a", "b", "c"], n_folds=3)
    >>> bool(folds[0] == folds[1]), len(set(folds.tolist()))
    (True, 3)
    """
    names, inverse = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if not 2 <= n_folds <= len(names):
        raise UsageError(f"n_folds must lie in [2, {len(names)}] for these groups; got {n_folds}.")
    shuffled = np.random.default_rng(seed).permutation(len(names))
    fold_of_group = np.empty(len(names), dtype=int)
    fold_of_group[shuffled] = np.arange(len(names)) % n_folds
    return fold_of_group[inverse]
