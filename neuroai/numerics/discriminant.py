"""Linear classifiers in closed form, fitted at many times at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroai.checks import in_range, one_of
from neuroai.errors import DataError, UsageError

CLASSIFIERS = ("lda", "ridge", "correlation")
AUTO = "auto"

# Of the second moment about zero, the share below which a variance is rounding alone.
_ROUNDING = 1e-13


@dataclass(frozen=True)
class LinearRule:
    """Weights of one linear classifier a time.

    Attributes
    ----------
    coef : array, shape (n_times, n_units, n_classes)
        Weights on the raw activity; for two classes one column, positive for the second.
    intercept : array, shape (n_times, n_classes)
        NaN where the training data did not vary: no choice can be made.
    """

    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True)
class Moments:
    """What every classifier needs to know of the training rows, a time.

    Attributes
    ----------
    counts : array, shape (n_classes,)
        Rows of each class.
    means : array, shape (n_times, n_classes, n_units)
        Mean pattern of each class.
    scatter : array, shape (n_times, n_classes, n_units, n_units)
        Summed products of deviations from the class mean.
    """

    counts: np.ndarray
    means: np.ndarray
    scatter: np.ndarray


def class_sums(rows: Sequence[np.ndarray]) -> Moments:
    """Sum rows and their products by class, about zero; sums of folds can be subtracted.

    Parameters
    ----------
    rows : for each class an array, shape (n_times, n_rows_of_class, n_units)
        Activity.

    Returns
    -------
    Moments
        With sums in the place of means, and products about zero in the place of scatter.

    Examples
    --------
    >>> sums = class_sums([np.array([[[1.0], [2.0]]]), np.array([[[5.0]]])])
    >>> sums.means[0, :, 0].tolist(), sums.scatter[0, :, 0, 0].tolist()
    ([3.0, 5.0], [5.0, 25.0])
    """
    n_times, _, n_units = rows[0].shape
    sums = np.empty((n_times, len(rows), n_units))
    products = np.empty((n_times, len(rows), n_units, n_units))
    for code, own in enumerate(rows):
        sums[:, code] = own.sum(1)
        np.matmul(own.transpose(0, 2, 1), own, out=products[:, code])
    return Moments(np.array([own.shape[1] for own in rows]), sums, products)


def moments_without(all_rows: Moments, held_out: Moments) -> Moments:
    """Give the moments of the rows that are not held out, about their own class means.

    Raises
    ------
    DataError
        A class has no row left.

    Examples
    --------
    >>> rows = np.array([[[1.0], [3.0], [5.0]]])
    >>> left = moments_without(class_sums([rows]), class_sums([rows[:, 2:]]))
    >>> left.means.item(), left.scatter.item()
    (2.0, 2.0)
    """
    counts = all_rows.counts - held_out.counts
    if (counts < 1).any():
        raise DataError(
            "A fold holds every row of a class, so that nothing is left to learn it from. Take "
            "fewer folds, or folds that spread each class."
        )
    means = (all_rows.means - held_out.means) / counts[:, None]
    scatter = all_rows.scatter - held_out.scatter
    scatter -= (counts[:, None] * means)[..., :, None] * means[..., None, :]
    return Moments(counts, means, scatter)


def fit_rule(
    moments: Moments,
    rows: Sequence[Sequence[np.ndarray]],
    *,
    classifier: str = "lda",
    shrinkage: float | str = AUTO,
    penalty: float = 1.0,
    fourth: np.ndarray | None = None,
) -> LinearRule:
    r"""Fit one linear classifier a time from the moments of its training rows.

    With class means :math:`\mu_c`, priors :math:`\pi_c` and the pooled covariance :math:`\Sigma`:

    .. math::
        w_c = \Sigma^{-1} \mu_c, \qquad b_c = \log \pi_c - \tfrac12 \mu_c^\top \Sigma^{-1} \mu_c

    for ``lda``; ``ridge`` regresses targets of -1 and 1 on the units with a penalty on the squared
    weights; ``correlation`` chooses the class mean that correlates best with the pattern.

    Parameters
    ----------
    moments : Moments
        Of the training rows.
    rows : for each class a sequence of arrays, shape (n_times, n_rows_of_part, n_units)
        The training rows themselves, in parts; read for ``shrinkage="auto"`` alone.
    classifier : {"lda", "ridge", "correlation"}
        Which rule.
    shrinkage : float in [0, 1] or "auto"
        Share of the spherical part in each class's covariance; "auto" takes the share of Ledoit
        and Wolf, of units scaled to the deviation of their class.
    penalty : float
        Of ``ridge``, above 0.
    fourth : array, shape (n_times, n_classes), optional
        What ``shrinkage="auto"`` needs of the rows, where it is known (`fourth_powers`).

    Raises
    ------
    UsageError
        The classifier is unknown, or the shrinkage leaves a covariance without an inverse.

    References
    ----------
    Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4

    Examples
    --------
    >>> rows = np.array([[[0.0], [2.0], [4.0], [6.0]]])
    >>> classes, nothing = [rows[:, :2], rows[:, 2:]], [rows[:, :0], rows[:, :0]]
    >>> moments = moments_without(class_sums(classes), class_sums(nothing))
    >>> rule = fit_rule(moments, [[rows] for rows in classes], shrinkage=0.0)
    >>> float(-rule.intercept[0, 0] / rule.coef[0, 0, 0])
    3.0
    """
    one_of(classifier, CLASSIFIERS, option="classifier")
    if classifier == "correlation":
        return _correlation_rule(moments)
    if classifier == "ridge":
        return _binary(_ridge_rule(moments, penalty), halve=True)
    if shrinkage == AUTO and fourth is None:
        held = [own[0][:, :0] for own in rows]
        parts = [[own[k] for own in rows] for k in range(len(rows[0]))]
        fourth = fourth_powers([moments], [*parts, held], held_out=[len(parts)])[0]
    return _binary(_lda_rule(moments, fourth, shrinkage))


def fourth_powers(
    learnt: Sequence[Moments],
    cells: Sequence[Sequence[np.ndarray]],
    *,
    held_out: Sequence[int],
) -> np.ndarray:
    r"""Sum over training rows the fourth power of their length, in deviations of their class.

    .. math:: q_c = \sum_{i \in c} \left( \sum_u \frac{(x_{iu} - \mu_{cu})^2}{v_{cu}} \right)^2

    All folds are worked on together, so that every row is read once.

    Parameters
    ----------
    learnt : sequence of Moments
        Of the training rows of each fold.
    cells : sequence of sequences of arrays, shape (n_times, n_rows, n_units)
        Rows by fold, and by class within it.
    held_out : sequence of int
        Place in `cells` of what each of `learnt` was not learnt from.

    Returns
    -------
    array, shape (n_folds, n_times, n_classes)

    Examples
    --------
    >>> rows = np.array([[[-1.0], [1.0], [-1.0], [1.0]]])
    >>> learnt = moments_without(class_sums([rows]), class_sums([rows[:, :0]]))
    >>> fourth_powers([learnt], [[rows], [rows[:, :0]]], held_out=[1]).item()
    4.0
    """
    n_times, n_classes, _ = learnt[0].means.shape
    total = np.zeros((len(learnt), n_times, n_classes))
    for code in range(n_classes):
        variances = np.stack([_variances(own, code) for own in learnt], axis=-1)
        means = np.stack([own.means[:, code] for own in learnt], axis=-1)
        weights, lean = 1.0 / variances, -2.0 * means / variances
        offset = (means * means * weights).sum(1)[:, None]
        for place, fold in enumerate(cells):
            part = fold[code]
            lengths = (part * part) @ weights
            lengths += part @ lean
            lengths += offset
            squares = np.einsum("trf,trf->ft", lengths, lengths)
            squares[[k for k, held in enumerate(held_out) if held == place]] = 0.0
            total[:, :, code] += squares
    return total


def _variances(moments: Moments, code: int) -> np.ndarray:
    """Give the variance of each unit in a class; 1 where it is rounding alone."""
    variance = np.einsum("tii->ti", moments.scatter[:, code]) / moments.counts[code]
    floor = _ROUNDING * (variance + moments.means[:, code] ** 2)
    return np.where(variance > floor, variance, 1.0)


def decisions(rule: LinearRule, patterns: np.ndarray) -> np.ndarray:
    """Apply each time's rule to the patterns of that time.

    Parameters
    ----------
    rule : LinearRule
        Fitted classifiers.
    patterns : array, shape (n_times, n_rows, n_units)
        Activity.

    Returns
    -------
    array, shape (n_times, n_rows, n_classes or 1)
        The larger, the more likely the class; for two classes one column, positive for the second.

    Examples
    --------
    >>> rule = LinearRule(np.ones((1, 2, 1)), np.array([[-1.0]]))
    >>> decisions(rule, np.array([[[1.0, 2.0]]])).item()
    2.0
    """
    return patterns @ rule.coef + rule.intercept[:, None, :]


def chosen(decision: np.ndarray) -> np.ndarray:
    """Give the class that each decision value stands for.

    Examples
    --------
    >>> chosen(np.array([[[-0.1], [0.2]]])).tolist()
    [[0, 1]]
    """
    if decision.shape[-1] == 1:
        return (decision[..., 0] > 0).view(np.int8)
    return decision.argmax(-1)


def _binary(rule: LinearRule, *, halve: bool = False) -> LinearRule:
    if rule.coef.shape[-1] != 2:
        return rule
    scale = 0.5 if halve else 1.0
    coef = (rule.coef[..., 1:] - rule.coef[..., :1]) * scale
    return LinearRule(coef, (rule.intercept[..., 1:] - rule.intercept[..., :1]) * scale)


def _lda_rule(moments: Moments, fourth: np.ndarray | None, shrinkage: float | str) -> LinearRule:
    covariance = _pooled_covariance(moments, fourth, shrinkage)
    varies = _varies(moments)
    means = moments.means.transpose(0, 2, 1)
    if varies.all():
        coef = np.linalg.solve(covariance, means)
    else:
        coef = np.full(means.shape, np.nan)
        coef[varies] = np.linalg.solve(covariance[varies], means[varies])
    priors = np.log(moments.counts / moments.counts.sum())
    intercept = priors - 0.5 * np.einsum("tuc,tuc->tc", means, coef)
    return LinearRule(coef, intercept)


def _pooled_covariance(
    moments: Moments, fourth: np.ndarray | None, shrinkage: float | str
) -> np.ndarray:
    n_units, counts = moments.means.shape[-1], moments.counts
    if fourth is None:
        share = in_range(float(shrinkage), option="shrinkage", low=0, high=1)
        if share == 0 and counts.sum() - len(counts) < n_units:
            raise UsageError(
                f"shrinkage=0 needs more training rows than units; got {counts.sum()} rows of "
                f"{len(counts)} classes and {n_units} units. Take a shrinkage above 0, or 'auto'."
            )
        return _shrunk(moments.scatter.sum(1) / counts.sum(), share)
    pooled = np.zeros_like(moments.scatter[:, 0])
    spherical = np.zeros(pooled.shape[:2])
    for code, count in enumerate(counts):
        variance = _variances(moments, code)
        share, level = _ledoit_wolf(
            moments.scatter[:, code] / count, variance, fourth[:, code], count
        )
        weight = count / counts.sum()
        # In units of each unit's deviation the sphere has one level; here that is its variance.
        spherical += (weight * share * level)[:, None] * variance
        pooled += (weight * (1 - share) / count)[:, None, None] * moments.scatter[:, code]
    at = np.arange(n_units)
    pooled[:, at, at] += spherical
    return pooled


def _varies(moments: Moments, between: np.ndarray | float = 0.0) -> np.ndarray:
    """Say at which times the training rows vary, within or between, by more than rounding."""
    within = np.einsum("tcii->t", moments.scatter)
    about_zero = within + np.einsum("c,tcu,tcu->t", moments.counts, moments.means, moments.means)
    return within + between > _ROUNDING * about_zero


def _shrunk(covariance: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    n_units = covariance.shape[-1]
    level = np.einsum("tii->t", covariance) / n_units
    share = np.broadcast_to(share, level.shape)
    shrunk = covariance * (1 - share)[:, None, None]
    at = np.arange(n_units)
    shrunk[:, at, at] += (share * level)[:, None]
    return shrunk


def _ledoit_wolf(
    covariance: np.ndarray, variance: np.ndarray, fourth: np.ndarray, n_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give the share and the level of the sphere, in units of each unit's own deviation."""
    n_units = variance.shape[-1]
    weights = (1.0 / variance)[..., None]
    level = (np.einsum("tii->ti", covariance) / variance).sum(-1) / n_units
    covariance *= covariance
    squares = (weights.transpose(0, 2, 1) @ (covariance @ weights))[:, 0, 0]
    spread = (fourth / n_rows - squares) / (n_units * n_rows)
    distance = (squares - n_units * level**2) / n_units
    share = np.divide(
        np.minimum(spread, distance), distance, out=np.zeros_like(level), where=distance > 0
    )
    return np.maximum(share, 0), level


