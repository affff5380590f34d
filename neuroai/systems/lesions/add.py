"""Steering: a vector is added to the activity."""

from __future__ import annotations

from typing import Any

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend, like

CARD = LesionCard(
    name="add",
    title="A vector is added to the activity of the features",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Turner et al. 2023, arXiv:2308.10248",
    needs=("vector",),
    erases=False,
)


def add(activity: Any, mask: Any, *, vector: Any, strength: float = 1.0) -> Any:
    """Add a vector along the last axis, that of features: a <- a + s v.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    vector : array, shape (n_features,)
        v, in the unit of the activity; -v steers the other way.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> add(np.array([[2.0, 4.0]]), np.array([True, False]), vector=[1.0, 5.0]).tolist()
    [[3.0, 4.0]]
    """
    return blend(activity, mask, activity + like(vector, activity), strength=strength)
