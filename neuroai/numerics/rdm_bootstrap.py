"""Bootstrap the comparison of data RDMs with model RDMs over stimuli, subjects or both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import METHODS, as_complete_rdms, compare_rdms, same_pairs
from neuroai.numerics.gram import BLOCK_BYTES
from neuroai.numerics.ranks import ranking
from neuroai.numerics.rdm_pools import ceilings_from_similarity, pooled_ceiling
from neuroai.numerics.rdm_resampling import (
    LINEAR_METHODS,
    as_counts,
    linear_similarity,
    ranked,
    resampled_means,
    samples_of,
    subject_means,
)
from neuroai.numerics.rdm_vectors import n_stimuli_of


class BootstrapRdms(NamedTuple):
    """Scores of bootstrap samples.

    Attributes
    ----------
    scores : array of shape (n_samples, n_models)
        Mean similarity over the drawn subjects, each as often as it is drawn.
    lower, upper : arrays of shape (n_samples,)
        The noise ceiling of the sample; NaN where undefined or not asked for.
    n_undefined : int
        Number of samples in which a score is undefined: fewer than 3 distinct stimuli, or an RDM
        that is constant there.
    """

    scores: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n_undefined: int


def bootstrap_rdms(
    data: np.ndarray,
    models: np.ndarray,
    *,
    method: str,
    stimulus_counts: np.ndarray | None = None,
    subject_counts: np.ndarray | None = None,
    ceilings: bool = True,
    block_bytes: int = BLOCK_BYTES,
) -> BootstrapRdms:
    r"""Compare subjects' RDMs with model RDMs in every bootstrap sample.

    .. math:: s_b = \frac{\sum_s k_{bs}\, \mathrm{sim}_{w_b}(D_s, M)}{\sum_s k_{bs}},
              \qquad w_{b,ij} = c_{bi} c_{bj} \; (i \ne j)

    with stimulus counts c and subject counts k. Pairs of copies of one stimulus are left out.
    Noise ceilings average over the distinct subjects of a sample; the lower one leaves out all
    copies of the subject it predicts.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, one per subject, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli in the same order.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    stimulus_counts : array of shape (n_samples, n_stimuli), optional
        How often each stimulus is drawn; the stimuli stay fixed if not given.
    subject_counts : array of shape (n_samples, n_subjects), optional
        How often each subject is drawn; the subjects stay fixed if not given.
    ceilings : bool
        Whether to compute noise ceilings.
    block_bytes : int
        Memory for one block of pairs.

    Returns
    -------
    BootstrapRdms
        ``scores`` (n_samples, n_models), ``lower`` and ``upper`` (n_samples,), from -1 to 1,
        and ``n_undefined``.

    Raises
    ------
    UsageError
        No counts, counts of different numbers of samples or of the wrong shape.
    DataError
        Some entries are NaN or infinite; the message counts them.

    References
    ----------
    Schütt et al. (2023), Statistical inference on representational geometries, eLife 12, e82566,
    https://doi.org/10.7554/eLife.82566

    Examples
    --------
    >>> data = np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]])
    >>> counts = np.array([[2, 0], [1, 1]])
    >>> bootstrap_rdms(data, data[:1], method="rho-a", subject_counts=counts).scores.ravel()
    array([1.  , 0.75])
    """
    one_of(method, METHODS, option="method")
    data, models = as_complete_rdms(data, name="data"), as_complete_rdms(models, name="models")
    same_pairs(data, models)
    stimuli, subjects = checked_counts(data, stimulus_counts, subject_counts)
    if stimuli is None:
        scores = subject_means(compare_rdms(data, models, method=method)[None], subjects)
    else:
        scores = resampled_means(
            data, models, stimuli, subjects, method=method, block_bytes=block_bytes
        )
    lower, upper = np.full((2, len(subjects)), np.nan)
    if ceilings and stimuli is None:
        lower, upper = _fixed_ceilings(data, subjects, method)
    elif ceilings and method in LINEAR_METHODS:
        lower, upper = _linear_ceilings(data, stimuli, subjects, method, block_bytes)
    elif ceilings:
        lower, upper = _rank_ceilings(data, stimuli, subjects, method)
    return BootstrapRdms(scores, lower, upper, int(np.isnan(scores).any(axis=1).sum()))


def checked_counts(
    data: np.ndarray, stimulus_counts: np.ndarray | None, subject_counts: np.ndarray | None
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return stimulus counts, None if the stimuli stay fixed, and subject counts, all 1 if fixed.

    Raises
    ------
    UsageError
        Neither is given, or they differ in their number of samples.
    """
    if stimulus_counts is None and subject_counts is None:
        raise UsageError(
            "Give stimulus_counts, subject_counts or both: "
            "they say what each bootstrap sample holds."
        )
    if stimulus_counts is not None:
        n_stimuli = n_stimuli_of(data.shape[1])
        stimulus_counts = as_counts(stimulus_counts, n_stimuli, name="stimulus_counts")
    if subject_counts is None:
        return stimulus_counts, np.ones((len(stimulus_counts), len(data)), dtype=np.int64)
    subject_counts = as_counts(subject_counts, len(data), name="subject_counts")
    if not subject_counts.any(axis=1).all():
        raise UsageError("Every row of subject_counts must draw at least one subject.")
    if stimulus_counts is not None and len(stimulus_counts) != len(subject_counts):
        raise UsageError(
            f"stimulus_counts and subject_counts hold {len(stimulus_counts)} and "
            f"{len(subject_counts)} samples; they must hold the same number."
        )
    return stimulus_counts, subject_counts


def _fixed_ceilings(
    data: np.ndarray, subjects: np.ndarray, method: str
) -> tuple[np.ndarray, np.ndarray]:
    if method in LINEAR_METHODS:
        among = compare_rdms(data, data, method=method)
        return ceilings_from_similarity(among[None], subjects)
    whole = ranked(ranking(data), np.ones(data.shape[1], dtype=np.int64))
    bounds = [pooled_ceiling(whole, drawn, method=method) for drawn in subjects]
    lower, upper = np.array(bounds).T
    return lower, upper


def _linear_ceilings(
    data: np.ndarray, stimuli: np.ndarray, subjects: np.ndarray, method: str, block_bytes: int
) -> tuple[np.ndarray, np.ndarray]:
    among = linear_similarity(data, data, stimuli, method=method, block_bytes=block_bytes)
    return ceilings_from_similarity(among, subjects)


def _rank_ceilings(
    data: np.ndarray, stimuli: np.ndarray, subjects: np.ndarray, method: str
) -> tuple[np.ndarray, np.ndarray]:
    lower, upper = np.full((2, len(subjects)), np.nan)
    found = ranking(data)
    for sample, weights in samples_of(stimuli):
        drawn = ranked(found, weights)
        lower[sample], upper[sample] = pooled_ceiling(drawn, subjects[sample], method=method)
    return lower, upper
