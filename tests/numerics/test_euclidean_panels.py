"""Squared Euclidean distances of more patterns than one panel holds, beside scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from neuroai.errors import DataError
from neuroai.numerics.euclidean_panels import euclidean_by_panels
from neuroai.numerics.gram_panels import ROWS, WHOLE

N = WHOLE + ROWS // 2 + 3
EXACT = 1e-12
SINGLE = 2e-6  # relative; products of 12 terms in single precision
MANY = 2**28


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, EXACT), (np.float32, SINGLE)])
@pytest.mark.parametrize("offset", [0.0, 7.0])
@pytest.mark.parametrize("block_bytes", [MANY, N * 8 * 5])
def test_distances_are_scipy_s(dtype, tolerance, offset, block_bytes):
    """Units at once and in chunks, near 0 and far from it: symmetric, 0 on the diagonal."""
    patterns = (np.random.default_rng(0).standard_normal((N, 12)) + offset).astype(dtype)
    found = euclidean_by_panels(patterns, 12, block_bytes)
    wanted = squareform(pdist(patterns.astype(float), "sqeuclidean")) / 12
    assert found.dtype == np.float64 and np.array_equal(found, found.T)
    assert not np.diagonal(found).any()
    np.testing.assert_allclose(found, wanted, atol=tolerance * wanted.max())


def test_identical_patterns_have_no_distance():
    """In one panel and in two, also where single precision would leave a rest."""
    patterns = np.random.default_rng(1).standard_normal((N, 9)).astype(np.float32) * 100
    patterns[[3, 700, N - 1]] = patterns[40]
    found = euclidean_by_panels(patterns, 9, MANY)
    same = [3, 40, 700, N - 1]
    assert not found[np.ix_(same, same)].any()
    assert (found[np.triu_indices(N, k=1)] == 0).sum() == 6


def test_values_that_are_not_finite_are_counted_and_large_ones_are_not_lost():
    """Squares beyond single precision are taken in double."""
    patterns = np.random.default_rng(2).standard_normal((N, 4)).astype(np.float32)
    large = euclidean_by_panels(patterns * np.float32(1e25), 4, MANY)
    np.testing.assert_allclose(
        large / 1e50, euclidean_by_panels(patterns, 4, MANY), rtol=1e-4, atol=1e-5
    )
    patterns[5, 2] = np.nan
    with pytest.raises(DataError, match="1 of"):
        euclidean_by_panels(patterns, 4, MANY)
