"""Surrogates keep means and covariances along all three axes, and nothing else."""

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.surrogates import surrogate_law
from neuroai.testing import STANDARD_ERRORS, readonly

SHAPE = (6, 8, 10)
# Newton's method ends where the sums along axes are right to one in a million.
SOLVED = 1e-6


def smooth(seed=0):
    """Smooth paths of correlated units with a mean, read-only."""
    rng = np.random.default_rng(seed)
    core = np.cumsum(rng.standard_normal(SHAPE), axis=2)
    return readonly(np.einsum("iuk,uv->ivk", core, rng.standard_normal((8, 8))) + 5)


def covariances(cube):
    """Products along every axis, summed over the others."""
    found = []
    for axis in range(3):
        flat = np.moveaxis(cube, axis, 0).reshape(cube.shape[axis], -1)
        found.append(flat @ flat.T)
    return found


def test_expected_covariances_are_those_of_the_paths():
    """Computed from the law itself, along conditions, units and times."""
    paths = smooth()
    law = surrogate_law(paths)
    wanted = covariances(paths - law.mean)
    for axis, axes in enumerate(((1, 2), (0, 2), (0, 1))):
        basis, values = law.bases[axis], law.variances.sum(axes)
        expected = (basis * values) @ basis.T
        scale = np.abs(wanted[axis]).max()
        np.testing.assert_allclose(expected, wanted[axis], atol=SOLVED * scale)


def test_draws_have_these_covariances_on_average():
    """Over 300 draws every entry lies within five standard errors."""
    paths = smooth(1)
    law, rng = surrogate_law(paths), np.random.default_rng(0)
    drawn = [covariances(law.draw(rng=rng) - law.mean) for _ in range(300)]
    for axis in range(3):
        values = np.array([one[axis] for one in drawn])
        error = values.std(0) / np.sqrt(len(values)) + 1e-9
        wanted = covariances(paths - law.mean)[axis]
        assert (np.abs(values.mean(0) - wanted) < (STANDARD_ERRORS + 1) * error).all()


def test_variances_are_one_over_sums_along_axes():
    """The form of greatest entropy: mixed differences of the inverses vanish."""
    inverse = 1 / surrogate_law(smooth(2)).variances
    for axes in ((0, 1), (0, 2), (1, 2)):
        mixed = np.diff(np.diff(inverse, axis=axes[0]), axis=axes[1])
        assert np.abs(mixed).max() < SOLVED * np.abs(inverse).max()


def test_what_cannot_be_drawn_is_refused():
    """Two axes, NaN, and paths that are sums of their means."""
    with pytest.raises(UsageError, match="conditions x units x times"):
        surrogate_law(np.ones((2, 3)))
    with pytest.raises(DataError, match="not finite"):
        surrogate_law(np.full(SHAPE, np.nan))
    additive = np.arange(6.0)[:, None, None] + np.arange(8.0)[:, None] + np.arange(10.0)
    with pytest.raises(DataError, match="sums of their means alone"):
        surrogate_law(additive)
