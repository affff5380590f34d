"""Ranks against scipy, weighted ranks against copies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from neuroai.errors import DataError
from neuroai.numerics.ranks import average_ranks, doubled_ranks_of, ranking, weighted_ranks


@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
@pytest.mark.parametrize("shape", [(40,), (3, 40), (2, 3, 17)])
def test_equal_to_scipy_with_ties(levels, shape):
    """Average ranks are those of scipy, for few levels and many."""
    values = np.random.default_rng(levels).integers(0, levels, shape) / 7
    np.testing.assert_array_equal(average_ranks(values), rankdata(values, axis=-1))


@pytest.mark.parametrize("levels", [3, 10_000])
def test_weighted_ranks_are_ranks_of_copies(levels):
    """Weighted ranks are the ranks that the entries have once they are repeated."""
    rng = np.random.default_rng(levels)
    values = rng.integers(0, levels, (4, 60)) / 3
    weights = rng.integers(0, 4, 60)
    copies = np.repeat(np.arange(60), weights)
    wanted = rankdata(values[:, copies], axis=-1)
    np.testing.assert_array_equal(weighted_ranks(ranking(values), weights)[:, copies], wanted)


@pytest.mark.parametrize("largest", [4, 10**4, 10**12])
def test_doubled_ranks_of_whole_numbers(largest):
    """Ranks of packed whole numbers are those of scipy, in 32 bits and in 64."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, largest, (3, 50))
    weights = rng.integers(1, 4, 50)
    copies = np.repeat(np.arange(50), weights)
    wanted = 2 * rankdata(values[:, copies], axis=-1)
    np.testing.assert_array_equal(doubled_ranks_of(values, weights)[:, copies], wanted)
    np.testing.assert_array_equal(doubled_ranks_of(values), 2 * rankdata(values, axis=-1))


def test_nan_has_no_rank():
    """NaN raises an error that counts it."""
    with pytest.raises(DataError, match="1 of 3 entries of values are not finite"):
        average_ranks(np.array([1.0, np.nan, 2.0]))
