"""Capacity: how many clouds of responses, one a class, a linear readout could sort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from neuroai.errors import DataError, UsageError
from neuroai.numerics.arrays import require_finite

# Of the largest singular value of a cloud, the share below which a direction is rounding.
_RANK = 1e-10


@dataclass(frozen=True)
class Capacity:
    """Capacity of a set of clouds, and the geometry it comes from.

    Attributes
    ----------
    capacity : float
        Clouds a dimension that can be sorted into two groups at random: 2 for single points, and
        less the wider the clouds are.
    capacities, radii, dimensions : array, shape (n_clouds,)
        Of each cloud: its capacity; the size of the points that hold the boundary, relative to
        the length of the centre; and in how many dimensions they do.
    centre_correlation : float
        Mean absolute cosine between centres, from 0 to 1. Capacity takes centres as unrelated.
    """

    capacity: float
    capacities: np.ndarray
    radii: np.ndarray
    dimensions: np.ndarray
    centre_correlation: float


def manifold_capacity(
    clouds: Sequence[np.ndarray], *, margin: float = 0.0, n_samples: int = 200, seed: int = 0
) -> Capacity:
    r"""Give the mean-field capacity of clouds of points.

    Every cloud is described by its centre (about the mean of all centres) and the directions in
    which its points differ, both in units of the centre's length. With normal directions T in
    that space and the points S of the cloud,

    .. math:: \alpha^{-1} = \left\langle \min_{V \cdot S \ge \kappa} \lVert V - T \rVert^2
              \right\rangle_T, \qquad \alpha_{all}^{-1} = \overline{\alpha^{-1}}

    The minimum is that of non-negative least squares.

    Parameters
    ----------
    clouds : sequence of arrays, shape (n_points, n_units)
        Points of each class; at least two classes, in the same units.
    margin : float
        Kappa, at least 0.
    n_samples : int
        Directions drawn for each cloud; the error falls with their root.
    seed : int
        Seed of the directions.

    Returns
    -------
    Capacity

    Raises
    ------
    UsageError
        There are fewer than two clouds, or no samples, or a margin below 0.
    DataError
        Entries are not finite, or a centre lies at the mean of all, so that it has no direction.

    References
    ----------
    Chung, Lee & Sompolinsky 2018, doi:10.1103/PhysRevX.8.031003; Cohen et al. 2020,
    doi:10.1038/s41467-020-14578-5

    Examples
    --------
    >>> points = [np.array([[1.0, 0.0]]), np.array([[-1.0, 0.0]])]
    >>> round(manifold_capacity(points, n_samples=4000).capacity, 1)
    2.0
    """
    arrays = _checked(clouds, margin, n_samples)
    centres = np.stack([cloud.mean(0) for cloud in arrays])
    centres = centres - centres.mean(0)
    lengths = np.linalg.norm(centres, axis=1)
    if (lengths <= _RANK * max(lengths.max(), np.abs(arrays[0]).max() * _RANK)).any():
        raise DataError("The centre of a cloud lies at the mean of all: it has no direction.")
    rows = [
        _one_cloud(cloud, length, margin, n_samples, np.random.default_rng([seed, place]))
        for place, (cloud, length) in enumerate(zip(arrays, lengths, strict=True))
    ]
    inverse, radii, dimensions = np.array(rows).T
    cosines = (centres / lengths[:, None]) @ (centres / lengths[:, None]).T
    off = ~np.eye(len(centres), dtype=bool)
    with np.errstate(divide="ignore"):
        return Capacity(
            float(1 / inverse.mean()),
            1 / inverse,
            radii,
            dimensions,
            float(np.abs(cosines[off]).mean()),
        )


def _one_cloud(
    cloud: np.ndarray, length: float, margin: float, n_samples: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Give 1 / capacity, radius and dimension of one cloud."""
    spread = cloud - cloud.mean(0)
    left, sizes, _ = np.linalg.svd(spread, full_matrices=False)
    kept = int((sizes > _RANK * max(length, sizes[0])).sum())
    points = np.column_stack([left[:, :kept] * sizes[:kept] / length, np.ones(len(cloud))])
    directions = rng.standard_normal((n_samples, kept + 1))
    # The last entry of every point is 1, so that a margin is a shift along it.
    directions[:, -1] -= margin
    squares, radii, dimensions = np.zeros(n_samples), [], []
    for place, direction in enumerate(directions):
        weights = nnls(points.T, -direction)[0]
        total = weights.sum()
        if total <= 0:
            continue  # The direction sorts the whole cloud as it is.
        squares[place] = np.sum((points.T @ weights) ** 2)
        anchor = (points[:, :-1].T @ weights) / total
        radii.append(np.linalg.norm(anchor))
        if radii[-1] > 0:
            dimensions.append((direction[:-1] @ anchor / radii[-1]) ** 2)
    radius = float(np.sqrt(np.mean(np.square(radii)))) if radii else 0.0
    return float(squares.mean()), radius, float(np.mean(dimensions)) if dimensions else 0.0


def _checked(clouds: Sequence[np.ndarray], margin: float, n_samples: int) -> list[np.ndarray]:
    arrays = [np.asarray(cloud, dtype=np.float64) for cloud in clouds]
    shapes = {array.shape[1] if array.ndim == 2 and len(array) else -1 for array in arrays}
    if len(arrays) < 2 or len(shapes) > 1 or shapes == {-1}:
        raise UsageError(
            "Give at least two clouds, each points x units with the same units; got "
            f"{[array.shape for array in arrays]}."
        )
    if margin < 0 or n_samples < 1:
        raise UsageError(
            f"margin must be at least 0 and n_samples at least 1; got {margin}, {n_samples}."
        )
    for array in arrays:
        require_finite(array, name="clouds")
    return arrays
