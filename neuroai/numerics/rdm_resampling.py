"""Similarities of RDMs in bootstrap samples of the stimuli, from weights instead of copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from neuroai.errors import UsageError
from neuroai.numerics.comparators import RANK_METHODS
from neuroai.numerics.concordance import tau_a
from neuroai.numerics.gram import BLOCK_BYTES
from neuroai.numerics.ranks import Ranking, doubled_ranks, ranking
from neuroai.numerics.rdm_vectors import n_stimuli_of, pair_indices
from neuroai.numerics.rdm_whitened import WHITENED_METHODS, whitened_from_sums

LINEAR_METHODS = ("cosine", "pearson", *WHITENED_METHODS)
FEWEST_STIMULI = 3

# A variance this far below the mean square is rounding: the RDM is constant in the sample.
_ROUNDING = 1e-13


class RankedRdms(NamedTuple):
    """RDMs of one sample as centred ranks, of the pairs that the sample holds.

    Attributes
    ----------
    doubled : array of shape (n_rdms, n_drawn)
        Twice the average ranks, int64.
    centred : array of shape (n_rdms, n_drawn)
        `doubled` minus its mean over the sample.
    squares : array of shape (n_rdms,)
        Weighted sums of the squares of `centred`; 0 for a constant RDM.
    weights : array of shape (n_drawn,)
        Copies of each pair, above 0.
    """

    doubled: np.ndarray
    centred: np.ndarray
    squares: np.ndarray
    weights: np.ndarray


def as_counts(counts: np.ndarray, n_items: int, *, name: str) -> np.ndarray:
    """Return bootstrap counts as int64 (n_samples, n_items), or say what is wrong.

    Raises
    ------
    UsageError
        Wrong shape, or entries that are not whole numbers of at least 0.

    Examples
    --------
    >>> as_counts([[2, 0, 1]], 3, name="stimulus_counts")
    array([[2, 0, 1]])
    """
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[1] != n_items:
        raise UsageError(
            f"{name} must have shape (n_samples, {n_items}); got {counts.shape}. "
            "Draw them with resample.bootstrap_counts."
        )
    whole = counts.astype(np.int64)
    if (whole != counts).any() or (whole < 0).any():
        raise UsageError(f"{name} must hold whole numbers of at least 0.")
    return whole


def resampled_means(
    data: np.ndarray,
    models: np.ndarray,
    stimulus_counts: np.ndarray,
    subject_counts: np.ndarray,
    *,
    method: str,
    block_bytes: int = BLOCK_BYTES,
) -> np.ndarray:
    r"""Return the mean similarity over drawn subjects in every bootstrap sample of the stimuli.

    A pair of stimuli i, j counts :math:`c_i c_j` times; pairs of copies of one stimulus, whose
    distance is 0 by construction, do not count.

    Parameters
    ----------
    data : array of shape (n_subjects, n_pairs)
        Complete RDM vectors, any unit.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli.
    stimulus_counts : array of shape (n_samples, n_stimuli)
        How often each stimulus is drawn.
    subject_counts : array of shape (n_samples, n_subjects)
        How often each subject is drawn.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    block_bytes : int
        Memory for one block of pairs.

    Returns
    -------
    array of shape (n_samples, n_models)
        float64; NaN in samples with fewer than 3 distinct stimuli and where an RDM is constant.

    Examples
    --------
    >>> rdm = np.array([[1.0, 2.0, 4.0]])
    >>> stimuli, subjects = np.array([[1, 1, 1], [3, 0, 0]]), np.array([[1], [1]])
    >>> resampled_means(rdm, rdm, stimuli, subjects, method="tau-a").ravel()
    array([ 1., nan])
    """
    if method in LINEAR_METHODS:
        similarity = linear_similarity(
            data, models, stimulus_counts, method=method, block_bytes=block_bytes
        )
        return subject_means(similarity, subject_counts)
    out = np.full((len(stimulus_counts), len(models)), np.nan)
    found = ranking(np.concatenate([data, models]))
    for sample, weights in samples_of(stimulus_counts):
        subjects = subject_counts[sample]
        if method in RANK_METHODS:
            out[sample] = _rank_means(ranked(found, weights), subjects, method)
        else:
            drawn = np.flatnonzero(subjects)
            tau = tau_a(found.below[drawn], found.below[len(data) :], weights=weights)
            out[sample] = subjects[drawn] @ tau / subjects.sum()
    return out


def subject_means(similarity: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Average similarities (n_samples or 1, n_subjects, n_models) over the drawn subjects.

    Subjects that are not drawn do not count, even if their similarity is undefined.

    Examples
    --------
    >>> subject_means(np.array([[[1.0], [np.nan]]]), np.array([[2, 0]]))
    array([[1.]])
    """
    drawn = np.where((subjects > 0)[:, :, None], similarity, 0.0)
    total = np.einsum("bs,bsm->bm", subjects.astype(np.float64), drawn)
    return total / subjects.sum(axis=1, keepdims=True)


