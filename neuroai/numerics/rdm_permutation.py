"""What scores would be if the models' stimuli were labelled at random."""

from __future__ import annotations

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import (
    METHODS,
    as_complete_rdms,
    compare_rdms,
    same_pairs,
    standardised,
)
from neuroai.numerics.gram import BLOCK_BYTES
from neuroai.numerics.rdm_vectors import n_stimuli_of, pair_indices, pair_numbers, to_square


def permute_rdms(
    data: np.ndarray,
    models: np.ndarray,
    *,
    method: str,
    permutations: np.ndarray,
    block_bytes: int = BLOCK_BYTES,
) -> np.ndarray:
    r"""Return the mean score over subjects under every relabelling of the models' stimuli.

    .. math:: s_\pi = \frac{1}{S} \sum_s \mathrm{sim}(D_s, M_\pi), \qquad
              M_{\pi, ij} = M_{\pi(i) \pi(j)}

    Rows and columns move together, so that values, and ranks, stay what they are.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, one per subject, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli in the same order.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    permutations : array of shape (n_permutations, n_stimuli)
        Every row holds 0 to ``n_stimuli - 1`` once.
    block_bytes : int
        Memory for one block of relabelled RDMs.

    Returns
    -------
    array of shape (n_permutations, n_models)
        float64, from -1 to 1; NaN where an RDM is constant.

    Raises
    ------
    UsageError
        A row of `permutations` is no permutation.
    DataError
        Some entries are NaN or infinite; the message counts them.

    Examples
    --------
    >>> rdm = np.array([[1.0, 2.0, 3.0]])
    >>> orders = np.array([[0, 1, 2], [2, 1, 0]])
    >>> permute_rdms(rdm, rdm, method="rho-a", permutations=orders).ravel()
    array([ 1., -1.])
    """
    one_of(method, METHODS, option="method")
    data, models = as_complete_rdms(data, name="data"), as_complete_rdms(models, name="models")
    same_pairs(data, models)
    permutations = as_permutations(permutations, n_stimuli_of(data.shape[1]))
    if method == "tau-a":
        return _tau_null(data, models, permutations)
    target = standardised(data, method=method).mean(axis=0)
    vectors = standardised(models, method=method)
    null = np.empty((len(permutations), len(models)))
    block = max(1, block_bytes // (24 * data.shape[1]))
    for start in range(0, len(null), block):
        part = slice(start, start + block)
        # Relabelling the models is relabelling the data the other way round, and that is one RDM.
        null[part] = relabelled(target, np.argsort(permutations[part], axis=1)) @ vectors.T
    return np.clip(null, -1.0, 1.0)


def relabelled(vector: np.ndarray, permutations: np.ndarray) -> np.ndarray:
    """Return one RDM vector (n_pairs,) under every permutation: (n_permutations, n_pairs).

    Examples
    --------
    >>> relabelled(np.array([1.0, 2.0, 3.0]), np.array([[2, 1, 0]]))
    array([[3., 2., 1.]])
    """
    n_stimuli = permutations.shape[1]
    rows, columns = pair_indices(n_stimuli)
    flat = permutations.take(rows, axis=1) * n_stimuli + permutations.take(columns, axis=1)
    return to_square(vector).ravel().take(flat)


def as_permutations(permutations: np.ndarray, n_stimuli: int) -> np.ndarray:
    """Return permutations as intp (n_permutations, n_stimuli), or say what is wrong.

    Raises
    ------
    UsageError
        Wrong shape, or rows that do not hold every stimulus once.

    Examples
    --------
    >>> as_permutations([[1, 0]], 2)
    array([[1, 0]])
    """
    permutations = np.asarray(permutations)
    if permutations.ndim != 2 or permutations.shape[1] != n_stimuli:
        raise UsageError(
            f"permutations must have shape (n_permutations, {n_stimuli}); "
            f"got {permutations.shape}. Draw them with resample.stimulus_permutations."
        )
    wrong = (np.sort(permutations, axis=1) != np.arange(n_stimuli)).any(axis=1)
    if wrong.any():
        raise UsageError(
            f"{int(wrong.sum())} of {len(wrong)} rows of permutations do not hold every stimulus "
            f"from 0 to {n_stimuli - 1} once."
        )
    return permutations.astype(np.intp)


def _tau_null(data: np.ndarray, models: np.ndarray, permutations: np.ndarray) -> np.ndarray:
    rows, columns = pair_indices(permutations.shape[1])
    numbers = pair_numbers(permutations.shape[1])
    null = np.empty((len(permutations), len(models)))
    for row, order in enumerate(permutations):
        moved = models[:, numbers[order[rows], order[columns]]]
        null[row] = compare_rdms(data, moved, method="tau-a").mean(axis=0)
    return null
