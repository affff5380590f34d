"""Centred Gram matrices against the formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neuroai.errors import DataError
from neuroai.numerics.gram import centred_gram

EXACT = 1e-10
SINGLE = 1e-4


def written_out(patterns):
    """Return H X X' H from its definition."""
    n_stimuli = len(patterns)
    centring = np.eye(n_stimuli) - 1 / n_stimuli
    patterns = patterns.astype(np.float64)
    return centring @ patterns @ patterns.T @ centring


@pytest.mark.parametrize("block_bytes", [1, 10_000, 2**28])
def test_centred_gram_is_the_formula_in_any_blocks(block_bytes):
    """The Gram matrix is H X X' H, however few units a block holds."""
    patterns = np.random.default_rng(0).standard_normal((7, 1000)) + 3.0
    gram = centred_gram(patterns, block_bytes=block_bytes)
    np.testing.assert_allclose(gram, written_out(patterns), rtol=0, atol=EXACT * 1000)


def test_rows_sum_to_zero():
    """Every row and column of the centred Gram matrix sums to 0."""
    gram = centred_gram(np.random.default_rng(1).standard_normal((6, 50)))
    np.testing.assert_allclose(gram.sum(axis=0), 0.0, atol=EXACT)
    np.testing.assert_allclose(gram.sum(axis=1), 0.0, atol=EXACT)


def test_single_precision_survives_a_large_offset():
    """In float32 an offset of 1,000 standard deviations costs no more than its own rounding."""
    patterns = np.random.default_rng(2).standard_normal((8, 4000)).astype(np.float32) + 1000
    wanted = written_out(patterns)
    np.testing.assert_allclose(centred_gram(patterns), wanted, atol=SINGLE * wanted.max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_equals_numpy(dtype):
    """A tensor gives a tensor with the numbers that NumPy gives."""
    patterns = np.random.default_rng(3).standard_normal((9, 300)).astype(dtype)
    gram = centred_gram(torch.from_numpy(patterns))
    assert isinstance(gram, torch.Tensor)
    tolerance = EXACT if dtype is np.float64 else SINGLE
    np.testing.assert_allclose(gram.numpy(), centred_gram(patterns), atol=tolerance * 300)


def test_float32_whose_squares_overflow_is_widened():
    """Entries of 1e25, whose squares leave float32, are computed in float64."""
    patterns = (np.arange(12.0).reshape(4, 3) ** 2 * 1e23).astype(np.float32)
    wanted = written_out(patterns)
    np.testing.assert_allclose(centred_gram(patterns), wanted, atol=SINGLE * np.abs(wanted).max())


def test_not_finite_entries_are_counted():
    """NaN and infinity raise an error that counts them."""
    patterns = np.ones((3, 4))
    patterns[0, 0], patterns[2, 1] = np.nan, np.inf
    with pytest.raises(DataError, match="2 of 12 entries of patterns are not finite"):
        centred_gram(patterns)


def test_float64_overflow_asks_to_rescale():
    """Finite entries whose squares leave float64 are named as such."""
    with pytest.raises(DataError, match="too large for float64"):
        centred_gram(np.array([[1e200, 0.0], [0.0, -1e200]]))
