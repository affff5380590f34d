"""Folds: groups whole, neighbours in time apart, and how they were dealt said."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.folds import block_folds, group_folds, shuffled_folds


@pytest.mark.parametrize("seed", range(20))
def test_no_group_is_both_learnt_and_tested(seed):
    """Every row is tested once, and its whole group with it."""
    groups = np.random.default_rng(seed).integers(0, 15, 60).astype(str)
    folds = group_folds(groups, n_folds=4, seed=seed)
    assert (folds.test.sum(axis=0) == 1).all() and (folds.train ^ folds.test).all()
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])


def test_folds_are_about_equally_large():
    """One group of ten and ten of one make two folds of ten."""
    folds = group_folds(["big"] * 10 + [f"g{i}" for i in range(10)], n_folds=2)
    assert folds.test.sum(axis=1).tolist() == [10, 10]


def test_a_seed_deals_otherwise():
    """The same seed deals alike, another otherwise."""
    groups = [str(i) for i in range(20)]
    one, same, other = (group_folds(groups, seed=s).test for s in (0, 0, 1))
    assert (one == same).all() and (one != other).any()


@pytest.mark.parametrize("gap", [0, 3])
def test_blocks_are_contiguous_with_a_gap_around(gap):
    """What is learnt lies further from the tested block than the gap."""
    folds = block_folds(["r"] * 50, n_folds=5, gap=gap)
    assert (folds.test.sum(axis=0) == 1).all()
    for train, test in folds:
        assert (np.diff(test) == 1).all()
        assert np.abs(train[:, None] - test).min() == gap + 1


def test_whole_runs_are_left_out_where_there_are_enough():
    """With as many runs as folds nothing is lost to gaps."""
    runs = np.repeat(["a", "b", "c", "d"], 5)
    folds = block_folds(runs, n_folds=4, gap=3)
    assert folds.how == "4 folds of whole runs"
    assert all(len(set(runs[test])) == 1 and len(train) == 15 for train, test in folds)


def test_a_gap_does_not_reach_into_another_run():
    """Rows that follow in the array but not in time are learnt from."""
    folds = block_folds(["a"] * 10 + ["b"] * 10, n_folds=4, gap=2)
    train, test = list(folds)[1]
    assert test.tolist() == [5, 6, 7, 8, 9] and train[3:].tolist() == list(range(10, 20))


def test_two_folds_have_no_inner_folds():
    """Of three there are two to choose by, of two there is none."""
    three, two = (group_folds([str(i) for i in range(12)], n_folds=n) for n in (3, 2))
    train, _ = next(iter(three))
    assert len(three.nested(train)) == 2
    train, _ = next(iter(two))
    with pytest.raises(DataError, match="one fold alone.*Take three folds or more"):
        two.nested(train)


def test_inner_folds_come_from_the_outer_ones():
    """The rows of an outer fold never turn up inside it."""
    folds = group_folds([str(i) for i in range(20)], n_folds=5)
    for train, _ in folds:
        inner = folds.within(train)
        assert len(inner) == 4 and inner.test.shape == (4, len(train))
        assert (inner.test.sum(axis=0) == 1).all()


def test_shuffled_rows_are_named_so():
    """The history says that repeats and time were not kept apart."""
    assert "not independent of repeats or time" in shuffled_folds(10).how


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: group_folds(["a", "b"], n_folds=1), "n_folds must be at least 2; got 1"),
        (lambda: group_folds(["a", "a"], n_folds=2), "1 groups cannot be dealt into 2 folds"),
        (lambda: block_folds(["a", "b", "a"]), "must follow one another in time"),
        (lambda: block_folds(["a"] * 9, gap=-1), "gap must be 0 rows or more"),
        (lambda: block_folds(["a"] * 9, n_folds=3, gap=9), "leaves nothing to learn from"),
        (lambda: block_folds(["a"] * 3, n_folds=5), "3 rows cannot be dealt into 5"),
    ],
)
def test_what_cannot_be_dealt_is_told(make, said):
    """What was wanted, what came, what to do."""
    with pytest.raises((UsageError, DataError), match=said):
        make()
