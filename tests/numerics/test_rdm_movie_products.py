"""Pearson similarity from sums over Gram matrices, beside that of the RDM vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from neuroai.numerics.comparators import standardised
from neuroai.numerics.rdm_movie import movie_rsa
from neuroai.numerics.rdm_movie_products import GramModels

EXACT = 1e-12
# Sums over 4,950 pairs in single precision.
SINGLE = 5e-6


def _problem(n_stimuli: int, *, n_units: int = 7, n_times: int = 5, n_models: int = 3):
    rng = np.random.default_rng(n_stimuli)
    patterns = rng.standard_normal((n_stimuli, n_units, n_times)) + 3.0
    return patterns, rng.random((n_models, n_stimuli * (n_stimuli - 1) // 2))


def _by_products(patterns: np.ndarray, models: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    unit = torch.from_numpy(standardised(models, method="pearson").T.copy())
    return GramModels.of(unit, n_stimuli=len(patterns)).scores(torch.from_numpy(patterns))


def _loop(patterns: np.ndarray, models: np.ndarray) -> np.ndarray:
    """Use scipy's distances and NumPy's correlation, one time and one model after the other."""
    movie = [pdist(patterns[:, :, t], "correlation") for t in range(patterns.shape[2])]
    return np.array([[np.corrcoef(rdm, m)[0, 1] for m in models] for rdm in movie])


@pytest.mark.parametrize("n_stimuli", [3, 4, 5, 12, 33])
def test_the_scores_are_those_of_the_vectors(n_stimuli):
    """Small and larger RDMs, in double precision."""
    patterns, models = _problem(n_stimuli)
    found, unsure = _by_products(patterns, models)
    assert not unsure.any()
    np.testing.assert_allclose(found, _loop(patterns, models), atol=EXACT)


def test_blocks_of_times_do_not_show():
    """More times than one block holds give the same as each time alone, in single precision."""
    patterns, models = _problem(100, n_units=64, n_times=131)
    patterns = patterns.astype(np.float32)
    found = movie_rsa(patterns, models, method="pearson")
    np.testing.assert_allclose(found, _loop(patterns.astype(float), models), atol=SINGLE)
    alone = movie_rsa(patterns[:, :, 130:], models, method="pearson")
    np.testing.assert_allclose(found[130:], alone, atol=SINGLE)


def test_a_constant_pattern_leaves_its_time_undefined():
    """A correlation with a constant does not exist; other times stay."""
    patterns, models = _problem(6)
    patterns[2, :, 1] = 0.1
    found = movie_rsa(patterns, models, method="pearson")
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(
        found[[0, 2, 3, 4]], _loop(patterns, models)[[0, 2, 3, 4]], atol=EXACT
    )


def test_rdms_that_hardly_vary_are_taken_from_their_vectors():
    """Nearly equal patterns: the sums alone would lose the digits, so the vectors are made."""
    patterns, models = _problem(8, n_units=40)
    rng = np.random.default_rng(1)
    near = 1e-4 * rng.standard_normal((8, 40, 1)) + rng.standard_normal((1, 40, 1))
    patterns[:, :, 3:4] = near
    _, unsure = _by_products(patterns, models)
    assert unsure.tolist() == [False, False, False, True, False]
    # Distances of 1e-8 keep half the digits.
    np.testing.assert_allclose(
        movie_rsa(patterns, models, method="pearson"), _loop(patterns, models), atol=1e-6
    )


def test_two_stimuli_have_no_similarity():
    """One pair cannot be correlated."""
    patterns, models = _problem(2)
    assert np.isnan(movie_rsa(patterns, models, method="pearson")).all()
