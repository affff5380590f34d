"""Neighbourhoods against brute force, nilearn's own graph and a flat mesh."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from neuroai.errors import DataError, UsageError
from neuroai.numerics.neighbourhoods import along_mesh, within_radius


def test_equal_to_brute_force():
    """Every unit within the radius, that at the radius itself too, and no other."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3))
    near = within_radius(x, radius=1.0)
    gaps = np.linalg.norm(x[:, None] - x[None], axis=2)
    assert [near.of(c).tolist() for c in range(60)] == [
        np.flatnonzero(row <= 1).tolist() for row in gaps
    ]
    assert len(near) == 60 and (near.sizes == (gaps <= 1).sum(axis=1)).all()


def test_as_nilearn_makes_them():
    """nilearn's searchlight asks the same graph of the voxels' coordinates in mm."""
    voxels = np.argwhere(np.ones((6, 5, 4))) * 3.0 - 40.0
    theirs = NearestNeighbors(radius=6.0).fit(voxels).radius_neighbors_graph(voxels)
    theirs.sort_indices()
    near = within_radius(voxels, radius=6.0)
    np.testing.assert_array_equal(near.members, theirs.indices)
    np.testing.assert_array_equal(near.start, theirs.indptr)


def test_a_radius_in_mm_knows_the_size_of_voxels():
    """A radius of three voxel sides takes the same 123 voxels whatever the side is."""
    grid = np.argwhere(np.ones((9, 9, 9)))
    for side in (0.7, 1.0, 2.5):
        assert within_radius(grid * side, radius=3 * side).sizes.max() == 123


def test_along_a_fold_the_way_is_longer_than_through_it():
    """Two walls that face each other at 1 mm are neighbours in space and not on the surface."""
    rows = [(x, 0.0, z) for x in range(4) for z in (0.0, 1.0)]
    walls = np.array([*rows, *[(3 - x, 1.0, z) for x in range(4) for z in (0.0, 1.0)]])
    strip = [[2 * k, 2 * k + 1, 2 * k + 2] for k in range(7)]
    strip += [[2 * k + 1, 2 * k + 2, 2 * k + 3] for k in range(7)]
    surface, space = (
        along_mesh(walls, np.array(strip), radius=1.5),
        within_radius(walls, radius=1.5),
    )
    assert 14 in space.of(0) and 14 not in surface.of(0)
    assert set(surface.of(0)) == {0, 1, 2, 3} & set(surface.of(0)) and {0, 1, 2} <= set(
        surface.of(0)
    )


def test_along_a_flat_grid_lengths_are_those_of_its_edges():
    """Closed form: on a square grid split into triangles a step along an axis is 1 mm."""
    n = 5
    at = np.arange(n * n).reshape(n, n)
    corners = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]], axis=-1).reshape(-1, 4)
    triangles = np.concatenate([corners[:, [0, 1, 2]], corners[:, [1, 3, 2]]])
    flat = np.array([(i, j, 0.0) for i in range(n) for j in range(n)])
    near = along_mesh(flat, triangles, radius=2.0)
    # From the middle: steps along axes, and the one diagonal that the triangles have.
    middle = {divmod(int(v), n) for v in near.of(12)}
    expected = {
        (i, j) for i in range(n) for j in range(n)
        if _steps(i - 2, j - 2) <= 2.0
    }  # fmt: skip
    assert middle == expected


def _steps(i, j):
    """Return the length of the way along axes and one of the two diagonals."""
    across = min(abs(i), abs(j)) if i * j < 0 else 0
    return across * np.sqrt(2) + abs(i) + abs(j) - 2 * across


def test_wrong_calls_say_what_to_do():
    """A negative radius, other axes, a place that is not known, and a triangle of no vertex."""
    x = np.zeros((3, 2))
    with pytest.raises(UsageError, match="radius must be 0 or more; got -1"):
        within_radius(x, radius=-1)
    with pytest.raises(UsageError, match="centres have 3 axes and positions 2"):
        within_radius(x, radius=1, centres=np.zeros((1, 3)))
    with pytest.raises(DataError, match="Units without a place have no neighbours"):
        within_radius(np.full((3, 2), np.nan), radius=1)
    with pytest.raises(UsageError, match="must be units x axes"):
        within_radius(np.zeros(3), radius=1)
    with pytest.raises(UsageError, match="three of the 3 vertices each"):
        along_mesh(np.zeros((3, 3)), np.array([[0, 1, 3]]), radius=1)
