"""Folds for encoding models: groups stay together, and neighbours in time are kept apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neuroai.errors import DataError, UsageError


@dataclass(frozen=True)
class Folds:
    """What is learnt from and what is tested on, fold by fold.

    Attributes
    ----------
    train, test : array of bool, shape (n_folds, n_rows)
        A row may be in neither, where it is too near in time to what is tested.
    how : str
        How rows were dealt, for the result's history.
    """

    train: np.ndarray
    test: np.ndarray
    how: str

    def __len__(self) -> int:
        return len(self.train)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give the row numbers (train, test) of each fold."""
        for train, test in zip(self.train, self.test, strict=True):
            yield np.flatnonzero(train), np.flatnonzero(test)

    def within(self, rows: np.ndarray) -> Folds:
        """Keep some rows only; folds that have nothing left to learn from or to test go."""
        train, test = self.train[:, rows], self.test[:, rows]
        kept = train.any(axis=1) & test.any(axis=1)
        return Folds(train[kept], test[kept], self.how)

    def nested(self, rows: np.ndarray) -> Folds:
        """Keep what is learnt from, to choose among its folds what is fitted on all of them.

        Raises
        ------
        DataError
            The rows are of one fold alone: nothing is left to choose by.
        """
        found = self.within(rows)
        if not len(found):
            raise DataError(
                f"{self.how}: what a fold learns from is one fold alone, so that no other is left "
                "to choose penalties by. Take three folds or more."
            )
        return found


def group_folds(groups: Sequence[str], *, n_folds: int = 5, seed: int = 0) -> Folds:
    """Deal whole groups into folds of about equal numbers of rows.

    Repeats of a stimulus are one group, so that no stimulus is both learnt and tested.

    Parameters
    ----------
    groups : sequence of str, length n_rows
        Group of each row, such as its stimulus.
    n_folds : int
        At least 2 and at most the number of groups.
    seed : int
        Seed of the deal.

    Returns
    -------
    Folds

    Raises
    ------
    UsageError
        Fewer than two folds.
    DataError
        Fewer groups than folds.

    Examples
    --------
    >>> folds = group_folds(["a", "a", "b", "c"], n_folds=3)
    >>> sorted(len(test) for _, test in folds)
    [1, 1, 2]
    """
    names, member, sizes = np.unique(
        np.asarray(groups, dtype=str), return_inverse=True, return_counts=True
    )
    _check_count(n_folds, len(names), "groups")
    order = np.random.default_rng(seed).permutation(len(names))
    # The largest first, each to the fold that has fewest rows so far.
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of, filled = np.empty(len(names), dtype=np.int64), np.zeros(n_folds, dtype=np.int64)
    for group in order:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    test = fold_of[member] == np.arange(n_folds)[:, None]
    return Folds(~test, test, f"{n_folds} folds of whole groups, seed {seed}")


def block_folds(runs: Sequence[str], *, n_folds: int = 5, gap: int = 0) -> Folds:
    """Cut time series into contiguous blocks, and leave out what lies next to the tested block.

    Rows are in order of time within each run. With as many runs as folds or more, whole runs are
    dealt, and no gap is needed.

    Parameters
    ----------
    runs : sequence of str, length n_rows
        Run of each row; the rows of a run follow one another.
    n_folds : int
        At least 2.
    gap : int
        Rows on either side of a tested block that are neither learnt nor tested: at least as long
        as the series remember, which for a blood-flow response is about 15 s.

    Returns
    -------
    Folds

    Examples
    --------
    >>> folds = block_folds(["r"] * 6, n_folds=3, gap=1)
    >>> [(train.tolist(), test.tolist()) for train, test in folds][1]
    ([0, 5], [2, 3])
    """
    labels = np.asarray(runs, dtype=str)
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    if len(starts) != len(np.unique(labels)):
        raise DataError("The rows of each run must follow one another in time.")
    if gap < 0:
        raise UsageError(f"gap must be 0 rows or more; got {gap}.")
    if len(starts) >= n_folds:
        whole = group_folds(labels, n_folds=n_folds)
        return Folds(whole.train, whole.test, f"{n_folds} folds of whole runs")
    _check_count(n_folds, len(labels), "rows")
    bounds = np.linspace(0, len(labels), n_folds + 1).round().astype(int)
    place = np.arange(len(labels))
    run = np.cumsum(np.isin(place, starts)) - 1
    test = np.stack([(place >= a) & (place < b) for a, b in zip(bounds, bounds[1:], strict=False)])
    train = np.stack(
        [_far(place, run, a, b, gap) for a, b in zip(bounds, bounds[1:], strict=False)]
    )
    if not train.any(axis=1).all():
        raise DataError(f"A gap of {gap} rows leaves nothing to learn from. Take fewer folds.")
    return Folds(train, test, f"{n_folds} contiguous blocks with a gap of {gap} rows")


def _far(place: np.ndarray, run: np.ndarray, begin: int, end: int, gap: int) -> np.ndarray:
    """Say which rows lie outside a block, and in its runs further off than the gap."""
    same = np.isin(run, np.unique(run[begin:end]))
    near = (place >= begin - gap) & (place < end + gap)
    inside = (place >= begin) & (place < end)
    return ~inside & ~(near & same)


def shuffled_folds(n_rows: int, *, n_folds: int = 5, seed: int = 0) -> Folds:
    """Deal rows one by one: right only where rows are independent, and said so in the result.

    Examples
    --------
    >>> shuffled_folds(4, n_folds=2).how
    'rows shuffled into 2 folds, seed 0 (not independent of repeats or time)'
    """
    folds = group_folds([str(row) for row in range(n_rows)], n_folds=n_folds, seed=seed)
    how = f"rows shuffled into {n_folds} folds, seed {seed} (not independent of repeats or time)"
    return Folds(folds.train, folds.test, how)


def _check_count(n_folds: int, available: int, what: str) -> None:
    if n_folds < 2:
        raise UsageError(f"n_folds must be at least 2; got {n_folds}.")
    if available < n_folds:
        raise DataError(
            f"{available} {what} cannot be dealt into {n_folds} folds. Take fewer folds."
        )
