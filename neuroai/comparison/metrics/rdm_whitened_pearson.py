"""The metric rdm-whitened-pearson: Whitened Pearson correlation of two RDMs."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.comparators import compare_rdms

CARD = MetricCard(
    name="rdm-whitened-pearson",
    compares="rdm",
    title="Whitened Pearson correlation of two RDMs",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "offset"),
    citation="Diedrichsen et al. 2021, doi:10.51628/001c.27664",
    comparator="whitened-pearson",
)


def rdm_whitened_pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Compare RDMs by their correlation, whitened by the covariance of their entries.

    .. math:: s = \frac{\tilde a^\top V^{-1} \tilde b}{\sqrt{\tilde a^\top V^{-1} \tilde a \;
              \tilde b^\top V^{-1} \tilde b}}, \qquad \tilde a = a - \bar a

    For distances whose 0 means nothing, such as those that noise has made larger. Two distances
    that share a stimulus share its noise; V undoes that, so that every degree of freedom counts
    alike and models are told apart with fewer data.

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
    Diedrichsen et al. 2021, doi:10.51628/001c.27664

    Examples
    --------
    >>> a = np.array([[1.0, 2.0, 4.0]])
    >>> rdm_whitened_pearson(a, np.array([[2.0, 4.0, 8.0]])).round(6).tolist()
    [[1.0]]
    """
    return compare_rdms(a, b, method="whitened-pearson")
