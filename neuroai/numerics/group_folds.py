"""Folds that split no group: every showing of a stimulus is learnt from, or tested on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.errors import DataError, UsageError


def stratified_group_folds(
    labels: Sequence[str], groups: Sequence[str], *, n_folds: int = 5, seed: int = 0
) -> np.ndarray:
    """Deal groups into folds, each class spread as evenly as its groups allow.

    Parameters
    ----------
    labels : sequence of str, length n_rows
        Class of each row; the same in all rows of a group.
    groups : sequence of str, length n_rows
        Group of each row.
    n_folds : int
        Number of folds, at least 2.
    seed : int
        Seed of the deal.

    Returns
    -------
    int array, shape (n_rows,)
        Fold of each row, from 0.

    Raises
    ------
    DataError
        A class has fewer than two groups (it could never be both learnt and tested), or a group
        has two classes.
    UsageError
        There are fewer than two folds.

    Examples
    --------
    >>> folds = stratified_group_folds(["a", "a", "b", "b"], ["s1", "s2", "s3", "s4"], n_folds=2)
    >>> sorted(folds[:2].tolist()), sorted(folds[2:].tolist())
    ([0, 1], [0, 1])
    """
    if n_folds < 2:
        raise UsageError(f"n_folds must be at least 2; got {n_folds}.")
    if len(labels) != len(groups):
        raise DataError(f"{len(labels)} labels and {len(groups)} groups: give one of each a row.")
    label_of: dict[str, str] = {}
    for label, group in zip(labels, groups, strict=True):
        if label_of.setdefault(str(group), str(label)) != str(label):
            raise DataError(
                f"Group '{group}' holds the classes '{label_of[str(group)]}' and '{label}'; "
                "a group needs one class."
            )
    fold_of: dict[str, int] = {}
    rng = np.random.default_rng(seed)
    for label in sorted(set(label_of.values())):
        members = sorted(group for group, own in label_of.items() if own == label)
        if len(members) < 2:
            raise DataError(
                f"Class '{label}' has one group ('{members[0]}') only; a cross-validated readout "
                "needs at least two groups of every class. Leave the class out."
            )
        # Dealing on from the last class keeps the folds of equal size.
        start = len(fold_of)
        for place, member in enumerate(rng.permutation(len(members))):
            fold_of[members[member]] = (start + place) % n_folds
    return np.array([fold_of[str(group)] for group in groups], dtype=np.int64)
