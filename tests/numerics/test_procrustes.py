"""Procrustes against scipy's rotation and disparity."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes

from neuroai.errors import DataError, UsageError
from neuroai.numerics.procrustes import procrustes_factor, procrustes_grid

# The symmetric root of a Gram matrix of rank below its size holds the square root of rounding.
SAME = 1e-7
EXACT = 1e-8
N_INPUTS = 200


def pair(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 30))
    return [rng.standard_normal((n, int(rng.integers(2, n)))) + 3 for _ in range(2)]


def grid(a, b, **options):
    return procrustes_grid([procrustes_factor(a)], [procrustes_factor(b)], **options).item()


def rotated_onto(a, b):
    """Pad, centre, rotate with scipy, and measure what is left."""
    width = max(a.shape[1], b.shape[1])
    a, b = (np.pad(x - x.mean(0), ((0, 0), (0, width - x.shape[1]))) for x in (a, b))
    rotation, nuclear = orthogonal_procrustes(a, b)
    return np.linalg.norm(a @ rotation - b), nuclear / np.linalg.norm(a) / np.linalg.norm(b)


def test_distance_and_similarity_are_those_of_the_best_rotation():
    """Distance and similarity are those of the best rotation."""
    for seed in range(N_INPUTS):
        a, b = pair(seed)
        distance, similarity = rotated_onto(a, b)
        assert grid(a, b, measure="distance") == pytest.approx(distance, abs=EXACT)
        assert grid(a, b) == pytest.approx(similarity, abs=EXACT)
        assert np.cos(grid(a, b, measure="angle")) == pytest.approx(similarity, abs=EXACT)


def test_disparity_of_scipy_is_one_minus_the_squared_similarity():
    """Disparity of SciPy is one minus the squared similarity."""
    for seed in range(N_INPUTS):
        rng = np.random.default_rng(seed)
        a, b = rng.standard_normal((2, 12, 4))
        assert 1 - grid(a, b) ** 2 == pytest.approx(procrustes(a, b)[2], abs=EXACT)


def test_more_units_than_stimuli_give_the_same_through_the_gram_matrix():
    """More units than stimuli give the same through the gram matrix."""
    for seed in range(20):
        a, b = np.random.default_rng(seed).standard_normal((2, 10, 45))
        distance, similarity = rotated_onto(a, b)
        assert grid(a, b, measure="distance") == pytest.approx(distance, rel=SAME)
        assert grid(a, b) == pytest.approx(similarity, abs=SAME)


def test_the_angle_is_a_metric():
    """The angle is a metric."""
    rng = np.random.default_rng(0)
    factors = [procrustes_factor(rng.standard_normal((9, 4))) for _ in range(12)]
    angle = procrustes_grid(factors, factors, measure="angle")
    np.testing.assert_allclose(angle, angle.T, atol=EXACT)
    # arccos turns a rounding of 1e-16 in the cosine into 1e-8 at 0.
    np.testing.assert_allclose(np.diag(angle), 0, atol=1e-7)
    assert (angle[:, None] <= angle[:, :, None] + angle[None] + EXACT).all()


def test_constant_responses_have_no_similarity():
    """Constant responses have no similarity."""
    assert np.isnan(grid(np.ones((5, 3)), np.eye(5)))


def test_what_cannot_be_compared_says_why():
    """What cannot be compared says why."""
    with pytest.raises(UsageError, match="different numbers of stimuli: \\[4, 5\\]"):
        grid(np.eye(4), np.eye(5))
    with pytest.raises(UsageError, match="measure must be one of"):
        grid(np.eye(4), np.eye(4), measure="angles")
    with pytest.raises(DataError, match="not finite"):
        procrustes_factor([[np.nan, 1.0], [0.0, 1.0]])
