"""The metric pwcca: canonical correlations weighted by how much of a they account for."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.canonical import canonical_basis, canonical_grid

CARD = MetricCard(
    name="pwcca",
    compares="responses",
    title="Projection-weighted canonical correlation",
    perfect=1.0,
    worst=0.0,
    symmetric=False,
    ignores=("scale", "offset"),
    citation="Morcos et al. 2018, arXiv:1806.05759",
    chance=None,
)


def pwcca(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare responses by canonical correlations, weighted by the activity of a behind each.

    .. math:: \frac{\sum_i \alpha_i \rho_i}{\sum_i \alpha_i}, \qquad
        \alpha_i = \sum_j |\langle h_i, z_j \rangle|

    h are the canonical variates of a and z its centred units, so that the two sides are not
    exchangeable. Independent responses score above 0.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    float
        In [0, 1]; NaN where a side does not vary, or has as many directions as the stimuli leave.

    References
    ----------
    Morcos et al. 2018, arXiv:1806.05759

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(pwcca(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    bases = [canonical_basis(side) for side in (a, b)]
    return float(canonical_grid(bases[:1], bases[1:], summary="projection")[0, 0])
