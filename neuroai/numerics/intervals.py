"""Variances, intervals and p values of scores from bootstrap samples and permutations."""

from __future__ import annotations

import numpy as np
from scipy import stats

from neuroai.checks import in_range, one_of
from neuroai.errors import DataError, UsageError

SIDES = ("greater", "two-sided")

# A relabelling that leaves the RDM as it is must count as equal, whatever its rounding.
_EQUAL = 1e-10


def two_factor_variance(
    v_both: np.ndarray | float,
    v_subjects: np.ndarray | float,
    v_stimuli: np.ndarray | float,
    *,
    n_subjects: int,
    n_stimuli: int,
) -> np.ndarray:
    r"""Return the variance of a score over new subjects and new stimuli.

    .. math:: s^2 = a V_r + b V_p - a b (V_{rp} - V_r - V_p), \qquad
              a = \frac{n_r}{n_r - 1}, \; b = \frac{n_p}{n_p - 1}

    at least :math:`\max(V_r, V_p)` and at most :math:`V_{rp}`. rsatoolbox's floor is
    :math:`\max(a V_r, b V_p)`: the larger of two noisy variances is too large on average, and with
    20 stimuli and 8 subjects intervals of differences, from samples as they are drawn, then hold
    the true value 97.1 % of the time.

    Parameters
    ----------
    v_both : array or float
        Variance over bootstrap samples of subjects and stimuli together, :math:`V_{rp}`.
    v_subjects : array or float
        Variance over bootstrap samples of subjects, :math:`V_r`.
    v_stimuli : array or float
        Variance over bootstrap samples of stimuli, :math:`V_p`.
    n_subjects, n_stimuli : int
        Numbers in the data, at least 2.

    Returns
    -------
    array
        float64, in the squared unit of the score, in the broadcast shape of the three.

    Raises
    ------
    UsageError
        Fewer than two subjects or stimuli.

    References
    ----------
    Schütt et al. (2023), https://doi.org/10.7554/eLife.82566

    Examples
    --------
    >>> float(two_factor_variance(6.0, 2.0, 2.0, n_subjects=2, n_stimuli=2))
    2.0
    """
    a, b, c = _two_factor_parts(v_both, v_subjects, v_stimuli, n_subjects, n_stimuli)
    return np.minimum(np.maximum(a + b - c, np.maximum(v_subjects, v_stimuli)), v_both)


def two_factor_dof(
    v_both: np.ndarray | float,
    v_subjects: np.ndarray | float,
    v_stimuli: np.ndarray | float,
    *,
    n_subjects: int,
    n_stimuli: int,
    stimulus_dof: np.ndarray | float | None = None,
) -> np.ndarray:
    r"""Return the degrees of freedom of `two_factor_variance` (Satterthwaite).

    .. math:: \nu = \frac{s^4}{A^2 / (n_r - 1) + B^2 / \nu_p
              + C^2 / ((n_r - 1)(n_p - 1))}, \quad
              A = a V_r, \; B = b V_p, \; C = a b (V_{rp} - V_r - V_p)

    at least :math:`\min(n_r - 1, \nu_p)` and at most :math:`n_r + n_p - 2`. The smaller factor
    alone, :math:`\min(n_r, n_p) - 1`, is right only where all variance comes from it: with 8
    subjects and 20 stimuli its intervals hold the true value too often.

    Parameters
    ----------
    v_both, v_subjects, v_stimuli : array or float
        Variances over bootstrap samples, as `two_factor_variance` takes them.
    n_subjects, n_stimuli : int
        Numbers in the data, at least 2.
    stimulus_dof : array or float, optional
        Degrees of freedom of the variance over stimuli, :math:`\nu_p`; ``n_stimuli - 1`` by
        default. Where few stimuli make up the score they are fewer
        (`neuroai.numerics.first_order.variance_dof`).

    Returns
    -------
    array
        float64, in the broadcast shape of the three.

    Raises
    ------
    UsageError
        Fewer than two subjects or stimuli.

    References
    ----------
    Satterthwaite (1946), https://doi.org/10.2307/3002019

    Examples
    --------
    All variance in one factor leaves that factor's; two equal ones have nearly the sum.

    >>> float(two_factor_dof(1.1, 1.0, 0.0, n_subjects=11, n_stimuli=101))
    10.0
    >>> round(float(two_factor_dof(2.0, 1.0, 1.0, n_subjects=101, n_stimuli=101)))
    196
    """
    variance = two_factor_variance(
        v_both, v_subjects, v_stimuli, n_subjects=n_subjects, n_stimuli=n_stimuli
    )
    a, b, c = _two_factor_parts(v_both, v_subjects, v_stimuli, n_subjects, n_stimuli)
    of_subjects, of_stimuli = n_subjects - 1, n_stimuli - 1
    of_pairs = of_subjects * of_stimuli
    known = of_stimuli if stimulus_dof is None else np.asarray(stimulus_dof, dtype=np.float64)
    parts = a**2 / of_subjects + b**2 / known + c**2 / of_pairs
    least = np.broadcast_to(np.minimum(float(of_subjects), known), parts.shape)
    # Without any variance nothing is tested; the smaller factor's is as good as any.
    dof = np.divide(variance**2, parts, out=least.copy(), where=parts > 0)
    return np.clip(dof, least, of_subjects + of_stimuli)


