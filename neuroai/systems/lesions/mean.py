"""Lesion by the mean: the lesioned units keep their level and lose what they tell."""

from __future__ import annotations

from typing import Any

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="mean",
    title="Activity is replaced by the unit's mean over reference stimuli",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Morcos et al. 2018, arXiv:1803.06959",
    needs=("mean",),
)


def mean(activity: Any, mask: Any, *, mean: Any, strength: float = 1.0) -> Any:
    """Replace activity by each unit's mean: a <- (1 - s) a + s m.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    mean : array, shape element
        m, the mean of every element over the reference stimuli.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> mean(np.array([[2.0, 4.0]]), np.array([True, False]), mean=np.array([1.0, 1.0])).tolist()
    [[1.0, 4.0]]
    """
    return blend(activity, mask, mean, strength=strength)
