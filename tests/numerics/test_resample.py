"""Bootstrap counts and permutations."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics.resample import (
    bootstrap_counts,
    group_permutations,
    stimulus_permutations,
)


def test_counts_are_multinomial():
    """Each row draws n of n; each item is drawn once on average, with variance 1 - 1/n."""
    counts = bootstrap_counts(20_000, 8, rng=np.random.default_rng(0))
    assert (counts.sum(axis=1) == 8).all()
    # Four standard errors of a mean and of a variance of 20,000 near-Poisson counts.
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=4 * np.sqrt(0.875 / 20_000))
    np.testing.assert_allclose(counts.var(axis=0), 0.875, atol=4 * np.sqrt(3.0 / 20_000))


def test_permutations_are_uniform():
    """Every order of three stimuli is as likely."""
    orders = stimulus_permutations(6_000, 3, rng=np.random.default_rng(0))
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6
    np.testing.assert_allclose(counts, 1000, atol=4 * np.sqrt(6000 * 5 / 36))


@pytest.mark.parametrize("draw", [bootstrap_counts, stimulus_permutations])
def test_one_seed_one_draw(draw):
    """The same seed draws the same numbers."""
    first, second = (draw(5, 9, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("draw", [bootstrap_counts, stimulus_permutations])
def test_wrong_numbers_are_refused(draw):
    """Nothing can be drawn from nothing, nor without a generator."""
    with pytest.raises(UsageError, match="at least 1; got 0 and 5"):
        draw(0, 5, rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="rng must be a numpy.random.Generator; got int"):
        draw(5, 5, rng=3)


def test_groups_change_places_as_wholes():
    """In a thousand orders the four members of a group take the places of one group, evenly."""
    groups = np.array(list("abcdabcdabcd"))
    free = stimulus_permutations(1000, 12, rng=np.random.default_rng(0))
    orders = group_permutations(free, groups)
    assert (np.sort(orders, axis=1) == np.arange(12)).all()
    taken = groups[orders]
    for letter in "abcd":
        same = taken[:, groups == letter]
        assert (same == same[:, :1]).all()
        # 250 of each are expected; five standard errors are 68.
        counts = [int((same[:, 0] == other).sum()) for other in "abcd"]
        assert max(abs(count - 250) for count in counts) < 68
    # Members move within their group as well: 500 of 1,000 pairs stand in their first order.
    ordered = orders[:, 0] < orders[:, 4]
    assert abs(int(ordered.sum()) - 500) < 80


def test_groups_of_unequal_sizes_stay_neighbours():
    """Every order holds each group's members side by side in the order of the groups' places."""
    groups = list("aabbbc")
    free = stimulus_permutations(50, 6, rng=np.random.default_rng(1))
    for order in group_permutations(free, groups):
        runs = [groups[k] for k in order]
        changes = sum(a != b for a, b in zip(runs, runs[1:], strict=False))
        assert sorted(order) == list(range(6)) and changes == 2


def test_groups_of_another_number_of_stimuli_are_refused():
    """The message says both numbers."""
    with pytest.raises(UsageError, match=r"shape \(n_permutations, 2\).*got \(1, 3\)"):
        group_permutations(np.array([[0, 1, 2]]), ["a", "b"])
