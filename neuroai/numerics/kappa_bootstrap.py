"""Bootstrap of error consistency: many samples at the cost of the patterns of answers."""

from __future__ import annotations

import numpy as np

from neuroai.errors import DataError, UsageError
from neuroai.numerics.agreement import kappa_of_counts


def bootstrap_kappa(
    correct_a: np.ndarray,
    correct_b: np.ndarray | None = None,
    *,
    n_samples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    r"""Draw stimuli with replacement and give the kappa of every pair of observers each time.

    Stimuli that all observers answered alike are exchangeable: how often each *pattern* of answers
    is drawn follows a multinomial law of the patterns' shares, so that the samples have exactly the
    law of stimuli drawn one by one,

    .. math:: (w_1, \dots, w_P) \sim \mathrm{Multinomial}(n;\ n_1 / n, \dots, n_P / n)

    Parameters
    ----------
    correct_a : array, shape (n_a, n_stimuli)
        1 where the observer was right, 0 where wrong, NaN where missing.
    correct_b : array, shape (n_b, n_stimuli), optional
        The same for other observers, stimuli in the same order. Without them the observers of the
        first group are compared with each other.
    n_samples : int
        Number of samples, at least 1.
    rng : numpy.random.Generator
        Where the draws come from.

    Returns
    -------
    array, shape (n_samples, n_a * n_b) or (n_samples, n_a * (n_a - 1) / 2)
        Kappa in [-1, 1]; NaN where undefined in the sample. The pairs are in the order of
        ``cohen_kappa(a, b).ravel()``, or of ``numpy.triu_indices(n_a, 1)``; the stimuli of a
        sample are the same for every pair.

    Raises
    ------
    DataError
        The shapes do not match, an entry is not 0, 1 or NaN, or there is no stimulus.
    UsageError
        `n_samples` is below 1.

    References
    ----------
    Efron & Tibshirani 1993, An Introduction to the Bootstrap; Geirhos, Meding & Wichmann 2020,
    doi:10.48550/arXiv.2006.16736.

    Examples
    --------
    Two observers of whom one is the other's copy agree in full in every sample with an error.

    >>> a = np.array([[1, 1, 0, 0, 1, 0]])
    >>> bootstrap_kappa(a, a, n_samples=3, rng=np.random.default_rng(0))[:, 0]
    array([1., 1., 1.])
    """
    a = np.atleast_2d(np.asarray(correct_a, dtype=float))
    b = a if correct_b is None else np.atleast_2d(np.asarray(correct_b, dtype=float))
    if n_samples < 1:
        raise UsageError(f"n_samples must be at least 1; got {n_samples}.")
    if a.shape[1] != b.shape[1] or not a.shape[1]:
        raise DataError(
            f"bootstrap_kappa needs (n_a, n_stimuli) and (n_b, n_stimuli) of at least one "
            f"stimulus; got {a.shape} and {b.shape}. Restrict both sides to the same stimuli."
        )
    n_stimuli = a.shape[1]
    first, counts = _patterns(a if correct_b is None else np.concatenate([a, b]))
    drawn = rng.multinomial(n_stimuli, counts / n_stimuli, size=n_samples).astype(float)
    if correct_b is None:
        rows, columns = np.triu_indices(len(a), 1)
    else:
        rows, columns = (axis.ravel() for axis in np.indices((len(a), len(b))))
    return _of_pairs(drawn, a[:, first], b[:, first], rows, columns)


def _patterns(answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give a column of every distinct pattern and how many columns have it, frequent ones first."""
    strange = ~(np.isnan(answers) | (answers == 0) | (answers == 1))
    if strange.any():
        raise DataError(
            "bootstrap_kappa compares single answers: 1 right, 0 wrong, NaN missing; got "
            f"{answers[strange][0]:g} among the entries. Keep one trial for each stimulus."
        )
    codes = np.where(np.isnan(answers), 2, answers).astype(np.uint8).T.copy()
    _, first, counts = np.unique(codes, axis=0, return_index=True, return_counts=True)
    # Fewer draws are left for the rare patterns, which makes drawing them quicker.
    order = np.argsort(-counts, kind="stable")
    return first[order], counts[order]


def _of_pairs(
    drawn: np.ndarray, a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Kappa of pairs of observers under weights (n_samples, n_patterns)."""
    in_a, in_b = ~np.isnan(a), ~np.isnan(b)
    a, b = np.nan_to_num(a), np.nan_to_num(b)
    both = drawn @ (a[rows] * b[columns]).T
    if in_a.all() and in_b.all():
        n = drawn.sum(axis=1, keepdims=True)
        return kappa_of_counts(n, (drawn @ a.T)[:, rows], (drawn @ b.T)[:, columns], both)
    complete = drawn @ (in_a[rows] & in_b[columns]).T.astype(float)
    right_a = drawn @ (a[rows] * in_b[columns]).T
    right_b = drawn @ (in_a[rows] * b[columns]).T
    return kappa_of_counts(complete, right_a, right_b, both)
