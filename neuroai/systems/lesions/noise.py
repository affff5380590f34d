"""Lesion by noise: the lesioned units keep their level and spread and lose what they tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend

CARD = LesionCard(
    name="noise",
    title="Activity is replaced by Gaussian noise of the unit's mean and SD",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Meng et al. 2022, arXiv:2202.05262",
    needs=("mean", "sd", "rng"),
)


def noise(
    activity: Any,
    mask: Any,
    *,
    mean: Any,
    sd: Any,
    rng: np.random.Generator | Sequence[np.random.Generator],
    strength: float = 1.0,
) -> Any:
    """Replace lesioned activity by noise: a <- (1 - s) a + s (m + sd z), z standard normal.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are lesioned.
    strength : float
        s in [0, 1]; 0 changes nothing.
    mean, sd : array, shape element
        Mean and standard deviation of every element over the reference stimuli.
    rng : numpy.random.Generator or a sequence of them
        One for all rows, or one a row, so that the noise of a row hangs on nothing else.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise(np.array([[2.0, 4.0]]), np.array([True, False]), mean=np.array([1.0, 1.0]),
    ...       sd=np.array([0.0, 1.0]), rng=rng).tolist()
    [[1.0, 4.0]]
    """
    element = tuple(activity.shape[1:])
    hit = np.array(np.broadcast_to(np.asarray(mask, dtype=bool), element))
    means, sds = (np.broadcast_to(np.asarray(part), element)[hit] for part in (mean, sd))
    rows = len(activity)
    rngs = [rng] * rows if isinstance(rng, np.random.Generator) else list(rng)
    new = np.zeros((rows, *element), dtype=np.float32 if activity.itemsize < 8 else np.float64)
    for row, generator in zip(range(rows), rngs, strict=True):
        new[row][hit] = means + sds * generator.standard_normal(len(means))
    return blend(activity, hit, new, strength=strength)
