"""The metric rdm-spearman: Spearman rank correlation of two RDMs."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.comparators import compare_rdms

CARD = MetricCard(
    name="rdm-spearman",
    compares="rdm",
    title="Spearman rank correlation of two RDMs",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "offset", "monotone"),
    citation="Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008",
    comparator="spearman",
    chance=0.0,
)


def rdm_spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Compare RDMs by the correlation of the ranks of dissimilarities; ties share a mean rank.

    .. math:: r_s = r(\mathrm{rank}(a), \mathrm{rank}(b))

    For ordinal dissimilarities without ties; it favours models that predict ties (use rdm-rho-a
    for those).

    Parameters
    ----------
    a, b : array, shape (n_a, n_pairs) and (n_b, n_pairs)
        Dissimilarities of the pairs of stimuli, aligned. A pair that is NaN on either side is
        left out of that comparison.

    Returns
    -------
    array, shape (n_a, n_b)
        In [-1, 1]; NaN where a side is constant.

    References
    ----------
    Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008

    Examples
    --------
    >>> rdm_spearman(np.array([[1.0, 2.0, 4.0]]), np.array([[2.0, 4.0, 8.0]])).round(6).tolist()
    [[1.0]]
    """
    return compare_rdms(a, b, method="spearman")
