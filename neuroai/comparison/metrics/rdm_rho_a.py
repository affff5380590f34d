"""The metric rdm-rho-a: Rho-a of two RDMs."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.comparators import compare_rdms

CARD = MetricCard(
    name="rdm-rho-a",
    compares="rdm",
    title="Rho-a of two RDMs",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "offset", "monotone"),
    citation="Schütt et al. 2023, doi:10.7554/eLife.82566",
    comparator="rho-a",
    chance=0.0,
)


def rdm_rho_a(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Compare RDMs by the Spearman correlation expected when ties are broken at random.

    .. math:: \rho_a = \frac{12 \sum_k \tilde a_k \tilde b_k}{n^3 - n}

    For ordinal dissimilarities with ties.

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
    Schütt et al. 2023, doi:10.7554/eLife.82566

    Examples
    --------
    >>> rdm_rho_a(np.array([[1.0, 2.0, 4.0]]), np.array([[2.0, 4.0, 8.0]])).round(6).tolist()
    [[1.0]]
    """
    return compare_rdms(a, b, method="rho-a")
