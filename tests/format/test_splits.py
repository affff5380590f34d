"""Splits are seeded, balanced, stratified, blind to order, and never cut a group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroai.errors import AlignmentError, UsageError
from neuroai.format.splits import group_folds, halves
from neuroai.testing import STANDARD_ERRORS

IDS = [f"i{i:02d}" for i in range(21)]
CONDITION = ["face"] * 7 + ["house"] * 9 + ["tool"] * 5


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=4, max_size=40), st.integers(0, 2**31))
def test_halves_are_balanced_and_stratified(condition: list[str], seed: int) -> None:
    """Neither a condition nor the whole is split more unevenly than by one stimulus."""
    ids = [str(i) for i in range(len(condition))]
    splits = halves(ids, condition=condition, n_splits=3, seed=seed)
    assert splits.shape == (3, len(ids)) and splits.dtype == bool
    for split in splits:
        for rows in ([True] * len(ids), *(np.equal(condition, c) for c in set(condition))):
            in_a = split[np.asarray(rows)]
            assert abs(2 * in_a.sum() - len(in_a)) <= 1


@pytest.mark.parametrize("condition", [None, CONDITION])
def test_halves_do_not_depend_on_the_order(condition: list[str] | None) -> None:
    """Each stimulus is on the same side of every split, in whatever order the ids come."""
    wanted = halves(IDS, condition=condition, seed=3)
    rng = np.random.default_rng(0)
    for _ in range(50):
        order = rng.permutation(len(IDS))
        shuffled = None if condition is None else [condition[i] for i in order]
        got = halves([IDS[i] for i in order], condition=shuffled, seed=3)
        np.testing.assert_array_equal(got, wanted[:, order])


def test_halves_are_seeded() -> None:
    """A seed gives the same splits again; another seed, and the next split, give others."""
    first = halves(IDS, n_splits=5, seed=1)
    np.testing.assert_array_equal(first, halves(IDS, n_splits=5, seed=1))
    assert (first != halves(IDS, n_splits=5, seed=2)).any()
    assert len({split.tobytes() for split in first}) == 5


def test_every_pair_is_parted_as_chance_has_it() -> None:
    """Of 12 stimuli any two fall apart in 6/11 of the splits; the bound is 4 standard errors."""
    n_splits = 4000
    splits = halves(IDS[:12], n_splits=n_splits, seed=0)
    apart = (splits[:, :, None] != splits[:, None, :]).mean(axis=0)[np.triu_indices(12, 1)]
    chance = 6 / 11
    # 66 pairs are looked at, so the widest of them may stray a little further: one in 240.
    bound = (STANDARD_ERRORS + 0.5) * np.sqrt(chance * (1 - chance) / n_splits)
    assert np.abs(apart - chance).max() < bound


def test_halves_refuse_what_they_cannot_split() -> None:
    """Fewer than four stimuli, and ids that come twice, are refused by name."""
    with pytest.raises(UsageError, match="at least 4 stimuli; got 3"):
        halves(["a", "b", "c"])
    with pytest.raises(AlignmentError, match="more than once in the stimuli to split: b"):
        halves(["a", "b", "b", "c"])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text("abcdefgh", min_size=1, max_size=2), min_size=4, max_size=60),
    st.integers(2, 6),
    st.integers(0, 2**31),
)
def test_group_folds_never_split_a_group(groups: list[str], n_folds: int, seed: int) -> None:
    """A group is in one fold, every fold has a group, and their numbers of groups are even."""
    names = sorted(set(groups))
    if n_folds > len(names):
        with pytest.raises(UsageError, match=f"n_folds must lie in .*; got {n_folds}"):
            group_folds(groups, n_folds=n_folds, seed=seed)
        return
    folds = group_folds(groups, n_folds=n_folds, seed=seed)
    of_group = {name: set(folds[np.equal(groups, name)].tolist()) for name in names}
    assert all(len(found) == 1 for found in of_group.values())
    sizes = np.bincount([found.pop() for found in of_group.values()], minlength=n_folds)
    assert len(sizes) == n_folds and sizes.min() >= 1 and sizes.max() - sizes.min() <= 1


def test_group_folds_are_seeded_and_blind_to_order() -> None:
    """The fold of a row hangs on its group and the seed, not on its place."""
    groups = np.repeat(IDS, 3)
    folds = group_folds(groups, seed=4)
    order = np.random.default_rng(0).permutation(len(groups))
    np.testing.assert_array_equal(group_folds(groups[order], seed=4), folds[order])
    assert (folds != group_folds(groups, seed=5)).any()


def test_one_fold_is_no_fold() -> None:
    """Cross-validation needs two folds."""
    with pytest.raises(UsageError, match=r"n_folds must lie in \[2, 2\] for these groups; got 1"):
        group_folds(["a", "b"], n_folds=1)
