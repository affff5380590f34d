"""Choose the best layer on one half of the stimuli and score it on the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import METHODS, as_complete_rdms, compare_rdms, same_pairs
from neuroai.numerics.half_null import half_nulls
from neuroai.numerics.rdm_bootstrap import checked_counts
from neuroai.numerics.rdm_permutation import as_permutations
from neuroai.numerics.rdm_resampling import FEWEST_STIMULI, resampled_means, subject_means
from neuroai.numerics.rdm_vectors import n_stimuli_of, pairs_within

_EQUAL = 1e-10


class LayerChoice(NamedTuple):
    """A score whose layer was chosen on other stimuli.

    Attributes
    ----------
    value : float
        Mean over splits and directions of the chosen layer's score on the other half.
    chosen : array of shape (n_splits, 2)
        Number of the layer chosen on half A and of that chosen on half B; -1 if none is defined.
    samples : array of shape (n_samples,) or None
        `value` in every bootstrap sample or under every permutation, the choice repeated in each.
    n_undefined : int
        Number of samples whose value is undefined (NaN).
    """

    value: float
    chosen: np.ndarray
    samples: np.ndarray | None
    n_undefined: int


def choose_and_score(
    data: np.ndarray,
    models: np.ndarray,
    *,
    halves: np.ndarray,
    method: str,
    stimulus_counts: np.ndarray | None = None,
    subject_counts: np.ndarray | None = None,
    permutations: np.ndarray | None = None,
) -> LayerChoice:
    r"""Choose a layer on one half of the stimuli, score it on the other, swap and average.

    .. math:: v = \frac{1}{2K} \sum_k \left[ s_{B_k}(\arg\max_l s_{A_k}(l))
              + s_{A_k}(\arg\max_l s_{B_k}(l)) \right]

    A half's score uses the pairs inside the half alone, with ranks within it, and is the mean
    over subjects and seeds. Among equal layers the first is chosen.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, one per subject, any unit.
    models : array of shape (n_layers, n_seeds, n_pairs)
        Complete RDM vectors of the same stimuli in the same order.
    halves : bool array of shape (n_splits, n_stimuli)
        True for the stimuli of half A; each half holds at least 3.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    stimulus_counts : array of shape (n_samples, n_stimuli), optional
        Bootstrap: how often each stimulus is drawn. Copies stay in their half.
    subject_counts : array of shape (n_samples, n_subjects), optional
        Bootstrap: how often each subject is drawn.
    permutations : array of shape (n_permutations, n_stimuli), optional
        Null: relabel the stimuli of all layers and seeds, then take the halves.

    Returns
    -------
    LayerChoice
        ``value``, ``chosen`` (n_splits, 2), ``samples`` and ``n_undefined``.

    Raises
    ------
    UsageError
        Wrong shapes, a half of fewer than 3 stimuli, or counts and permutations together.
    DataError
        Some entries are NaN or infinite; the message counts them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> brain = rng.random((1, 45))
    >>> layers = np.stack([rng.random((1, 45)), brain])
    >>> half_a = np.arange(10)[None] < 5
    >>> choice = choose_and_score(brain, layers, halves=half_a, method="spearman")
    >>> choice.value, choice.chosen
    (1.0, array([[1, 1]]))
    """
    data, models, halves = _checked(data, models, halves, method)
    grid = split_halves_scores(data, models, halves=halves, method=method)
    value, chosen = _choose(grid[None])
    if stimulus_counts is None and subject_counts is None and permutations is None:
        return LayerChoice(float(value[0]), chosen[0], None, 0)
    if permutations is not None:
        if not (stimulus_counts is None and subject_counts is None):
            raise UsageError("Give bootstrap counts or permutations, not both in one call.")
        permutations = as_permutations(permutations, halves.shape[1])
        grids = _null_grids(data, models, halves, method, permutations)
    else:
        stimuli, subjects = checked_counts(data, stimulus_counts, subject_counts)
        grids = _bootstrap_grids(data, models, halves, method, stimuli, subjects)
    samples, _ = _choose(grids)
    return LayerChoice(float(value[0]), chosen[0], samples, int(np.isnan(samples).sum()))


def split_halves_scores(
    data: np.ndarray, models: np.ndarray, *, halves: np.ndarray, method: str
) -> np.ndarray:
    """Return the mean score over subjects and seeds of every layer on every half.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, any unit.
    models : array of shape (n_layers, n_seeds, n_pairs)
        Complete RDM vectors of the same stimuli.
    halves : bool array of shape (n_splits, n_stimuli)
        True for the stimuli of half A.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.

    Returns
    -------
    array of shape (n_splits, 2, n_layers)
        Half A, then half B; from -1 to 1, NaN where an RDM is constant on the half.

    Raises
    ------
    UsageError
        Wrong shapes, or a half of fewer than 3 stimuli.
    DataError
        Some entries are NaN or infinite.

    Examples
    --------
    >>> rdm = np.arange(15.0)[None]
    >>> half_a = np.array([[True, True, True, False, False, False]])
    >>> split_halves_scores(rdm, rdm[None], halves=half_a, method="tau-a").ravel()
    array([1., 1.])
    """
    data, models, halves = _checked(data, models, halves, method)
    flat = models.reshape(-1, models.shape[-1])
    out = np.empty((len(halves), 2, len(models)))
    for split, side, stimuli in _each_half(halves):
        pairs = pairs_within(stimuli, halves.shape[1])
        scores = compare_rdms(data[:, pairs], flat[:, pairs], method=method).mean(axis=0)
        out[split, side] = scores.reshape(models.shape[:2]).mean(axis=1)
    return out


def _choose(grids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose on each half and score on the other; `grids` (n_samples, n_splits, 2, n_layers)."""
    defined = ~np.isnan(grids)
    scores = np.where(defined, grids, -np.inf)
    # Equal layers may differ by the rounding of their means; the first of them is chosen.
    best = (scores >= scores.max(axis=-1, keepdims=True) - _EQUAL).argmax(axis=-1)
    chosen = np.where(defined.any(axis=-1), best, -1)
    other = np.take_along_axis(grids[:, :, ::-1], best[..., None], axis=-1)[..., 0]
    other = np.where(chosen >= 0, other, np.nan)
    return other.mean(axis=(1, 2)), chosen


