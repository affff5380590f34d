"""Freezing: weights are held where they were before anything was learnt."""

from __future__ import annotations

from typing import Any

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="freeze",
    title="Weights are held at their state before training",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Zhang, Bengio & Singer 2022, arXiv:1902.01996",
    needs=("source",),
    acts_on=("weights",),
)


def freeze(activity: Any, mask: Any, *, source: Any, strength: float = 1.0) -> Any:
    """Put weights back to those of the untrained network: w <- (1 - s) w + s w0.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        One row of weights; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    source : array, shape (n_rows, *element)
        w0, weights as the network's parts draw them, from the seed of the intervention.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> freeze(np.array([[2.0, 4]]), np.array([True, False]), source=np.array([[7.0, 8]])).tolist()
    [[7.0, 4.0]]
    """
    return blend(activity, mask, source, strength=strength)