def _two_factor_parts(
    v_both: np.ndarray | float,
    v_subjects: np.ndarray | float,
    v_stimuli: np.ndarray | float,
    n_subjects: int,
    n_stimuli: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the variances of subjects, of stimuli and of their interaction, freed from bias."""
    if min(n_subjects, n_stimuli) < 2:
        raise UsageError(
            "A variance over subjects and stimuli needs at least 2 of each; "
            f"got {n_subjects} subjects and {n_stimuli} stimuli."
        )
    v_both, v_subjects, v_stimuli = (
        np.asarray(value, dtype=np.float64) for value in (v_both, v_subjects, v_stimuli)
    )
    a, b = n_subjects / (n_subjects - 1), n_stimuli / (n_stimuli - 1)
    return a * v_subjects, b * v_stimuli, a * b * (v_both - v_subjects - v_stimuli)


def added_dof(
    variance: np.ndarray | float,
    dof: np.ndarray | float,
    more: np.ndarray | float,
    more_dof: np.ndarray | float,
) -> np.ndarray:
    r"""Return the degrees of freedom of the sum of two independent variances (Satterthwaite).

    .. math:: \nu = \frac{(s^2 + u^2)^2}{s^4 / \nu_s + u^4 / \nu_u}

    Parameters
    ----------
    variance, more : array or float
        The variances :math:`s^2` and :math:`u^2`, at least 0.
    dof, more_dof : array or float
        Their degrees of freedom, at least 1.

    Returns
    -------
    array
        float64, at least the smaller of `dof` and `more_dof`, at most their sum.

    References
    ----------
    Satterthwaite (1946), https://doi.org/10.2307/3002019

    Examples
    --------
    >>> float(added_dof(1.0, 10, 1.0, 10))
    20.0
    >>> float(added_dof(1.0, 10, 0.0, 3))
    10.0
    """
    variance, more = np.asarray(variance, dtype=np.float64), np.asarray(more, dtype=np.float64)
    parts = variance**2 / dof + more**2 / more_dof
    least = np.broadcast_to(np.minimum(dof, more_dof).astype(np.float64), parts.shape)
    return np.divide((variance + more) ** 2, parts, out=least.copy(), where=parts > 0)


def percentile_interval(
    samples: np.ndarray, *, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the percentile interval of bootstrap samples.

    .. math:: \left[s_{(k)},\; s_{(B + 1 - k)}\right], \qquad k = \tfrac{1 - level}{2} (B + 1)

    of the B samples in order, between two of them where k is no whole number. A further sample
    falls between the ends with probability `level` whatever B is; quantiles that take the
    smallest sample for 0 and the largest for 1 would lose 0.01 of it with 200 samples.

    Parameters
    ----------
    samples : array, shape (n_samples, ...)
        One a bootstrap sample, any unit; NaN makes both ends NaN.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    tuple of two arrays, shape (...)
        Lower and upper end; the smallest and largest sample where they are too few.

    Raises
    ------
    UsageError
        `level` is out of range.

    References
    ----------
    Hyndman & Fan (1996), Sample quantiles in statistical packages, definition 6,
    https://doi.org/10.1080/00031305.1996.10473566

    Examples
    --------
    >>> low, high = percentile_interval(np.arange(1.0, 40.0))
    >>> float(low), float(high)
    (1.0, 39.0)
    """
    in_range(level, option="level", low=0.0, high=1.0, low_open=True)
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0, method="weibull")
    return low, high


