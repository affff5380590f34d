"""Odd one out against brute force, ties and chance."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from neuroai.errors import DataError
from neuroai.numerics.odd_one_out import CHANCE, choice_agreement, odd_one_out, triplets
from neuroai.testing import EXACT


def _rdm(n: int, seed: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).random((n, n)), k=1)
    return upper + upper.T


def test_all_triplets_in_order():
    """Below the limit every triplet comes once, as itertools lists them."""
    expected = np.array(list(combinations(range(8), 3)))
    np.testing.assert_array_equal(triplets(8), expected)


def test_sampled_triplets_are_distinct_seeded_and_even():
    """A sample holds distinct triplets, repeats with its seed, and favours no item."""
    found = triplets(92, limit=2000, seed=3)
    assert found.shape == (2000, 3) and len(np.unique(found, axis=0)) == 2000
    assert (np.diff(found, axis=1) > 0).all()
    np.testing.assert_array_equal(found, triplets(92, limit=2000, seed=3))
    assert not np.array_equal(found, triplets(92, limit=2000, seed=4))
    p = 3 / 92
    bound = 4 * np.sqrt(2000 * p * (1 - p))
    assert np.abs(np.bincount(found.ravel(), minlength=92) - 2000 * p).max() < bound + 1


def test_equals_brute_force():
    """The odd item is the one that is not in the nearest pair."""
    rdm, items = _rdm(9, 1), triplets(9)
    expected = []
    for triplet in items:
        pair = min(combinations(range(3), 2), key=lambda p: rdm[triplet[p[0]], triplet[p[1]]])
        expected.append(({0, 1, 2} - set(pair)).pop())
    np.testing.assert_array_equal(odd_one_out(rdm, items), expected)
    np.testing.assert_array_equal(odd_one_out(np.stack([rdm, rdm]), items), [expected] * 2)


def test_ties_and_missing_are_undefined():
    """A tie of the two nearest pairs, up to rounding, and a missing distance have no odd one."""
    tie = np.array([[0, 0.1 + 0.2, 0.3], [0.1 + 0.2, 0, 5], [0.3, 5, 0]])
    gap = np.array([[0, 1, np.nan], [1, 0, 2], [np.nan, 2, 0]])
    rounding = np.array([[0, 1e-16, 2e-16], [1e-16, 0, 3e-16], [2e-16, 3e-16, 0]])
    far_tie = np.array([[0, 1.0, 5], [1, 0, 5], [5, 5, 0]])
    found = odd_one_out(np.stack([tie, gap, far_tie]), np.array([[0, 1, 2]]))
    assert found[:, 0].tolist() == [-1, -1, 2]
    among_others = np.ones((4, 4))
    among_others[:3, :3] = rounding
    assert odd_one_out(among_others, np.array([[0, 1, 2]])).tolist() == [-1]


def test_random_observers_agree_on_a_third():
    """Unrelated RDMs agree on 1/3 of the triplets, within 4 standard errors over pairs."""
    items = triplets(30, limit=500)
    n = 200
    first = odd_one_out(np.stack([_rdm(30, seed) for seed in range(n)]), items)
    second = odd_one_out(np.stack([_rdm(30, 1000 + seed) for seed in range(n)]), items)
    shares = np.diag(choice_agreement(first, second))
    assert abs(shares.mean() - CHANCE) < 4 * shares.std(ddof=1) / np.sqrt(n)


def test_agreement_with_weights_repeats_questions():
    """A question of weight 2 counts twice; undefined ones not at all."""
    rng = np.random.default_rng(2)
    a, b = rng.integers(-1, 3, size=(3, 40)), rng.integers(-1, 3, size=(2, 40))
    weights = rng.integers(4, size=(5, 40))
    expected = [choice_agreement(np.repeat(a, w, axis=1), np.repeat(b, w, axis=1)) for w in weights]
    np.testing.assert_allclose(choice_agreement(a, b, weights=weights), expected, atol=EXACT)
    defined = (a[0] >= 0) & (b[1] >= 0)
    share = (a[0] == b[1])[defined].mean()
    np.testing.assert_allclose(choice_agreement(a, b)[0, 1], share, atol=EXACT)


def test_nothing_in_common_is_undefined():
    """Without a question that both answered there is no agreement."""
    assert np.isnan(choice_agreement([[-1, 0]], [[1, np.nan]])).all()


def test_too_few_items_are_refused():
    """Two items make no triplet."""
    with pytest.raises(DataError, match="at least 3 items"):
        triplets(2)
