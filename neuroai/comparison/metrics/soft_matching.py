"""The metric soft-matching: correlation of units under the best plan of transport."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.matching import soft_match

CARD = MetricCard(
    name="soft-matching",
    compares="responses",
    title="Correlation of units under optimal transport",
    perfect=1.0,
    worst=-1.0,
    symmetric=True,
    ignores=("scale", "offset"),
    citation="Khosla & Williams 2024, arXiv:2311.09466",
    chance=None,
)


def soft_matching(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare single units where their numbers differ: every unit is matched in shares.

    .. math:: \max_T \sum_{ij} T_{ij}\, r(a_i, b_j)

    over plans whose rows and columns sum to equal shares. It needs the extra ``matching``.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    float
        From -1 to 1; above 0 for independent units; NaN where a side does not vary.

    Raises
    ------
    MissingExtra
        The package POT is not installed.

    References
    ----------
    Khosla & Williams 2024, arXiv:2311.09466

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(soft_matching(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    return soft_match(a, b).value
