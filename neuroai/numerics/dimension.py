"""How many dimensions responses fill: participation ratio, and neighbours at two distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.checks import in_range, one_of
from neuroai.errors import DataError, UsageError
from neuroai.numerics.arrays import as_patterns, require_finite
from neuroai.numerics.gram import centred_gram

FITS = ("likelihood", "line")
_BLOCK_ROWS = 512


def participation_ratio(patterns: np.ndarray, *, corrected: bool = False) -> float:
    r"""Give the effective number of dimensions of responses: how evenly variance is spread.

    .. math:: PR = \frac{(\mathrm{tr}\, \Sigma)^2}{\mathrm{tr}\, \Sigma^2}
              = \frac{(\sum_i \lambda_i)^2}{\sum_i \lambda_i^2}

    Few stimuli can fill few dimensions only: noise in D equal directions reads as about
    ``1 / (1 / D + 1 / (n - 1))``. The correction puts estimates in the place of both terms that
    are unbiased for normal responses, with m = n - 1 and the sample covariance S:

    .. math:: \widehat{\mathrm{tr}\, \Sigma^2} = \frac{m^2}{(m - 1)(m + 2)}
              \left[ \mathrm{tr}\, S^2 - \frac{(\mathrm{tr}\, S)^2}{m} \right], \qquad
              \widehat{(\mathrm{tr}\, \Sigma)^2} = (\mathrm{tr}\, S)^2
              - \frac{2}{m} \widehat{\mathrm{tr}\, \Sigma^2}

    Parameters
    ----------
    patterns : array, shape (n_stimuli, n_units)
        Activity, any unit, finite; at least 3 stimuli.
    corrected : bool
        Correct for the number of stimuli.

    Returns
    -------
    float
        From 1 to min(n_stimuli - 1, n_units); corrected, from 1 without an upper end. NaN where
        responses do not vary, or where the estimate of the spread is not above 0.

    Raises
    ------
    DataError
        Some entries are not finite, or there are fewer than 3 stimuli.

    References
    ----------
    Gao et al. 2017, doi:10.1101/214262; Bai & Saranadasa 1996, Statistica Sinica 6:311

    Examples
    --------
    >>> participation_ratio([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    2.0
    """
    gram = centred_gram(patterns)
    if len(gram) < 3:
        raise DataError(f"A dimension needs at least 3 stimuli; got {len(gram)}.")
    degrees = len(gram) - 1
    trace, squares = float(np.trace(gram)), float(np.sum(gram * gram))
    if trace <= 0:
        return np.nan
    if not corrected:
        return trace**2 / squares
    trace, squares = trace / degrees, squares / degrees**2
    spread = degrees**2 / ((degrees - 1) * (degrees + 2)) * (squares - trace**2 / degrees)
    return (trace**2 - 2 / degrees * spread) / spread if spread > 0 else np.nan


def isotropic_ratio(n_stimuli: int, n_units: int) -> float:
    """Give what noise without any structure reads as: the most a participation ratio can say.

    Parameters
    ----------
    n_stimuli, n_units : int
        Sizes.

    Returns
    -------
    float
        About the mean participation ratio of independent units of equal variance.

    Examples
    --------
    >>> [round(isotropic_ratio(n, 1000)) for n in (50, 200, 2000)]
    [47, 166, 667]
    """
    return 1 / (1 / n_units + 1 / (n_stimuli - 1))


@dataclass(frozen=True)
class TwoNN:
    """Dimension from the ratio of the distances of two neighbours.

    Attributes
    ----------
    dimension : float
        The estimate; NaN with fewer than three distinct points.
    n_points : int
        Distinct points it rests on.
    n_duplicates : int
        Copies of other points, which were left out: their first distance is 0.
    """

    dimension: float
    n_points: int
    n_duplicates: int


def two_nn(patterns: np.ndarray, *, fit: str = "likelihood", discard: float = 0.1) -> TwoNN:
    r"""Estimate the dimension of the surface that responses lie on, however it is curved.

    With the distances r1 and r2 of the first and second neighbour of each point, and
    :math:`\mu_i = r_{i2} / r_{i1}`, which follows a Pareto law of the dimension d:

    .. math:: \hat d = \frac{n - 1}{\sum_i \ln \mu_i} \qquad \text{or the slope of} \qquad
              -\ln(1 - F(\mu)) = d \ln \mu

    through the origin, without the largest ratios. Noise adds dimensions at small distances, and
    above about 20 dimensions both come out too low.

    Parameters
    ----------
    patterns : array, shape (n_stimuli, n_units)
        Activity, any unit, finite.
    fit : {"likelihood", "line"}
        Which of the two.
    discard : float
        Share of the largest ratios that "line" leaves out, in [0, 0.5].

    Returns
    -------
    TwoNN

    Raises
    ------
    DataError
        Some entries are not finite.
    UsageError
        An option is out of range.

    References
    ----------
    Facco et al. 2017, doi:10.1038/s41598-017-11873-y

    Examples
    --------
    >>> found = two_nn(np.array([[0.0], [1.0], [3.0], [7.0], [7.0]]))
    >>> round(found.dimension, 2), found.n_points, found.n_duplicates
    (1.15, 4, 1)
    """
    one_of(fit, FITS, option="fit")
    in_range(discard, option="discard", low=0, high=0.5)
    points = np.asarray(as_patterns(patterns), dtype=np.float64)
    require_finite(points, name="patterns")
    distinct = np.unique(points, axis=0)
    copies = len(points) - len(distinct)
    if len(distinct) < 3:
        return TwoNN(np.nan, len(distinct), copies)
    near = _two_nearest(distinct)
    ratios = np.sort(np.log(near[:, 1] / near[:, 0]))
    return TwoNN(_slope(ratios, fit, discard), len(distinct), copies)


def _slope(log_ratios: np.ndarray, fit: str, discard: float) -> float:
    n = len(log_ratios)
    if fit == "likelihood":
        total = log_ratios.sum()
        return float((n - 1) / total) if total > 0 else np.nan
    kept = min(int(np.floor(n * (1 - discard))), n - 1)
    x, y = log_ratios[:kept], -np.log1p(-np.arange(1, kept + 1) / n)
    squares = x @ x
    return float(x @ y / squares) if squares > 0 else np.nan


def _two_nearest(points: np.ndarray) -> np.ndarray:
    """Give the distances of the first and second neighbour of every point."""
    points = points - points.mean(0)
    lengths = np.einsum("ij,ij->i", points, points)
    nearest = np.empty((len(points), 2))
    for start in range(0, len(points), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        squares = lengths[rows, None] + lengths - 2 * points[rows] @ points.T
        own = np.arange(len(squares))
        squares[own, start + own] = np.inf
        # Found by products, measured by differences: products alone lose small distances.
        few = np.argpartition(squares, min(4, len(points) - 2), axis=1)[:, :5]
        steps = points[few] - points[rows][:, None]
        measured = np.sqrt(np.einsum("ikj,ikj->ik", steps, steps))
        measured[few == start + own[:, None]] = np.inf
        nearest[rows] = np.sort(measured, axis=1)[:, :2]
    if (nearest[:, 0] <= 0).any():
        raise UsageError("Points closer than the precision of their values cannot be told apart.")
    return nearest
