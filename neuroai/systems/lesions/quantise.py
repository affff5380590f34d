"""Quantising: weights keep a few levels alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroai.cards import LesionCard
from neuroai.errors import UsageError
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="quantise",
    title="Weights are rounded to a few bits",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Jacob et al. 2018, arXiv:1712.05877",
    needs=("amount",),
    acts_on=("weights",),
    erases=False,
)


def quantise(activity: Any, mask: Any, *, amount: float, strength: float = 1.0) -> Any:
    """Round weights to 2^b levels of equal distance, symmetric about 0: w <- (1 - s) w + s q(w).

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        One row of weights; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    amount : float
        b, a whole number of bits from 2; the largest |weight| under the mask is kept.

    Returns
    -------
    array of the same kind and shape

    Raises
    ------
    UsageError
        The number of bits is not a whole number from 2.

    Examples
    --------
    >>> quantise(np.array([[1.0, 0.4, -0.6]]), np.array([True] * 3), amount=2).tolist()
    [[1.0, 0.0, -1.0]]
    """
    if amount != int(amount) or amount < 2:
        raise UsageError(f"amount, the bits of 'quantise', is a whole number from 2; got {amount}.")
    hit = np.array(np.broadcast_to(np.asarray(mask, dtype=bool), tuple(activity.shape[1:])))
    largest = float(abs(activity[:, hit]).max()) if hit.any() else 0.0
    # Levels run from -(2^(b - 1) - 1) to 2^(b - 1) - 1, so that 0 and both signs are exact.
    unit = largest / (2 ** (int(amount) - 1) - 1) or 1.0
    return blend(activity, mask, (activity / unit).round() * unit, strength=strength)
