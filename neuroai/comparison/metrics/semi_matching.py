"""The metric semi-matching: mean correlation of every unit with its best partner."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.matching import semi_match

CARD = MetricCard(
    name="semi-matching",
    compares="responses",
    title="Correlation of every brain unit with its best partner",
    perfect=1.0,
    worst=-1.0,
    symmetric=False,
    ignores=("scale", "offset"),
    citation="Li et al. 2015, arXiv:1511.07543",
    chance=None,
)


def semi_matching(a: np.ndarray, b: np.ndarray) -> float:
    r"""Ask of every unit of the first side whether the second has one like it.

    .. math:: \frac{1}{p_a} \sum_i \max_j r(a_i, b_j)

    Partners may be shared, so that the two directions differ.

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
    >>> round(semi_matching(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    return semi_match(a, b).value
