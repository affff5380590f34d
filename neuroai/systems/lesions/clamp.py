"""Clamp: the units are held at one value, whatever is shown."""

from __future__ import annotations

from typing import Any

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="clamp",
    title="Activity is held at a value",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Templeton et al. 2024, Scaling monosemanticity, transformer-circuits.pub",
    needs=("amount",),
)


def clamp(activity: Any, mask: Any, *, amount: float, strength: float = 1.0) -> Any:
    """Hold activity at a value: a <- (1 - s) a + s c.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    amount : float
        c, in the unit of the activity.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> clamp(np.array([[2.0, 4.0]]), np.array([True, False]), amount=9.0).tolist()
    [[9.0, 4.0]]
    """
    return blend(activity, mask, amount, strength=strength)
