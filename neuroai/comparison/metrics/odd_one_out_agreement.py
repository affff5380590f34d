"""The metric odd-one-out-agreement: do two observers pick the same odd one?"""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.odd_one_out import CHANCE, choice_agreement

CARD = MetricCard(
    name="odd-one-out-agreement",
    compares="choices",
    title="Share of triplets with the same odd one out",
    perfect=1.0,
    worst=0.0,
    symmetric=True,
    ignores=("order",),
    citation="Hebart et al. 2020, doi:10.1038/s41562-020-00951-3",
    chance=CHANCE,
)


def odd_one_out_agreement(
    a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    """Compare choices from triplets by the share on which two observers agree.

    Triplets share stimuli: an interval over stimuli must weight a triplet by the product of its
    stimuli's weights, not draw triplets one by one.

    Parameters
    ----------
    a, b : array, shape (n_a, n_triplets) and (n_b, n_triplets)
        Place of the odd one in its triplet: 0, 1, 2; NaN or -1 where undefined (left out of that
        pair of observers).
    weights : array, shape (n_resamples, n_triplets), optional
        How often each triplet counts.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        In [0, 1], 1/3 expected by chance; NaN where no triplet is left.

    References
    ----------
    Hebart et al. 2020, doi:10.1038/s41562-020-00951-3

    Examples
    --------
    >>> odd_one_out_agreement(np.array([[0, 1, 2, 2]]), np.array([[0, 1, 2, 0]]))
    array([[0.75]])
    """
    return choice_agreement(a, b, weights=weights)
