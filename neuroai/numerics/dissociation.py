"""Specific, or merely hard? Changes of two tasks compared on the logit scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.errors import UsageError


@dataclass(frozen=True)
class Dissociation:
    """How two lesions differ in what they do to two tasks.

    Attributes
    ----------
    interaction : float
        In logits; below 0 where each lesion costs its own task more.
    p : float
        Share of pairs of control lesions whose interaction is as low, in (0, 1].
    crossed : bool
        Whether each lesion costs its own task more than the other task.
    """

    interaction: float
    p: float
    crossed: bool


def logit_of_share(share: np.ndarray | float, *, n: int) -> np.ndarray:
    """Give the logit of a share of n, half a success and half a failure added.

    Parameters
    ----------
    share : array or float
        In [0, 1].
    n : int
        Trials that the share is of, at least 1.

    Returns
    -------
    numpy.ndarray
        Finite also at 0 and 1.

    Examples
    --------
    >>> float(logit_of_share(0.5, n=10)), round(float(logit_of_share(1.0, n=10)), 3)
    (0.0, 3.045)
    """
    if n < 1:
        raise UsageError(f"A share is of one trial or more; got n={n}.")
    hits = np.asarray(share, dtype=float) * n
    return np.log((hits + 0.5) / (n - hits + 0.5))


def specificity_index(change: float, other: float) -> float:
    r"""Say how far a lesion costs one task and not the other.

    .. math:: S = \frac{d_1 - d_2}{|d_1| + |d_2|}, \qquad d = -\Delta

    Parameters
    ----------
    change, other : float
        Changes of the expected and of the other task on one scale; below 0 for a loss.

    Returns
    -------
    float
        In [-1, 1]: 1 where the expected task alone loses, 0 where both lose alike, -1 where the
        other alone loses (or the expected one gains); NaN where neither changes.

    Examples
    --------
    >>> specificity_index(-2.0, 0.0), specificity_index(-1.0, -1.0), specificity_index(-3.0, -1.0)
    (1.0, 0.0, 0.5)
    """
    size = abs(change) + abs(other)
    return float("nan") if size == 0 else (other - change) / size


def percentile_in(null: np.ndarray, value: float) -> float:
    """Give the percentage of a null that lies below a value, ties counting half.

    Examples
    --------
    >>> percentile_in(np.array([1.0, 2.0, 2.0, 3.0]), 2.0)
    50.0
    """
    null = np.asarray(null, dtype=float)
    return float(100 * ((null < value).mean() + (null == value).mean() / 2))


def double_dissociation(
    first: np.ndarray, second: np.ndarray, *, null_first: np.ndarray, null_second: np.ndarray
) -> Dissociation:
    r"""Compare two lesions on two tasks by their interaction.

    .. math:: I = (\Delta_{A1} - \Delta_{A2}) - (\Delta_{B1} - \Delta_{B2})

    A single lesion that costs one task more may only show that the task is harder; the
    interaction of two lesions does not hang on that, on a scale without floor and ceiling.

    Parameters
    ----------
    first, second : array, shape (2,)
        Changes of tasks 1 and 2 (logit or d') under lesion A, of which task 1 is expected to
        suffer, and under lesion B, of which task 2 is.
    null_first, null_second : array, shape (n_controls, 2)
        The same under the control lesions of A and of B, which are paired in order.

    Returns
    -------
    Dissociation

    Raises
    ------
    UsageError
        The shapes do not fit.

    References
    ----------
    Shallice 1988, From Neuropsychology to Mental Structure

    Examples
    --------
    >>> null = np.zeros((99, 2))
    >>> found = double_dissociation([-2.0, 0.0], [0.0, -1.0], null_first=null, null_second=null)
    >>> found.interaction, found.p, found.crossed
    (-3.0, 0.01, True)
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    null_a, null_b = (np.asarray(one, dtype=float) for one in (null_first, null_second))
    fits = a.shape == b.shape == (2,) and null_a.shape == null_b.shape
    if not fits or null_a.shape[1:] != (2,):
        raise UsageError(
            "Two changes for each lesion and as many controls of both, shape (n, 2), are wanted; "
            f"got {a.shape}, {b.shape}, {null_a.shape} and {null_b.shape}."
        )
    interaction = (a[0] - a[1]) - (b[0] - b[1])
    null = (null_a[:, 0] - null_a[:, 1]) - (null_b[:, 0] - null_b[:, 1])
    p = (1 + int((null <= interaction).sum())) / (1 + len(null))
    return Dissociation(float(interaction), p, bool(a[0] < a[1] and b[1] < b[0]))
