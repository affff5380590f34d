"""Relabelled models against RDMs whose rows and columns were moved by hand."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.rdm_permutation import permute_rdms
from neuroai.numerics.rdm_vectors import to_square, to_vector
from neuroai.numerics.resample import stimulus_permutations

EXACT = 1e-12


def problem(seed, levels=None):
    """Return data of 3 subjects, 4 models and 7 permutations of 8 stimuli."""
    rng = np.random.default_rng(seed)
    data, models = rng.random((3, 28)), rng.random((4, 28))
    if levels:
        data, models = np.floor(data * levels), np.floor(models * levels)
    return data, models, stimulus_permutations(7, 8, rng=rng)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 3])
@pytest.mark.parametrize("block_bytes", [1, 2**28])
def test_equal_to_moving_rows_and_columns(method, levels, block_bytes):
    """The null is the mean comparison with models whose rows and columns were moved together."""
    data, models, orders = problem(0, levels)
    null = permute_rdms(data, models, method=method, permutations=orders, block_bytes=block_bytes)
    square = to_square(models)
    for row, order in zip(null, orders, strict=True):
        moved = to_vector(square[:, order][:, :, order])
        wanted = compare_rdms(data, moved, method=method).mean(axis=0)
        np.testing.assert_allclose(row, wanted, rtol=0, atol=EXACT)


@pytest.mark.parametrize("method", METHODS)
def test_identity_is_the_observed_score(method):
    """The permutation that moves nothing gives the score itself."""
    data, models, _ = problem(1)
    null = permute_rdms(data, models, method=method, permutations=np.arange(8)[None])
    wanted = compare_rdms(data, models, method=method).mean(axis=0)
    np.testing.assert_allclose(null[0], wanted, rtol=0, atol=EXACT)


@pytest.mark.parametrize("method", ["pearson", "spearman", "rho-a", "tau-a"])
def test_constant_model_is_undefined(method):
    """A constant model has no null; the others have."""
    data, models, orders = problem(2)
    models[1] = 0.1
    null = permute_rdms(data, models, method=method, permutations=orders)
    np.testing.assert_array_equal(np.isnan(null).all(axis=0), [False, True, False, False])


def test_wrong_calls_say_what_to_do():
    """Rows must be permutations of all stimuli, and RDMs complete."""
    data, models, orders = problem(3)
    with pytest.raises(UsageError, match="1 of 7 rows of permutations do not hold every stimulus"):
        wrong = orders.copy()
        wrong[4, 0] = wrong[4, 1]
        permute_rdms(data, models, method="cosine", permutations=wrong)
    with pytest.raises(UsageError, match=r"permutations must have shape \(n_permutations, 8\)"):
        permute_rdms(data, models, method="cosine", permutations=orders[:, :7])
    models[0, 0] = np.nan
    with pytest.raises(DataError, match="1 of 112 entries of models are undefined"):
        permute_rdms(data, models, method="cosine", permutations=orders)
