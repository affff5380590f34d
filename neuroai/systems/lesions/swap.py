"""Swap: the units say what they say of another stimulus."""

from __future__ import annotations

from typing import Any

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="swap",
    title="Activity is replaced by that for another stimulus",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Vig et al. 2020, arXiv:2004.12265; Geiger et al. 2021, arXiv:2106.02997",
    needs=("source",),
)


def swap(activity: Any, mask: Any, *, source: Any, strength: float = 1.0) -> Any:
    """Replace activity by that for another stimulus: a <- (1 - s) a + s b.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    source : array, shape (n_rows, *element)
        b, the activity for each row's other stimulus.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> swap(np.array([[2.0, 4.0]]), np.array([True, False]), source=np.array([[7.0, 8]])).tolist()
    [[7.0, 4.0]]
    """
    return blend(activity, mask, source, strength=strength)
