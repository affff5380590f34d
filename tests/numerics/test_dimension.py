"""Dimensions of noise, of curved surfaces and of copies, against what is known of each."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from neuroai.errors import DataError, UsageError
from neuroai.numerics.dimension import isotropic_ratio, participation_ratio, two_nn
from neuroai.testing import EQUAL, STANDARD_ERRORS, readonly

# Published as whole numbers.
PRINTED = 0.5
# One draw of 1,000 units at 50 stimuli or more varies by about a hundredth.
DRAWN = 0.03


def noise(seed, n_stimuli, n_units):
    """Draw isotropic noise about a mean, read-only."""
    return readonly(np.random.default_rng(seed).standard_normal((n_stimuli, n_units)) + 2)


def test_the_ratio_is_that_of_the_covariance_of_numpy():
    """200 inputs with more stimuli than units, or fewer."""
    for seed in range(200):
        x = noise(seed, 8 + seed % 10, 3 + seed % 20) * np.linspace(1, 5, 3 + seed % 20)
        covariance = np.cov(x.T)
        wanted = np.trace(covariance) ** 2 / np.sum(covariance**2)
        assert participation_ratio(x) == pytest.approx(wanted, rel=EQUAL)


@pytest.mark.parametrize(("n_stimuli", "published"), [(50, 47), (200, 166), (2000, 667)])
def test_few_stimuli_read_as_few_dimensions(n_stimuli, published):
    """1,000 equal dimensions read as published: the bound that the notes state."""
    assert isotropic_ratio(n_stimuli, 1000) == pytest.approx(published, abs=PRINTED)
    if n_stimuli <= 200:
        assert participation_ratio(noise(0, n_stimuli, 1000)) == pytest.approx(published, rel=DRAWN)


def test_the_correction_takes_the_bias_away():
    """Both terms are unbiased: over 200 draws of 40 stimuli their means are the true traces."""
    scale = np.geomspace(3, 0.3, 60)
    true = np.sum(scale**2) ** 2 / np.sum(scale**4)
    rng = np.random.default_rng(0)
    draws = [rng.standard_normal((40, 60)) * scale for _ in range(200)]
    plain = [participation_ratio(x) for x in draws]
    corrected = np.array([participation_ratio(x, corrected=True) for x in draws])
    error = corrected.std() / np.sqrt(len(corrected))
    # A ratio of two unbiased terms keeps a bias of second order, below a fortieth here.
    assert abs(corrected.mean() - true) < STANDARD_ERRORS * error + true / 40
    assert np.mean(plain) < 0.75 * true


@pytest.mark.parametrize("fit", ["likelihood", "line"])
@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_the_dimension_of_a_bent_surface_is_that_of_its_coordinates(fit, dimension):
    """Uniform points, bent into 30 units, within a tenth and four standard errors."""
    rng = np.random.default_rng(dimension)
    x = rng.random((2000, dimension))
    bent = np.hstack([np.sin(x), np.cos(x), x**2]) @ rng.standard_normal((3 * dimension, 30))
    found = two_nn(bent, fit=fit).dimension
    assert abs(found - dimension) < dimension * (0.1 + STANDARD_ERRORS / np.sqrt(2000))


def test_the_two_neighbours_are_those_of_scipy():
    """The likelihood from all distances, for 200 inputs."""
    for seed in range(200):
        x = noise(seed, 6 + seed % 30, 1 + seed % 6)
        near = np.sort(cdist(x, x), axis=1)[:, 1:3]
        wanted = (len(x) - 1) / np.log(near[:, 1] / near[:, 0]).sum()
        assert two_nn(x).dimension == pytest.approx(wanted, rel=EQUAL)


def test_copies_are_dropped_and_counted():
    """With copies of half the points the estimate is that without them."""
    x = noise(1, 60, 3)
    found = two_nn(np.vstack([x, x[:30]]))
    assert found.n_duplicates == 30 and found.n_points == 60
    assert found.dimension == pytest.approx(two_nn(x).dimension, rel=EQUAL)


def test_what_has_no_dimension_is_undefined_or_refused():
    """No variance is NaN; two points, options out of range and NaN say what to do."""
    still = np.full((5, 3), 0.1)
    assert np.isnan(participation_ratio(still))
    assert np.isnan(two_nn(still).dimension) and two_nn(still).n_duplicates == 4
    with pytest.raises(DataError, match="at least 3 stimuli; got 2"):
        participation_ratio(noise(0, 2, 3))
    with pytest.raises(UsageError, match="fit must be one of 'likelihood', 'line'"):
        two_nn(noise(0, 5, 3), fit="mle")
    with pytest.raises(UsageError, match=r"discard must lie in \[0, 0.5\]; got 0.9"):
        two_nn(noise(0, 5, 3), discard=0.9)
    with pytest.raises(DataError, match="1 of 6 entries of patterns are not finite"):
        two_nn([[np.nan, 0.0], [1.0, 2.0], [3.0, 4.0]])
