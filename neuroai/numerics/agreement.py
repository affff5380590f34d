"""Agreement of two observers beyond what their accuracies explain."""

from __future__ import annotations

import numpy as np

from neuroai.errors import DataError

# 1 - c_exp of two observers who are not both perfect (or both always wrong) is at least of the
# order 1 / n_stimuli; anything below is rounding of zero.
_NO_ROOM = 1e-12


def cohen_kappa(
    correct_a: np.ndarray, correct_b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    r"""Error consistency: Cohen's kappa of being right on the same stimuli.

    .. math:: \kappa = \frac{c_{obs} - c_{exp}}{1 - c_{exp}}, \quad
              c_{exp} = p_a p_b + (1 - p_a)(1 - p_b)

    The sign is kept: two independent observers score 0 on average. Where both observers are
    always right, or both always wrong, nothing is left to agree on beyond chance and kappa is
    undefined (NaN), not 1. Missing entries are left out pair by pair of observers.

    Parameters
    ----------
    correct_a : array, shape (n_a, n_stimuli)
        1 where the observer was right, 0 where wrong, NaN where missing.
    correct_b : array, shape (n_b, n_stimuli)
        The same for the other observers, stimuli in the same order.
    weights : array, shape (n_resamples, n_stimuli), optional
        How often each stimulus counts, at least 0; such as the counts of a bootstrap.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        Kappa in [-1, 1]; NaN where undefined.

    Raises
    ------
    DataError
        The shapes do not match, or an entry is not 0, 1 or NaN.

    References
    ----------
    Cohen 1960, doi:10.1177/001316446002000104. Geirhos, Meding & Wichmann 2020,
    doi:10.48550/arXiv.2006.16736.

    Examples
    --------
    Both are right on half of the stimuli and agree on three of four: (3/4 - 1/2) / (1 - 1/2).

    >>> cohen_kappa([[1, 1, 0, 0], [1, 1, 1, 1]], [[1, 1, 0, 0]])
    array([[1.],
           [0.]])
    >>> float(cohen_kappa([[1, 1, 0, 0, 1, 1, 0, 0]], [[1, 0, 0, 0, 1, 1, 1, 0]])[0, 0])
    0.5
    """
    a, b = np.atleast_2d(_logical(correct_a)), np.atleast_2d(_logical(correct_b))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise DataError(
            f"cohen_kappa needs (n_a, n_stimuli) and (n_b, n_stimuli); got {a.shape} and "
            f"{b.shape}. Restrict both sides to the same stimuli."
        )
    if weights is None:
        return kappa_of_counts(*_counts(a, b, np.ones((1, a.shape[1]))))[0]
    return kappa_of_counts(*_counts(a, b, stimulus_weights(weights, n_stimuli=a.shape[1])))


def kappa_bounds(p_a: np.ndarray, p_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Lowest and highest kappa that two accuracies allow.

    .. math:: c_{obs} \in [\,|p_a + p_b - 1|,\; 1 - |p_a - p_b|\,]

    Parameters
    ----------
    p_a, p_b : array
        Accuracies in [0, 1], of shapes that broadcast.

    Returns
    -------
    low, high : array
        Bounds of kappa; NaN where kappa is undefined.

    References
    ----------
    Geirhos, Meding & Wichmann 2020, doi:10.48550/arXiv.2006.16736.

    Examples
    --------
    >>> low, high = kappa_bounds(0.5, 0.5)
    >>> float(low), float(high)
    (-1.0, 1.0)
    >>> low, high = kappa_bounds(0.5, 1.0)
    >>> float(low), float(high)
    (0.0, 0.0)
    """
    p_a, p_b = np.asarray(p_a, dtype=float), np.asarray(p_b, dtype=float)
    return (
        _beyond_chance(np.abs(p_a + p_b - 1), p_a, p_b),
        _beyond_chance(1 - np.abs(p_a - p_b), p_a, p_b),
    )


def mean_difference(
    a: np.ndarray, b: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    """Mean over stimuli of every row of b minus that of every row of a.

    Parameters
    ----------
    a : array, shape (n_a, n_stimuli)
        Values, in any unit; NaN is left out of the mean of its row.
    b : array, shape (n_b, n_stimuli)
        The same for the other observers.
    weights : array, shape (n_resamples, n_stimuli), optional
        How often each stimulus counts.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        In the unit of the values; NaN where a row has no value.

    Raises
    ------
    DataError
        The shapes do not match.

    Examples
    --------
    >>> mean_difference([[1, 0]], [[1, 1], [0, np.nan]])
    array([[ 0.5, -0.5]])
    """
    a = np.atleast_2d(np.asarray(a, dtype=float))
    b = np.atleast_2d(np.asarray(b, dtype=float))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise DataError(
            f"Means are compared of (n_a, n_stimuli) and (n_b, n_stimuli); got {a.shape} and "
            f"{b.shape}. Restrict both sides to the same stimuli."
        )
    counts = np.ones((1, a.shape[1]))
    if weights is not None:
        counts = stimulus_weights(weights, n_stimuli=a.shape[1])
    result = _weighted_means(b, counts)[:, None, :] - _weighted_means(a, counts)[:, :, None]
    return result[0] if weights is None else result


def _weighted_means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Means (n_resamples, n_rows) of what is defined."""
    total = weights @ (~np.isnan(values)).T.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ np.nan_to_num(values).T) / total


def stimulus_weights(weights: np.ndarray, *, n_stimuli: int) -> np.ndarray:
    """Check the weights of resamples: shape (n_resamples, n_stimuli), finite and at least 0.

    Raises
    ------
    DataError
        The shape is another, or a weight is negative or not finite.

    Examples
    --------
    >>> stimulus_weights([[2, 0]], n_stimuli=2)
    array([[2., 0.]])
    """
    weights = np.asarray(weights, dtype=float)
    if weights.ndim != 2 or weights.shape[1] != n_stimuli:
        raise DataError(
            f"weights must have shape (n_resamples, {n_stimuli}), one column a stimulus; "
            f"got {weights.shape}."
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError("weights count stimuli: each must be finite and at least 0.")
    return weights


def _logical(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    strange = values[~(np.isnan(values) | (values == 0) | (values == 1))]
    if strange.size:
        raise DataError(
            f"cohen_kappa compares single answers: 1 right, 0 wrong, NaN missing; got "
            f"{strange[0]:g} among the entries. Keep one trial for each stimulus."
        )
    return values


def _counts(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weighted counts (n_resamples, n_a, n_b): complete, a right, b right, both right."""
    in_a, in_b = (~np.isnan(a)).astype(float), (~np.isnan(b)).astype(float)
    a, b = np.nan_to_num(a), np.nan_to_num(b)
    pairs = ((in_a, in_b), (a, in_b), (in_a, b), (a, b))
    return tuple(_weighted_products(left, right, weights) for left, right in pairs)


def _weighted_products(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    # One row of `left` at a time keeps the products at (n_b, n_stimuli).
    rows = [weights @ (row * right).T for row in left]
    return np.stack(rows, axis=1) if rows else np.empty((len(weights), 0, len(right)))


def kappa_of_counts(n: np.ndarray, a: np.ndarray, b: np.ndarray, both: np.ndarray) -> np.ndarray:
    """Cohen's kappa from how many stimuli were met, and were right to one, the other, and both.

    Parameters
    ----------
    n, a, b, both : array
        Stimuli that both observers met; of these, right to the first, the second, and to both.

    Returns
    -------
    array
        Kappa in [-1, 1]; NaN where undefined.

    Examples
    --------
    >>> float(kappa_of_counts(8, 4, 4, 3))
    0.5
    """
    n, a, b, both = (np.asarray(values, dtype=float) for values in (n, a, b, both))
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed, p_a, p_b = (n - a - b + 2 * both) / n, a / n, b / n
    return _beyond_chance(agreed, p_a, p_b)


def _beyond_chance(agreed: np.ndarray, p_a: np.ndarray, p_b: np.ndarray) -> np.ndarray:
    expected = p_a * p_b + (1 - p_a) * (1 - p_b)
    room = 1 - expected
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(room > _NO_ROOM, (agreed - expected) / room, np.nan)
