"""The metric rdm-pearson: Pearson correlation of two RDMs."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.comparators import compare_rdms

CARD = MetricCard(
    name="rdm-pearson",
    compares="rdm",
    title="Pearson correlation of two RDMs",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "offset"),
    citation="Nili et al. 2014, doi:10.1371/journal.pcbi.1003553",
    comparator="pearson",
    chance=0.0,
)


def rdm_pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Compare RDMs by the correlation of the two vectors of dissimilarities.

    .. math:: r = \frac{\sum_k (a_k - \bar a)(b_k - \bar b)}
                       {\sqrt{\sum_k (a_k - \bar a)^2 \sum_k (b_k - \bar b)^2}}

    For interval-scale dissimilarities.

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
    Nili et al. 2014, doi:10.1371/journal.pcbi.1003553

    Examples
    --------
    >>> rdm_pearson(np.array([[1.0, 2.0, 4.0]]), np.array([[2.0, 4.0, 8.0]])).round(6).tolist()
    [[1.0]]
    """
    return compare_rdms(a, b, method="pearson")
