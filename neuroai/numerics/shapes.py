"""Distances between the shapes of responses, with a dial from rotations to linear maps."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from neuroai.checks import in_range, one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import as_patterns, require_finite

SHAPE_MEASURES = ("angular", "euclidean")

# Directions whose share of the largest singular value is below this are rounding.
_RANK = 1e-10


def shape_factor(patterns: np.ndarray, *, alpha: float = 1.0) -> np.ndarray:
    r"""Give the shape of responses: centred, whitened in part, and of unit size.

    With the singular values :math:`s` of the centred responses :math:`X = U S V^\top`, scaled to a
    root mean square of 1,

    .. math:: X_\alpha \propto U\, (\alpha S + (1 - \alpha) I)

    which are the responses times :math:`\alpha I + (1 - \alpha)(X^\top X)^{-1/2}`, turned.

    Parameters
    ----------
    patterns : array, shape (n_stimuli, n_units)
        Activity, any unit, finite.
    alpha : float
        In [0, 1]: 1 keeps the shape up to rotations (Procrustes), 0 up to any invertible linear
        map (canonical correlations).

    Returns
    -------
    array, shape (n_stimuli, rank)
        Of Frobenius norm 1; without columns where the responses do not vary.

    Raises
    ------
    UsageError
        `alpha` lies outside [0, 1].
    DataError
        Some entries are not finite.

    References
    ----------
    Williams et al. 2021, doi:10.48550/arXiv.2110.14739

    Examples
    --------
    >>> shape_factor([[0.0, 1.0], [2.0, 1.0]]).round(3).ravel().tolist() in (
    ...     [-0.707, 0.707], [0.707, -0.707])
    True
    """
    in_range(alpha, option="alpha", low=0, high=1)
    patterns = as_patterns(patterns)
    require_finite(patterns, name="patterns")
    centred = patterns - patterns.mean(0, dtype=np.float64)
    left, sizes, _ = linalg.svd(centred, full_matrices=False, check_finite=False)
    level = _RANK * max(sizes[0], np.abs(patterns).max() * _RANK)
    kept = int((sizes > level).sum())
    sizes = sizes[:kept] / np.sqrt(np.mean(sizes[:kept] ** 2)) if kept else sizes[:0]
    mixed = alpha * sizes + (1 - alpha)
    return left[:, :kept] * (mixed / np.linalg.norm(mixed)) if kept else left[:, :0]


def shape_distance(
    a: np.ndarray, b: np.ndarray, *, measure: str = "angular", alpha: float = 1.0
) -> float:
    r"""Measure how far apart two shapes are after the best rotation: a true metric.

    With both shapes of unit size and the best rotation Q,

    .. math:: d = \min_Q \lVert A_\alpha Q - B_\alpha \rVert, \qquad
              \theta = 2 \arcsin(d / 2) = \arccos \lVert A_\alpha^\top B_\alpha \rVert_*

    Sides with different numbers of units are compared as if the smaller had further, silent ones.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.
    measure : {"angular", "euclidean"}
        The angle, from 0 to pi / 2, or d, from 0 to the root of 2.
    alpha : float
        See `shape_factor`.

    Returns
    -------
    float
        0 for equal shapes, symmetric, and subject to the triangle inequality; blind to offset,
        scale and rotation. NaN where a side does not vary, or, for ``alpha=0``, spans all that
        the stimuli leave, so that it equals any other.

    Raises
    ------
    UsageError
        The numbers of stimuli differ, or an option is unknown.

    References
    ----------
    Williams et al. 2021, doi:10.48550/arXiv.2110.14739

    Examples
    --------
    >>> a = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    >>> b = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    >>> round(shape_distance(a, b) / np.pi, 6), round(shape_distance(a, 2 * a[:, ::-1] + 1), 6)
    (0.5, 0.0)
    """
    one_of(measure, SHAPE_MEASURES, option="measure")
    if len(a) != len(b):
        raise UsageError(f"Both sides need the same stimuli; got {len(a)} and {len(b)}.")
    first, second = shape_factor(a, alpha=alpha), shape_factor(b, alpha=alpha)
    return distance_of_factors(first, second, measure=measure, saturates=alpha == 0)


def distance_of_factors(
    a: np.ndarray, b: np.ndarray, *, measure: str = "angular", saturates: bool = False
) -> float:
    """Measure the distance of two factors made by `shape_factor`.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, rank)
        Of the same stimuli.
    measure : {"angular", "euclidean"}
        As in `shape_distance`.
    saturates : bool
        Whether factors that span all that the stimuli leave say nothing (``alpha=0``).

    Examples
    --------
    >>> x = shape_factor([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    >>> round(distance_of_factors(x, -x), 6)
    0.0
    """
    if not a.shape[1] or not b.shape[1]:
        return np.nan
    if saturates and max(a.shape[1], b.shape[1]) >= len(a) - 1:
        return np.nan
    a, b = (a, b) if a.shape[1] >= b.shape[1] else (b, a)
    left, _, right = linalg.svd(a.T @ b, check_finite=False)
    turned, other = a @ left, b @ right.T
    shared = other.shape[1]
    # Summing what is left keeps the digits that 2 - 2 cos would lose.
    squares = np.sum((turned[:, :shared] - other) ** 2) + np.sum(turned[:, shared:] ** 2)
    distance = min(float(np.sqrt(squares)), np.sqrt(2.0))
    return 2 * float(np.arcsin(distance / 2)) if measure == "angular" else distance
