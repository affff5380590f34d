"""Matching of units against all assignments, against a linear program, and on planted copies."""

import sys
from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import linprog

from neuroai.errors import DataError, MissingExtra, UsageError
from neuroai.numerics.matching import permutation_match, semi_match, soft_match, unit_correlations
from neuroai.testing import EQUAL, EXACT, readonly

N_INPUTS = 200
# What is not symmetric must differ by far more than rounding.
APART = 1e-3


def responses(seed, n_units=5, n_stimuli=12):
    """Draw read-only responses of units with unlike means and sizes."""
    rng = np.random.default_rng(seed)
    return readonly(rng.standard_normal((n_stimuli, n_units)) * rng.uniform(0.1, 9, n_units) + 3)


def correlations(a, b):
    """All pairs by numpy."""
    return np.corrcoef(a.T, b.T)[: a.shape[1], a.shape[1] :]


def test_one_to_one_is_the_best_of_all_assignments():
    """Five units onto four: every assignment is tried, for 200 inputs."""
    for seed in range(N_INPUTS):
        a, b = responses(seed), responses(seed + N_INPUTS, n_units=4)
        r = correlations(a, b)
        best = max(np.mean(r[list(rows), range(4)]) for rows in permutations(range(5), 4))
        found = permutation_match(a, b)
        assert found.value == pytest.approx(best, abs=EQUAL)
        assert np.mean(r[found.units_a, found.units_b]) == pytest.approx(best, abs=EQUAL)


def test_correlations_are_matched_and_not_covariances():
    """A loud unit does not take a partner that suits a quiet one better."""
    t = np.arange(8.0)
    good, other = np.sin(t), np.cos(2 * t)
    a = np.stack([good, other], axis=1)
    b = np.stack([good + 0.1 * other, 100 * (good + 0.6 * other)], axis=1)
    assert permutation_match(a, b).units_b.tolist() == [0, 1]
    covariance = (a - a.mean(0)).T @ (b - b.mean(0))
    assert np.trace(covariance) != pytest.approx(np.trace(covariance[::-1]))


def test_each_to_its_best_is_the_mean_of_row_maxima():
    """By numpy, and not the same in the other direction."""
    for seed in range(N_INPUTS):
        a, b = responses(seed), responses(seed + N_INPUTS, n_units=7)
        assert semi_match(a, b).value == pytest.approx(correlations(a, b).max(1).mean(), abs=EQUAL)
    assert semi_match(a, b).value != pytest.approx(semi_match(b, a).value, abs=APART)


def test_shares_solve_the_linear_program():
    """scipy's linear program over plans of transport finds the same value."""
    for seed in range(10):
        a, b = responses(seed, n_units=4), responses(seed + N_INPUTS, n_units=6)
        r = correlations(a, b)
        rows = np.kron(np.eye(4), np.ones(6))
        columns = np.kron(np.ones(4), np.eye(6))
        shares = np.concatenate([np.full(4, 1 / 4), np.full(6, 1 / 6)])
        best = linprog(-r.ravel(), A_eq=np.vstack([rows, columns]), b_eq=shares)
        found = soft_match(a, b)
        assert found.value == pytest.approx(-best.fun, abs=EQUAL)
        np.testing.assert_allclose(found.weights.sum(0), 1 / 6, atol=EXACT)


def test_for_equal_numbers_shares_are_an_assignment():
    """Every corner of the polytope is a permutation (Birkhoff)."""
    for seed in range(N_INPUTS):
        a, b = responses(seed), responses(seed + N_INPUTS)
        one_to_one = permutation_match(a, b).value
        assert soft_match(a, b).value == pytest.approx(one_to_one, abs=EQUAL)


@pytest.mark.parametrize("match", [permutation_match, semi_match, soft_match])
def test_a_shuffled_copy_matches_and_a_turned_one_does_not(match):
    """Scale, offset and order of units are free; a rotation of the axes is not."""
    a = responses(0, n_units=6, n_stimuli=60)
    order = np.random.default_rng(1).permutation(6)
    assert match(a, 2 * a[:, order] - 5).value == pytest.approx(1, abs=EXACT)
    z = (a - a.mean(0)) / a.std(0)
    turned = z @ np.linalg.qr(np.random.default_rng(2).standard_normal((6, 6)))[0]
    assert match(a, turned).value < 0.9


@pytest.mark.parametrize("match", [permutation_match, semi_match, soft_match])
def test_units_that_never_vary_match_nothing_and_are_counted(match):
    """They are left out; with none left there is no value."""
    a = responses(0)
    dead = np.hstack([a, np.full((12, 2), 0.1)])
    found = match(dead, a)
    assert found.value == pytest.approx(1, abs=EXACT) and found.n_constant == 2
    nothing = match(np.full((12, 3), 0.1), a)
    assert np.isnan(nothing.value) and nothing.n_constant == 3


def test_wrong_calls_say_what_to_do():
    """Other stimuli, and entries that are not finite."""
    a = responses(0)
    with pytest.raises(UsageError, match="same stimuli; got 12 and 11"):
        unit_correlations(a, a[:11])
    with pytest.raises(DataError, match="1 of 60 entries of patterns are not finite"):
        unit_correlations(np.where(a == a[0, 0], np.nan, a), a)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    """POT is optional: the message names it and the extra."""
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(MissingExtra, match=r"'ot'.*neuroai-compare\[matching\]"):
        soft_match(responses(0), responses(1))
