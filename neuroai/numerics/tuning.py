"""Tuning curves of many units, and what half of the data chose tested on the other half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.errors import UsageError
from neuroai.numerics.selectivity import d_prime_units


@dataclass(frozen=True)
class HeldOutTuning:
    """What units prefer, chosen on one half of the rows and tested on the other.

    Attributes
    ----------
    preferred : array of int, shape (n_units,)
        Label with the largest mean on half A; -1 where it is not defined.
    d_prime : array, shape (n_units,)
        On half B: the preferred label against all others, in SD; NaN where not defined.
    d_prime_chosen : array, shape (n_units,)
        The same on half A, which chose it: inflated, kept only to show by how much.
    reliability : array, shape (n_units,)
        Correlation of the two halves' tuning curves, in [-1, 1]; NaN with fewer than three labels
        or a flat curve.
    """

    preferred: np.ndarray
    d_prime: np.ndarray
    d_prime_chosen: np.ndarray
    reliability: np.ndarray


def tuning_curves(values: np.ndarray, codes: np.ndarray, *, n_labels: int) -> np.ndarray:
    r"""Mean response of every unit to every label.

    .. math:: c_{ku} = \frac{1}{n_k} \sum_{i: s(i) = k} x_{iu}

    Parameters
    ----------
    values : array, shape (n_rows, n_units)
        Responses, in any unit.
    codes : array of int, shape (n_rows,)
        Label of each row, from 0 to n_labels - 1.
    n_labels : int
        How many labels there are.

    Returns
    -------
    array, shape (n_labels, n_units)
        NaN for a label without rows: it was not measured, which is not 0.

    Raises
    ------
    UsageError
        Shapes that do not fit, or codes out of range.

    Examples
    --------
    >>> tuning_curves(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1]), n_labels=3).tolist()
    [[2.0], [5.0], [nan]]
    """
    values, codes = np.asarray(values, dtype=np.float64), np.asarray(codes)
    if values.ndim != 2 or codes.shape != values.shape[:1] or codes.dtype.kind not in "iu":
        raise UsageError(
            "tuning_curves needs values (n_rows, n_units) and whole codes (n_rows,); got "
            f"{values.shape} and {codes.dtype} {codes.shape}."
        )
    if len(codes) and not (0 <= codes.min() and codes.max() < n_labels):
        raise UsageError(f"Codes must lie from 0 to {n_labels - 1}; got up to {codes.max()}.")
    curves = np.full((n_labels, values.shape[1]), np.nan)
    for code in np.unique(codes):
        curves[code] = values[codes == code].mean(axis=0)
    return curves


def explained_variance(values: np.ndarray, codes: np.ndarray, *, n_labels: int) -> np.ndarray:
    r"""Share of a unit's variance between labels, without the share that chance gives.

    .. math:: \omega^2 = \frac{SS_b - (k - 1) MS_w}{SS_t + MS_w}

    Returns
    -------
    array, shape (n_units,)
        At most 1; around 0, also below, for units that do not tell labels apart. NaN for units
        that never vary, or where no label has two rows.

    References
    ----------
    Hays 1963, Statistics for Psychologists.

    Examples
    --------
    >>> codes = np.array([0, 0, 1, 1])
    >>> explained_variance(np.array([[0.0], [0.0], [1.0], [1.0]]), codes, n_labels=2).tolist()
    [1.0]
    """
    values, codes = np.asarray(values, dtype=np.float64), np.asarray(codes)
    curves = tuning_curves(values, codes, n_labels=n_labels)
    occurring = len(np.unique(codes))
    within = ((values - curves[codes]) ** 2).sum(axis=0)
    total = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    varies = ~(values == values[:1]).all(axis=0)
    dof = len(values) - occurring
    if dof < 1 or occurring < 2:
        return np.full(values.shape[1], np.nan)
    error = within / dof
    top = total - within - (occurring - 1) * error
    nothing = np.full(values.shape[1], np.nan)
    return np.divide(top, total + error, out=nothing, where=varies)


def held_out_tuning(
    values: np.ndarray, codes: np.ndarray, chooses: np.ndarray, *, n_labels: int
) -> HeldOutTuning:
    """Choose every unit's preferred label on half A, and measure its d' on half B.

    The best of k labels on the data that chose it looks selective even in noise; the d' of half B
    does not.

    Parameters
    ----------
    values : array, shape (n_rows, n_units)
        Responses.
    codes : array of int, shape (n_rows,)
        Label of each row, from 0.
    chooses : array of bool, shape (n_rows,)
        True for the rows of half A.
    n_labels : int
        How many labels there are.

    Returns
    -------
    HeldOutTuning

    Examples
    --------
    >>> x = np.array([[0.0], [1], [0], [2], [4], [5], [5], [7]])
    >>> codes, half = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.arange(8) % 2 == 0
    >>> found = held_out_tuning(x, codes, half, n_labels=2)
    >>> int(found.preferred[0]), round(float(found.d_prime[0]), 3)
    (1, 4.025)
    """
    values, codes = np.asarray(values, dtype=np.float64), np.asarray(codes)
    chooses = np.asarray(chooses, dtype=bool)
    a, b = (
        tuning_curves(values[half], codes[half], n_labels=n_labels) for half in (chooses, ~chooses)
    )
    known = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
    preferred = np.full(values.shape[1], -1)
    d_prime, inflated = np.full((2, values.shape[1]), np.nan)
    if known.any():
        places = np.flatnonzero(known)
        varies = ~(a[known] == a[known][:1]).all(axis=0)
        preferred[varies] = places[a[known].argmax(axis=0)][varies]
    for label in np.unique(preferred[preferred >= 0]):
        mine = preferred == label
        for half, out in ((~chooses, d_prime), (chooses, inflated)):
            out[mine] = d_prime_units(values[half][:, mine], codes[half] == label)
    return HeldOutTuning(preferred, d_prime, inflated, _correlation(a[known], b[known]))


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if len(a) < 3:
        return np.full(a.shape[1], np.nan)
    flat = (a == a[:1]).all(axis=0) | (b == b[:1]).all(axis=0)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    r = np.divide((a * b).sum(axis=0), size, out=np.full(a.shape[1], np.nan), where=size > 0)
    return np.where(flat, np.nan, r)
