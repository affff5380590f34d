"""Procrustes similarity of responses: how well one rotates onto another, from cached factors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import as_patterns, require_finite
from neuroai.numerics.gram import centred_gram

MEASURES = ("similarity", "angle", "distance")


def procrustes_factor(patterns: np.ndarray) -> np.ndarray:
    r"""Give a small factor of responses that has the same shape: centred, rotated, cut.

    For more units than stimuli the symmetric root of the centred Gram matrix serves in their
    place, :math:`F F^\top = K`; rotations of the units leave it as it is.

    Parameters
    ----------
    patterns : array, shape (n_stimuli, n_units)
        Activity, any unit, finite.

    Returns
    -------
    array, shape (n_stimuli, min(n_stimuli, n_units))
        In the unit of `patterns`.

    Raises
    ------
    DataError
        Some entries are not finite.

    Examples
    --------
    >>> factor = procrustes_factor([[0.0, 3.0, 0.0], [0.0, 1.0, 2.0]])
    >>> (factor @ factor.T).round(6).tolist()
    [[2.0, -2.0], [-2.0, 2.0]]
    """
    patterns = np.asarray(as_patterns(patterns))
    require_finite(patterns, name="patterns")
    n_stimuli, n_units = patterns.shape
    if n_units <= n_stimuli:
        return patterns - patterns.mean(0, dtype=np.float64).astype(patterns.dtype)
    gram = centred_gram(patterns).astype(patterns.dtype)
    squares, vectors = linalg.eigh(gram, check_finite=False)
    return vectors * np.sqrt(np.maximum(squares, 0))


def procrustes_grid(
    factors_a: Sequence[np.ndarray],
    factors_b: Sequence[np.ndarray],
    *,
    measure: str = "similarity",
) -> np.ndarray:
    r"""Compare the shape of every set of responses with every other's, up to rotation.

    With the nuclear norm :math:`\|\cdot\|_*` (sum of singular values) and Frobenius norms:

    .. math::
        s = \frac{\|A^\top B\|_*}{\|A\| \|B\|}, \qquad \theta = \arccos s, \qquad
        d^2 = \|A\|^2 + \|B\|^2 - 2 \|A^\top B\|_*

    `s` is the normalised Bures similarity of the two Gram matrices, and `d` the Bures distance.

    Parameters
    ----------
    factors_a, factors_b : sequence of arrays, shape (n_stimuli, ...)
        From `procrustes_factor`, of the same stimuli in the same order; the same object twice is
        worked on once.
    measure : {"similarity", "angle", "distance"}
        `s` from 0 to 1, blind to scale; the angle in radians, a metric; or `d` in the unit of the
        activity, blind to offset and rotation alone.

    Returns
    -------
    array, shape (n_a, n_b)
        NaN where a side does not vary (for "distance" it is defined there, too). The similarity
        of independent responses is not 0: compare it with a permutation null.

    Raises
    ------
    UsageError
        Numbers of stimuli differ.

    References
    ----------
    Williams et al. 2021, arXiv:2110.14739; Harvey et al. 2024, arXiv:2311.11436

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    >>> turned = x @ [[0.6, -0.8], [0.8, 0.6]]
    >>> procrustes_grid([procrustes_factor(x)], [procrustes_factor(3 * turned)]).round(6)
    array([[1.]])
    """
    one_of(measure, MEASURES, option="measure")
    counts = {len(factor) for factor in (*factors_a, *factors_b)}
    if len(counts) > 1:
        raise UsageError(f"Factors are of different numbers of stimuli: {sorted(counts)}.")
    norms_a, norms_b = _norms(factors_a), _norms(factors_b)
    nuclear = _nuclear_norms(factors_a, factors_b)
    products = norms_a[:, None] * norms_b
    if measure == "distance":
        squares = norms_a[:, None] ** 2 + norms_b**2 - 2 * nuclear
        return np.sqrt(np.maximum(squares, 0))
    cosines = np.divide(nuclear, products, out=np.full_like(nuclear, np.nan), where=products > 0)
    cosines = np.clip(cosines, 0, 1)
    return cosines if measure == "similarity" else np.arccos(cosines)


def _nuclear_norms(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> np.ndarray:
    values = np.empty((len(a), len(b)))
    done: dict[frozenset[int], float] = {}
    for row, one in enumerate(a):
        for column, other in enumerate(b):
            pair = frozenset((id(one), id(other)))
            if pair not in done:
                sizes = linalg.svdvals(one.T @ other, check_finite=False)
                done[pair] = float(sizes.sum(dtype=np.float64))
            values[row, column] = done[pair]
    return values


def _norms(factors: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([np.sqrt(np.square(f, dtype=np.float64).sum()) for f in factors])
