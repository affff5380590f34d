"""Shapley values of games whose values are known, by every way of computing them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics.shapley import shapley_interactions, shapley_values

EXACT = 1e-10  # float64 algebra
N_GAMES = 20


def two_and_one(intact):
    """Parts 0 and 1 are worth 1 together; part 2 is worth 2."""
    return float(intact[0] and intact[1]) + 2.0 * float(intact[2])


def random_game(n, seed):
    """A value drawn for every coalition."""
    worth = np.random.default_rng(seed).normal(size=2**n)
    return lambda intact: worth[int((intact * 2 ** np.arange(n)).sum())]


def by_hand(value, n):
    """Average over every order of adding parts."""
    total = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        intact = np.zeros(n, dtype=bool)
        for part in order:
            before = value(intact)
            intact[part] = True
            total[part] += value(intact) - before
    return total / len(orders)


def test_the_game_of_two_and_one():
    """0.5, 0.5 and 2; the pair interacts by 1, the others not at all."""
    found = shapley_values(two_and_one, 3)
    assert found.exact and found.n_evaluations == 8 and not found.errors.any()
    assert np.abs(found.values - [0.5, 0.5, 2.0]).max() <= EXACT
    pairs = shapley_interactions(two_and_one, 3)
    assert abs(pairs[0, 1] - 1) <= EXACT and np.abs(pairs[2, :2]).max() <= EXACT
    assert np.array_equal(pairs, pairs.T, equal_nan=True)


@pytest.mark.parametrize("n", [1, 2, 4, 6])
def test_every_order_by_hand(n):
    """Random games up to six parts, over all orders."""
    for seed in range(3):
        game = random_game(n, seed)
        assert np.abs(shapley_values(game, n).values - by_hand(game, n)).max() <= EXACT


@pytest.mark.parametrize("antithetic", [True, False])
def test_sampled_values_are_within_their_errors(antithetic):
    """Over random games of six parts 95 % of values lie within two standard errors, roughly."""
    inside = []
    for seed in range(N_GAMES):
        game = random_game(6, seed)
        found = shapley_values(
            game, 6, n_permutations=200, antithetic=antithetic, exact=False, seed=seed
        )
        gap = np.abs(found.values - shapley_values(game, 6).values)
        inside += (gap <= 2 * found.errors).tolist()
        assert abs(found.values.sum() - (found.whole - found.nothing)) <= EXACT
    # Binomial, 120 values: 0.95 less four standard errors.
    assert np.mean(inside) >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / len(inside))


def test_errors_shrink_as_samples_come_in():
    """The running error is given after every sample and falls."""
    found = shapley_values(random_game(6, 0), 6, n_permutations=400, exact=False)
    assert found.course.shape == (200, 6) and not np.isfinite(found.course[0]).any()
    assert (found.course[-1] < found.course[10]).all()
    assert np.array_equal(found.course[-1], found.errors)


def test_reversed_orders_are_exact_for_pairs():
    """A game of pairs alone has no error left once each order is followed by its reverse."""
    weights = np.random.default_rng(0).normal(size=(14, 14))
    game = lambda intact: float(intact @ weights @ intact)  # noqa: E731
    found = shapley_values(game, 14, n_permutations=4, seed=1)
    wanted = np.diag(weights) + (weights + weights.T - 2 * np.diag(np.diag(weights))).sum(1) / 2
    assert not found.exact and np.abs(found.values - wanted).max() <= EXACT


def test_a_coalition_is_asked_once():
    """Values are remembered, and what is handed out cannot be written to."""
    asked = []

    def game(intact):
        asked.append(tuple(intact))
        assert not intact.flags.writeable
        return float(intact.sum())

    found = shapley_values(game, 3, n_permutations=50, exact=False)
    assert len(asked) == len(set(asked)) == found.n_evaluations <= 8


@pytest.mark.parametrize(
    ("n", "options", "said"),
    [
        (0, {}, "one part or more; got 0"),
        (13, {"exact": True}, r"2\^13 coalitions; at most 12"),
        (13, {"n_permutations": 3}, "4 or more, and even; got 3"),
        (13, {"n_permutations": 1, "antithetic": False}, "2 or more; got 1"),
    ],
)
def test_what_cannot_be_computed_is_told(n, options, said):
    """Too few and too many."""
    with pytest.raises(UsageError, match=said):
        shapley_values(lambda intact: 0.0, n, **options)


def test_undefined_values_and_too_many_pairs_are_told():
    """NaN is no contribution; interactions ask for every coalition."""
    with pytest.raises(UsageError, match=r"value of parts \[0, 1\] is not finite"):
        shapley_values(lambda intact: float("nan"), 2)
    with pytest.raises(UsageError, match="2 to 12 parts; got 13"):
        shapley_interactions(lambda intact: 0.0, 13)
