"""Are two scores alike? Two one-sided tests against a margin."""

from __future__ import annotations

import numpy as np
from scipy import stats

from neuroai.errors import UsageError


def equivalence_p(
    difference: np.ndarray | float,
    variance: np.ndarray | float,
    *,
    margin: float,
    dof: np.ndarray | float,
) -> np.ndarray:
    r"""Return the p value of two one-sided tests that a difference lies within a margin.

    .. math:: p = \max\left(P\left(T > \frac{\hat d + \Delta}{s}\right),
              P\left(T > \frac{\Delta - \hat d}{s}\right)\right)

    A small p says that the true difference lies within :math:`\pm \Delta`; it is below alpha
    exactly where the interval of level 1 - 2 alpha lies within the margin. A difference that is
    not significant says no such thing.

    Parameters
    ----------
    difference : array or float
        Of two scores.
    variance : array or float
        Of that difference, such as the two-factor variance; 0 or undefined gives NaN.
    margin : float
        The largest difference that does not matter, above 0, in the unit of the score; chosen
        before the data are seen.
    dof : array or float
        Degrees of freedom, at least 1.

    Returns
    -------
    array
        From 0 to 1, in the broadcast shape of the inputs.

    Raises
    ------
    UsageError
        The margin is not above 0, or `dof` is below 1.

    References
    ----------
    Schuirmann (1987), https://doi.org/10.1007/BF01068419

    Examples
    --------
    >>> round(float(equivalence_p(0.0, 0.01**2, margin=0.02, dof=1e9)), 4)
    0.0228
    """
    if not margin > 0:
        raise UsageError(
            f"margin must be above 0: the largest difference that does not matter; got {margin}."
        )
    if (np.asarray(dof) < 1).any():
        raise UsageError(f"dof must be at least 1; got {np.min(dof)}.")
    difference, variance = np.asarray(difference, float), np.asarray(variance, float)
    error = np.sqrt(np.where(variance > 0, variance, np.nan))
    low = stats.t.sf((difference + margin) / error, dof)
    high = stats.t.sf((margin - difference) / error, dof)
    return np.maximum(low, high)
