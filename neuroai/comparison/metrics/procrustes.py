"""The metric procrustes: how well one side turns into the other by a rotation."""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.procrustes import procrustes_factor, procrustes_grid

CARD = MetricCard(
    name="procrustes",
    compares="responses",
    title="Procrustes similarity (normalised Bures)",
    perfect=1.0,
    worst=0.0,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Williams et al. 2021, arXiv:2110.14739; Harvey et al. 2024, arXiv:2311.11436",
    chance=None,
)


def procrustes(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare responses after the best rotation, at equal size.

    .. math:: s = \frac{\lVert A^\top B \rVert_*}{\lVert A \rVert\, \lVert B \rVert}

    A and B are the centred responses and the norm above is the sum of singular values; the angle
    arccos s is a metric of shapes. Independent responses score above 0.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    float
        In [0, 1]; 1 for responses that are equal up to rotation, scale and offset; NaN where a side
        does not vary.

    References
    ----------
    Williams et al. 2021, arXiv:2110.14739; Harvey et al. 2024, arXiv:2311.11436

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(procrustes(a, 3 * a[:, ::-1] + 1), 6)
    1.0
    """
    return float(procrustes_grid([procrustes_factor(a)], [procrustes_factor(b)])[0, 0])
