"""jPCA on planted rotations, against the written-out regression, and its known failure."""

import numpy as np
import pytest
from scipy.optimize import minimize

from neuroai.errors import DataError, UsageError
from neuroai.numerics.jpca import jpca
from neuroai.numerics.surrogates import surrogate_law
from neuroai.testing import EQUAL, readonly

N_CONDITIONS, N_UNITS, N_TIMES = 12, 15, 25
# Noise of a hundredth of the signal moves an angle of a fifth by less than this.
NOISY = 0.01
# The general minimiser stops at a gradient of 1e-5.
MINIMISED = 1e-6


def rotating(angles, *, seed=0, noise=0.0):
    """Planes that turn by given angles a step, from random phases, in random orthogonal axes."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((N_UNITS, N_UNITS)))[0]
    paths = np.zeros((N_CONDITIONS, N_UNITS, N_TIMES))
    for k, angle in enumerate(angles):
        phase = angle * np.arange(N_TIMES) + rng.uniform(0, 2 * np.pi, (N_CONDITIONS, 1))
        size = rng.uniform(0.5, 2, (N_CONDITIONS, 1)) / (k + 1)
        for axis, wave in zip(axes[2 * k : 2 * k + 2], (np.cos, np.sin), strict=True):
            paths += (size * wave(phase))[:, None, :] * axis[:, None]
    return readonly(paths + noise * rng.standard_normal(paths.shape)), axes


def test_planted_rotations_are_found_with_their_planes():
    """Two planes of different speeds: angles, axes and a perfect fit."""
    paths, axes = rotating([0.4, 0.15])
    found = jpca(paths, n_components=4)
    assert found.r2_skew == pytest.approx(1, abs=EQUAL)
    np.testing.assert_allclose(found.angles, [0.4, 0.15], atol=EQUAL)
    for k, plane in enumerate(found.planes):
        np.testing.assert_allclose(plane @ plane.T, np.eye(2), atol=EQUAL)
        inside = plane @ axes[2 * k : 2 * k + 2].T
        np.testing.assert_allclose(np.linalg.svd(inside)[1], 1, atol=EQUAL)
    assert found.shares.sum() == pytest.approx(1, abs=EQUAL)


def test_noise_lowers_the_fit_and_hardly_moves_the_angle():
    """With noise of a hundredth the plane stays."""
    found = jpca(rotating([0.2], noise=0.01)[0], n_components=2)
    assert 0.8 < found.r2_skew <= found.r2_full
    assert found.angles[0] == pytest.approx(0.2, abs=NOISY)


def test_the_fit_is_the_best_of_all_skew_matrices():
    """A general minimiser over the six numbers of a skew matrix finds no better one."""
    for seed in range(3):
        paths = np.random.default_rng(seed).standard_normal((5, 4, 8))
        found = jpca(paths, n_components=4)
        cube = (paths - paths.mean(0)).transpose(0, 2, 1)
        steps = np.diff(cube, axis=1).reshape(-1, 4)
        halfway = ((cube[:, 1:] + cube[:, :-1]) / 2).reshape(-1, 4)

        def lost(numbers, steps=steps, halfway=halfway):
            skew = np.zeros((4, 4))
            skew[np.triu_indices(4, 1)] = numbers
            return np.sum((steps - halfway @ (skew - skew.T)) ** 2)

        best = minimize(lost, np.zeros(6)).fun
        assert found.r2_skew == pytest.approx(1 - best / np.sum(steps**2), abs=MINIMISED)
        assert found.r2_full >= found.r2_skew


def test_growth_is_no_rotation():
    """Paths that only decay are fitted by a full flow, and not by one that turns."""
    rng = np.random.default_rng(1)
    start = rng.standard_normal((N_CONDITIONS, N_UNITS, 1))
    paths = start * 0.9 ** np.arange(N_TIMES)
    found = jpca(paths)
    assert found.r2_full == pytest.approx(1, abs=EQUAL) and found.r2_skew < 0.05


def test_planted_rotations_exceed_their_surrogates():
    """No surrogate of the same covariances turns as well as the planted paths do."""
    paths, _ = rotating([0.4], noise=0.1)
    law = surrogate_law(paths)
    rng = np.random.default_rng(0)
    null = [jpca(law.draw(rng=rng), n_components=2).r2_skew for _ in range(19)]
    assert jpca(paths, n_components=2).r2_skew > max(null) + 0.05


def test_delayed_bumps_look_rotational_once_their_mean_is_gone():
    """The published caveat: equal bumps that differ in delay alone seem to turn."""
    t, delays = np.arange(N_TIMES), np.linspace(0, 8, N_CONDITIONS)
    lags = np.linspace(0, 6, N_UNITS)
    paths = np.exp(-((t - 6 - delays[:, None, None] - lags[:, None]) ** 2) / 20)
    assert jpca(paths).r2_skew > 0.5


def test_wrong_calls_say_what_to_do():
    """Too small an array, an odd number, no variance, NaN."""
    with pytest.raises(UsageError, match=r"at least 2 x 2 x 3; got shape \(1, 4, 5\)"):
        jpca(np.ones((1, 4, 5)))
    with pytest.raises(UsageError, match="even number above 0; got 3"):
        jpca(np.ones((3, 4, 5)), n_components=3)
    with pytest.raises(UsageError, match="fill 0 dimensions; a rotation needs two"):
        jpca(np.ones((3, 4, 5)))
    with pytest.raises(DataError, match="not finite"):
        jpca(np.full((3, 4, 5), np.nan))