def too_few(stimulus_counts: np.ndarray) -> np.ndarray:
    """Say which samples hold fewer than 3 distinct stimuli.

    Examples
    --------
    >>> too_few(np.array([[1, 1, 1], [2, 1, 0]]))
    array([False,  True])
    """
    return (stimulus_counts > 0).sum(axis=1) < FEWEST_STIMULI


def samples_of(stimulus_counts: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number and the pair weights (n_pairs,) of every sample with enough stimuli."""
    rows, columns = pair_indices(stimulus_counts.shape[1])
    for sample in np.flatnonzero(~too_few(stimulus_counts)).tolist():
        counts = stimulus_counts[sample]
        yield sample, counts.take(rows) * counts.take(columns)


def ranked(found: Ranking, weights: np.ndarray) -> RankedRdms:
    """Return the centred ranks of RDMs in a sample, without the pairs of weight 0.

    Examples
    --------
    >>> ranked(ranking(np.array([[0.1, 0.2, 0.3]])), np.array([1, 1, 1])).centred
    array([[-2.,  0.,  2.]])
    """
    kept = np.flatnonzero(weights)
    doubled = doubled_ranks(found, weights, at=kept if len(kept) < len(weights) else None)
    weights = weights.take(kept)
    total = int(weights.sum())
    # The mean of doubled average ranks of N entries is N + 1, whatever the ties.
    centred = np.subtract(doubled, total + 1, dtype=np.float64)
    if found.up_to is None:
        # Only copies of one pair tie, so that the sum of squares has a closed form.
        square = (float(total) ** 3 - float((weights**3).sum())) / 3.0
        squares = np.full(len(doubled), square)
    else:
        squares = np.einsum("ij,ij->i", centred * weights, centred)
    return RankedRdms(doubled, centred, squares, weights)


def _rank_means(sample: RankedRdms, subjects: np.ndarray, method: str) -> np.ndarray:
    """Return the mean similarity of drawn subjects, the first rows, with the models, the rest."""
    n_subjects = len(subjects)
    drawn = np.flatnonzero(subjects)
    shares = subjects[drawn] / subjects.sum()
    own = sample.squares[drawn]
    if method == "spearman":
        shares = shares / np.sqrt(np.where(own > 0, own, np.nan))
    # The mean over subjects is one product with their mean. Products so small are summed here
    # without BLAS, whose threads would wait for one another in every sample.
    target = np.einsum("s,sp->p", shares, sample.centred[drawn]) * sample.weights
    products = np.einsum("mp,p->m", sample.centred[n_subjects:], target)
    squares = sample.squares[n_subjects:]
    if method == "spearman":
        return products / np.sqrt(np.where(squares > 0, squares, np.nan))
    defined = (squares > 0) & (own > 0).all()
    return np.where(defined, products / _largest(int(sample.weights.sum())), np.nan)


def _largest(n_entries: int) -> float:
    """Return the largest sum of products of doubled centred ranks: 4 / 12 of n cubed minus n."""
    return max((float(n_entries) ** 3 - n_entries) / 3.0, 1.0)


def scaled_products(
    products: np.ndarray,
    squares_a: np.ndarray,
    squares_b: np.ndarray,
    *,
    n_entries: int,
    method: str,
) -> np.ndarray:
    """Turn inner products of doubled centred ranks into similarities; constant RDMs give NaN."""
    defined = (squares_a > 0) & (squares_b > 0)
    if method == "rho-a":
        return np.where(defined, products / _largest(n_entries), np.nan)
    scale = np.sqrt(squares_a) * np.sqrt(squares_b)
    return np.where(defined, products / np.where(defined, scale, 1.0), np.nan)


def linear_similarity(
    a: np.ndarray,
    b: np.ndarray,
    stimulus_counts: np.ndarray,
    *,
    method: str,
    block_bytes: int = BLOCK_BYTES,
) -> np.ndarray:
    """Return cosines or Pearson's coefficients of all pairs of RDMs in every sample.

    Weighted sums over pairs of stimuli, of which all else follows, are one matrix product per
    block of pairs.

    Parameters
    ----------
    a, b : arrays of shape (n_a, n_pairs) and (n_b, n_pairs)
        Complete RDM vectors, any unit.
    stimulus_counts : array of shape (n_samples, n_stimuli)
        How often each stimulus is drawn.
    method : {"cosine", "pearson", "whitened-cosine", "whitened-pearson"}
        The comparator.
    block_bytes : int
        Memory for one block of pairs.

    Returns
    -------
    array of shape (n_samples, n_a, n_b)
        float64; NaN in samples with fewer than 3 distinct stimuli and where an RDM is constant.

    Examples
    --------
    >>> rdm = np.array([[1.0, 2.0, 4.0]])
    >>> linear_similarity(rdm, rdm + 1, np.array([[1, 1, 1]]), method="pearson").ravel()
    array([1.])
    """
    a, b = _conditioned(a, method), _conditioned(b, method)
    n_a, n_samples, n_pairs = len(a), len(stimulus_counts), a.shape[1]
    features = n_a * len(b) + 2 * (n_a + len(b)) + 1
    rows, columns = pair_indices(n_stimuli_of(n_pairs))
    counts = np.ascontiguousarray(stimulus_counts.T, dtype=np.float64)
    sums = np.zeros((features, n_samples))
    width = max(64, block_bytes // (8 * (features + 2 * n_samples)))
    for start in range(0, n_pairs, width):
        part = slice(start, start + width)
        weights = counts[rows[part]] * counts[columns[part]]
        sums += _features(a[:, part], b[:, part]) @ weights
    if method in WHITENED_METHODS:
        out = whitened_from_sums(sums.T, a, b, stimulus_counts, method=method)
    else:
        out = _similarity_from_sums(sums.T, n_a, len(b), method)
    out[too_few(stimulus_counts)] = np.nan
    return out


def _conditioned(rdms: np.ndarray, method: str) -> np.ndarray:
    """Scale every RDM to at most 1, centred for Pearson, so that sums of squares keep digits."""
    if method.endswith("pearson"):
        # Rounding of the mean must not make a constant RDM vary.
        constant = (rdms.max(axis=1) == rdms.min(axis=1))[:, None]
        rdms = np.where(constant, 0.0, rdms - rdms.mean(axis=1, keepdims=True))
    largest = np.abs(rdms).max(axis=1, keepdims=True)
    return rdms / np.where(largest > 0, largest, 1.0)


def _features(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Stack what must be summed over pairs: 1, a, b, a squared, b squared and every product."""
    products = (a[:, None, :] * b[None, :, :]).reshape(-1, a.shape[1])
    return np.concatenate([np.ones((1, a.shape[1])), a, b, a * a, b * b, products])


def _similarity_from_sums(sums: np.ndarray, n_a: int, n_b: int, method: str) -> np.ndarray:
    ends = np.cumsum([1, n_a, n_b, n_a, n_b])
    total, mean_a, mean_b, square_a, square_b, products = np.split(sums, ends, axis=1)
    products = products.reshape(-1, n_a, n_b)
    floor_a = floor_b = 0.0
    if method == "pearson":
        total = np.maximum(total, 1.0)
        mean_a, mean_b = mean_a / total, mean_b / total
        floor_a, floor_b = _ROUNDING * square_a, _ROUNDING * square_b
        square_a = square_a - total * mean_a**2
        square_b = square_b - total * mean_b**2
        products = products - total[:, :, None] * mean_a[:, :, None] * mean_b[:, None, :]
    norm_a = np.sqrt(np.where(square_a > floor_a, square_a, np.nan))
    norm_b = np.sqrt(np.where(square_b > floor_b, square_b, np.nan))
    return products / norm_a[:, :, None] / norm_b[:, None, :]
