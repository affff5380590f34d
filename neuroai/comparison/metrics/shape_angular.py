"""The metric shape-angular: the angle between two shapes, after the best rotation."""

from __future__ import annotations

import math

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.shapes import shape_distance

CARD = MetricCard(
    name="shape-angular",
    compares="responses",
    title="Shape distance (angle in radians)",
    perfect=0.0,
    worst=math.pi / 2,
    symmetric=True,
    ignores=("scale", "rotation", "offset"),
    citation="Williams et al. 2021, arXiv:2110.14739",
    chance=None,
)


def shape_angular(a: np.ndarray, b: np.ndarray, *, alpha: float = 1.0) -> float:
    r"""Measure the angle between shapes of responses, a distance in the sense of geometry.

    .. math:: \theta = \arccos \frac{\lVert A^\top B \rVert_*}
              {\lVert A \rVert\, \lVert B \rVert}

    Its triangle inequality lets systems be embedded, clustered and averaged.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.
    alpha : float
        In [0, 1]: 1 turns alone (Procrustes), 0 takes any linear map (canonical correlations).

    Returns
    -------
    float
        From 0 (equal shapes) to pi / 2; independent responses lie below that. NaN where a side does
        not vary, or is saturated for ``alpha=0``.

    References
    ----------
    Williams et al. 2021, arXiv:2110.14739

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [0.0, 4.0]])
    >>> round(shape_angular(a, 3 * a[:, ::-1] + 1), 6)
    0.0
    """
    return shape_distance(a, b, measure="angular", alpha=alpha)
