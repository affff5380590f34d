"""Folds against leaks, and dealt evenly."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.group_folds import stratified_group_folds

CLASSES = ("bird", "car", "dog")


def test_folds_split_no_group_and_spread_classes():
    """Repeats of a stimulus share a fold, and every fold holds its share of each class."""
    groups = [f"s{i}" for i in range(30) for _ in range(3)]
    labels = [CLASSES[i % 3] for i in range(30) for _ in range(3)]
    folds = stratified_group_folds(labels, groups, n_folds=5, seed=2)
    for group in set(groups):
        assert len({f for f, g in zip(folds, groups, strict=True) if g == group}) == 1
    for name in CLASSES:
        counts = np.bincount(folds[[label == name for label in labels]], minlength=5)
        assert counts.tolist() == [6] * 5


def test_order_of_rows_and_seed():
    """A group's fold depends on names and seed, never on where its rows stand."""
    groups = np.array([f"s{i:02d}" for i in range(30)])
    labels = np.array([CLASSES[i % 3] for i in range(30)])
    order = np.random.default_rng(1).permutation(30)
    straight = stratified_group_folds(labels.tolist(), groups.tolist())
    shuffled = stratified_group_folds(labels[order].tolist(), groups[order].tolist())
    np.testing.assert_array_equal(shuffled, straight[order])
    other = stratified_group_folds(labels.tolist(), groups.tolist(), seed=1)
    assert not np.array_equal(straight, other)


@pytest.mark.parametrize(
    "labels, groups, words",
    [
        (["a", "a", "b"], ["x", "y", "z"], "Class 'b' has one group"),
        (["a", "b", "b"], ["x", "x", "z"], "Group 'x' holds the classes 'a' and 'b'"),
    ],
)
def test_groups_that_cannot_be_dealt_are_refused(labels, groups, words):
    """A class that cannot be both learnt and tested, and a group of two classes, are errors."""
    with pytest.raises(DataError, match=words):
        stratified_group_folds(labels, groups)


def test_one_fold_is_refused():
    """Fewer than two folds leave nothing to test, and labels need groups."""
    with pytest.raises(UsageError, match="n_folds must be at least 2; got 1"):
        stratified_group_folds(["a", "a"], ["x", "y"], n_folds=1)
    with pytest.raises(DataError, match="2 labels and 1 groups"):
        stratified_group_folds(["a", "a"], ["x"])
