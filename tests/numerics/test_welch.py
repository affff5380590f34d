"""Welch's t against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from neuroai.errors import DataError
from neuroai.numerics import welch
from neuroai.numerics.welch import welch_t
from neuroai.testing import EXACT, SINGLE


@pytest.fixture
def activity() -> tuple[np.ndarray, np.ndarray]:
    """23 stimuli, 50 units whose groups differ in mean and variance."""
    rng = np.random.default_rng(9)
    group = np.arange(23) < 9
    values = rng.normal(size=(23, 50)) * np.where(group, 3, 1)[:, None] + group[:, None]
    values.setflags(write=False)
    return values, group


def test_equals_scipy(activity):
    """Every unit has scipy's t with unequal variances."""
    values, group = activity
    expected = ttest_ind(values[group], values[~group], equal_var=False).statistic
    np.testing.assert_allclose(welch_t(values, group), expected, atol=EXACT)


def test_float32_is_summed_in_float64(activity):
    """Activity in float32 far from zero gives the t of its float64 copy."""
    values, group = activity
    single = (values + 1000).astype(np.float32)
    expected = ttest_ind(
        single[group].astype(float), single[~group].astype(float), equal_var=False
    ).statistic
    np.testing.assert_allclose(welch_t(single, group), expected, rtol=SINGLE)


def test_chunks_change_nothing(activity, monkeypatch):
    """Units are independent of those they are worked on with."""
    values, group = activity
    expected = welch_t(values, group)
    monkeypatch.setattr(welch, "_CHUNK", 7)
    np.testing.assert_allclose(welch_t(values, group), expected, atol=EXACT)


def test_constant_units_are_undefined(activity):
    """A unit constant in both groups has no t; constant in one group it has."""
    values, group = activity
    values = values.copy()
    values[:, 0] = 0.1
    values[:, 1] = np.where(group, 0.3, 0.1)
    values[group, 2] = 0.1
    found = welch_t(values, group)
    assert np.isnan(found[:2]).all() and np.isfinite(found[2:]).all()


def test_too_small_groups_and_missing_values_are_undefined(activity):
    """One stimulus has no variance, and a missing value leaves its unit undefined."""
    values, group = activity
    assert np.isnan(welch_t(values, np.arange(23) == 0)).all()
    gap = values.copy()
    gap[4, 5] = np.nan
    assert np.flatnonzero(np.isnan(welch_t(gap, group))).tolist() == [5]


def test_groups_must_be_logical(activity):
    """Numbers as groups are refused: they would be taken for places."""
    values, group = activity
    with pytest.raises(DataError, match="boolean group"):
        welch_t(values, group.astype(int))
