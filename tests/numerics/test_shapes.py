"""Shape distances against scipy's rotations and canonical angles, and as true metrics."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes, subspace_angles

from neuroai.errors import UsageError
from neuroai.numerics.procrustes import procrustes_factor, procrustes_grid
from neuroai.numerics.shapes import held_out_alignment, shape_distance, shape_factor
from neuroai.testing import EQUAL, EXACT, STANDARD_ERRORS, readonly

N_INPUTS = 200


def responses(seed, n_stimuli=14, n_units=5):
    """Draw read-only responses with a mean and units of unequal size."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_stimuli, n_units)) * rng.uniform(0.2, 5, n_units) + 2
    return readonly(x)


def unit(x):
    """Centre, and scale to Frobenius norm 1."""
    x = x - x.mean(0)
    return x / np.linalg.norm(x)


def test_the_distance_is_what_scipys_rotation_leaves():
    """200 pairs: turn one side by scipy, and measure what is left."""
    for seed in range(N_INPUTS):
        a, b = unit(responses(seed)), unit(responses(seed + N_INPUTS))
        left = np.linalg.norm(a @ orthogonal_procrustes(a, b)[0] - b)
        assert shape_distance(a, b, measure="euclidean") == pytest.approx(left, abs=EQUAL)
        angle = 2 * np.arcsin(left / 2)
        assert shape_distance(a, b) == pytest.approx(angle, abs=EQUAL)


def test_the_angle_is_the_arc_cosine_of_the_procrustes_similarity():
    """Through Gram matrices, for more units than stimuli as well."""
    for seed, units in enumerate((3, 14, 40)):
        a, b = responses(seed, n_units=units), responses(seed + 9)
        [[angle]] = procrustes_grid(*([procrustes_factor(x)] for x in (a, b)), measure="angle")
        assert shape_distance(a, b) == pytest.approx(angle, abs=EQUAL)


def test_alpha_of_zero_is_the_mean_canonical_correlation():
    """Fully whitened, the cosine is the mean of scipy's canonical correlations."""
    for seed in range(N_INPUTS):
        a, b = responses(seed), responses(seed + N_INPUTS)
        rho = np.cos(subspace_angles(a - a.mean(0), b - b.mean(0)))
        angle = shape_distance(a, b, alpha=0.0)
        assert np.cos(angle) == pytest.approx(rho.mean(), abs=EQUAL)


def test_between_the_ends_it_is_the_partly_whitened_data_turned():
    """The factor has the Gram matrix of X (alpha I + (1 - alpha) (X'X)^(-1/2)), as published."""
    x = responses(0)
    centred = x - x.mean(0)
    centred = centred / np.linalg.norm(centred) * np.sqrt(centred.shape[1])
    values, vectors = np.linalg.eigh(centred.T @ centred)
    for alpha in (0.0, 0.3, 1.0):
        z = centred @ (vectors * (alpha + (1 - alpha) / np.sqrt(values))) @ vectors.T
        z /= np.linalg.norm(z)
        factor = shape_factor(x, alpha=alpha)
        np.testing.assert_allclose(factor @ factor.T, z @ z.T, atol=EQUAL)


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("measure", ["angular", "euclidean"])
def test_it_is_a_metric(alpha, measure):
    """0 with a turned, scaled and shifted copy; symmetric; and never shorter by way of a third."""
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    how = {"measure": measure, "alpha": alpha}
    for seed in range(60):
        a, b, c = (responses(3 * seed + k, n_units=3 + k) for k in range(3))
        copy = 4 * responses(seed) @ rotation - 1
        assert shape_distance(responses(seed), copy, **how) == pytest.approx(0, abs=EXACT)
        direct = shape_distance(a, c, **how)
        assert direct == pytest.approx(shape_distance(c, a, **how), abs=EXACT)
        assert direct <= shape_distance(a, b, **how) + shape_distance(b, c, **how) + EXACT


def test_silent_units_change_nothing():
    """A side with fewer units is compared as if padded with silent ones."""
    a, b = responses(0, n_units=3), responses(1)
    padded = np.hstack([a, np.zeros((14, 4))])
    assert shape_distance(a, b) == pytest.approx(shape_distance(padded, b), abs=EXACT)


def test_what_has_no_shape_is_undefined():
    """No variance; and, fully whitened, as many directions as the stimuli leave."""
    a, wide = responses(0), responses(1, n_units=20)
    assert np.isnan(shape_distance(np.ones((14, 3)), a))
    assert np.isnan(shape_distance(wide, a, alpha=0.0)) and shape_distance(wide, a) > 0


def test_wrong_calls_say_what_to_do():
    """Other stimuli, another measure, an alpha out of range."""
    a = responses(0)
    with pytest.raises(UsageError, match="same stimuli; got 14 and 13"):
        shape_distance(a, a[:13])
    with pytest.raises(UsageError, match="measure must be one of 'angular', 'euclidean'"):
        shape_distance(a, a, measure="angle")
    with pytest.raises(UsageError, match=r"alpha must lie in \[0, 1\]; got 2"):
        shape_distance(a, a, alpha=2)


def test_a_rotation_is_learnt_from_some_stimuli_and_tested_on_others():
    """scipy's rotation of the training stimuli, fold by fold, for 200 inputs."""
    for seed in range(N_INPUTS):
        a, b = responses(seed), responses(seed + N_INPUTS)
        folds, scores = np.random.default_rng(seed).permutation(14) % 3, []
        for fold in range(3):
            held = folds == fold
            x, y = (side - side[~held].mean(0) for side in (a, b))
            turned = x[held] @ orthogonal_procrustes(x[~held], y[~held])[0]
            size = np.linalg.norm(turned) * np.linalg.norm(y[held])
            scores.append(np.sum(turned * y[held]) / size)
        found = held_out_alignment(a, b, n_folds=3, n_deals=1, seed=seed)
        assert found == pytest.approx(np.mean(scores), abs=EQUAL)


def test_independent_responses_align_by_nothing_when_held_out():
    """Over 200 draws of many units the mean is 0, where the similarity in sample is far above."""
    inside, outside = [], []
    for seed in range(200):
        a, b = (np.random.default_rng([seed, k]).standard_normal((20, 40)) for k in (0, 1))
        [[value]] = procrustes_grid([procrustes_factor(a)], [procrustes_factor(b)])
        inside.append(value)
        outside.append(held_out_alignment(a, b, n_deals=1))
    error = np.std(outside) / np.sqrt(len(outside))
    assert abs(np.mean(outside)) < STANDARD_ERRORS * error and np.mean(inside) > 0.7


def test_folds_without_variance_or_too_few_stimuli_have_no_alignment():
    """No variance is NaN; three stimuli for two folds are refused."""
    a = responses(0)
    assert np.isnan(held_out_alignment(np.ones((14, 2)), a))
    with pytest.raises(UsageError, match="got 3 and 3 stimuli, n_folds=2 and n_deals=4"):
        held_out_alignment(a[:3], a[:3], n_folds=2)
