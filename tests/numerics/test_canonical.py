"""Canonical correlations against scipy's subspace angles, and the weights of PWCCA by hand."""

import numpy as np
import pytest
from scipy.linalg import qr, subspace_angles

from neuroai.errors import DataError, UsageError
from neuroai.numerics.canonical import canonical_basis, canonical_correlations, canonical_grid

# Singular values by two routes in float64; scipy's angles lose digits near 0 and 90 degrees.
SAME = 1e-8
N_INPUTS = 200


def pair(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 60))
    shared = rng.standard_normal((n, 3))
    a = rng.standard_normal((n, int(rng.integers(4, 9))))
    b = rng.standard_normal((n, int(rng.integers(4, 9))))
    a[:, :3] += 2 * shared
    b[:, :3] += shared @ rng.standard_normal((3, 3))
    return a * rng.uniform(0.1, 10, a.shape[1]) + 5, b


def pwcca_by_hand(a, b):
    """Whiten by QR, rotate to the canonical variates, weigh by their products with the units."""
    a, b = a - a.mean(0), b - b.mean(0)
    (qa, _), (qb, _) = qr(a, mode="economic"), qr(b, mode="economic")
    left, rho, _ = np.linalg.svd(qa.T @ qb, full_matrices=False)
    weights = np.abs((qa @ left).T @ a).sum(1)
    return (weights * rho).sum() / weights.sum()


def test_correlations_are_the_cosines_of_the_subspace_angles():
    """Correlations are the cosines of the subspace angles."""
    for seed in range(N_INPUTS):
        a, b = pair(seed)
        angles = subspace_angles(a - a.mean(0), b - b.mean(0))
        ours = canonical_correlations(canonical_basis(a), canonical_basis(b))
        np.testing.assert_allclose(ours, np.cos(angles)[::-1], atol=SAME)


def test_projection_weights_use_whitened_directions():
    """Projection weights use whitened directions."""
    for seed in range(N_INPUTS):
        a, b = pair(seed)
        bases = canonical_basis(a), canonical_basis(b)
        ours = canonical_grid(bases[:1], bases[1:], summary="projection")
        assert ours.item() == pytest.approx(pwcca_by_hand(a, b), abs=SAME)


def test_projection_takes_either_side_first_and_is_not_symmetric():
    """Projection takes either side first and is not symmetric."""
    rng = np.random.default_rng(0)
    bases = [canonical_basis(rng.standard_normal((100, p))) for p in (20, 15)]
    grid = canonical_grid(bases, bases, summary="projection")
    assert np.isfinite(grid).all() and grid[0, 1] != pytest.approx(grid[1, 0], abs=1e-4)


@pytest.mark.parametrize("n_units", [12, 90])
def test_part_of_the_variance_is_kept(n_units):
    """Part of the variance is kept."""
    rng = np.random.default_rng(1)
    a = rng.standard_normal((40, n_units)) * np.geomspace(1, 1e-3, n_units)
    basis = canonical_basis(a, variance=0.9)
    squares = np.linalg.svd(a - a.mean(0), compute_uv=False) ** 2
    k = basis.scores.shape[1]
    share = squares.cumsum() / squares.sum()
    assert share[k - 1] >= 0.9 > share[k - 2] and basis.variance == pytest.approx(share[k - 1])
    np.testing.assert_allclose(basis.scores.T @ basis.scores, np.eye(k), atol=SAME)
    np.testing.assert_allclose(basis.scores.mean(0), 0, atol=SAME)


def test_affine_maps_of_the_units_change_nothing():
    """Affine maps of the units change nothing."""
    a, b = pair(3)
    mixed = a @ np.random.default_rng(0).standard_normal((a.shape[1],) * 2) + 1
    grids = [canonical_grid([canonical_basis(x)], [canonical_basis(b)]) for x in (a, mixed)]
    np.testing.assert_allclose(*grids, atol=SAME)


def test_as_many_directions_as_stimuli_say_nothing_and_give_no_number():
    """As many directions as stimuli say nothing and give no number."""
    rng = np.random.default_rng(2)
    wide, narrow = rng.standard_normal((10, 30)), rng.standard_normal((10, 2))
    bases = [canonical_basis(wide), canonical_basis(narrow), canonical_basis(np.ones((10, 3)))]
    assert [basis.saturated for basis in bases] == [True, False, False]
    grid = canonical_grid(bases, bases)
    assert np.isfinite(grid).tolist() == [[False] * 3, [False, True, False], [False] * 3]


def test_what_cannot_be_compared_says_why():
    """What cannot be compared says why."""
    with pytest.raises(UsageError, match="different numbers of stimuli: \\[5, 6\\]"):
        bases = [canonical_basis(np.random.default_rng(0).standard_normal((n, 2))) for n in (5, 6)]
        canonical_grid(bases[:1], bases[1:])
    with pytest.raises(UsageError, match="variance must lie in \\(0, 1\\]; got 0"):
        canonical_basis(np.eye(3), variance=0)
    with pytest.raises(DataError, match="1 of 9 entries of patterns are not finite"):
        canonical_basis(np.where(np.eye(3) * [1, 0, 0] > 0, np.nan, 1.0))