def t_interval(
    value: np.ndarray | float,
    variance: np.ndarray | float,
    *,
    dof: np.ndarray | float,
    level: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the interval :math:`v \pm t_{(1 + level) / 2,\, dof} \sqrt{s^2}`.

    Parameters
    ----------
    value : array or float
        The estimate.
    variance : array or float
        Its variance, at least 0.
    dof : array or float
        Degrees of freedom, at least 1.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    tuple of two arrays
        Lower and upper end; NaN where the variance is.

    Raises
    ------
    UsageError
        `level` or `dof` is out of range.

    Examples
    --------
    >>> low, high = t_interval(0.0, 1.0, dof=1e9)
    >>> float(high)
    1.9600
    """
    in_range(level, option="level", low=0.0, high=1.0, low_open=True)
    _check_dof(dof)
    half = stats.t.ppf((1.0 + level) / 2.0, dof) * np.sqrt(variance)
    return np.asarray(value - half), np.asarray(value + half)


def t_test_p(
    value: np.ndarray | float,
    variance: np.ndarray | float,
    *,
    dof: np.ndarray | float,
    side: str = "greater",
) -> np.ndarray:
    r"""Return the p value of :math:`t = v / \sqrt{s^2}` against 0.

    Parameters
    ----------
    value : array or float
        The estimate, or a difference of two.
    variance : array or float
        Its variance. Where it is 0, p is undefined (NaN).
    dof : array or float
        Degrees of freedom, at least 1.
    side : {"greater", "two-sided"}
        What counts as extreme.

    Returns
    -------
    array
        From 0 to 1, in the broadcast shape of the inputs.

    Raises
    ------
    UsageError
        `side` is unknown or `dof` is below 1.

    Examples
    --------
    >>> float(t_test_p(0.0, 1.0, dof=9))
    0.5
    """
    one_of(side, SIDES, option="side")
    _check_dof(dof)
    variance = np.asarray(variance, dtype=np.float64)
    t = value / np.sqrt(np.where(variance > 0, variance, np.nan))
    if side == "greater":
        return np.asarray(stats.t.sf(t, dof))
    return np.asarray(2.0 * stats.t.sf(np.abs(t), dof))


def permutation_p(observed: np.ndarray | float, null: np.ndarray) -> np.ndarray:
    r"""Return :math:`(1 + \#\{null \ge observed\}) / (1 + N)`.

    Parameters
    ----------
    observed : array of shape (...) or float
        The score of the data as they are.
    null : array of shape (n_permutations, ...)
        Scores under relabelling.

    Returns
    -------
    array of shape (...)
        From 1 / (1 + N) to 1; NaN where `observed` is undefined.

    Raises
    ------
    DataError
        Scores under relabelling are undefined where `observed` is not; the message counts them.

    References
    ----------
    Phipson & Smyth (2010), Permutation p-values should never be zero, Statistical Applications
    in Genetics and Molecular Biology 9, 39, https://doi.org/10.2202/1544-6115.1585

    Examples
    --------
    >>> float(permutation_p(0.5, np.array([0.1, 0.5, 0.2])))
    0.5
    """
    observed, null = np.asarray(observed, dtype=np.float64), np.asarray(null, dtype=np.float64)
    if null.ndim == 0 or null.shape[1:] != observed.shape or len(null) == 0:
        raise UsageError(
            f"null must have shape (n_permutations, {', '.join(map(str, observed.shape))}); "
            f"got {null.shape}."
        )
    defined = ~np.isnan(observed)
    missing = int((np.isnan(null) & defined).sum())
    if missing:
        raise DataError(
            f"{missing} of {null.size} scores under relabelling are undefined (NaN), "
            "so that no p value can be given."
        )
    tolerance = _EQUAL * np.maximum(1.0, np.abs(observed))
    reached = (null >= observed - tolerance).sum(axis=0)
    return np.where(defined, (1.0 + reached) / (1.0 + len(null)), np.nan)


def _check_dof(dof: np.ndarray | float) -> None:
    if (np.asarray(dof) < 1).any():
        raise UsageError(f"dof must be at least 1; got {np.min(dof)}.")
