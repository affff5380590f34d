"""Gain: the units keep what they tell, louder or softer."""

from __future__ import annotations

from typing import Any

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="scale",
    title="Activity or weights are multiplied by a gain",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Salzman et al. 1990, doi:10.1038/346174a0",
    needs=("amount",),
    acts_on=("activity", "weights"),
    erases=False,
)


def scale(activity: Any, mask: Any, *, amount: float, strength: float = 1.0) -> Any:
    """Multiply activity (or weights) by a gain: a <- (1 - s) a + s g a.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity, or one row of weights; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    amount : float
        g; 1 changes nothing, 0 silences, -1 turns the sign.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> scale(np.array([[2.0, 4.0]]), np.array([True, False]), amount=3.0).tolist()
    [[6.0, 4.0]]
    """
    return blend(activity, mask, amount * activity, strength=strength)
