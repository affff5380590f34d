"""Lesion by zero: the lesioned units fall silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="zero",
    title="Silencing: activity is replaced by zero",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Zeiler & Fergus 2014, doi:10.1007/978-3-319-10590-1_53",
)


def zero(
    activity: Any,
    mask: Any,
    *,
    strength: float = 1.0,
    mean: Any = None,
    sd: Any = None,
    rng: np.random.Generator | Sequence[np.random.Generator] | None = None,
) -> Any:
    """Replace lesioned activity by zero: a <- (1 - s) a.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are lesioned.
    strength : float
        s in [0, 1]; 0 changes nothing.
    mean, sd, rng
        Not used; every lesion takes them.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> zero(np.array([[2.0, 4.0]]), np.array([True, False]), strength=0.5).tolist()
    [[1.0, 4.0]]
    """
    return blend(activity, mask, 0.0, strength=strength)
