"""Transitions between labelled behaviours: how often one follows another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.errors import DataError, UsageError
from neuroai.numerics.confusion import option_codes

_SAME = 1e-12


def transition_counts(
    labels: Sequence[str], sequence: Sequence[str], *, options: Sequence[str]
) -> np.ndarray:
    """Count how often each behaviour followed each, within sequences.

    Parameters
    ----------
    labels : sequence of str, length n_events
        Behaviour of every event, in order; ``''`` breaks the sequence.
    sequence : sequence of str, length n_events
        What runs without a break.
    options : sequence of str, length n_options
        Behaviours, in the order of rows and columns.

    Returns
    -------
    array, shape (n_sequences, n_options, n_options)
        Row: before; column: after. Sequences in order of first occurrence.

    Raises
    ------
    UnknownName
        A behaviour is not among the options.
    DataError
        The lengths differ.

    Examples
    --------
    >>> transition_counts(["rear", "run", "rear"], ["s", "s", "s"], options=["rear", "run"])[0]
    array([[0., 1.],
           [1., 0.]])
    """
    if len(labels) != len(sequence):
        raise DataError(f"{len(labels)} events but {len(sequence)} sequences: give one an event.")
    codes, k = option_codes(labels, options=options), len(options)
    names = {name: place for place, name in enumerate(dict.fromkeys(sequence))}
    which = np.array([names[name] for name in sequence], dtype=np.int64)
    counts = np.zeros((len(names), k, k))
    linked = (which[1:] == which[:-1]) & (codes[1:] >= 0) & (codes[:-1] >= 0)
    np.add.at(counts, (which[1:][linked], codes[:-1][linked], codes[1:][linked]), 1)
    return counts


def transition_divergence(a: np.ndarray, b: np.ndarray) -> float:
    r"""Compare what follows each behaviour in two systems: 0 for the same, 1 for never the same.

    .. math:: D = \sum_i u_i\, \mathrm{JS}_2(P^a_{i \cdot}, P^b_{i \cdot}), \qquad
              u_i = \tfrac12 (u^a_i + u^b_i)

    with the Jensen-Shannon divergence in bits of the rows of the transition matrices, weighted by
    how often each behaviour occurs. Behaviours that either never showed before another are left
    out, and the weights of the rest add up to 1.

    Parameters
    ----------
    a, b : array, shape (n_options, n_options)
        Counts; row: before; column: after.

    Returns
    -------
    float
        In [0, 1] bits; NaN where no behaviour is left.

    Raises
    ------
    DataError
        The shapes do not match or a count is negative.

    References
    ----------
    Lin 1991, doi:10.1109/18.61115.

    Examples
    --------
    >>> always = np.array([[0.0, 5], [5, 0]])
    >>> transition_divergence(always, always), transition_divergence(always, always[::-1])
    (0.0, 1.0)
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape or a.ndim != 2 or a.shape[0] != a.shape[1] or min(a.min(), b.min()) < 0:
        raise DataError(
            f"Transitions are compared as counts (n, n) of the same behaviours; got {a.shape} and "
            f"{b.shape}."
        )
    rows = (a.sum(axis=1) > 0) & (b.sum(axis=1) > 0)
    if not rows.any():
        return float("nan")
    a, b = a[rows], b[rows]
    usage = (a.sum(axis=1) / a.sum() + b.sum(axis=1) / b.sum()) / 2
    p, q = (m / m.sum(axis=1, keepdims=True) for m in (a, b))
    return float(usage @ (_entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2)) + 0.0


def transition_test(
    a: np.ndarray, b: np.ndarray, *, n_permutations: int = 999, seed: int = 0
) -> tuple[float, float, np.ndarray]:
    """Test whether two systems differ in what follows what, with whole sequences permuted.

    Parameters
    ----------
    a, b : array, shape (n_sequences, n_options, n_options)
        Counts of each sequence (a session of a subject), which are taken to be independent.
    n_permutations : int
        At least 1.
    seed : int
        Seed of the permutations.

    Returns
    -------
    value : float
        :func:`transition_divergence` of the sums.
    p : float
        Share of relabellings of the sequences, the actual one among them, that differ as much.
    null : array, shape (n_permutations,)
        Divergences under relabelling: what sampling alone gives.

    Raises
    ------
    UsageError
        `n_permutations` is below 1, or there are fewer than two sequences a side.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.poisson(5, (2, 6, 3, 3))
    >>> value, p, _ = transition_test(a, b, n_permutations=99)
    >>> bool(value < 0.1 and p > 0.05)
    True
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if n_permutations < 1 or min(len(a), len(b)) < 2:
        raise UsageError(
            "A permutation of sequences needs at least two on each side, and one permutation; got "
            f"{len(a)}, {len(b)} and {n_permutations}."
        )
    value = transition_divergence(a.sum(axis=0), b.sum(axis=0))
    both, rng = np.concatenate([a, b]), np.random.default_rng(seed)
    null = np.empty(n_permutations)
    for i in range(n_permutations):
        order = rng.permutation(len(both))
        null[i] = transition_divergence(
            both[order[: len(a)]].sum(axis=0), both[order[len(a) :]].sum(axis=0)
        )
    if np.isnan(value):
        return value, float("nan"), null
    reached = np.count_nonzero(np.nan_to_num(null, nan=np.inf) >= value - _SAME)
    return value, (1 + reached) / (1 + n_permutations), null


def _entropy(p: np.ndarray) -> np.ndarray:
    return -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=1)
