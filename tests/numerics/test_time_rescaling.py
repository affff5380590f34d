"""Rescaled intervals: calibrated on true rates, and far where spikes hold back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.time_rescaling import time_rescaling
from neuroai.testing import EXACT

# 1,000 nulls at .05: four standard errors.
LOW, HIGH = 0.022, 0.078


def _driven(seed, n_bins, n_units):
    rng = np.random.default_rng(seed)
    rate = np.exp(-1.0 + 0.7 * rng.standard_normal((n_bins, n_units)))
    return rate, rng.poisson(rate).astype(float)


def test_true_rates_are_rejected_as_often_as_said():
    """1,000 units of a changing rate, some bins with several spikes."""
    rate, counts = _driven(1, 300, 1000)
    assert counts.max() > 2
    found = time_rescaling(counts, rate)
    assert LOW <= (found.p <= 0.05).mean() <= HIGH
    np.testing.assert_array_equal(found.n_intervals, counts.sum(axis=0) - 1)


def test_rates_that_depend_on_the_past_are_right_too():
    """A unit that rests after a spike: right with its history, wrong with its mean rate."""
    rng = np.random.default_rng(2)
    counts, rate = np.zeros((2, 3000, 1))
    for row in range(1, 3000):
        rate[row] = np.exp(-1.0 - 2.5 * counts[row - 1])
        counts[row] = rng.poisson(rate[row])
    rate[0] = np.exp(-1.0)
    assert time_rescaling(counts, rate).p[0] > 0.05
    assert time_rescaling(counts, np.full_like(rate, counts.mean())).p[0] < 1e-6


def test_one_bin_a_spike_is_the_distance_by_hand():
    """Where bins are short the places within them do not matter: intervals by hand."""
    counts = np.zeros((100_000, 1))
    at = np.array([3_000, 20_000, 31_000, 60_000, 61_000, 95_000])
    counts[at] = 1
    rate = np.full(counts.shape, 6 / len(counts))
    found = time_rescaling(counts, rate)
    z = 1 - np.exp(-np.diff(at) * 6 / len(counts))
    # Two places in bins of 6e-5 each.
    assert found.distance[0] == pytest.approx(kstest(z, "uniform").statistic, abs=1.5e-4)
    again = time_rescaling(counts, rate)
    assert abs(again.distance[0] - found.distance[0]) < EXACT


def test_silent_units_are_undefined():
    """Without spikes, or without a rate, there is nothing to compare."""
    rate, counts = _driven(3, 100, 3)
    counts[:, 0] = 0
    rate[:, 1] = np.nan
    found = time_rescaling(counts, rate)
    assert np.isnan(found.distance[:2]).all() and np.isnan(found.p[:2]).all()
    assert np.isfinite(found.p[2])


def test_wrong_input_is_told():
    """Other shapes, rates of spikes in place of counts, negative rates."""
    rate, counts = _driven(4, 50, 2)
    with pytest.raises(UsageError, match=r"same bins and units are wanted; got \(50, 2\)"):
        time_rescaling(counts, rate[:, :1])
    with pytest.raises(DataError, match="whole numbers from 0"):
        time_rescaling(counts / 2, rate)
    with pytest.raises(DataError, match="Expected counts are 0 or more; got -"):
        time_rescaling(counts, -rate)
