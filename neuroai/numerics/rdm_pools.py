"""Noise ceilings of bootstrap samples, from what is known of each subject already."""

from __future__ import annotations

import numpy as np

from neuroai.numerics.concordance import paired_tau_a
from neuroai.numerics.ranks import doubled_ranks_of
from neuroai.numerics.rdm_resampling import RankedRdms, scaled_products

# A pool whose squared length is this far below its largest possible one has cancelled out.
_ROUNDING = 1e-12


def ceilings_from_similarity(
    among: np.ndarray, subjects: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the noise ceilings for cosine or pearson from the similarities among subjects.

    With unit vectors :math:`z_s` and counts k, the pool is :math:`\sum_s k_s z_s`; its similarity
    with subject t is :math:`(R k)_t / \sqrt{k^\top R k}`.

    Parameters
    ----------
    among : array of shape (n_samples or 1, n_subjects, n_subjects)
        Similarities among the subjects' RDMs in each sample.
    subjects : array of shape (n_samples, n_subjects)
        How often each subject is drawn.

    Returns
    -------
    tuple of two arrays of shape (n_samples,)
        Lower and upper ceiling; NaN with fewer than two distinct subjects.

    Examples
    --------
    >>> among = np.array([[[1.0, 0.5], [0.5, 1.0]]])
    >>> lower, upper = ceilings_from_similarity(among, np.array([[1, 1], [2, 0]]))
    >>> lower
    array([0.5, nan])
    """
    counts = subjects.astype(np.float64)
    drawn = subjects > 0
    among = np.where(drawn[:, :, None] & drawn[:, None, :], among, 0.0)
    with_pool = np.einsum("bst,bt->bs", among, counts)
    square = np.einsum("bs,bs->b", counts, with_pool)[:, None]
    rest = square - 2 * counts * with_pool + counts**2
    total = counts.sum(axis=1, keepdims=True)
    upper = with_pool / _length(square, total)
    lower = (with_pool - counts) / _length(rest, total - counts)
    enough = drawn.sum(axis=1) >= 2
    return _drawn_mean(lower, drawn, enough), _drawn_mean(upper, drawn, enough)


def _length(square: np.ndarray, total: np.ndarray) -> np.ndarray:
    return np.sqrt(np.where(square > _ROUNDING * total**2, square, np.nan))


def _drawn_mean(values: np.ndarray, drawn: np.ndarray, enough: np.ndarray) -> np.ndarray:
    mean = np.where(drawn, values, 0.0).sum(axis=1) / drawn.sum(axis=1)
    return np.where(enough, mean, np.nan)


def pooled_ceiling(sample: RankedRdms, subjects: np.ndarray, *, method: str) -> tuple[float, float]:
    """Return the lower and upper ceiling of one sample for spearman, rho-a or tau-a.

    Pools are sums of doubled ranks, whole numbers, so that their ties are exact.

    Parameters
    ----------
    sample : RankedRdms of shape (n_subjects, n_pairs)
        The subjects' RDMs in the sample.
    subjects : array of shape (n_subjects,)
        How often each subject is drawn.
    method : {"spearman", "rho-a", "tau-a"}
        The comparator.

    Returns
    -------
    tuple of float
        Lower and upper; NaN with fewer than two distinct subjects.
    """
    drawn = np.flatnonzero(subjects)
    if len(drawn) < 2:
        return np.nan, np.nan
    shares = sample.doubled[drawn] * subjects[drawn][:, None]
    everyone = shares.sum(axis=0)
    pools = np.concatenate([everyone[None], everyone - shares])
    if method == "tau-a":
        similarity = _tau_with_pools(pools, sample, drawn)
    else:
        similarity = _rank_with_pools(pools, sample, drawn, method)
    upper, lower = similarity.mean(axis=1)
    return float(lower), float(upper)


def _tau_with_pools(pools: np.ndarray, sample: RankedRdms, drawn: np.ndarray) -> np.ndarray:
    """Return (2, n_drawn): every drawn subject with everyone's pool and with the others' pool."""
    copies = np.repeat(np.arange(pools.shape[1]), sample.weights)
    own, pools = sample.doubled[drawn].take(copies, axis=1), pools.take(copies, axis=1)
    upper = paired_tau_a(np.broadcast_to(pools[:1], own.shape), own)
    return np.stack([upper, paired_tau_a(pools[1:], own)])


def _rank_with_pools(
    pools: np.ndarray, sample: RankedRdms, drawn: np.ndarray, method: str
) -> np.ndarray:
    """Return (2, n_drawn): every drawn subject with everyone's pool and with the others' pool."""
    n_entries = int(sample.weights.sum())
    centred = doubled_ranks_of(pools, sample.weights) - (n_entries + 1.0)
    weighted = centred * sample.weights
    own = sample.centred[drawn]
    # Without BLAS, whose threads would wait for one another in every sample.
    with_all = np.einsum("ij,j->i", own, weighted[0])
    products = np.stack([with_all, np.einsum("ij,ij->i", weighted[1:], own)])
    squares = np.einsum("ij,ij->i", weighted, centred)
    squares = np.stack([np.broadcast_to(squares[0], len(drawn)), squares[1:]])
    return scaled_products(
        products, squares, sample.squares[drawn][None], n_entries=n_entries, method=method
    )
