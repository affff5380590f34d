"""The metric permutation-matching: mean correlation of units matched one to one."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.matching import permutation_match

CARD = MetricCard(
    name="permutation-matching",
    compares="responses",
    title="Correlation of units matched one to one",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "offset"),
    citation="Li et al. 2015, arXiv:1511.07543",
    chance=None,
)


def permutation_matching(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare single units by the best one-to-one assignment of their tuning.

    .. math:: \max_\pi \frac{1}{m} \sum_{i=1}^m r(a_i, b_{\pi(i)})

    A rotation of the units changes it: it asks for the same axes, not the same geometry.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    float
        From -1 to 1; above 0 for independent units; NaN where a side does not vary.

    References
    ----------
    Li et al. 2015, arXiv:1511.07543

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(permutation_matching(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    return permutation_match(a, b).value
