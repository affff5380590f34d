"""Ordinary least squares with what a table of coefficients needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from neuroai.errors import DataError


@dataclass(frozen=True)
class LinearFit:
    """A linear regression.

    Attributes
    ----------
    coefficients, errors, t, p : array, shape (n_columns,)
        Slopes in the unit of the target over that of the column, their standard errors, t and
        two-sided p with ``n_rows - n_columns`` degrees of freedom.
    log_likelihood : float
        At the maximum, with the variance of the residuals at its maximum too.
    r_squared : float
        Share of the variance of the target that is explained, in [0, 1].
    n_rows : int
        Rows that were fitted.
    """

    coefficients: np.ndarray
    errors: np.ndarray
    t: np.ndarray
    p: np.ndarray
    log_likelihood: float
    r_squared: float
    n_rows: int


def least_squares(design: np.ndarray, target: np.ndarray) -> LinearFit:
    r"""Fit a target by the columns of a design.

    .. math:: \hat b = (X^T X)^{-1} X^T y, \quad
              t_j = \hat b_j / \sqrt{s^2 [(X^T X)^{-1}]_{jj}}, \quad
              s^2 = \frac{|y - X \hat b|^2}{n - k}

    Parameters
    ----------
    design : array, shape (n_rows, n_columns)
        Predictors; a constant must be among the columns where one is wanted.
    target : array, shape (n_rows,)
        What is explained, in any unit.

    Returns
    -------
    LinearFit

    Raises
    ------
    DataError
        A value is not finite, there are not more rows than columns, a column follows from the
        others, or the target is constant.

    References
    ----------
    Draper & Smith 1998, Applied Regression Analysis, doi:10.1002/9781118625590.

    Examples
    --------
    >>> x = np.column_stack([np.ones(4), [0.0, 1, 2, 3]])
    >>> least_squares(x, np.array([1.0, 3, 5, 8])).coefficients.round(6)
    array([0.8, 2.3])
    """
    x, y = np.asarray(design, dtype=float), np.asarray(target, dtype=float)
    finite = np.isfinite(x).all() and np.isfinite(y).all()
    if x.ndim != 2 or y.shape != x.shape[:1] or not finite:
        raise DataError(
            f"A regression needs finite (n_rows, n_columns) and (n_rows,); got {x.shape} and "
            f"{y.shape}. Leave rows with missing values out."
        )
    n, k = x.shape
    if n <= k:
        raise DataError(f"{n} rows cannot tell {k} coefficients and an error apart.")
    # Columns on one scale: the rank must not hang on their units.
    scale = np.sqrt((x**2).sum(axis=0))
    if (scale == 0).any() or np.linalg.matrix_rank(x / np.where(scale > 0, scale, 1)) < k:
        raise DataError("A column of the design follows from the others: leave it out.")
    if np.ptp(y) == 0:
        raise DataError("The target is constant: there is nothing to explain.")
    q, r = np.linalg.qr(x / scale)
    weights = np.linalg.solve(r, q.T @ y)
    rest = y - (x / scale) @ weights
    square = float(rest @ rest)
    inverse = np.linalg.inv(r)
    errors = np.sqrt(square / (n - k) * (inverse**2).sum(axis=1)) / scale
    coefficients = weights / scale
    t = coefficients / errors
    return LinearFit(
        coefficients=coefficients,
        errors=errors,
        t=t,
        p=2 * stats.t.sf(np.abs(t), n - k),
        log_likelihood=float(-0.5 * n * (np.log(2 * np.pi * square / n) + 1)),
        r_squared=float(1 - square / ((y - y.mean()) ** 2).sum()),
        n_rows=n,
    )
