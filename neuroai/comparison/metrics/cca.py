"""The metric cca: mean canonical correlation of all directions."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.canonical import canonical_basis, canonical_grid

CARD = MetricCard(
    name="cca",
    compares="responses",
    title="Mean canonical correlation",
    perfect=1.0,
    worst=0.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Hotelling 1936, doi:10.1093/biomet/28.3-4.321; Raghu et al. 2017, arXiv:1706.05806",
    chance=None,
)


def cca(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare responses by the mean of their canonical correlations.

    .. math:: \frac{1}{k} \sum_i \rho_i

    Directions count alike however little they vary. Independent responses score above 0, the more
    the fewer stimuli there are for each direction.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    float
        In [0, 1]; NaN where a side does not vary, or has as many directions as the stimuli leave
        (n_stimuli - 1), which matches anything.

    References
    ----------
    Hotelling 1936, doi:10.1093/biomet/28.3-4.321; Raghu et al. 2017, arXiv:1706.05806

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(cca(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    return float(canonical_grid([canonical_basis(a)], [canonical_basis(b)])[0, 0])
