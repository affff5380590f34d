"""Psychometric functions: sigmoids between a guess rate and one minus a lapse rate."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, ndtr, ndtri

from neuroai.checks import one_of
from neuroai.errors import DataError

SIGMOIDS = ("norm", "logistic", "gumbel", "rgumbel", "weibull")
# The width runs from this value of the unscaled sigmoid to one minus it.
ALPHA = 0.05

_NORM = ndtri(1 - ALPHA) - ndtri(ALPHA)
_LOGISTIC = 2 * np.log(1 / ALPHA - 1)
_GUMBEL = np.log(-np.log(ALPHA)) - np.log(-np.log(1 - ALPHA))
_MIDDLE = np.log(-np.log(0.5))
# Beyond it exp() overflows while the sigmoid has long been 0 or 1.
_LARGEST = 500.0


def sigmoid_levels(levels: np.ndarray, *, sigmoid: str) -> np.ndarray:
    """Give the levels on the axis of a sigmoid: their logarithm for ``weibull``, else themselves.

    Raises
    ------
    DataError
        A level of a ``weibull`` is not positive, or a level is not finite.

    Examples
    --------
    >>> sigmoid_levels(np.array([1.0, 2.0]), sigmoid="norm")
    array([1., 2.])
    """
    one_of(sigmoid, SIGMOIDS, option="sigmoid")
    levels = np.asarray(levels, dtype=float)
    if not np.isfinite(levels).all():
        raise DataError("Levels of a psychometric function must be finite.")
    if sigmoid != "weibull":
        return levels
    if (levels <= 0).any():
        raise DataError(
            f"A weibull is a function of the logarithm of the level; got {levels.min():g}. Leave "
            "out levels of 0, or use another sigmoid."
        )
    return np.log(levels)


def unscaled_sigmoid(
    x: np.ndarray, threshold: np.ndarray, width: np.ndarray, *, sigmoid: str
) -> tuple[np.ndarray, np.ndarray]:
    r"""Give a sigmoid from 0 to 1 and its slope along its own axis.

    .. math:: S(threshold) = 0.5, \qquad S^{-1}(0.95) - S^{-1}(0.05) = width

    Parameters
    ----------
    x : array
        Levels, on the axis of the sigmoid (see :func:`sigmoid_levels`).
    threshold, width : array
        In the unit of that axis; `width` is positive.
    sigmoid : {"norm", "logistic", "gumbel", "rgumbel", "weibull"}
        Cumulative normal, logistic, either extreme-value distribution, or ``gumbel`` over the
        logarithm of the level.

    Returns
    -------
    value, slope : array
        In [0, 1], and its derivative with respect to x.

    References
    ----------
    Schütt et al. 2016, doi:10.1016/j.visres.2016.02.002

    Examples
    --------
    >>> value, _ = unscaled_sigmoid(np.array([-1.0, 0, 1]), 0.0, 2.0, sigmoid="logistic")
    >>> value.round(6)
    array([0.05, 0.5 , 0.95])
    """
    one_of(sigmoid, SIGMOIDS, option="sigmoid")
    z = (np.asarray(x, dtype=float) - threshold) / width
    if sigmoid == "norm":
        value = ndtr(_NORM * z)
        return value, _NORM / width * np.exp(-0.5 * (_NORM * z) ** 2) / np.sqrt(2 * np.pi)
    if sigmoid == "logistic":
        value = expit(_LOGISTIC * z)
        return value, _LOGISTIC / width * value * (1 - value)
    sign = 1.0 if sigmoid in ("gumbel", "weibull") else -1.0
    inner = np.exp(np.clip(sign * _GUMBEL * z + _MIDDLE, -_LARGEST, _LARGEST / 2))
    tail = np.exp(-inner)
    value = 1 - tail if sign > 0 else tail
    return value, _GUMBEL / width * inner * tail


def psychometric_function(
    x: np.ndarray,
    *,
    threshold: np.ndarray,
    width: np.ndarray,
    lapse: np.ndarray = 0.0,
    guess: np.ndarray = 0.0,
    sigmoid: str = "norm",
    decreasing: bool = False,
) -> np.ndarray:
    r"""Give the probability of a response at each level.

    .. math:: \psi(x) = \gamma + (1 - \lambda - \gamma)\, S(x;\ threshold, width)

    Parameters
    ----------
    x : array
        Levels, in any unit.
    threshold : array
        Level at which the *unscaled* sigmoid is 0.5; of a ``weibull``, in the unit of the level.
    width : array
        Distance between 0.05 and 0.95 of the unscaled sigmoid; of a ``weibull``, of the natural
        logarithm of the level.
    lapse, guess : array
        :math:`\lambda` and :math:`\gamma`, in [0, 1].
    sigmoid : str
        As in :func:`unscaled_sigmoid`.
    decreasing : bool
        Whether the response falls with the level: 1 - S in place of S.

    Returns
    -------
    array
        In [guess, 1 - lapse].

    References
    ----------
    Wichmann & Hill 2001, doi:10.3758/BF03194544; Schütt et al. 2016,
    doi:10.1016/j.visres.2016.02.002

    Examples
    --------
    In two-alternative forced choice without lapses three quarters are right at threshold.

    >>> float(psychometric_function(3.0, threshold=3.0, width=1.0, guess=0.5))
    0.75
    """
    on_axis = sigmoid_levels(x, sigmoid=sigmoid)
    middle = np.log(threshold) if sigmoid == "weibull" else threshold
    value, _ = unscaled_sigmoid(on_axis, middle, width, sigmoid=sigmoid)
    value = 1 - value if decreasing else value
    return guess + (1 - np.asarray(lapse) - guess) * value
