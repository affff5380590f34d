"""Which units lie near each other: in a volume, on a surface, and on a grid of feature maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from sklearn.neighbors import NearestNeighbors

from neuroai.errors import DataError, UsageError
from neuroai.numerics.arrays import require_finite

# Distances along a mesh are found for this many centres at once.
_CENTRES_AT_ONCE = 512


@dataclass(frozen=True)
class Neighbourhoods:
    """The units around every centre.

    Attributes
    ----------
    start : int array of shape (n_centres + 1,)
        Where the members of each centre begin in `members`.
    members : int array of shape (n_members,)
        Places of units, sorted within a centre.
    """

    start: np.ndarray
    members: np.ndarray

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def sizes(self) -> np.ndarray:
        """How many units each centre has, shape (n_centres,)."""
        return np.diff(self.start)

    def of(self, centre: int) -> np.ndarray:
        """Give the units of one centre."""
        return self.members[self.start[centre] : self.start[centre + 1]]

    def by_size(self, *, least: int = 1) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield centres of one size and their units (n_of_them, size): no padding is needed.

        Examples
        --------
        >>> near = Neighbourhoods(np.array([0, 1, 3, 4]), np.array([0, 0, 1, 2]))
        >>> [(c.tolist(), m.tolist()) for c, m in near.by_size()]
        [([0, 2], [[0], [2]]), ([1], [[0, 1]])]
        """
        sizes = self.sizes
        for size in np.unique(sizes[sizes >= max(least, 1)]):
            centres = np.flatnonzero(sizes == size)
            yield centres, self.members[self.start[centres][:, None] + np.arange(size)]


def within_radius(
    positions: np.ndarray, *, radius: float, centres: np.ndarray | None = None
) -> Neighbourhoods:
    """Give the units within a distance of every centre, in a straight line.

    Parameters
    ----------
    positions : array of shape (n_units, n_axes)
        Where units lie, in mm (or rows and columns of a feature map).
    radius : float
        In the unit of `positions`; a unit at exactly this distance belongs to the centre.
    centres : array of shape (n_centres, n_axes), optional
        Every unit is a centre if not given.

    Returns
    -------
    Neighbourhoods
        As nilearn's searchlight takes them.

    Raises
    ------
    UsageError
        The radius is below 0, or the axes differ.
    DataError
        A position is not finite.

    References
    ----------
    Kriegeskorte, Goebel & Bandettini (2006), https://doi.org/10.1073/pnas.0600244103

    Examples
    --------
    >>> near = within_radius(np.array([[0.0], [2.0], [5.0]]), radius=2.0)
    >>> [near.of(k).tolist() for k in range(3)]
    [[0, 1], [0, 1], [2]]
    """
    positions = _as_positions(positions, name="positions")
    centres = positions if centres is None else _as_positions(centres, name="centres")
    if centres.shape[1] != positions.shape[1]:
        raise UsageError(
            f"centres have {centres.shape[1]} axes and positions {positions.shape[1]}; both must "
            "lie in one space."
        )
    _check_radius(radius)
    # A tree that rounds must not leave out what lies at the radius itself.
    reach = radius * (1 + 1e-9)
    tree = NearestNeighbors(radius=reach).fit(positions)
    graph = tree.radius_neighbors_graph(centres, radius=reach)
    graph.sort_indices()
    return Neighbourhoods(graph.indptr.astype(np.int64), graph.indices.astype(np.int64))


def along_mesh(positions: np.ndarray, triangles: np.ndarray, *, radius: float) -> Neighbourhoods:
    r"""Give the vertices within a distance of every vertex, along the edges of a mesh.

    .. math:: d(a, b) = \min_{paths} \sum_{edges} \|x_i - x_j\|

    Walls of a sulcus that touch in space lie far apart along the surface. The length along edges
    is never below that along the surface itself.

    Parameters
    ----------
    positions : array of shape (n_vertices, 3)
        In mm.
    triangles : int array of shape (n_triangles, 3)
        Vertices of each triangle.
    radius : float
        In mm.

    Returns
    -------
    Neighbourhoods
        One centre a vertex.

    Raises
    ------
    UsageError
        A triangle names a vertex that there is not, or the radius is below 0.
    DataError
        A position is not finite.

    References
    ----------
    Oosterhof et al. (2011), https://doi.org/10.1016/j.neuroimage.2010.04.270

    Examples
    --------
    >>> corners = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    >>> near = along_mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]), radius=1.0)
    >>> [near.of(k).tolist() for k in range(4)]
    [[0, 1, 3], [0, 1, 2], [1, 2, 3], [0, 2, 3]]
    """
    positions = _as_positions(positions, name="positions")
    _check_radius(radius)
    triangles = np.asarray(triangles)
    n = len(positions)
    if triangles.ndim != 2 or triangles.shape[1] != 3 or not np.isin(triangles, np.arange(n)).all():
        raise UsageError(
            f"triangles must hold three of the {n} vertices each; got shape {triangles.shape}."
        )
    edges = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    edges = edges[edges[:, 0] != edges[:, 1]]
    lengths = np.linalg.norm(positions[edges[:, 0]] - positions[edges[:, 1]], axis=1)
    # A stored 0 would be no edge at all.
    lengths = np.maximum(lengths, np.finfo(float).tiny)
    graph = sparse.csr_matrix((lengths, edges.T), shape=(n, n))
    found = [
        np.isfinite(dijkstra(graph, directed=False, indices=part, limit=radius * (1 + 1e-9)))
        for part in np.array_split(np.arange(n), -(-n // _CENTRES_AT_ONCE))
    ]
    near = sparse.vstack([sparse.csr_matrix(part) for part in found], format="csr")
    near.sort_indices()
    return Neighbourhoods(near.indptr.astype(np.int64), near.indices.astype(np.int64))


def _as_positions(positions: np.ndarray, *, name: str) -> np.ndarray:
    positions = np.asarray(positions, dtype=np.float64)
    if positions.ndim != 2 or not positions.size:
        raise UsageError(f"{name} must be units x axes; got an array of shape {positions.shape}.")
    try:
        require_finite(positions, name=name)
    except DataError as error:
        raise DataError(f"{error} Units without a place have no neighbours.") from None
    return positions


def _check_radius(radius: float) -> None:
    if not radius >= 0:
        raise UsageError(f"radius must be 0 or more; got {radius}.")
