"""The metric rdm-whitened-cosine: Whitened cosine of two RDMs."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.comparators import compare_rdms

CARD = MetricCard(
    name="rdm-whitened-cosine",
    compares="rdm",
    title="Whitened cosine of two RDMs",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale",),
    citation="Diedrichsen et al. 2021, doi:10.51628/001c.27664",
    comparator="whitened-cosine",
    chance=None,
)


def rdm_whitened_cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Compare RDMs by their cosine, whitened by the covariance of their entries.

    .. math:: s = \frac{a^\top V^{-1} b}{\sqrt{a^\top V^{-1} a \; b^\top V^{-1} b}}

    For crossnobis distances, whose 0 means something. Two distances that share a stimulus share its
    noise; V undoes that, so that every degree of freedom counts alike and models are told apart
    with fewer data. For squared Euclidean distances it equals the biased alignment (CKA) of the two
    Gram matrices.

    Parameters
    ----------
    a, b : array, shape (n_a, n_pairs) and (n_b, n_pairs)
        Dissimilarities of the pairs of stimuli, aligned. A pair that is NaN on either side is
        left out of that comparison.

    Returns
    -------
    array, shape (n_a, n_b)
        In [-1, 1]; NaN where a side is all 0.

    References
    ----------
    Diedrichsen et al. 2021, doi:10.51628/001c.27664

    Examples
    --------
    >>> a = np.array([[1.0, 2.0, 4.0]])
    >>> rdm_whitened_cosine(a, np.array([[2.0, 4.0, 8.0]])).round(6).tolist()
    [[1.0]]
    """
    return compare_rdms(a, b, method="whitened-cosine")
