"""Demixed components: one set of axes for each factor of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from neuroai.errors import UsageError
from neuroai.numerics.arrays import require_finite


@dataclass(frozen=True)
class Demixed:
    """Components of one part of the variance.

    Attributes
    ----------
    share : float
        Share of the variance of all means that belongs to the part.
    decoders : array, shape (n_components, n_units)
        Weights that read each component out of the centred activity.
    encoders : array, shape (n_units, n_components)
        Orthonormal axes along which a component moves the units.
    explained : array, shape (n_components,)
        Share of the variance of all means that each component explains.
    """

    share: float
    decoders: np.ndarray
    encoders: np.ndarray
    explained: np.ndarray


def marginal_parts(means: np.ndarray, factors: Sequence[str]) -> dict[frozenset[str], np.ndarray]:
    r"""Split means into what each factor, and each interaction of factors, adds.

    .. math:: X = \bar X + \sum_\phi X_\phi, \qquad
              X_\phi = \langle X \rangle_{\text{all but } \phi} - \sum_{\psi \subset \phi} X_\psi

    Parameters
    ----------
    means : array, shape (n_units, *n_levels)
        Mean activity in every cell of a complete design.
    factors : sequence of str
        Name of each axis after the first.

    Returns
    -------
    dict
        Parts by the set of their factors, of the shape of `means`; orthogonal, and 0 on average.

    Raises
    ------
    UsageError
        There is not one name an axis.

    References
    ----------
    Kobak et al. 2016, doi:10.7554/eLife.10989

    Examples
    --------
    >>> parts = marginal_parts(np.array([[[1.0, 2.0], [3.0, 4.0]]]), ["a", "b"])
    >>> {"x".join(sorted(k)): v[0, :, 0].tolist() for k, v in parts.items()}
    {'a': [-1.0, 1.0], 'b': [-0.5, -0.5], 'axb': [0.0, 0.0]}
    """
    cube = np.asarray(means, dtype=np.float64)
    if cube.ndim < 2 or len(factors) != cube.ndim - 1 or len(set(factors)) != len(factors):
        raise UsageError(
            f"Means of shape {cube.shape} need {cube.ndim - 1} different names of factors; got "
            f"{list(factors)}."
        )
    require_finite(cube, name="means")
    axes = range(1, cube.ndim)
    found: dict[frozenset[str], np.ndarray] = {}
    grand = cube.mean(tuple(axes), keepdims=True)
    for size in range(1, cube.ndim):
        for chosen in combinations(axes, size):
            others = tuple(axis for axis in axes if axis not in chosen)
            part = cube.mean(others, keepdims=True) - grand
            name = frozenset(factors[axis - 1] for axis in chosen)
            for smaller, value in found.items():
                if smaller < name:
                    part = part - value
            found[name] = part
    return {name: np.broadcast_to(part, cube.shape) for name, part in found.items()}


def dpca(
    means: np.ndarray,
    parts: Mapping[str, np.ndarray],
    *,
    n_components: int = 3,
    penalty: float = 1e-3,
) -> dict[str, Demixed]:
    r"""Find axes that show one part of the variance and none of the others: demixed PCA.

    For each part, a regression of reduced rank from all activity onto the part:

    .. math:: \min_{F, D} \lVert X_\phi - F D X \rVert^2 + \mu \lVert F D \rVert^2, \qquad
              \mu = (penalty \cdot \lVert X \rVert)^2

    Parameters
    ----------
    means : array, shape (n_units, *n_levels)
        Mean activity in every cell.
    parts : mapping of str to array
        Parts of the means, of the same shape (`marginal_parts`, summed as wanted).
    n_components : int
        Components of each part, at least 1.
    penalty : float
        Above 0; more for noisier means.

    Returns
    -------
    dict
        Components of each part, by its name.

    Raises
    ------
    UsageError
        An option is out of range, or shapes differ.
    DataError
        Some entries are not finite.

    References
    ----------
    Kobak et al. 2016, doi:10.7554/eLife.10989

    Examples
    --------
    >>> x = np.array([[[1.0, 1.0], [-1.0, -1.0]], [[2.0, -2.0], [2.0, -2.0]]])
    >>> parts = marginal_parts(x, ["a", "b"])
    >>> found = dpca(x, {"a": parts[frozenset("a")]}, n_components=1)
    >>> np.abs(found["a"].encoders[:, 0]).round(3).tolist(), round(found["a"].share, 3)
    ([1.0, 0.0], 0.2)
    """
    if n_components < 1 or penalty <= 0:
        raise UsageError(
            f"n_components must be at least 1 and penalty above 0; got {n_components}, {penalty}."
        )
    cube = np.asarray(means, dtype=np.float64)
    require_finite(cube, name="means")
    if any(np.shape(part) != cube.shape for part in parts.values()):
        raise UsageError(f"Parts must have the shape of the means, {cube.shape}.")
    flat = cube.reshape(len(cube), -1)
    flat = flat - flat.mean(1, keepdims=True)
    total = np.sum(flat**2)
    if total == 0:
        raise UsageError("The means do not vary: there is nothing to demix.")
    left, sizes, right = np.linalg.svd(flat, full_matrices=False)
    # The regression from X, in its own singular vectors: right' s / (s^2 + mu) left'.
    gain = sizes / (sizes**2 + penalty**2 * total)
    return {
        name: _components(
            np.asarray(part).reshape(flat.shape), (left, gain, right), flat, n_components
        )
        for name, part in parts.items()
    }


def _components(
    part: np.ndarray,
    factors: tuple[np.ndarray, np.ndarray, np.ndarray],
    flat: np.ndarray,
    n_components: int,
) -> Demixed:
    left, gain, right = factors
    onto = (part @ right.T) * gain
    fitted = onto @ (left.T @ flat)
    encoders = np.linalg.svd(fitted, full_matrices=False)[0][:, :n_components]
    decoders = (encoders.T @ onto) @ left.T
    total = np.sum(flat**2)
    explained = []
    for k in range(encoders.shape[1]):
        shown = np.outer(encoders[:, k], decoders[k] @ flat)
        explained.append(1 - np.sum((flat - shown) ** 2) / total)
    return Demixed(float(np.sum(part**2) / total), decoders, encoders, np.array(explained))
