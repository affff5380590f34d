"""The metric shape-bias-difference: does the second observer go more by shape?"""

from __future__ import annotations

import numpy as np

from neuroai.cards import MetricCard
from neuroai.numerics.agreement import mean_difference

CARD = MetricCard(
    name="shape-bias-difference",
    compares="table",
    title="Difference of shape biases (second minus first)",
    perfect=0.0,
    worst=1.0,
    symmetric=False,
    ignores=("order",),
    citation="Geirhos et al. 2019, arXiv:1811.12231",
    chance=None,
)


def shape_bias_difference(
    a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    r"""Compare shape biases: the second observer's minus the first's.

    .. math:: \frac{n_{shape}}{n_{shape} + n_{texture}}\Big|_b -
              \frac{n_{shape}}{n_{shape} + n_{texture}}\Big|_a

    Parameters
    ----------
    a, b : array, shape (n_a, n_stimuli) and (n_b, n_stimuli)
        1 where the observer named the shape, 0 the texture, NaN neither. Each observer's bias is
        over the stimuli of which that observer named either.
    weights : array, shape (n_resamples, n_stimuli), optional
        How often each stimulus counts.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        In [-1, 1]: negative where the second (the network) goes more by texture; NaN where an
        observer named neither cue of any stimulus.

    References
    ----------
    Geirhos et al. 2019, doi:10.48550/arXiv.1811.12231

    Examples
    --------
    >>> shape_bias_difference(np.array([[1, 1, 1, np.nan]]), np.array([[1, 0, np.nan, 0]])).round(4)
    array([[-0.6667]])
    """
    return mean_difference(a, b, weights=weights)
