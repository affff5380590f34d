"""How choosy units are: d' between groups, sparseness over stimuli or units, circular tuning."""

from __future__ import annotations

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import DataError, UsageError

SPARSENESS = ("treves-rolls", "vinje-gallant")


def d_prime_units(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    r"""Distance of two groups of responses in units of their pooled SD, unit by unit.

    .. math:: d' = \frac{\bar x_1 - \bar x_0}{\sqrt{(s_1^2 + s_0^2) / 2}}

    Parameters
    ----------
    values : array, shape (n_rows, n_units)
        Responses, in any unit.
    group : bool array, shape (n_rows,)
        True for the positive group.

    Returns
    -------
    array, shape (n_units,)
        In SD, unbounded; NaN where a group has fewer than two rows or neither varies.

    Raises
    ------
    DataError
        The shapes do not match.

    References
    ----------
    Afraz, Boyden & DiCarlo 2015, doi:10.1073/pnas.1423328112

    Examples
    --------
    Means 4 and 1, both variances 2: 3 / sqrt(2).

    >>> group = np.array([True, True, False, False])
    >>> d_prime_units(np.array([[5.0], [3.0], [2.0], [0.0]]), group).round(4).tolist()
    [2.1213]
    """
    values, group = np.asarray(values, dtype=np.float64), np.asarray(group)
    if values.ndim != 2 or group.shape != values.shape[:1] or group.dtype != bool:
        raise DataError(
            "d_prime_units needs values (n_rows, n_units) and a boolean group (n_rows,); got "
            f"{values.shape} and {group.dtype} {group.shape}."
        )
    positive, negative = values[group], values[~group]
    if min(len(positive), len(negative)) < 2:
        return np.full(values.shape[1], np.nan)
    pooled = (_variance(positive) + _variance(negative)) / 2
    gap = positive.mean(axis=0) - negative.mean(axis=0)
    nothing = np.full(values.shape[1], np.nan)
    return np.divide(gap, np.sqrt(pooled), out=nothing, where=pooled > 0)


def _variance(values: np.ndarray) -> np.ndarray:
    # Rounding of the mean would give a constant unit a tiny variance and so a huge d'.
    return np.where((values == values[0]).all(axis=0), 0.0, values.var(axis=0, ddof=1))


def sparseness(responses: np.ndarray, *, method: str = "vinje-gallant") -> np.ndarray:
    r"""Sparseness of each row: of one unit over stimuli, or of one stimulus over units.

    ``treves-rolls`` is the activity ratio a, which falls as responses become sparser, from 1 (all
    equal) to 1 / n (one alone); ``vinje-gallant`` is S, which rises from 0 to 1. Both were called
    sparseness.

    .. math:: a = \frac{(\sum_i r_i / n)^2}{\sum_i r_i^2 / n}, \qquad
              S = \frac{1 - a}{1 - 1 / n}

    Parameters
    ----------
    responses : array, shape (n_rows, n)
        Responses of at least 0, n at least 2. Rows are units (lifetime sparseness) or stimuli
        (population sparseness).
    method : {"treves-rolls", "vinje-gallant"}
        Which of the two definitions.

    Returns
    -------
    array, shape (n_rows,)
        a in [1 / n, 1] or S in [0, 1]; NaN for a row without any response.

    Raises
    ------
    UsageError
        An unknown method or a shape that does not fit.
    DataError
        A response is negative or not finite: neither definition holds then.

    References
    ----------
    Treves & Rolls 1991, doi:10.1088/0954-898X_2_4_004; Vinje & Gallant 2000,
    doi:10.1126/science.287.5456.1273

    Examples
    --------
    >>> sparseness(np.array([[1.0, 1.0], [2.0, 0.0]])).tolist()
    [0.0, 1.0]
    >>> sparseness(np.array([[1.0, 1.0], [2.0, 0.0]]), method="treves-rolls").tolist()
    [1.0, 0.5]
    """
    one_of(method, SPARSENESS, option="method")
    r = np.asarray(responses, dtype=np.float64)
    if r.ndim != 2 or r.shape[1] < 2:
        raise UsageError(f"responses must be (n_rows, n), n at least 2; got {r.shape}.")
    if not (r >= 0).all() or not np.isfinite(r).all():
        raise DataError(
            f"{int((~(r >= 0) | ~np.isfinite(r)).sum())} responses are negative or not finite; "
            "sparseness is defined for rates from 0. Rectify them first, and say so."
        )
    # Scaled by the largest, so that no square overflows.
    largest = r.max(axis=1, keepdims=True)
    r = np.divide(r, largest, out=np.zeros_like(r), where=largest > 0)
    power = (r**2).mean(axis=1)
    ratio = np.divide(
        r.mean(axis=1) ** 2, power, out=np.full(len(r), np.nan), where=largest[:, 0] > 0
    )
    ratio = np.minimum(ratio, 1)
    return ratio if method == "treves-rolls" else (1 - ratio) / (1 - 1 / r.shape[1])


def circular_selectivity(
    curves: np.ndarray, angles: np.ndarray, *, period: float = 180.0
) -> tuple[np.ndarray, np.ndarray]:
    r"""Vector strength of tuning to an angle, and the preferred angle.

    .. math:: z = \frac{\sum_k r_k e^{2 \pi i \theta_k / T}}{\sum_k r_k}

    Parameters
    ----------
    curves : array, shape (n_angles, n_units)
        Mean responses of at least 0.
    angles : array, shape (n_angles,)
        Degrees, evenly spread over the period.
    period : float
        180 for orientation, 360 for direction.

    Returns
    -------
    selectivity : array, shape (n_units,)
        The length of z in [0, 1]; NaN without any response.
    preferred : array, shape (n_units,)
        Its angle in [0, period); NaN where the selectivity is NaN or 0.

    Raises
    ------
    DataError
        A response is negative or not finite.

    References
    ----------
    Ringach, Shapley & Hawken 2002, doi:10.1523/JNEUROSCI.22-13-05639.2002

    Examples
    --------
    >>> strength, angle = circular_selectivity(np.array([[2.0], [0.0]]), np.array([0.0, 90.0]))
    >>> strength.tolist(), angle.tolist()
    ([1.0], [0.0])
    """
    r = np.asarray(curves, dtype=np.float64)
    if not (np.isfinite(r).all() and (r >= 0).all()):
        raise DataError("Tuning to an angle needs finite mean responses of at least 0.")
    turn = np.exp(2j * np.pi * np.asarray(angles, dtype=np.float64) / period)
    total = r.sum(axis=0)
    z = np.divide(turn @ r, total, out=np.full(r.shape[1], np.nan + 0j), where=total > 0)
    strength = np.minimum(np.abs(z), 1)
    angle = np.angle(z) / (2 * np.pi) * period % period
    return strength, np.where(strength > np.finfo(float).eps * len(r), angle, np.nan)
