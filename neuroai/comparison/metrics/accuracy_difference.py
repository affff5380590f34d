"""The metric accuracy-difference: is the second observer right more often?"""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.agreement import mean_difference

CARD = MetricCard(
    name="accuracy-difference",
    compares="table",
    title="Difference of accuracies (second minus first)",
    perfect=0.0,
    worst=1.0,
    symmetric=False,
    ignores=("order",),
    citation="Geirhos et al. 2021, arXiv:2106.07411",
    chance=None,
)


def accuracy_difference(
    a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    """Compare how often two observers are right: the second's accuracy minus the first's.

    Parameters
    ----------
    a, b : array, shape (n_a, n_stimuli) and (n_b, n_stimuli)
        Share of right answers to each stimulus in [0, 1] (1 right, 0 wrong for single trials),
        NaN missing. Each observer's mean is over the stimuli that the observer met.
    weights : array, shape (n_resamples, n_stimuli), optional
        How often each stimulus counts.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        In [-1, 1]: positive where the second (the network) is better; NaN where an observer met
        no stimulus.

    Examples
    --------
    >>> accuracy_difference(np.array([[1, 1, 0, 0]]), np.array([[1, 1, 1, 0]]))
    array([[0.25]])
    """
    return mean_difference(a, b, weights=weights)
