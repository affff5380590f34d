"""Deficit profiles: units, likeness and the exactness of their p."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import UsageError
from neuroai.numerics.deficits import deficit_profile, match_profiles, profile_ceiling

ROUNDING = 1e-12  # float64, a dozen terms
# p of 2,000 nulls with 19 controls takes 20 values, each with probability 1/20; four SE.
NULLS, CONTROLS = 2000, 19
SHARE = 4 * np.sqrt(0.05 * 0.95 / NULLS)


def test_a_profile_is_in_units_of_the_controls(rng_seed=1):
    """Each task has its own SD, with n - 1."""
    rng = np.random.default_rng(rng_seed)
    controls, change = rng.standard_normal((12, 4)), rng.standard_normal(4)
    expected = [change[t] / np.std(controls[:, t], ddof=1) for t in range(4)]
    assert np.allclose(deficit_profile(change, controls), expected, atol=ROUNDING)


def test_controls_that_do_not_scatter_leave_the_task_undefined():
    """No number is made of a division by zero."""
    found = deficit_profile(np.array([1.0, 1.0]), np.array([[0.0, 1.0], [0.0, 2.0]]))
    assert np.isnan(found[0]) and np.isfinite(found[1])


def test_six_tasks_carry_a_correlation_and_five_a_cosine():
    """The measure is named and is that of scipy, or the plain cosine."""
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, 6))
    six, five = match_profiles(a, b), match_profiles(a[:5], b[:5])
    assert (six.measure, five.measure) == ("correlation", "cosine")
    assert six.value == pytest.approx(stats.pearsonr(a, b)[0], abs=ROUNDING)
    cosine = a[:5] @ b[:5] / np.linalg.norm(a[:5]) / np.linalg.norm(b[:5])
    assert five.value == pytest.approx(cosine, abs=ROUNDING)
    assert five.signs == np.mean(np.sign(a[:5]) == np.sign(b[:5]))


def test_a_task_that_is_undefined_on_one_side_is_left_out_and_counted():
    """n_tasks says how many were compared."""
    found = match_profiles(np.array([1.0, np.nan, -1, 2]), np.array([1.0, 5, np.nan, 2]))
    assert found.n_tasks == 2 and found.value == pytest.approx(1.0)


def test_nothing_in_common_is_undefined():
    """A profile of zeros has no direction."""
    found = match_profiles(np.zeros(3), np.ones(3), controls=np.ones((4, 3)))
    assert np.isnan(found.value) and np.isnan(found.p) and found.n_controls == 0


def test_p_is_uniform_where_the_lesion_is_a_random_one():
    """Simulated: with 19 controls p ≤ .05 in 5 % of 2,000 nulls, within four standard errors."""
    rng = np.random.default_rng(7)
    brain = rng.standard_normal(4)
    hits = 0
    for _ in range(NULLS):
        profiles = rng.standard_normal((CONTROLS + 1, 4))
        hits += match_profiles(brain, profiles[0], controls=profiles[1:]).p <= 0.05
    assert abs(hits / NULLS - 0.05) < SHARE


def test_the_ceiling_is_what_a_perfect_profile_reaches():
    """Simulated: the true profile correlates with the mean of noisy repeats as the ceiling says."""
    rng = np.random.default_rng(5)
    truth = rng.standard_normal(40)
    repeats = truth + rng.standard_normal((10, 40))
    reached = stats.pearsonr(truth, repeats.mean(axis=0))[0]
    # Noise of SD 1 over 10 repeats: a reliability of 10/11. Forty tasks leave an SE of about .02.
    assert profile_ceiling(repeats) == pytest.approx(reached, abs=0.05)


def test_unlike_repeats_have_no_ceiling():
    """Halves that do not correlate give no number."""
    one = np.arange(6.0)
    assert np.isnan(profile_ceiling(np.stack([one, -one])))


def test_many_repeats_are_halved_two_hundred_times():
    """More than 200 splits are drawn, with the same result each time."""
    repeats = np.random.default_rng(1).standard_normal((14, 8)) + np.arange(8)
    assert profile_ceiling(repeats) == profile_ceiling(repeats) > 0.9


def test_wrong_shapes_are_told():
    """What was wanted and what came."""
    with pytest.raises(UsageError, match=r"at least two controls.*got \(3,\) and \(1, 3\)"):
        deficit_profile(np.zeros(3), np.zeros((1, 3)))
    with pytest.raises(UsageError, match=r"got \(3,\) and \(2,\)"):
        match_profiles(np.zeros(3), np.zeros(2))
    with pytest.raises(UsageError, match=r"at least 6 tasks"):
        profile_ceiling(np.zeros((2, 5)))
