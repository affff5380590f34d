"""Variances, intervals and p values against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.intervals import (
    percentile_interval,
    permutation_p,
    t_interval,
    t_test_p,
    two_factor_dof,
    two_factor_variance,
)

EXACT = 1e-10


def test_two_factor_variance_is_that_of_rsatoolbox_above_its_floor():
    """Corrected and capped as in rsatoolbox, over random triples; never more where it floors."""
    pytest.importorskip("rsatoolbox")
    from rsatoolbox.util.inference_util import _dual_bootstrap

    both, subjects, stimuli = variances = np.random.default_rng(0).random((3, 2000))
    wanted = _dual_bootstrap(variances, n_rdm=7, n_pattern=23)
    ours = two_factor_variance(*variances, n_subjects=7, n_stimuli=23)
    floored = wanted == np.maximum(7 / 6 * subjects, 23 / 22 * stimuli)
    assert 100 < floored.sum() < 1900
    np.testing.assert_allclose(ours[~floored], wanted[~floored], rtol=0, atol=EXACT)
    least = np.minimum(both, np.maximum(subjects, stimuli))
    assert (ours[floored] <= wanted[floored]).all() and (ours >= least).all()


def test_two_factor_variance_of_additive_noise():
    """Where a score is subject effect plus stimulus effect, its variance is the sum of both."""
    n_subjects, n_stimuli, v_subjects, v_stimuli = 10, 40, 0.3, 0.05
    # A bootstrap of n items loses the share 1/n of the variance of their mean.
    seen = (v_subjects * (1 - 1 / n_subjects), v_stimuli * (1 - 1 / n_stimuli))
    noise = 0.2
    variance = two_factor_variance(
        sum(seen) + noise, *seen, n_subjects=n_subjects, n_stimuli=n_stimuli
    )
    correction = n_subjects / (n_subjects - 1) * n_stimuli / (n_stimuli - 1)
    wanted = max(v_subjects + v_stimuli - correction * noise, *seen)
    assert float(variance) == pytest.approx(wanted, abs=EXACT)


@pytest.mark.parametrize(
    ("v_both", "wanted"),
    [(100.0, 1.0), (1.6, None), (0.5, 0.5)],
)
def test_two_factor_variance_bounds(v_both, wanted):
    """The floor is the larger single variance, the cap that of both together."""
    value = float(two_factor_variance(v_both, 1.0, 0.5, n_subjects=5, n_stimuli=20))
    if wanted is None:
        a, b = 5 / 4, 20 / 19
        wanted = min(max(a + 0.5 * b - a * b * (v_both - 1.5), 1.0), v_both)
    assert value == pytest.approx(wanted, abs=EXACT)


def test_degrees_of_freedom_follow_what_is_known_of_each_variance():
    """All variance over stimuli has theirs, all over subjects has those of subjects."""
    sizes = {"n_subjects": 11, "n_stimuli": 101}
    assert two_factor_dof(1.1, 0.0, 1.0, **sizes, stimulus_dof=4.0) < 5
    assert two_factor_dof(1.1, 1.0, 0.0, **sizes, stimulus_dof=40.0) == 10
    every, few = (two_factor_dof(2.0, 1.0, 1.0, **sizes, stimulus_dof=k) for k in (100, 5.0))
    assert every == two_factor_dof(2.0, 1.0, 1.0, **sizes)
    a, b = 1.1, 1.01
    assert few == pytest.approx(2.0**2 / (a**2 / 10 + b**2 / 5), rel=1e-12)
    assert two_factor_dof(0.0, 0.0, 0.0, **sizes, stimulus_dof=np.array([3.0, 50.0])).tolist() == [
        3,
        10,
    ]


@pytest.mark.parametrize("n", [39, 200])
def test_a_further_draw_falls_into_the_percentile_interval_as_often_as_said(n):
    """Uniform draws, whose order statistics have known means: the expected share is .95."""
    rng = np.random.default_rng(0)
    low, high = percentile_interval(rng.random((n, 4000)))
    error = (high - low).std() / np.sqrt(4000)
    assert abs((high - low).mean() - 0.95) < 4 * error
    with pytest.raises(UsageError, match="level"):
        percentile_interval(np.arange(9.0), level=1.5)


def test_two_factor_variance_needs_two_of_each():
    """One subject or stimulus has no variance."""
    with pytest.raises(UsageError, match="at least 2 of each; got 1 subjects and 9 stimuli"):
        two_factor_variance(1.0, 1.0, 1.0, n_subjects=1, n_stimuli=9)


def test_t_interval_is_that_of_scipy():
    """The interval has the t quantiles of its degrees of freedom."""
    low, high = t_interval(np.array([0.2, 0.4]), np.array([0.01, np.nan]), dof=9, level=0.9)
    wanted = stats.t.interval(0.9, 9, loc=0.2, scale=0.1)
    np.testing.assert_allclose([low[0], high[0]], wanted, atol=EXACT)
    assert np.isnan([low[1], high[1]]).all()


def test_t_test_p_is_that_of_scipy():
    """With the variance of a mean, p is that of the one-sample t test, on either side."""
    sample = np.random.default_rng(0).standard_normal(12) + 0.3
    value, variance = sample.mean(), sample.var(ddof=1) / 12
    for side, alternative in (("greater", "greater"), ("two-sided", "two-sided")):
        wanted = stats.ttest_1samp(sample, 0, alternative=alternative).pvalue
        assert float(t_test_p(value, variance, dof=11, side=side)) == pytest.approx(
            wanted, abs=EXACT
        )


def test_t_test_without_variance_is_undefined():
    """A variance of 0 gives no p."""
    assert np.isnan(t_test_p(0.5, 0.0, dof=3))


def test_wrong_calls_say_what_to_do():
    """Sides, levels and degrees of freedom out of range are named."""
    with pytest.raises(UsageError, match="side must be one of 'greater', 'two-sided'"):
        t_test_p(0.1, 1.0, dof=3, side="less")
    with pytest.raises(UsageError, match="dof must be at least 1; got 0"):
        t_test_p(0.1, 1.0, dof=0)
    with pytest.raises(UsageError, match="level must lie in"):
        t_interval(0.1, 1.0, dof=3, level=95)


def test_permutation_p_counts_itself():
    """p is never 0, counts what equals the observation, and goes column by column."""
    null = np.array([[0.1, 0.9], [0.3, 0.9], [0.5, 0.9]])
    np.testing.assert_allclose(permutation_p(np.array([0.3, 1.0]), null), [3 / 4, 1 / 4])
    assert float(permutation_p(0.3, null[:, 0])) == 3 / 4


def test_permutation_p_forgives_rounding():
    """A relabelling that changes nothing counts, though its sum was taken in another order."""
    assert float(permutation_p(0.3, np.array([0.1 + 0.2 - 1e-15]))) == 1.0


def test_permutation_p_and_undefined_scores():
    """An undefined null is counted in the error; an undefined observation has no p."""
    with pytest.raises(DataError, match="2 of 3 scores under relabelling are undefined"):
        permutation_p(0.3, np.array([np.nan, 0.1, np.nan]))
    null = np.array([[np.nan, 0.1]])
    np.testing.assert_array_equal(permutation_p(np.array([np.nan, 0.2]), null), [np.nan, 0.5])
    with pytest.raises(UsageError, match="null must have shape"):
        permutation_p(np.array([0.1, 0.2]), np.array([0.1, 0.2]))
