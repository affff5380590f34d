"""Partial correlation and mediation against closed forms and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import UsageError
from neuroai.numerics.mediation import mediation, partial_correlation

ROUNDING = 1e-12  # float64 sums over some dozens of samples
# Four standard errors of a slope with residual SD 0.1 and 4,000 samples of SD 1.
SLOPE = 4 * 0.1 / np.sqrt(4000)


@pytest.mark.parametrize("seed", range(20))
def test_one_covariate_follows_the_recursion(seed):
    """r_xy.z = (r_xy - r_xz r_yz) / sqrt((1 - r_xz²)(1 - r_yz²))."""
    x, y, z = np.random.default_rng(seed).standard_normal((3, 30))
    xy, xz, yz = (stats.pearsonr(a, b)[0] for a, b in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial_correlation(x, y, z[:, None]) == pytest.approx(expected, abs=ROUNDING)


def test_many_covariates_follow_the_precision_matrix():
    """r = -P_xy / sqrt(P_xx P_yy), P the inverse of the covariance of all variables."""
    data = np.random.default_rng(3).standard_normal((50, 5)) @ np.diag([1, 2, 3, 4, 5.0])
    precision = np.linalg.inv(np.cov(data.T))
    expected = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    found = partial_correlation(data[:, 0], data[:, 1], data[:, 2:])
    assert found == pytest.approx(expected, abs=ROUNDING)


def test_what_covariates_explain_wholly_is_undefined():
    """Neither 0 nor a correlation of rounding errors."""
    x = np.arange(6.0)
    assert np.isnan(partial_correlation(2 * x + 1, np.sin(x), x[:, None]))
    assert np.isnan(partial_correlation(np.ones(6), np.sin(x), np.empty((6, 0))))
    assert np.isnan(partial_correlation(x[:3], np.sin(x[:3]), np.cos(x[:3])[:, None]))


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_are_the_slopes_of_least_squares(seed):
    """Total and direct come from two regressions, and the indirect effect is their difference."""
    t, m, y = np.random.default_rng(seed).standard_normal((3, 25))
    ones = np.ones(25)
    total = np.linalg.lstsq(np.column_stack([ones, t]), y, rcond=None)[0][1]
    direct = np.linalg.lstsq(np.column_stack([ones, t, m]), y, rcond=None)[0][1]
    found = mediation(t, m, y)
    assert found.total == pytest.approx(total, abs=ROUNDING)
    assert found.direct == pytest.approx(direct, abs=ROUNDING)
    assert found.indirect == pytest.approx(total - direct, abs=ROUNDING)
    assert found.share == pytest.approx((total - direct) / total, abs=ROUNDING * 1e3)


def test_a_planted_path_is_recovered():
    """Simulated: dose acts on the representation by 0.8, this on behaviour by 0.5, beside 0.3."""
    rng = np.random.default_rng(0)
    t = rng.standard_normal(4000)
    m = 0.8 * t + 0.1 * rng.standard_normal(4000)
    y = 0.3 * t + 0.5 * m + 0.1 * rng.standard_normal(4000)
    found = mediation(t, m, y)
    # The mediator varies by 0.1 beside the treatment: its slope has ten times the standard error.
    assert found.indirect == pytest.approx(0.4, abs=10 * SLOPE)
    assert found.direct == pytest.approx(0.3, abs=10 * SLOPE)
    assert found.total == pytest.approx(0.7, abs=2 * SLOPE)


def test_what_cannot_be_split_is_undefined():
    """A treatment that is constant, or that determines the mediator, has no parts."""
    t, y = np.arange(5.0), np.array([1.0, 3, 2, 5, 4])
    assert np.isnan(mediation(np.ones(5), t, y).total)
    assert np.isnan(mediation(t, 3 * t, y).indirect)


@pytest.mark.parametrize("wrong", [np.ones(4), np.array([1.0, 2, np.nan]), np.ones((3, 1))])
def test_wrong_input_is_told(wrong):
    """Unequal lengths and NaN end with what was wanted."""
    with pytest.raises(UsageError, match=r"are wanted; got|NaN or infinite"):
        partial_correlation(np.arange(3.0), wrong, np.empty((3, 0)))
    with pytest.raises(UsageError, match=r"are wanted; got|NaN or infinite"):
        mediation(np.arange(3.0), wrong, np.arange(3.0))
