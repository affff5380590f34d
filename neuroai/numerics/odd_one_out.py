"""Odd one out: which of three items lies outside the most similar pair."""

from __future__ import annotations

from math import comb

import numpy as np

from neuroai.errors import DataError
from neuroai.numerics.agreement import stimulus_weights

CHANCE = 1 / 3

# Dissimilarities that differ by less than this share of the largest one are called tied: the
# difference is rounding, not similarity.
_TIE = 1e-12


def triplets(n_items: int, *, limit: int = 2000, seed: int = 0) -> np.ndarray:
    """List triplets of items: all of them, or a seeded sample where there are too many.

    Parameters
    ----------
    n_items : int
        Number of items.
    limit : int
        Most triplets to give.
    seed : int
        Seed of the sample; the same seed gives the same triplets.

    Returns
    -------
    int array, shape (n_triplets, 3)
        Each row rises; rows are distinct and sorted.

    Raises
    ------
    DataError
        There are fewer than three items, or the limit is below 1.

    Examples
    --------
    >>> triplets(4).tolist()
    [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    >>> triplets(100, limit=5).shape
    (5, 3)
    """
    if n_items < 3 or limit < 1:
        raise DataError(
            f"Triplets need at least 3 items and a limit of at least 1; got {n_items} and {limit}."
        )
    if comb(n_items, 3) <= limit:
        grid = np.stack(np.meshgrid(*[np.arange(n_items)] * 3, indexing="ij"), axis=-1)
        grid = grid.reshape(-1, 3)
        return grid[(grid[:, 0] < grid[:, 1]) & (grid[:, 1] < grid[:, 2])]
    rng = np.random.default_rng(seed)
    found = np.empty((0, 3), dtype=np.int64)
    while len(found) < limit:
        drawn = np.sort(rng.integers(n_items, size=(2 * limit, 3)), axis=1)
        drawn = drawn[(drawn[:, 0] < drawn[:, 1]) & (drawn[:, 1] < drawn[:, 2])]
        found = np.concatenate([found, drawn])
        # Keep the first of each in the order of drawing: a cut of sorted rows would favour
        # triplets of low items.
        found = found[np.sort(np.unique(found, axis=0, return_index=True)[1])]
    return found[:limit][np.lexsort(found[:limit].T[::-1])]


def odd_one_out(rdm: np.ndarray, triplets: np.ndarray) -> np.ndarray:
    """Choose the item outside the most similar pair of each triplet.

    Parameters
    ----------
    rdm : array, shape (..., n_items, n_items)
        Dissimilarities, symmetric, in any unit.
    triplets : int array, shape (n_triplets, 3)
        Items of each triplet.

    Returns
    -------
    int array, shape (..., n_triplets)
        Place (0, 1 or 2) of the odd item in its triplet; -1 where the two most similar pairs tie
        or a dissimilarity is missing.

    References
    ----------
    Hebart et al. 2020, doi:10.1038/s41562-020-00951-3.

    Examples
    --------
    Items 0 and 1 are most alike, so item 2 is the odd one.

    >>> odd_one_out(np.array([[0, 1, 5], [1, 0, 4], [5, 4, 0]]), np.array([[0, 1, 2]]))
    array([2])
    """
    rdm, triplets = np.asarray(rdm, dtype=float), np.asarray(triplets, dtype=np.int64)
    if rdm.ndim < 2 or rdm.shape[-1] != rdm.shape[-2] or triplets.shape[1:] != (3,):
        raise DataError(
            f"odd_one_out needs (..., n_items, n_items) and (n_triplets, 3); got {rdm.shape} and "
            f"{triplets.shape}."
        )
    i, j, k = triplets.T
    # The pair that leaves out item 0, 1, 2 of the triplet.
    pairs = np.stack([rdm[..., j, k], rdm[..., i, k], rdm[..., i, j]], axis=-1)
    nearest = np.sort(pairs, axis=-1)
    scale = np.fmax.reduce(np.abs(rdm), axis=(-2, -1), initial=0.0)[..., None]
    clear = nearest[..., 1] - nearest[..., 0] > _TIE * scale
    return np.where(clear & ~np.isnan(pairs).any(axis=-1), pairs.argmin(axis=-1), -1)


