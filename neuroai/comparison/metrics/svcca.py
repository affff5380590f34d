"""The metric svcca: canonical correlations of the directions that carry 99 % of the variance."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.canonical import SVCCA_VARIANCE, canonical_basis, canonical_grid

CARD = MetricCard(
    name="svcca",
    compares="responses",
    title="Mean canonical correlation of the main directions",
    perfect=1.0,
    worst=0.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Raghu et al. 2017, arXiv:1706.05806",
    chance=None,
)


def svcca(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare responses by the canonical correlations of directions with 99 % of the variance.

    .. math:: \frac{1}{k} \sum_i \rho_i

    Independent responses score above 0, the more the fewer stimuli there are for each direction.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    float
        In [0, 1]; NaN where a side does not vary, or keeps as many directions as the stimuli leave.

    References
    ----------
    Raghu et al. 2017, arXiv:1706.05806

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(svcca(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    bases = [canonical_basis(side, variance=SVCCA_VARIANCE) for side in (a, b)]
    return float(canonical_grid(bases[:1], bases[1:])[0, 0])
