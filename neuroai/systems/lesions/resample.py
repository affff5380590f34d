"""Resampling: the units say what they say of a random other stimulus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="resample",
    title="Activity is replaced by that for a random reference stimulus",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Chan et al. 2022, Causal scrubbing, alignmentforum.org/posts/JvZhhzycHu2Yd57RN",
    needs=("bank", "rng"),
)


def resample(
    activity: Any,
    mask: Any,
    *,
    bank: Any,
    rng: np.random.Generator | Sequence[np.random.Generator],
    strength: float = 1.0,
) -> Any:
    """Replace activity by that for a random reference stimulus: a <- (1 - s) a + s b.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    bank : array, shape (n_reference, *element)
        Activity for every reference stimulus; all units of a row take the same one.
    rng : numpy.random.Generator or a sequence of them
        One for all rows, or one a row, so that the draw of a row hangs on nothing else.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> resample(np.array([[2.0, 4.0]]), np.array([True, False]), bank=np.array([[7.0, 8.0]]),
    ...          rng=np.random.default_rng(0)).tolist()
    [[7.0, 4.0]]
    """
    rows = len(activity)
    rngs = [rng] * rows if isinstance(rng, np.random.Generator) else list(rng)
    drawn = np.asarray(bank)[[one.integers(len(bank)) for one in rngs[:rows]]]
    return blend(activity, mask, drawn, strength=strength)
