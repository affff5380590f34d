"""Spectra of responses: variance by principal component, and how it falls with rank."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuroai.errors import DataError, UsageError
from neuroai.numerics.arrays import as_patterns, require_finite
from neuroai.numerics.gram import centred_gram


class Exponent(NamedTuple):
    """How fast a spectrum falls.

    Attributes
    ----------
    exponent : float
        Positive where variance falls with rank; NaN with fewer than three positive values.
    n_left_out : int
        Values in the range that are not above 0, which have no logarithm.
    """

    exponent: float
    n_left_out: int


def spectrum(patterns: np.ndarray) -> np.ndarray:
    """Give the variance of responses along each principal component, the largest first.

    Parameters
    ----------
    patterns : array, shape (n_stimuli, n_units)
        Activity, any unit, finite.

    Returns
    -------
    array, shape (min(n_stimuli - 1, n_units),)
        Eigenvalues of the sample covariance, in the squared unit; they sum to the variance.

    Raises
    ------
    DataError
        Some entries are not finite.

    Examples
    --------
    >>> spectrum([[0.0, 1.0], [2.0, 1.0]]).round(6).tolist()
    [2.0]
    """
    n_stimuli, n_units = np.shape(patterns)
    kept = min(n_stimuli - 1, n_units)
    if n_units < n_stimuli:
        rows = np.asarray(as_patterns(patterns), dtype=np.float64)
        require_finite(rows, name="patterns")
        values = np.linalg.svd(rows - rows.mean(0), compute_uv=False) ** 2
    else:
        values = np.linalg.eigvalsh(centred_gram(patterns))[::-1]
    return np.maximum(values[:kept], 0) / (n_stimuli - 1)


def cross_validated_spectrum(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    r"""Give the variance that repeats along each principal component: cross-validated PCA.

    Components come from one set of showings, and the variance is the covariance of both sets
    along them; with left singular vectors u of the centred first set,

    .. math:: \hat \lambda_k = \frac{u_k^\top X_2 X_1^\top u_k}{n - 1}

    averaged over both ways round. Noise that is independent between the sets adds nothing on
    average, so that values may be negative: they are kept.

    Parameters
    ----------
    first, second : array, shape (n_stimuli, n_units)
        Responses to the same stimuli in two sets of showings.

    Returns
    -------
    array, shape (min(n_stimuli - 1, n_units),)
        In the order of the variance in the set that the components come from.

    Raises
    ------
    UsageError
        Shapes differ.
    DataError
        Some entries are not finite.

    References
    ----------
    Stringer et al. 2019, doi:10.1038/s41586-019-1346-5

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
    >>> cross_validated_spectrum(x, x).round(6).tolist()
    [4.0, 0.0]
    """
    a, b = (np.asarray(as_patterns(side), dtype=np.float64) for side in (first, second))
    if a.shape != b.shape:
        raise UsageError(f"Both sets must have one shape; got {a.shape} and {b.shape}.")
    for side in (a, b):
        require_finite(side, name="patterns")
    a, b = a - a.mean(0), b - b.mean(0)
    cross = b @ a.T
    kept = min(len(a) - 1, a.shape[1])
    found = []
    for own, products in ((a, cross), (b, cross.T)):
        vectors = np.linalg.eigh(own @ own.T)[1][:, ::-1][:, :kept]
        found.append(np.einsum("ik,ij,jk->k", vectors, products, vectors, optimize=True))
    return np.mean(found, axis=0) / (len(a) - 1)


def spectrum_exponent(values: np.ndarray, *, ranks: tuple[int, int]) -> Exponent:
    r"""Fit a power law to a spectrum within a range of ranks.

    .. math:: \ln \lambda_k = c - \alpha \ln k

    by least squares, each rank weighted by 1 / k, so that every octave counts alike.

    Parameters
    ----------
    values : array, shape (n_ranks,)
        A spectrum, the largest first.
    ranks : (int, int)
        First and last rank of the fit, from 1.

    Returns
    -------
    Exponent

    Raises
    ------
    UsageError
        The range holds fewer than three ranks, or reaches beyond the spectrum.

    References
    ----------
    Stringer et al. 2019, doi:10.1038/s41586-019-1346-5

    Examples
    --------
    >>> found = spectrum_exponent(np.arange(1, 101.0) ** -1.5, ranks=(1, 100))
    >>> round(found.exponent, 6), found.n_left_out
    (1.5, 0)
    """
    values = np.asarray(values, dtype=np.float64)
    low, high = ranks
    if not 1 <= low <= high - 2 or high > len(values):
        raise UsageError(
            f"ranks must hold at least three ranks within 1 to {len(values)}; got {low} to {high}."
        )
    if not np.isfinite(values).all():
        raise DataError("The spectrum holds values that are not finite.")
    rank, part = np.arange(low, high + 1), values[low - 1 : high]
    positive = part > 0
    if positive.sum() < 3:
        return Exponent(np.nan, int((~positive).sum()))
    x, y, weights = np.log(rank[positive]), np.log(part[positive]), 1 / rank[positive]
    x = x - np.average(x, weights=weights)
    slope = (weights * x) @ y / ((weights * x) @ x)
    return Exponent(float(-slope), int((~positive).sum()))
