"""Two one-sided tests against scipy's one-sample tests and on simulated differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import UsageError
from neuroai.numerics.equivalence import equivalence_p
from neuroai.numerics.intervals import t_interval
from neuroai.testing import EXACT, STANDARD_ERRORS

ALPHA = 0.05


@pytest.mark.parametrize("seed", range(10))
def test_equal_to_two_tests_of_scipy(seed):
    """The larger p value of two one-sided t-tests against either margin."""
    x = np.random.default_rng(seed).standard_normal(12) * 0.1
    low = stats.ttest_1samp(x, -0.1, alternative="greater").pvalue
    high = stats.ttest_1samp(x, 0.1, alternative="less").pvalue
    found = equivalence_p(x.mean(), x.var(ddof=1) / 12, margin=0.1, dof=11)
    np.testing.assert_allclose(found, max(low, high), atol=EXACT)


@pytest.mark.parametrize("difference", [-0.08, 0.0, 0.03, 0.2])
def test_significant_exactly_where_the_interval_lies_within_the_margin(difference):
    """The interval of level 1 - 2 alpha and the test say the same."""
    p = equivalence_p(difference, 0.03**2, margin=0.1, dof=9)
    low, high = t_interval(difference, 0.03**2, dof=9, level=1 - 2 * ALPHA)
    assert (p < ALPHA) == (-0.1 < low and high < 0.1)


def test_a_difference_at_the_margin_is_called_alike_in_five_of_a_hundred():
    """Simulated: the error of the test is alpha at the margin itself, the hardest case."""
    rng = np.random.default_rng(0)
    x = 0.5 + 0.2 * rng.standard_normal((4000, 10))
    p = equivalence_p(x.mean(1), x.var(axis=1, ddof=1) / 10, margin=0.5, dof=9)
    error = np.sqrt(ALPHA * (1 - ALPHA) / len(x))
    assert abs((p < ALPHA).mean() - ALPHA) < STANDARD_ERRORS * error


def test_what_is_undefined_and_wrong_is_told():
    """No variance, no p; no margin, no test."""
    assert np.isnan(equivalence_p(0.0, 0.0, margin=0.1, dof=5))
    with pytest.raises(UsageError, match="margin must be above 0"):
        equivalence_p(0.0, 1.0, margin=0.0, dof=5)
    with pytest.raises(UsageError, match="dof must be at least 1"):
        equivalence_p(0.0, 1.0, margin=0.1, dof=0)
