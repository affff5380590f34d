"""Rotations of population activity: how much of its motion a turning flow explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from neuroai.errors import UsageError
from neuroai.numerics.arrays import require_finite


@dataclass(frozen=True)
class Rotations:
    """A rotation fitted to the motion of conditions through state space.

    Attributes
    ----------
    r2_skew, r2_full : float
        Share of the squared motion explained by a flow that turns alone, and by any linear flow;
        at most 1, the first at most the second.
    angles : array, shape (n_planes,)
        Angle that each plane turns from one time to the next, in radians, the fastest first.
    planes : array, shape (n_planes, 2, n_units)
        Orthonormal axes of each plane among the units.
    shares : array, shape (n_planes,)
        Share of the variance of the paths that lies in each plane.
    """

    r2_skew: float
    r2_full: float
    angles: np.ndarray
    planes: np.ndarray
    shares: np.ndarray


def jpca(paths: np.ndarray, *, n_components: int = 6, remove_mean: bool = True) -> Rotations:
    r"""Fit a rotation to mean paths: jPCA.

    In the first principal components X, with states halfway between times and their steps,

    .. math:: \min_{M^\top = -M} \lVert \dot X - X M \rVert^2 \quad \Leftrightarrow \quad
              G M + M G = C - C^\top, \qquad G = X^\top X, \; C = X^\top \dot X

    A plane of M that turns by :math:`\omega` a step on paper turns the discrete path by
    :math:`2 \arctan(\omega / 2)`.

    Taking away the mean over conditions, as is usual, can make rotations of its own out of paths
    that only differ in delay or size: set the result beside surrogates that keep the covariances
    (`neuroai.numerics.surrogates`), treated alike.

    Parameters
    ----------
    paths : array, shape (n_conditions, n_units, n_times)
        Mean activity, finite, at times of equal distance.
    n_components : int
        Principal components, an even number; at most as many as the paths fill.
    remove_mean : bool
        Take the mean over conditions away at every time.

    Returns
    -------
    Rotations

    Raises
    ------
    UsageError
        Too few conditions, times or components.
    DataError
        Some entries are not finite.

    References
    ----------
    Churchland et al. 2012, doi:10.1038/nature11129; Lebedev et al. 2019,
    doi:10.1038/s41598-019-54760-4

    Examples
    --------
    >>> t = np.arange(20) * 0.3
    >>> paths = np.stack([[np.cos(t + k), np.sin(t + k)] for k in range(4)])
    >>> found = jpca(paths, n_components=2)
    >>> round(found.r2_skew, 6), found.angles.round(6).tolist()
    (1.0, [0.3])
    """
    cube = _checked(paths, n_components)
    if remove_mean:
        cube = cube - cube.mean(0)
    states = cube.transpose(0, 2, 1)
    flat = states.reshape(-1, states.shape[2])
    flat = flat - flat.mean(0)
    sizes, right = np.linalg.svd(flat, full_matrices=False)[1:]
    rank = int((sizes > 1e-10 * sizes[0]).sum()) if sizes[0] > 0 else 0
    kept = min(n_components, rank) // 2 * 2
    if kept < 2:
        raise UsageError(f"The paths fill {rank} dimensions; a rotation needs two.")
    axes = right[:kept].T
    x = states @ axes
    steps = np.diff(x, axis=1).reshape(-1, kept)
    halfway = ((x[:, 1:] + x[:, :-1]) / 2).reshape(-1, kept)
    gram, cross = halfway.T @ halfway, halfway.T @ steps
    skew = linalg.solve_sylvester(gram, gram, cross - cross.T)
    skew = (skew - skew.T) / 2
    full = np.linalg.lstsq(halfway, steps, rcond=None)[0]
    speeds, planes = _planes(skew, axes)
    inside = np.einsum("tu,kau->kat", flat, planes)
    return Rotations(
        r2_skew=_explained(steps, halfway @ skew),
        r2_full=_explained(steps, halfway @ full),
        angles=2 * np.arctan(speeds / 2),
        planes=planes,
        shares=(inside**2).sum((1, 2)) / np.sum(sizes**2),
    )


def _planes(skew: np.ndarray, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the speeds of the planes that a skew matrix turns, and their axes among the units."""
    # i times a skew matrix is Hermitian, so that its eigenvectors are orthogonal.
    speeds, vectors = np.linalg.eigh(1j * skew)
    order = np.argsort(-speeds)[: len(skew) // 2]
    pairs = [np.sqrt(2) * np.stack([vectors[:, k].real, vectors[:, k].imag]) for k in order]
    return np.maximum(speeds[order], 0), np.stack(pairs) @ axes.T


def _explained(steps: np.ndarray, fitted: np.ndarray) -> float:
    total = np.sum(steps**2)
    return float(1 - np.sum((steps - fitted) ** 2) / total) if total > 0 else np.nan


def _checked(paths: np.ndarray, n_components: int) -> np.ndarray:
    cube = np.asarray(paths, dtype=np.float64)
    if cube.ndim != 3 or cube.shape[0] < 2 or cube.shape[1] < 2 or cube.shape[2] < 3:
        raise UsageError(
            f"Paths must be conditions x units x times, at least 2 x 2 x 3; got shape {cube.shape}."
        )
    if n_components < 2 or n_components % 2:
        raise UsageError(f"n_components must be an even number above 0; got {n_components}.")
    require_finite(cube, name="paths")
    return cube
