"""Matching of single units: one to one, each to its best, or in shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from neuroai.checks import need
from neuroai.errors import UsageError
from neuroai.numerics.arrays import as_patterns, require_finite

# The share of the mean square that is rounding of a unit that never varies.
_ROUNDING = 1e-24


@dataclass(frozen=True)
class Matched:
    """Which units were matched, and how alike they are.

    Attributes
    ----------
    value : float
        Mean correlation of matched units, from -1 to 1; NaN where a side does not vary.
    units_a, units_b : int array
        Columns of either side, matched place by place; for `soft_match` all that vary.
    weights : array, shape (n_matched,) or (n_units_a, n_units_b)
        How much each match counts; they sum to 1.
    n_constant : int
        Units of both sides that never vary, which match nothing.
    """

    value: float
    units_a: np.ndarray
    units_b: np.ndarray
    weights: np.ndarray
    n_constant: int


def unit_correlations(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlate every unit of one side with every unit of the other, over stimuli.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    tuple
        Correlations, from -1 to 1, of the units that vary, and the columns of those of a and b.

    Raises
    ------
    UsageError
        The numbers of stimuli differ.
    DataError
        Some entries are not finite.

    Examples
    --------
    >>> r, _, kept = unit_correlations([[0.0], [1.0]], [[5.0, 2.0], [5.0, 0.0]])
    >>> r.round(6).tolist(), kept.tolist()
    ([[-1.0]], [1])
    """
    if len(a) != len(b):
        raise UsageError(f"Both sides need the same stimuli; got {len(a)} and {len(b)}.")
    first, kept_a = _standardised(a)
    second, kept_b = _standardised(b)
    return np.clip(first.T @ second, -1, 1), kept_a, kept_b


def permutation_match(a: np.ndarray, b: np.ndarray) -> Matched:
    r"""Match units one to one so that the sum of their correlations is largest.

    .. math:: \max_\pi \frac{1}{m} \sum_{i=1}^m r(a_i, b_{\pi(i)}), \qquad m = \min(p_a, p_b)

    Units are standardised first: correlations are matched, not covariances, so that a loud unit
    counts no more than a quiet one. Units left over on the larger side are not counted.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    Matched
        Chosen on the data it is scored on: independent units match above 0, the more units the
        higher, which a permutation of the stimuli shows.

    References
    ----------
    Li et al. 2015, doi:10.48550/arXiv.1511.07543; Williams et al. 2021,
    doi:10.48550/arXiv.2110.14739

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    >>> found = permutation_match(a, 3 * a[:, ::-1])
    >>> round(found.value, 6), found.units_b.tolist()
    (1.0, [1, 0])
    """
    r, kept_a, kept_b = unit_correlations(a, b)
    rows, columns = linear_sum_assignment(r, maximize=True)
    return _matched(r, rows, columns, kept_a, kept_b, _constant(a, b, r))


def semi_match(a: np.ndarray, b: np.ndarray) -> Matched:
    r"""Match every unit of `a` to the unit of `b` that correlates best with it.

    .. math:: \frac{1}{p_a} \sum_i \max_j r(a_i, b_j)

    A unit of b may serve many times: the measure is not symmetric.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    Matched

    References
    ----------
    Li et al. 2015, doi:10.48550/arXiv.1511.07543

    Examples
    --------
    >>> a = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])
    >>> found = semi_match(a, a[:, :1])
    >>> round(found.value, 6), found.units_b.tolist()
    (1.0, [0, 0])
    """
    r, kept_a, kept_b = unit_correlations(a, b)
    columns = r.argmax(1) if r.size else np.empty(0, dtype=int)
    rows = np.arange(len(columns))
    return _matched(r, rows, columns, kept_a, kept_b, _constant(a, b, r))


def soft_match(a: np.ndarray, b: np.ndarray) -> Matched:
    r"""Match units in shares, so that every unit of either side counts alike.

    .. math:: \max_{T \ge 0} \sum_{ij} T_{ij}\, r(a_i, b_j), \qquad
              \sum_j T_{ij} = \frac{1}{p_a}, \quad \sum_i T_{ij} = \frac{1}{p_b}

    For equal numbers of units it equals `permutation_match`.

    Parameters
    ----------
    a, b : array, shape (n_stimuli, n_units_a) and (n_stimuli, n_units_b)
        Responses to the same stimuli in the same order.

    Returns
    -------
    Matched
        With the transport plan in ``weights``.

    Raises
    ------
    MissingExtra
        The package POT is not installed.

    References
    ----------
    Khosla & Williams 2024, doi:10.48550/arXiv.2311.09466; Flamary et al. 2021, JMLR 22:78

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]])
    >>> round(soft_match(a, 3 * a[:, ::-1]).value, 6)
    1.0
    """
    transport = need("ot", extra="matching", purpose="Soft matching")
    r, kept_a, kept_b = unit_correlations(a, b)
    n_constant = _constant(a, b, r)
    if not r.size:
        return Matched(np.nan, kept_a, kept_b, np.empty(r.shape), n_constant)
    shares = [np.full(n, 1 / n) for n in r.shape]
    plan = np.asarray(transport.emd(*shares, 1 - r))
    return Matched(float((plan * r).sum()), kept_a, kept_b, plan, n_constant)


def _standardised(patterns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre units, scale them to length 1, and leave out those that never vary."""
    patterns = np.asarray(as_patterns(patterns), dtype=np.float64)
    require_finite(patterns, name="patterns")
    centred = patterns - patterns.mean(0)
    squares = (centred**2).sum(0)
    kept = np.flatnonzero(squares > _ROUNDING * (patterns**2).sum(0))
    return centred[:, kept] / np.sqrt(squares[kept]), kept


def _constant(a: np.ndarray, b: np.ndarray, r: np.ndarray) -> int:
    return np.shape(a)[1] + np.shape(b)[1] - sum(r.shape)


def _matched(
    r: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    kept_a: np.ndarray,
    kept_b: np.ndarray,
    n_constant: int,
) -> Matched:
    value = float(r[rows, columns].mean()) if len(rows) else np.nan
    weights = np.full(len(rows), 1 / max(len(rows), 1))
    return Matched(value, kept_a[rows], kept_b[columns], weights, n_constant)
