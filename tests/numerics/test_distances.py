"""Distances between patterns against rsatoolbox, scipy and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from neuroai.errors import DataError, UsageError
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.rdm_vectors import to_vector

EXACT = 1e-10
SINGLE = 1e-4
# Both sides run the same float64 products; orders of summation differ.
SAME = 1e-12
BOTH = [squared_euclidean, correlation_distance]


def patterns_of(seed, shape=(12, 40), dtype=np.float64):
    """Return read-only random patterns with a mean."""
    patterns = (np.random.default_rng(seed).standard_normal(shape) + 2.0).astype(dtype)
    patterns.setflags(write=False)
    return patterns


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("ours", "theirs"), [(squared_euclidean, "euclidean"), (correlation_distance, "correlation")]
)
def test_equal_to_rsatoolbox(ours, theirs, seed):
    """Both distances are those of rsatoolbox, whose Euclidean one is squared and per channel."""
    rsatoolbox = pytest.importorskip("rsatoolbox")
    patterns = patterns_of(seed)
    wanted = rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(patterns), method=theirs)
    np.testing.assert_allclose(
        to_vector(ours(patterns)), wanted.get_vectors()[0], rtol=0, atol=EXACT
    )


@pytest.mark.parametrize(
    ("ours", "metric"), [(squared_euclidean, "sqeuclidean"), (correlation_distance, "correlation")]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_to_scipy_entry_by_entry(ours, metric, dtype):
    """Each pair's distance is the one scipy takes from that pair alone, in both precisions."""
    patterns = patterns_of(7, (15, 3000), dtype)
    options = {"normalize": None} if ours is squared_euclidean else {}
    wanted = cdist(patterns.astype(np.float64), patterns.astype(np.float64), metric)
    tolerance = EXACT if dtype is np.float64 else SINGLE
    np.testing.assert_allclose(
        ours(patterns, **options), wanted, rtol=0, atol=tolerance * wanted.max()
    )


@pytest.mark.parametrize("distance", BOTH)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_equals_numpy(distance, dtype):
    """A tensor gives a tensor with the numbers that NumPy gives."""
    patterns = patterns_of(3, (10, 500), dtype).copy()
    patterns[4] = patterns[2]
    result = distance(torch.from_numpy(patterns))
    assert isinstance(result, torch.Tensor)
    tolerance = EXACT if dtype is np.float64 else SINGLE
    np.testing.assert_allclose(result.numpy(), distance(patterns), rtol=0, atol=tolerance)


def test_torch_marks_constant_patterns_too():
    """A constant tensor row is NaN throughout."""
    patterns = torch.from_numpy(patterns_of(3).copy())
    patterns[5] = 0.3
    result = correlation_distance(patterns)
    assert int(torch.isnan(result).sum()) == 2 * 12 - 1


@pytest.mark.parametrize("distance", BOTH)
def test_blocks_do_not_matter(distance):
    """One unit block or many give the same numbers."""
    patterns = patterns_of(5, (9, 1100))
    np.testing.assert_allclose(
        distance(patterns, block_bytes=1), distance(patterns), rtol=0, atol=SAME * 10
    )


@pytest.mark.parametrize("distance", BOTH)
def test_symmetric_with_zero_diagonal(distance):
    """Distances are symmetric to the last digit, at least 0, and 0 on the diagonal."""
    result = distance(patterns_of(6))
    np.testing.assert_array_equal(result, result.T)
    np.testing.assert_array_equal(np.diag(result), 0.0)
    assert result.min() >= 0.0


@pytest.mark.parametrize("distance", BOTH)
def test_permuting_stimuli_permutes_the_rdm(distance):
    """Stimuli in another order give the same distances in that order."""
    patterns = patterns_of(8)
    order = np.random.default_rng(0).permutation(len(patterns))
    np.testing.assert_allclose(
        distance(patterns[order]), distance(patterns)[np.ix_(order, order)], rtol=0, atol=SAME * 10
    )


@pytest.mark.parametrize("distance", BOTH)
def test_permuting_units_changes_nothing(distance):
    """The order of units carries no meaning."""
    patterns = patterns_of(9)
    order = np.random.default_rng(0).permutation(patterns.shape[1])
    np.testing.assert_allclose(
        distance(patterns[:, order]), distance(patterns), rtol=0, atol=SAME * 10
    )


