"""The best score any model could reach on these subjects: pooled RDMs and noise ceilings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import METHODS, as_complete_rdms, compare_rdms, standardised
from neuroai.numerics.ranks import average_ranks
from neuroai.numerics.rdm_whitened import WHITENED_METHODS, whitened


class NoiseCeiling(NamedTuple):
    """The lower and the upper bound of the best mean score, each a float, NaN if undefined."""

    lower: float
    upper: float


def pool(rdms: np.ndarray, *, method: str, weights: np.ndarray | None = None) -> np.ndarray:
    r"""Return the one RDM that fits all the given ones best under a comparator.

    The mean over RDMs of: :math:`x / \sqrt{\overline{x^2}}` for cosine; z-scores, shifted so that
    the smallest entry is 0, for pearson; the same with whitened lengths,
    :math:`x^\top V^{-1} x`, for whitened-cosine and whitened-pearson; average ranks for spearman,
    rho-a and tau-a (for tau-a this is an approximation).

    Parameters
    ----------
    rdms : array of shape (n_rdms, n_pairs)
        Complete RDM vectors, any unit.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    weights : array of shape (n_rdms,), optional
        How much each RDM counts, at least 0; equal if not given.

    Returns
    -------
    array of shape (n_pairs,)
        float64; NaN if an RDM is constant where it must be scaled.

    Raises
    ------
    DataError
        Some entries are NaN or infinite.

    References
    ----------
    Nili et al. (2014), A toolbox for representational similarity analysis, PLoS Computational
    Biology 10, e1003553, https://doi.org/10.1371/journal.pcbi.1003553

    Examples
    --------
    >>> pool(np.array([[1.0, 2.0, 9.0], [5.0, 4.0, 6.0]]), method="spearman")
    array([1.5, 1.5, 3. ])
    """
    one_of(method, METHODS, option="method")
    rdms = as_complete_rdms(rdms, name="rdms")
    if method == "cosine":
        return _mean(_divided(rdms, np.sqrt(np.mean(rdms**2, axis=1))), weights)
    if method == "pearson":
        centred = rdms - rdms.mean(axis=1, keepdims=True)
        spread = np.where(np.ptp(rdms, axis=1) > 0, rdms.std(axis=1), 0.0)
        pooled = _mean(_divided(centred, spread), weights)
        return pooled - pooled.min()
    if method in WHITENED_METHODS:
        return _whitened_pool(rdms, method, weights)
    return _mean(average_ranks(rdms), weights)


def _whitened_pool(rdms: np.ndarray, method: str, weights: np.ndarray | None) -> np.ndarray:
    if method == "whitened-pearson":
        rdms = rdms - rdms.mean(axis=1, keepdims=True)
    unit = standardised(rdms, method=method)
    length = np.sqrt(np.mean(whitened(rdms) ** 2, axis=1))
    pooled = _mean(_divided(rdms, np.where(np.isnan(unit[:, 0]), 0.0, length)), weights)
    return pooled - pooled.min() if method == "whitened-pearson" else pooled


def noise_ceiling(
    rdms: np.ndarray, *, method: str, group: Sequence[object] | np.ndarray | None = None
) -> NoiseCeiling:
    r"""Return the lower and upper bound of the mean score that the best model would reach.

    .. math:: u = \frac{1}{G} \sum_g s(\mathrm{pool}(D), D_g), \qquad
              l = \frac{1}{G} \sum_g s(\mathrm{pool}(D_{-g}), D_g)

    Parameters
    ----------
    rdms : array of shape (n_rdms, n_pairs)
        Complete RDM vectors, one or more per subject.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    group : sequence of n_rdms labels, optional
        The subject of each RDM; all RDMs of a subject are left out together. Each RDM is its own
        subject if not given.

    Returns
    -------
    NoiseCeiling
        ``lower`` and ``upper``, from -1 to 1; both NaN with fewer than two subjects.

    Raises
    ------
    DataError
        Some entries are NaN or infinite.
    UsageError
        `group` does not label every RDM.

    References
    ----------
    Nili et al. (2014), https://doi.org/10.1371/journal.pcbi.1003553

    Examples
    --------
    >>> same = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 8.0]])
    >>> noise_ceiling(same, method="pearson")
    NoiseCeiling(lower=1.0, upper=1.0)
    """
    rdms = as_complete_rdms(rdms, name="rdms")
    labels = np.arange(len(rdms)) if group is None else np.asarray(group)
    if labels.shape != (len(rdms),):
        raise UsageError(
            f"group must name the subject of each of the {len(rdms)} RDMs; "
            f"got {labels.size} labels."
        )
    _, member = np.unique(labels, return_inverse=True)
    n_groups = int(member.max(initial=-1)) + 1
    if n_groups < 2:
        return NoiseCeiling(np.nan, np.nan)
    pooled = pool(rdms, method=method)[None]
    upper = [compare_rdms(rdms[member == g], pooled, method=method).mean() for g in range(n_groups)]
    lower = [
        compare_rdms(
            rdms[member == g], pool(rdms[member != g], method=method)[None], method=method
        ).mean()
        for g in range(n_groups)
    ]
    return NoiseCeiling(float(np.mean(lower)), float(np.mean(upper)))


def _divided(rows: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Divide every row; rows whose scale is 0 become NaN."""
    return rows / np.where(scale > 0, scale, np.nan)[:, None]


def _mean(rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    if weights is None:
        return rows.mean(axis=0)
    return np.asarray(weights, dtype=np.float64) @ rows / np.sum(weights)