def least_alike(rdm: np.ndarray, trials: np.ndarray) -> np.ndarray:
    r"""Choose from each trial the item that is least like the others on average.

    .. math:: \arg\max_i \frac{1}{k - 1} \sum_{j \ne i} d_{ij}

    With three items it is the one outside the most similar pair, as of :func:`odd_one_out`.

    Parameters
    ----------
    rdm : array, shape (n_items, n_items)
        Dissimilarities, symmetric, in any unit.
    trials : int array, shape (n_trials, k)
        Items of each trial, at least three.

    Returns
    -------
    int array, shape (n_trials,)
        Place of the odd item in its trial; -1 where two tie or a dissimilarity is missing.

    Raises
    ------
    DataError
        The shapes do not match.

    References
    ----------
    Bonnen, Yamins & Wagner 2021, doi:10.1016/j.neuron.2021.06.018.

    Examples
    --------
    >>> least_alike(np.array([[0, 1, 5], [1, 0, 4], [5, 4, 0]]), np.array([[0, 1, 2]]))
    array([2])
    """
    rdm, trials = np.asarray(rdm, dtype=float), np.asarray(trials, dtype=np.int64)
    if rdm.ndim != 2 or rdm.shape[0] != rdm.shape[1] or trials.ndim != 2 or trials.shape[1] < 3:
        raise DataError(
            f"least_alike needs (n_items, n_items) and (n_trials, 3 or more); got {rdm.shape} and "
            f"{trials.shape}."
        )
    within = rdm[trials[:, :, None], trials[:, None, :]]
    within = np.where(np.eye(trials.shape[1], dtype=bool), 0.0, within)
    mean = within.sum(axis=2) / (trials.shape[1] - 1)
    known = ~np.isnan(mean).any(axis=1)
    mean = np.where(known[:, None], mean, 0.0)
    ordered = np.sort(mean, axis=1)
    scale = np.fmax.reduce(np.abs(rdm), axis=None, initial=0.0)
    clear = known & (ordered[:, -1] - ordered[:, -2] > _TIE * scale)
    return np.where(clear, mean.argmax(axis=1), -1)


def choice_agreement(
    a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    """Share of the questions on which two observers chose the same.

    Questions that either leaves undefined are left out of that pair. Two observers who choose
    one of three at random agree on 1/3.

    Parameters
    ----------
    a : array, shape (n_a, n_questions)
        Codes of the choices, at least 0; a negative code or NaN is undefined.
    b : array, shape (n_b, n_questions)
        The same for the other observers.
    weights : array, shape (n_resamples, n_questions), optional
        How often each question counts.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        Agreement in [0, 1]; NaN where no question is left.

    Raises
    ------
    DataError
        The shapes do not match.

    Examples
    --------
    >>> choice_agreement(np.array([[0, 1, 2, -1]]), np.array([[0, 1, 1, 1]])).round(4)
    array([[0.6667]])
    """
    a, b = np.atleast_2d(np.asarray(a, dtype=float)), np.atleast_2d(np.asarray(b, dtype=float))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise DataError(
            f"choice_agreement needs (n_a, n_questions) and (n_b, n_questions); got {a.shape} "
            f"and {b.shape}. Ask both sides the same questions."
        )
    one = weights is None
    counts = np.ones((1, a.shape[1])) if one else stimulus_weights(weights, n_stimuli=a.shape[1])
    result = np.empty((len(counts), len(a), len(b)))
    for row, values in enumerate(a):
        defined = (values >= 0) & (b >= 0)
        same = defined & (values == b)
        with np.errstate(invalid="ignore", divide="ignore"):
            result[:, row] = (counts @ same.T.astype(float)) / (counts @ defined.T.astype(float))
    return result[0] if one else result