def test_euclidean_ignores_rotation_and_shift_and_squares_scale():
    """Rotating or shifting all patterns keeps the distances; scaling by 3 makes them 9 times."""
    patterns = patterns_of(10)
    rotation, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((40, 40)))
    wanted = squared_euclidean(patterns)
    np.testing.assert_allclose(squared_euclidean(patterns @ rotation), wanted, atol=SAME * 10)
    np.testing.assert_allclose(squared_euclidean(patterns + 5.0), wanted, atol=SAME * 10)
    np.testing.assert_allclose(squared_euclidean(3 * patterns), 9 * wanted, atol=SAME * 100)


def test_correlation_ignores_each_patterns_gain_and_offset():
    """Scaling and shifting every pattern on its own keeps the correlation distances."""
    patterns = patterns_of(11)
    gain = np.random.default_rng(2).uniform(0.5, 2.0, (12, 1))
    wanted = correlation_distance(patterns)
    np.testing.assert_allclose(correlation_distance(patterns * gain + 4 * gain), wanted, atol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_identical_patterns_are_exactly_zero_apart(dtype):
    """Identical patterns have distance 0 to the last digit; near ones have not."""
    patterns = patterns_of(12, (30, 2000), dtype).copy()
    patterns[[3, 17]] = patterns[21]
    patterns[5] = patterns[4]
    patterns[5, 0] += 0.5
    result = squared_euclidean(patterns)
    np.testing.assert_array_equal(result[np.ix_([3, 17, 21], [3, 17, 21])], 0.0)
    assert result[4, 5] > 0.0
    assert (result == 0.0).sum() == 30 + 6


def test_signed_zeros_are_identical():
    """0.0 and -0.0 are the same response."""
    patterns = np.array([[0.0, 1.0], [-0.0, 1.0], [2.0, 3.0]])
    assert squared_euclidean(patterns)[0, 1] == 0.0


def test_all_patterns_alike():
    """A dead layer gives distance 0 everywhere, and no correlation at all."""
    patterns = np.full((4, 7), 0.1)
    np.testing.assert_array_equal(squared_euclidean(patterns), 0.0)
    assert np.isnan(correlation_distance(patterns)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_constant_pattern_is_undefined(dtype, value):
    """A constant pattern's row and column are NaN, the diagonal too; the others are as without."""
    patterns = patterns_of(13, (6, 333), dtype).copy()
    patterns[2] = value
    result = correlation_distance(patterns)
    assert np.isnan(result[2]).all() and np.isnan(result[:, 2]).all()
    others = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(
        result[np.ix_(others, others)], correlation_distance(patterns[others]), atol=SAME * 10
    )


def test_tiny_float32_patterns_keep_their_correlation():
    """Patterns of 1e-25, whose squares vanish in float32, are computed in float64."""
    patterns = patterns_of(14, (5, 50), np.float32).copy()
    wanted = correlation_distance(patterns)
    patterns[1] *= np.float32(1e-25)
    np.testing.assert_allclose(correlation_distance(patterns), wanted, atol=SINGLE)


def test_float32_correlation_with_large_offset():
    """An offset of 1,000 standard deviations is removed before anything is multiplied."""
    patterns = patterns_of(15, (6, 5000), np.float32) + np.float32(1000)
    wanted = correlation_distance(patterns.astype(np.float64))
    np.testing.assert_allclose(correlation_distance(patterns), wanted, atol=SINGLE)


def test_normalize_divides_by_units():
    """Per-channel distances are the plain ones divided by the number of units."""
    patterns = patterns_of(16)
    np.testing.assert_allclose(
        squared_euclidean(patterns) * 40, squared_euclidean(patterns, normalize=None), atol=EXACT
    )


def test_unknown_normalize_is_refused():
    """A misspelt option is answered with those there are."""
    with pytest.raises(UsageError, match="normalize must be one of 'channels'"):
        squared_euclidean(patterns_of(0), normalize="units")


@pytest.mark.parametrize("distance", BOTH)
def test_not_finite_entries_are_counted(distance):
    """NaN and infinity raise an error that counts them, for arrays and tensors."""
    patterns = patterns_of(17).copy()
    patterns[0, 0], patterns[1, 1], patterns[2, 2] = np.nan, np.inf, -np.inf
    with pytest.raises(DataError, match="3 of 480 entries of patterns are not finite"):
        distance(patterns)
    with pytest.raises(DataError, match="3 of 480 entries of patterns are not finite"):
        distance(torch.from_numpy(patterns))