def _bootstrap_grids(
    data: np.ndarray,
    models: np.ndarray,
    halves: np.ndarray,
    method: str,
    stimuli: np.ndarray | None,
    subjects: np.ndarray,
) -> np.ndarray:
    flat = models.reshape(-1, models.shape[-1])
    out = np.empty((len(subjects), len(halves), 2, len(models)))
    for split, side, members in _each_half(halves):
        pairs = pairs_within(members, halves.shape[1])
        own, layers = data[:, pairs], flat[:, pairs]
        if stimuli is None:
            similarity = compare_rdms(own, layers, method=method)
            scores = subject_means(similarity[None], subjects)
        else:
            drawn = stimuli[:, members]
            scores = resampled_means(own, layers, drawn, subjects, method=method)
        out[:, split, side] = scores.reshape(len(scores), *models.shape[:2]).mean(axis=2)
    return out


def _null_grids(
    data: np.ndarray,
    models: np.ndarray,
    halves: np.ndarray,
    method: str,
    permutations: np.ndarray,
) -> np.ndarray:
    flat = models.reshape(-1, models.shape[-1])
    members = [stimuli for _, _, stimuli in _each_half(halves)]
    nulls = half_nulls(data, flat, members, method=method, permutations=permutations)
    nulls = nulls.reshape(len(permutations), len(halves), 2, *models.shape[:2])
    return nulls.mean(axis=-1)


def _each_half(halves: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    """List split, side and the numbers of the stimuli of every half."""
    return [
        (split, side, np.flatnonzero(half == (side == 0)))
        for split, half in enumerate(halves)
        for side in (0, 1)
    ]


def _checked(
    data: np.ndarray, models: np.ndarray, halves: np.ndarray, method: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    one_of(method, METHODS, option="method")
    data, models, halves = (
        as_complete_rdms(data, name="data"),
        np.asarray(models),
        np.asarray(halves),
    )
    if models.ndim != 3:
        raise UsageError(
            f"models must have shape (n_layers, n_seeds, n_pairs); got {models.shape}. "
            "Give a single seed an axis of length 1."
        )
    flat = as_complete_rdms(models.reshape(-1, models.shape[-1]), name="models")
    same_pairs(data, flat)
    n_stimuli = n_stimuli_of(data.shape[1])
    if halves.dtype != bool or halves.ndim != 2 or halves.shape[1] != n_stimuli:
        raise UsageError(
            f"halves must be bool of shape (n_splits, {n_stimuli}); "
            f"got {halves.dtype} of shape {halves.shape}."
        )
    sizes = halves.sum(axis=1)
    smallest = int(min(sizes.min(initial=n_stimuli), (n_stimuli - sizes).min(initial=n_stimuli)))
    if smallest < FEWEST_STIMULI:
        raise UsageError(
            f"Each half must hold at least {FEWEST_STIMULI} stimuli; the smallest holds {smallest}."
        )
    return data, flat.reshape(models.shape), halves
