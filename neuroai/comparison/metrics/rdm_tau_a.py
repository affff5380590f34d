"""The metric rdm-tau-a: Kendall's tau-a of two RDMs."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.comparators import compare_rdms

CARD = MetricCard(
    name="rdm-tau-a",
    compares="rdm",
    title="Kendall's tau-a of two RDMs",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "offset", "monotone"),
    citation="Nili et al. 2014, doi:10.1371/journal.pcbi.1003553",
    comparator="tau-a",
    chance=0.0,
)


def rdm_tau_a(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Compare RDMs by concordant minus discordant pairs of dissimilarities, over all pairs.

    .. math:: \tau_a = \frac{n_{con} - n_{dis}}{n (n - 1) / 2}

    A tie counts as neither.

    For ordinal dissimilarities with ties; slow, so rdm-rho-a is the cheap stand-in.

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
    >>> rdm_tau_a(np.array([[1.0, 2.0, 4.0]]), np.array([[2.0, 4.0, 8.0]])).round(6).tolist()
    [[1.0]]
    """
    return compare_rdms(a, b, method="tau-a")
