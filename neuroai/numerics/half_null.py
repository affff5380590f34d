"""Scores on some of the stimuli when the models' stimuli are labelled at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.numerics.comparators import RANK_METHODS, compare_rdms, standardised
from neuroai.numerics.ranks import Ranking, doubled_ranks_of, ranking
from neuroai.numerics.rdm_vectors import pair_indices, pair_numbers, pairs_within
from neuroai.numerics.rdm_whitened import WHITENED_METHODS

_BLOCK_BYTES = 64 * 2**20

# As for bootstrap samples: a variance this far below the mean square is rounding.
_ROUNDING = 1e-13


def half_nulls(
    data: np.ndarray,
    models: np.ndarray,
    members: Sequence[np.ndarray],
    *,
    method: str,
    permutations: np.ndarray,
) -> np.ndarray:
    """Return the mean score over subjects of every model, permutation and part of the stimuli.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli.
    members : sequence of integer arrays
        The stimuli of each part. The models are relabelled over all stimuli, then each part is
        taken, and ranks are those within it.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    permutations : array of shape (n_permutations, n_stimuli)
        Every row holds 0 to ``n_stimuli - 1`` once.

    Returns
    -------
    array of shape (n_permutations, n_parts, n_models)
        From -1 to 1; NaN where an RDM is constant.

    Examples
    --------
    >>> rdm = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    >>> orders = np.array([[0, 1, 2, 3]])
    >>> half_nulls(rdm, rdm, [np.arange(3)], method="tau-a", permutations=orders).ravel()
    array([1.])
    """
    out = np.empty((len(permutations), len(members), len(models)))
    numbers = pair_numbers(permutations.shape[1])
    found = ranking(models) if method in RANK_METHODS else None
    for part, stimuli in enumerate(members):
        own = data[:, pairs_within(stimuli, permutations.shape[1])]
        rows, columns = pair_indices(len(stimuli))
        moved = permutations[:, stimuli]
        places = numbers[moved[:, rows], moved[:, columns]]
        if method == "tau-a" or method in WHITENED_METHODS:
            for row, pairs in enumerate(places):
                scores = compare_rdms(own, models[:, pairs], method=method)
                out[row, part] = scores.mean(axis=0)
            continue
        target = standardised(own, method=method).mean(axis=0)
        if found is not None:
            out[:, part] = _ranked(found, places, target, method)
        else:
            out[:, part] = _linear(models, places, target, method)
    return out


def _linear(models: np.ndarray, places: np.ndarray, target: np.ndarray, method: str) -> np.ndarray:
    """Score with cosine or pearson: three matrix products per block of permutations."""
    constant = (models.max(axis=1) == models.min(axis=1))[:, None]
    if method == "pearson":
        models = np.where(constant, 0.0, models - models.mean(axis=1, keepdims=True))
    n_entries, n_pairs = places.shape[1], models.shape[1]
    out = np.empty((len(places), len(models)))
    block = max(1, _BLOCK_BYTES // (16 * n_pairs))
    for start in range(0, len(out), block):
        inside = places[start : start + block]
        values, member = np.zeros((2, len(inside), n_pairs))
        np.put_along_axis(values, inside, target[None], axis=1)
        np.put_along_axis(member, inside, 1.0, axis=1)
        square = member @ (models**2).T
        variance, floor = square, 0.0
        if method == "pearson":
            variance = square - (member @ models.T) ** 2 / n_entries
            floor = _ROUNDING * square
        norm = np.sqrt(np.where(variance > floor, variance, np.nan))
        out[start : start + block] = values @ models.T / norm
    return out


def _ranked(found: Ranking, places: np.ndarray, target: np.ndarray, method: str) -> np.ndarray:
    """Score with spearman or rho-a; models without ties keep their one order and need no sort."""
    n_models, n_pairs = found.order.shape
    ties = np.zeros(n_models, dtype=bool)
    if found.up_to is not None:
        ties = (found.up_to - found.below > 1).any(axis=1)
    order, codes = found.order[~ties], found.below[ties]
    n_entries = places.shape[1]
    largest = (float(n_entries) ** 3 - n_entries) / 12.0
    ranks = np.arange(n_entries, dtype=np.float64)
    inside, values = np.zeros(n_pairs, dtype=bool), np.zeros(n_pairs)
    out = np.empty((len(places), n_models))
    for row, pairs in enumerate(places):
        inside[pairs], values[pairs] = True, target
        kept = np.compress(inside.take(order).ravel(), order.ravel())
        # The target sums to 0, so that the ranks need no centring.
        # Without BLAS, whose threads would wait for one another in every permutation.
        scores = np.einsum("ij,j->i", values.take(kept).reshape(len(order), n_entries), ranks)
        out[row, ~ties] = scores / np.sqrt(largest)
        inside[pairs] = False
        if len(codes):
            out[row, ties] = _tied(codes.take(pairs, axis=1), target, largest, method)
    return out


def _tied(codes: np.ndarray, target: np.ndarray, largest: float, method: str) -> np.ndarray:
    ranks = (doubled_ranks_of(codes) - (codes.shape[1] + 1)) / 2
    square = np.einsum("ij,ij->i", ranks, ranks)
    scale = square if method == "spearman" else np.full(len(square), largest)
    products = np.einsum("ij,j->i", ranks, target)
    return products / np.sqrt(np.where(square > 0, scale, np.nan))
