"""Mutual information between a label and a response, with its sampling bias taken away."""

from __future__ import annotations

import functools

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError

CORRECTIONS = ("none", "miller-madow", "panzeri-treves")


def mutual_information(
    codes: np.ndarray,
    values: np.ndarray,
    *,
    n_bins: int = 4,
    correction: str = "panzeri-treves",
) -> np.ndarray:
    r"""Information that each unit's response carries about a label, in bits.

    Responses are cut into bins of about equal numbers over all rows; equal responses share a bin.

    .. math:: I = \sum_{s,r} p(s, r) \log_2 \frac{p(s, r)}{p(s)\,p(r)}
              - \frac{\sum_s (R_s - 1) - (R - 1)}{2 N \ln 2}

    where R counts the bins that occur, and R_s those that can occur under label s: the ones that
    did (``miller-madow``), or a Bayesian guess that counts bins missed by chance
    (``panzeri-treves``). The bias of the plain estimate grows with labels and bins and falls with
    rows.

    Parameters
    ----------
    codes : array of int, shape (n_rows,)
        Label of each row, from 0.
    values : array, shape (n_rows, n_units)
        Finite responses, in any unit.
    n_bins : int
        Bins of the response, at least 2.
    correction : {"none", "miller-madow", "panzeri-treves"}
        How the bias is taken away. A corrected value may lie a little below 0.

    Returns
    -------
    array, shape (n_units,)
        Bits; 0 for a unit that never varies, which carries none.

    Raises
    ------
    UsageError
        An unknown correction, fewer than two bins, or shapes that do not fit.
    DataError
        A response is not finite.

    References
    ----------
    Panzeri & Treves 1996, doi:10.1088/0954-898X_7_1_006; Miller 1955.

    Examples
    --------
    A response that tells two equally frequent labels apart without fail carries one bit.

    >>> codes = np.array([0, 0, 1, 1])
    >>> values = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> mutual_information(codes, values, n_bins=2, correction="none").tolist()
    [1.0]
    """
    one_of(correction, CORRECTIONS, option="correction")
    codes, values = np.asarray(codes), np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or codes.shape != values.shape[:1] or codes.dtype.kind not in "iu":
        raise UsageError(
            "mutual_information needs whole codes (n_rows,) and values (n_rows, n_units); got "
            f"{codes.dtype} {codes.shape} and {values.shape}."
        )
    if n_bins < 2:
        raise UsageError(f"n_bins must be 2 or more; got {n_bins}.")
    if not np.isfinite(values).all():
        raise DataError("A response is not finite. Drop the units or showings concerned.")
    labels = np.unique(codes, return_inverse=True)[1]
    found = [_bits(labels, _binned(unit, n_bins), n_bins, correction) for unit in values.T]
    return np.array(found)


def _binned(values: np.ndarray, n_bins: int) -> np.ndarray:
    edges = np.quantile(values, np.arange(1, n_bins) / n_bins, method="inverted_cdf")
    return np.searchsorted(np.unique(edges), values, side="left")


def _bits(labels: np.ndarray, bins: np.ndarray, n_bins: int, correction: str) -> float:
    counts = np.zeros((labels.max() + 1, n_bins))
    np.add.at(counts, (labels, bins), 1)
    joint = counts / counts.sum()
    by_chance = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    some = joint > 0
    plain = float((joint[some] * np.log2(joint[some] / by_chance[some])).sum())
    return plain - _bias(counts, correction)


def _bias(counts: np.ndarray, correction: str) -> float:
    if correction == "none":
        return 0.0
    total = counts.sum(axis=0)
    occurring = int((total > 0).sum())
    if correction == "miller-madow":
        possible = [int((row > 0).sum()) for row in counts]
    else:
        # Bins that never occur at all are none that a label could have missed by chance.
        rows = [np.sort(row[total > 0]).astype(int) for row in counts]
        possible = [_possible_bins(tuple(row.tolist())) for row in rows]
    extra = sum(r - 1 for r in possible) - (occurring - 1)
    return extra / (2 * counts.sum() * np.log(2))


@functools.lru_cache(maxsize=4096)
def _possible_bins(counts: tuple[int, ...]) -> int:
    """Guess how many bins can occur, so that as many would be seen as were (Panzeri & Treves)."""
    seen = np.array([count for count in counts if count], dtype=float)
    n, occupied = seen.sum(), len(seen)
    best, nearest = occupied, abs(occupied - _expected(seen / n, n).sum())
    for more in range(1, len(counts) - occupied + 1):
        # The share of all unseen bins together, under a flat prior over the seen ones.
        unseen = more * (1 - (n / (n + occupied)) ** (1 / n))
        shares = (1 - unseen) * (seen + 1) / (n + occupied)
        expected = _expected(shares, n).sum() + more * _expected(np.array([unseen / more]), n)[0]
        if abs(occupied - expected) >= nearest:
            break
        best, nearest = occupied + more, abs(occupied - expected)
    return best


def _expected(shares: np.ndarray, n: float) -> np.ndarray:
    """Give the probability that a bin occurs at least once in n draws."""
    return 1 - (1 - shares) ** n
