"""Rotation: the units together tell the same, in another language."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroai.cards import LesionCard
from neuroai.systems.lesions._blend import blend, like

CARD = LesionCard(
    name="rotate",
    title="Activity of the units is rotated at random: lengths and angles stay",
    null_strength=0.0,
    full_strength=1.0,
    reversible=True,
    citation="Geiger et al. 2024, arXiv:2303.02536",
    needs=("seed",),
    erases=False,
)


def rotate(activity: Any, mask: Any, *, seed: int, strength: float = 1.0) -> Any:
    """Rotate the masked features together: a <- (1 - s) a + s R a.

    Parameters
    ----------
    activity : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        Which elements are changed.
    strength : float
        s in [0, 1]; 0 changes nothing.
    seed : int
        Seed of R, a rotation drawn uniformly; of a single feature R is -1.

    Returns
    -------
    array of the same kind and shape

    Examples
    --------
    >>> turned = rotate(np.array([[3.0, 4.0, 7.0]]), np.array([True, True, False]), seed=1)
    >>> float(np.linalg.norm(turned[0, :2]).round(6)), float(turned[0, 2])
    (5.0, 7.0)
    """
    hit = np.flatnonzero(np.broadcast_to(np.ravel(mask).astype(bool), activity.shape[-1:]))
    turned = np.eye(activity.shape[-1])
    turned[np.ix_(hit, hit)] = rotation(len(hit), seed=seed)
    return blend(activity, mask, activity @ like(turned.T, activity), strength=strength)


def rotation(n: int, *, seed: int) -> np.ndarray:
    """Draw a rotation of n dimensions uniformly; of one dimension, the change of sign."""
    if n == 1:
        return np.array([[-1.0]])
    drawn, upper = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    turned = drawn * np.sign(np.diag(upper))
    # A reflection becomes a rotation when two axes are exchanged.
    return turned if np.linalg.det(turned) > 0 else turned[[1, 0, *range(2, n)]]
