"""The similarity of every pair of RDMs in every bootstrap sample of the stimuli."""

from __future__ import annotations

import numpy as np

from neuroai.checks import one_of
from neuroai.numerics.comparators import METHODS, as_complete_rdms, same_pairs
from neuroai.numerics.concordance import tau_a
from neuroai.numerics.gram import BLOCK_BYTES
from neuroai.numerics.ranks import ranking
from neuroai.numerics.rdm_resampling import (
    LINEAR_METHODS,
    as_counts,
    linear_similarity,
    ranked,
    samples_of,
    scaled_products,
)
from neuroai.numerics.rdm_vectors import n_stimuli_of


def resampled_pairs(
    data: np.ndarray,
    models: np.ndarray,
    *,
    method: str,
    stimulus_counts: np.ndarray,
    block_bytes: int = BLOCK_BYTES,
) -> np.ndarray:
    """Compare every subject's RDM with every model RDM in every bootstrap sample of the stimuli.

    A pair of stimuli i, j counts c_i c_j times; pairs of copies of one stimulus do not count.
    Where only means over subjects are wanted,
    `neuroai.numerics.rdm_bootstrap.bootstrap_rdms` gives them for less work.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    stimulus_counts : array of shape (n_samples, n_stimuli)
        How often each stimulus is drawn.
    block_bytes : int
        Memory for one block of pairs.

    Returns
    -------
    array of shape (n_samples, n_subjects, n_models)
        From -1 to 1; NaN in samples with fewer than 3 distinct stimuli and where an RDM is
        constant.

    Raises
    ------
    DataError
        Entries are NaN or infinite, or the numbers of pairs differ.

    References
    ----------
    Schütt et al. (2023), eLife 12, e82566, https://doi.org/10.7554/eLife.82566

    Examples
    --------
    >>> rdm = np.array([[1.0, 2.0, 4.0]])
    >>> counts = np.array([[1, 1, 1], [3, 0, 0]])
    >>> resampled_pairs(rdm, rdm, method="spearman", stimulus_counts=counts).ravel()
    array([ 1., nan])
    """
    one_of(method, METHODS, option="method")
    data, models = as_complete_rdms(data, name="data"), as_complete_rdms(models, name="models")
    same_pairs(data, models)
    counts = as_counts(stimulus_counts, n_stimuli_of(data.shape[1]), name="stimulus_counts")
    if method in LINEAR_METHODS:
        return linear_similarity(data, models, counts, method=method, block_bytes=block_bytes)
    out = np.full((len(counts), len(data), len(models)), np.nan)
    found = ranking(np.concatenate([data, models]))
    for sample, weights in samples_of(counts):
        if method == "tau-a":
            out[sample] = tau_a(found.below[: len(data)], found.below[len(data) :], weights=weights)
            continue
        both = ranked(found, weights)
        products = (both.centred[: len(data)] * both.weights) @ both.centred[len(data) :].T
        out[sample] = scaled_products(
            products,
            both.squares[: len(data), None],
            both.squares[None, len(data) :],
            n_entries=int(weights.sum()),
            method=method,
        )
    return out
