"""Canonical correlations of sets of responses: CCA, SVCCA and PWCCA, from cached bases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from neuroai.checks import in_range, one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import as_patterns, require_finite
from neuroai.numerics.gram import centred_gram, double_centred

SUMMARIES = ("mean", "projection")
SVCCA_VARIANCE = 0.99

# Directions whose share of the largest singular value is below this are rounding.
_RANK = 1e-10


@dataclass(frozen=True)
class CanonicalBasis:
    """The whitened responses of one layer or region, made once for all its pairs.

    Attributes
    ----------
    scores : array, shape (n_stimuli, n_kept)
        Orthonormal columns, each of mean 0.
    loadings : array, shape (n_kept, n_units)
        ``scores @ loadings`` is the centred activity that was kept.
    variance : float
        Share of the variance that was kept, in (0, 1].
    saturated : bool
        As many directions as stimuli leave (n_stimuli - 1): every other responses are matched
        perfectly, so that a correlation with this basis says nothing.
    """

    scores: np.ndarray
    loadings: np.ndarray
    variance: float
    saturated: bool


def canonical_basis(patterns: np.ndarray, *, variance: float = 1.0) -> CanonicalBasis:
    """Centre responses, keep the principal components that hold a share of variance, and whiten.

    Parameters
    ----------
    patterns : array, shape (n_stimuli, n_units)
        Activity, any unit, finite.
    variance : float
        Share of the variance to keep, in (0, 1]: 1 for CCA and PWCCA, 0.99 for SVCCA.

    Returns
    -------
    CanonicalBasis
        Without columns where the responses do not vary.

    Raises
    ------
    UsageError
        The share lies outside (0, 1].
    DataError
        Some entries are not finite.

    References
    ----------
    Raghu et al. 2017, arXiv:1706.05806

    Examples
    --------
    >>> basis = canonical_basis([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> basis.scores.round(3).T.tolist() in ([[-0.707, 0.0, 0.707]], [[0.707, 0.0, -0.707]])
    True
    """
    in_range(variance, option="variance", low=0, high=1, low_open=True)
    patterns = np.asarray(as_patterns(patterns))
    require_finite(patterns, name="patterns")
    centred = patterns - patterns.mean(0, dtype=np.float64).astype(patterns.dtype)
    scores, sizes = _directions(patterns, centred, variance)
    squares = sizes.astype(np.float64) ** 2
    kept = int((sizes > _RANK * sizes[0]).sum()) if sizes[0] > 0 else 0
    if variance < 1 and kept:
        share = squares.cumsum() / squares.sum()
        kept = min(kept, int(np.searchsorted(share, variance)) + 1)
    scores = np.ascontiguousarray(scores[:, :kept])
    share = float(squares[:kept].sum() / squares.sum()) if kept else 1.0
    return CanonicalBasis(scores, scores.T @ centred, share, kept >= len(patterns) - 1)


def canonical_grid(
    bases_a: Sequence[CanonicalBasis],
    bases_b: Sequence[CanonicalBasis],
    *,
    summary: str = "mean",
) -> np.ndarray:
    r"""Summarise the canonical correlations of every basis with every other.

    With singular values :math:`\rho_1, \dots, \rho_k` of :math:`U_a^\top U_b`, their mean, or the
    mean weighted by how much of a's activity each canonical variate accounts for:

    .. math::
        \frac{\sum_i \alpha_i \rho_i}{\sum_i \alpha_i},
        \qquad \alpha_i = \sum_j |\langle h_i, z_j \rangle|

    where :math:`h_i` are the canonical variates of a, and :math:`z_j` its centred units.

    Parameters
    ----------
    bases_a, bases_b : sequence of CanonicalBasis
        Of the same stimuli in the same order; the same object twice is worked on once.
    summary : {"mean", "projection"}
        "mean" is CCA, or SVCCA for bases that keep part of the variance, and is symmetric;
        "projection" is PWCCA, weighted by a, and is not.

    Returns
    -------
    array, shape (n_a, n_b)
        From 0 to 1; not 0 for independent responses, but larger the more directions there are for
        the stimuli. NaN where a side does not vary, or is saturated.

    Raises
    ------
    UsageError
        Numbers of stimuli differ.

    References
    ----------
    Raghu et al. 2017, arXiv:1706.05806; Morcos et al. 2018, arXiv:1806.05759

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> y = np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> canonical_grid([canonical_basis(x)], [canonical_basis(y)]).round(4)
    array([[0.4472]])
    """
    one_of(summary, SUMMARIES, option="summary")
    _same_stimuli(bases_a, bases_b)
    values = np.full((len(bases_a), len(bases_b)), np.nan)
    done: dict[frozenset[int], float] = {}
    for row, a in enumerate(bases_a):
        for column, b in enumerate(bases_b):
            if _undefined(a) or _undefined(b):
                continue
            # The mean is symmetric, so that a pair met the other way round is known.
            pair = frozenset((id(a), id(b)))
            if summary == "projection":
                values[row, column] = _projection_mean(a, b)
            else:
                done[pair] = values[row, column] = done.get(pair, np.nan)
                if np.isnan(done[pair]):
                    done[pair] = values[row, column] = _plain_mean(a, b)
    return values


def canonical_correlations(a: CanonicalBasis, b: CanonicalBasis) -> np.ndarray:
    """Give the canonical correlations of two bases, the largest first, each from 0 to 1.

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 5.0]])
    >>> canonical_correlations(canonical_basis(x), canonical_basis(2 * x + 1)).round(6).tolist()
    [1.0, 1.0]
    """
    return np.clip(linalg.svdvals(a.scores.T @ b.scores, check_finite=False), 0, 1)


def _plain_mean(a: CanonicalBasis, b: CanonicalBasis) -> float:
    return float(canonical_correlations(a, b).mean(dtype=np.float64))


def _projection_mean(a: CanonicalBasis, b: CanonicalBasis) -> float:
    left, correlations, _ = linalg.svd(a.scores.T @ b.scores, full_matrices=False)
    weights = np.abs(left.T @ a.loadings).sum(1, dtype=np.float64)
    return float((weights * np.clip(correlations, 0, 1)).sum() / weights.sum())


def _undefined(basis: CanonicalBasis) -> bool:
    return basis.saturated or not basis.scores.shape[1]


def _directions(
    patterns: np.ndarray, centred: np.ndarray, variance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Give left singular vectors and singular values, the largest first."""
    n_stimuli, n_units = patterns.shape
    if variance == 1 or n_units < n_stimuli:
        # Every direction counts alike, however small: products would lose half the digits.
        left, sizes, _ = linalg.svd(centred, full_matrices=False, check_finite=False)
        return left, sizes
    gram = double_centred(centred_gram(patterns)).astype(patterns.dtype)
    squares, vectors = linalg.eigh(gram, check_finite=False)
    return vectors[:, ::-1], np.sqrt(np.maximum(squares[::-1], 0))


def _same_stimuli(bases_a: Sequence[CanonicalBasis], bases_b: Sequence[CanonicalBasis]) -> None:
    counts = {len(basis.scores) for basis in (*bases_a, *bases_b)}
    if len(counts) > 1:
        raise UsageError(f"Bases are of different numbers of stimuli: {sorted(counts)}.")
