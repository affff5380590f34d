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


def held_out_alignment(
    a: np.ndarray, b: np.ndarray, *, n_folds: int = 5, n_deals: int = 4, seed: int = 0
) -> float:
    r"""Turn one side onto the other by some stimuli, and compare them on the rest.

    With the rotation :math:`Q = U V^\top` from the singular vectors of :math:`A_1^\top B_1` of the
    stimuli of all other folds, and those of one fold about the same means,

    .. math:: s = \frac{\langle A_2 Q, B_2 \rangle}{\lVert A_2 \rVert \lVert B_2 \rVert}

    averaged over folds and deals. Without held-out stimuli a rotation of many units fits noise.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order; at least two stimuli a fold.
    n_folds : int
        Folds, at least 2.
    n_deals : int
        Times that stimuli are dealt into folds anew, at least 1.
    seed : int
        Seed of the deals.

    Returns
    -------
    float
        From -1 to 1; 0 expected for independent responses. 1 for equal shapes whose units do not
        outnumber the stimuli that are learnt from: directions that those do not fill cannot be
        turned, and count as unlike. NaN where a side does not vary within a fold.

    Raises
    ------
    UsageError
        The numbers of stimuli differ, or they are too few for the folds.
    DataError
        Some entries are not finite.

    References
    ----------
    Williams et al. 2021, doi:10.48550/arXiv.2110.14739

    Examples
    --------
    >>> a = np.random.default_rng(0).standard_normal((20, 3))
    >>> round(held_out_alignment(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    sides = [np.asarray(as_patterns(side), dtype=np.float64) for side in (a, b)]
    for side in sides:
        require_finite(side, name="patterns")
    n = len(sides[0])
    if len(sides[1]) != n or n_folds < 2 or n < 2 * n_folds or n_deals < 1:
        raise UsageError(
            "Both sides need the same stimuli, two or more in each of at least two folds; got "
            f"{n} and {len(sides[1])} stimuli, n_folds={n_folds} and n_deals={n_deals}."
        )
    rng, scores = np.random.default_rng(seed), []
    for _ in range(n_deals):
        folds = rng.permutation(n) % n_folds
        scores += [_held_out(*sides, folds == fold) for fold in range(n_folds)]
    return float(np.mean(scores))


def _held_out(a: np.ndarray, b: np.ndarray, tested: np.ndarray) -> float:
    a, b = (side - side[~tested].mean(0) for side in (a, b))
    left, _, right = linalg.svd(a[~tested].T @ b[~tested], full_matrices=False, check_finite=False)
    size = np.linalg.norm(a[tested]) * np.linalg.norm(b[tested])
    return float(np.sum((a[tested] @ left) * (b[tested] @ right.T)) / size) if size > 0 else np.nan
