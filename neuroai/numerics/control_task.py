"""Control tasks: labels that only a memory of single items could solve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.errors import DataError, UsageError


def control_labels(
    labels: Sequence[str], items: Sequence[str], *, rng: np.random.Generator
) -> list[str]:
    """Give every item a label at random, the same in all of its rows.

    Where every item has one label, labels are permuted among items, so that classes keep their
    numbers of items; else each item draws from the distribution of labels over rows. Draws that
    leave one class alone, or a class with a single row, are drawn again.

    Parameters
    ----------
    labels, items : sequence of str, length n_rows
        True label and item of each row.
    rng : numpy.random.Generator
        Source of the draw; the result does not hang on the order of rows.

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        A hundred draws gave no task with two classes of two rows.

    References
    ----------
    Hewitt & Liang 2019, doi:10.18653/v1/D19-1275

    Examples
    --------
    >>> drawn = control_labels("aabb", "wwxx", rng=np.random.default_rng(0))
    >>> sorted(drawn), drawn[0] == drawn[1]
    (['a', 'a', 'b', 'b'], True)
    """
    names = sorted(set(items))
    of_item: dict[str, set[str]] = {}
    for label, item in zip(labels, items, strict=True):
        of_item.setdefault(str(item), set()).add(str(label))
    pool = sorted(map(str, labels))
    one_each = all(len(own) == 1 for own in of_item.values())
    for _ in range(100):
        if one_each:
            drawn = rng.permutation([next(iter(of_item[name])) for name in names])
        else:
            drawn = rng.choice(pool, size=len(names))
        given = dict(zip(names, drawn, strict=True))
        made = [str(given[item]) for item in items]
        counts = np.unique(made, return_counts=True)[1]
        if len(counts) > 1 and counts.min() > 1:
            return made
    raise DataError(
        f"{len(names)} items give no control task with two classes of two rows; take more items."
    )


def spread_folds(items: Sequence[str], *, n_folds: int = 5, seed: int = 0) -> np.ndarray:
    """Deal the rows of every item over the folds, so that each is learnt from and tested.

    Parameters
    ----------
    items : sequence of str, length n_rows
        Item of each row; its rows are dealt in the order given.
    n_folds : int
        Folds, at least 2; no more than there are rows of the commonest item are used.
    seed : int
        Seed of where each item starts.

    Returns
    -------
    int array, shape (n_rows,)
        Fold of each row, from 0.

    Raises
    ------
    UsageError
        There are fewer than two folds.

    Examples
    --------
    >>> sorted(spread_folds("wwww", n_folds=2).tolist())
    [0, 0, 1, 1]
    """
    if n_folds < 2:
        raise UsageError(f"n_folds must be at least 2; got {n_folds}.")
    counts = np.unique(np.asarray(list(items)), return_counts=True)[1]
    n_folds = max(2, min(n_folds, int(counts.max())))
    rng = np.random.default_rng(seed)
    next_fold = {item: int(rng.integers(n_folds)) for item in sorted(set(items))}
    folds = np.empty(len(items), dtype=np.int64)
    for row, item in enumerate(items):
        folds[row] = next_fold[item]
        next_fold[item] = (next_fold[item] + 1) % n_folds
    return folds