def _ridge_rule(moments: Moments, penalty: float) -> LinearRule:
    if penalty <= 0:
        raise UsageError(f"penalty must be above 0; got {penalty}.")
    counts = moments.counts
    grand = (counts[:, None] * moments.means).sum(1) / counts.sum()
    off = moments.means - grand[:, None]
    total = moments.scatter.sum(1) + (off * counts[:, None]).transpose(0, 2, 1) @ off
    at = np.arange(total.shape[-1])
    total[:, at, at] += penalty
    # Targets are -1, and 1 for the own class; centred, the class sums of units give X'y.
    coef = np.linalg.solve(total, 2.0 * (off * counts[:, None]).transpose(0, 2, 1))
    mean_target = 2.0 * counts / counts.sum() - 1.0
    intercept = mean_target - np.einsum("tu,tuc->tc", grand, coef)
    between = np.einsum("c,tcu,tcu->t", counts, off, off)
    varies = _varies(moments, between)
    return LinearRule(coef, np.where(varies[:, None], intercept, np.nan))


def _correlation_rule(moments: Moments) -> LinearRule:
    # Correlation with a class mean is linear in the pattern up to the pattern's own length, which
    # is the same for every class and cannot change the choice.
    centred = moments.means - moments.means.mean(-1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=-1, keepdims=True)
    coef = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    level = np.linalg.norm(moments.means, axis=-1)
    undefined = (lengths[..., 0] <= np.sqrt(_ROUNDING) * level).any(1)
    intercept = np.where(undefined[:, None], np.nan, np.zeros(len(moments.counts)))
    return _binary(LinearRule(coef.transpose(0, 2, 1), intercept))
