"""Projection: the part of the activity along a direction is taken away."""

from __future__ import annotations

from typing import Any

from neuroai.cards import LesionCard
from neuroai.errors import UsageError
from neuroai.systems.lesions._blend import blend, like

CARD = LesionCard(
    name="project_out",
    title="The part of the activity along a direction is taken away",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Bolukbasi et al. 2016, arXiv:1607.06520",
    needs=("vector",),
    erases=False,
)


def project_out(activity: Any, mask: Any, *, vector: Any, strength: float = 1.0) -> Any:
    """Take away what lies along a direction: a <- a - s (a . v) v / (v . v).

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    vector : array, shape (n_features,)
        v, along the last axis, that of features; any length but 0.

    Returns
    -------
    array of the same kind and shape

    Raises
    ------
    UsageError
        The vector is 0.

    Examples
    --------
    >>> import numpy as np
    >>> project_out(np.array([[2.0, 4.0]]), np.array([True, True]), vector=[0.0, 3.0]).tolist()
    [[2.0, 0.0]]
    """
    direction = like(vector, activity)
    squared = float((direction * direction).sum())
    if squared == 0:
        raise UsageError("A vector of zeros has no direction to project out.")
    along = (activity @ direction / squared)[..., None] * direction
    return blend(activity, mask, activity - along, strength=strength)
