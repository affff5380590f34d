"""Lesion by zero: the lesioned units fall silent."""

from __future__ import annotations

from typing import Any

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="zero",
    title="Silencing: activity is replaced by zero",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Zeiler & Fergus 2014, doi:10.1007/978-3-319-10590-1_53",
    acts_on=("activity", "weights"),
)


def zero(activity: Any, mask: Any, *, strength: float = 1.0) -> Any:
    """Replace activity (or weights) by zero: a <- (1 - s) a.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity, or one row of weights; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> zero(np.array([[2.0, 4.0]]), np.array([True, False]), strength=0.5).tolist()
    [[1.0, 4.0]]
    """
    return blend(activity, mask, 0.0, strength=strength)
