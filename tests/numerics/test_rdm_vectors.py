"""RDMs as squares and as vectors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from neuroai.errors import UsageError
from neuroai.numerics.rdm_vectors import (
    n_stimuli_of,
    pair_numbers,
    pairs_within,
    to_square,
    to_vector,
)


def test_there_and_back_in_the_order_of_scipy():
    """The vector has scipy's order, and turns into the square it came from."""
    vector = np.random.default_rng(0).random((2, 3, 28))
    square = to_square(vector)
    np.testing.assert_array_equal(square[1, 2], squareform(vector[1, 2]))
    np.testing.assert_array_equal(to_vector(square), vector)


def test_diagonal_is_what_one_asks_for():
    """The diagonal holds the given number."""
    np.testing.assert_array_equal(np.diag(to_square(np.ones(6), diagonal=np.nan)), np.nan)


@pytest.mark.parametrize("n_stimuli", [2, 3, 92, 1000])
def test_number_of_stimuli(n_stimuli):
    """The number of pairs gives back the number of stimuli."""
    assert n_stimuli_of(n_stimuli * (n_stimuli - 1) // 2) == n_stimuli


@pytest.mark.parametrize("n_pairs", [0, 2, 5, 4187])
def test_a_number_of_pairs_that_none_has(n_pairs):
    """A vector of the wrong length is refused, with what its length may be."""
    with pytest.raises(UsageError, match=rf"n\(n-1\)/2 entries.*got {n_pairs}"):
        n_stimuli_of(n_pairs)


def test_a_matrix_that_is_not_square():
    """An RDM must have as many rows as columns."""
    with pytest.raises(UsageError, match=r"shape \(3, 4\)"):
        to_vector(np.zeros((3, 4)))


def test_pairs_within_picks_the_sub_rdm():
    """The pairs within some stimuli are the vector of the RDM of these alone."""
    square = to_square(np.random.default_rng(1).random(45))
    stimuli = np.array([1, 4, 5, 8])
    wanted = to_vector(square[np.ix_(stimuli, stimuli)])
    np.testing.assert_array_equal(to_vector(square)[pairs_within(stimuli, 10)], wanted)
    assert pair_numbers(10)[8, 5] == pairs_within(np.array([5, 8]), 10)[0]
