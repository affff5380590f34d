"""Sigmoids against scipy's distributions, and their definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.sigmoids import (
    SIGMOIDS,
    psychometric_function,
    sigmoid_levels,
    unscaled_sigmoid,
)
from neuroai.testing import EXACT

X = np.linspace(-4, 4, 33)
# A central difference with step 1e-6 has an error of the order of its square and of rounding.
DIFFERENCED = 1e-8


@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_threshold_and_width_are_what_they_say(sigmoid: str) -> None:
    """The unscaled sigmoid is 0.5 at threshold; 0.05 and 0.95 are a width apart."""
    grid = np.linspace(-30, 30, 600_001)
    value, _ = unscaled_sigmoid(grid, 0.4, 1.7, sigmoid=sigmoid)
    low, middle, high = np.interp([0.05, 0.5, 0.95], value, grid)
    assert middle == pytest.approx(0.4, abs=1e-6)  # the grid's linear interpolation
    assert high - low == pytest.approx(1.7, abs=1e-6)


@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_slope_is_the_derivative(sigmoid: str) -> None:
    """The slope equals central differences."""
    step = 1e-6
    above, below = (unscaled_sigmoid(X + s, 0.3, 2.0, sigmoid=sigmoid)[0] for s in (step, -step))
    _, slope = unscaled_sigmoid(X, 0.3, 2.0, sigmoid=sigmoid)
    np.testing.assert_allclose(slope, (above - below) / (2 * step), atol=DIFFERENCED)


def test_families_are_scipys_distributions() -> None:
    """Normal, logistic and both Gumbel families, with scale and place from the definition."""
    families = {
        "norm": stats.norm, "logistic": stats.logistic, "gumbel": stats.gumbel_l,
        "rgumbel": stats.gumbel_r,
    }  # fmt: skip
    for name, family in families.items():
        scale = 2.0 / (family.ppf(0.95) - family.ppf(0.05))
        expected = family.cdf(X, loc=0.3 - scale * family.ppf(0.5), scale=scale)
        value, _ = unscaled_sigmoid(X, 0.3, 2.0, sigmoid=name)
        np.testing.assert_allclose(value, expected, atol=EXACT, err_msg=name)


def test_weibull_is_a_function_of_the_logarithm() -> None:
    """1 - exp(-(x / scale)^shape), with threshold in the unit of the level."""
    x = np.array([0.5, 1.0, 2.0, 4.0])
    shape = (np.log(-np.log(0.05)) - np.log(-np.log(0.95))) / 1.5
    scale = 2.0 / np.log(2) ** (1 / shape)
    expected = 0.5 + 0.48 * stats.weibull_min.cdf(x, shape, scale=scale)
    found = psychometric_function(x, threshold=2.0, width=1.5, lapse=0.02, guess=0.5,
                                  sigmoid="weibull")  # fmt: skip
    np.testing.assert_allclose(found, expected, atol=EXACT)


def test_falling_functions_are_one_minus_the_rising() -> None:
    """A decreasing function keeps threshold, width and both rates at their ends."""
    rising = psychometric_function(X, threshold=0.3, width=2.0)
    falling = psychometric_function(X, threshold=0.3, width=2.0, decreasing=True)
    np.testing.assert_allclose(falling, 1 - rising, atol=EXACT)
    ends = psychometric_function(np.array([-1e3, 1e3]), threshold=0.0, width=1.0, lapse=0.1,
                                 guess=0.2, decreasing=True)  # fmt: skip
    np.testing.assert_allclose(ends, [0.9, 0.2], atol=EXACT)


def test_wrong_levels_and_names_are_refused() -> None:
    """A level of 0 has no logarithm; a misspelt sigmoid gets the near miss."""
    with pytest.raises(DataError, match="Leave out levels of 0"):
        sigmoid_levels(np.array([0.0, 1]), sigmoid="weibull")
    with pytest.raises(DataError, match="must be finite"):
        sigmoid_levels(np.array([np.nan, 1]), sigmoid="norm")
    with pytest.raises(UsageError, match="Did you mean 'logistic'"):
        unscaled_sigmoid(X, 0.0, 1.0, sigmoid="logistik")
