"""Noise of units: covariance over showings, shrunk, and the whitening that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from neuroai.errors import DataError, UsageError


@dataclass(frozen=True)
class NoiseCovariance:
    """A shrunk covariance of the noise.

    Attributes
    ----------
    covariance : array, shape (n_units, n_units)
        In the squared unit of the activity.
    shrinkage : float
        Weight of the diagonal, in [0, 1]: 0 leaves the sample covariance.
    dof : int
        Degrees of freedom of the residuals.
    """

    covariance: np.ndarray
    shrinkage: float
    dof: int

    def whiten(self, patterns: np.ndarray) -> np.ndarray:
        """Turn patterns (..., n_units) into units of independent noise of variance 1."""
        flat = patterns.reshape(-1, patterns.shape[-1])
        white = linalg.solve_triangular(self._root, flat.T, lower=True, check_finite=False)
        return white.T.reshape(patterns.shape)

    @cached_property
    def _root(self) -> np.ndarray:
        """The Cholesky factor, worked out once for all that is whitened."""
        return linalg.cholesky(self.covariance, lower=True)


def noise_covariance(residuals: np.ndarray, *, dof: int) -> NoiseCovariance:
    r"""Estimate the covariance of the noise, its correlations shrunk towards 0.

    .. math:: \hat\Sigma = \lambda\, \mathrm{diag}(S) + (1 - \lambda) S, \qquad
              \lambda = \frac{\sum_{i \ne j} \widehat{var}(r_{ij})}{\sum_{i \ne j} r_{ij}^2}

    with the optimal weight of Schäfer and Strimmer, computed on correlations.

    Parameters
    ----------
    residuals : array, shape (n_samples, n_units)
        What is left of single showings about the mean of their stimulus; each unit of mean 0.
    dof : int
        Showings less the number of means that were subtracted.

    Returns
    -------
    NoiseCovariance

    Raises
    ------
    UsageError
        No degrees of freedom.
    DataError
        A unit has no noise at all.

    References
    ----------
    Schäfer & Strimmer, 2005, doi:10.2202/1544-6115.1175

    Examples
    --------
    >>> noise_covariance(np.array([[1.0, 1], [-1, 1], [1, -1], [-1, -1]]), dof=4).covariance
    array([[1., 0.],
           [0., 1.]])
    """
    x = np.asarray(residuals, dtype=np.float64)
    if x.ndim != 2 or dof < 1:
        raise UsageError(
            f"Residuals (n_samples, n_units) with degrees of freedom are wanted; got {x.shape} "
            f"and dof={dof}."
        )
    n = len(x)
    products = x.T @ x
    variance = np.diag(products) / dof
    if not (variance > 0).all():
        raise DataError(
            f"{int((variance <= 0).sum())} of {len(variance)} units do not vary from showing to "
            "showing, so that their noise is not known. Leave them out."
        )
    scale = np.sqrt(variance)
    r = products / np.outer(scale, scale) / (n - 1)
    squares = (x**2).T @ (x**2) / np.outer(variance, variance) / (n - 1)
    spread = n / dof**2 * (squares - r**2)
    off = ~np.eye(len(variance), dtype=bool)
    total = (r[off] ** 2).sum()
    weight = float(np.clip(spread[off].sum() / total, 0, 1)) if total > 0 else 1.0
    covariance = products / dof * np.where(off, 1 - weight, 1.0)
    return NoiseCovariance(covariance, weight, dof)
