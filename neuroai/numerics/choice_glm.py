"""Choice GLM: what sways a binary choice, the stimulus or what went before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import expit, log_expit

from neuroai.checks import in_range
from neuroai.errors import DataError, UsageError

_CONVERGED = 1e-10
_MOST_STEPS = 100
# Smallest curvature of the likelihood, with columns scaled, below which a weight runs away.
_FLAT = 1e-7


@dataclass(frozen=True)
class LogisticFit:
    """A logistic regression.

    Attributes
    ----------
    coefficients, errors, p : array, shape (n_columns,)
        Log odds of the choice per unit of each column, their standard errors from the information
        at the maximum, and two-sided p of Wald's z.
    log_likelihood : float
        Natural logarithm, of the trials, without the penalty.
    """

    coefficients: np.ndarray
    errors: np.ndarray
    p: np.ndarray
    log_likelihood: float


def fit_logistic(design: np.ndarray, choice: np.ndarray, *, penalty: float = 0.0) -> LogisticFit:
    r"""Fit a binary choice by maximum likelihood, or with a ridge penalty.

    .. math:: \max_b \sum_i y_i\, x_i^T b - \ln(1 + e^{x_i^T b}) - \tfrac{\alpha}{2} |b|^2

    Parameters
    ----------
    design : array, shape (n_trials, n_columns)
        Predictors, with a column of ones for a bias.
    choice : array, shape (n_trials,)
        1 or 0.
    penalty : float
        :math:`\alpha`, at least 0; on every column, the bias among them. A small one keeps
        coefficients finite where a column tells the choice without error.

    Returns
    -------
    LogisticFit

    Raises
    ------
    DataError
        Shapes do not match, a value is not finite, a choice is not 0 or 1, all choices are alike,
        a column follows from the others, or a column tells the choice without error and there is no
        penalty.
    UsageError
        The penalty is negative.

    References
    ----------
    McCullagh & Nelder 1989, Generalized Linear Models.

    Examples
    --------
    Three of four choices under one condition and one of four under the other: log odds ±ln 3.

    >>> x = np.column_stack([np.ones(8), [1] * 4 + [-1] * 4])
    >>> fit_logistic(x, [1, 1, 1, 0, 1, 0, 0, 0]).coefficients.round(4) + 0.0
    array([0.    , 1.0986])
    """
    x, y = _checked(design, choice)
    in_range(penalty, option="penalty", low=0.0, high=np.inf)
    b, value = np.zeros(x.shape[1]), -np.inf
    for _ in range(_MOST_STEPS):
        p = expit(x @ b)
        information = (x * (p * (1 - p))[:, None]).T @ x + penalty * np.eye(len(b))
        step = np.linalg.solve(information, x.T @ (y - p) - penalty * b)
        new, gained = _climbed(x, y, b, step, value, penalty=penalty)
        done = gained - value < _CONVERGED * (1 + abs(gained))
        b, value = new, gained
        if done:
            break
    p = expit(x @ b)
    information = (x * (p * (1 - p))[:, None]).T @ x + penalty * np.eye(len(b))
    scale = np.sqrt((x**2).sum(axis=0))
    if np.linalg.eigvalsh(information / np.outer(scale, scale))[0] < _FLAT:
        raise DataError(
            "A column tells the choice without error, so that its weight has no maximum. Give "
            "penalty > 0."
        )
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return LogisticFit(
        coefficients=b,
        errors=errors,
        p=2 * stats.norm.sf(np.abs(b / errors)),
        log_likelihood=float(choice_log_likelihood(x, y, b).sum()),
    )


def choice_log_likelihood(
    design: np.ndarray, choice: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Log likelihood (natural) of every choice under given coefficients.

    Examples
    --------
    >>> choice_log_likelihood(np.ones((1, 1)), np.array([1.0]), np.zeros(1)).round(4)
    array([-0.6931])
    """
    signed = (2 * np.asarray(choice, dtype=float) - 1) * (np.asarray(design) @ coefficients)
    return log_expit(signed)


def held_out_bits(
    design: np.ndarray,
    choice: np.ndarray,
    *,
    n_folds: int = 5,
    seed: int = 0,
    penalty: float = 0.0,
    baseline: int = 0,
) -> float:
    r"""Gain in log likelihood on trials that were not fitted, over the bias alone.

    .. math:: \frac{1}{n \ln 2} \sum_i \ln p_{-i}(y_i) - \ln p^{bias}_{-i}(y_i)

    Parameters
    ----------
    design, choice, penalty
        As in :func:`fit_logistic`.
    n_folds : int
        Folds of trials, at least 2, dealt at random.
    seed : int
        Seed of the deal.
    baseline : int
        Column of ones.

    Returns
    -------
    float
        Bits a trial; at most 1, negative where the predictors mislead.

    Raises
    ------
    UsageError
        Fewer than two folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.column_stack([np.ones(400), rng.normal(size=400)])
    >>> y = (rng.random(400) < expit(3 * x[:, 1])).astype(float)
    >>> bool(held_out_bits(x, y) > 0.3)
    True
    """
    x, y = _checked(design, choice)
    if n_folds < 2:
        raise UsageError(f"n_folds must be at least 2; got {n_folds}.")
    folds = np.random.default_rng(seed).permutation(len(y)) % n_folds
    gain = 0.0
    for fold in range(n_folds):
        test = folds == fold
        fitted = fit_logistic(x[~test], y[~test], penalty=penalty)
        bias = x[:, baseline : baseline + 1]
        alone = fit_logistic(bias[~test], y[~test], penalty=penalty)
        gain += choice_log_likelihood(x[test], y[test], fitted.coefficients).sum()
        gain -= choice_log_likelihood(bias[test], y[test], alone.coefficients).sum()
    return float(gain / len(y) / np.log(2))


def history_columns(
    choice: np.ndarray, correct: np.ndarray, sequence: np.ndarray, *, n_back: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give the choices before each trial, by whether they were right.

    Parameters
    ----------
    choice : array, shape (n_trials,)
        1 or 0, in the order of the trials.
    correct : array, shape (n_trials,)
        1 right, 0 wrong.
    sequence : array, shape (n_trials,)
        What runs without a break (a session of a subject); history does not reach across.
    n_back : int
        How many trials back, at least 1.

    Returns
    -------
    columns : array, shape (n_trials, 2 * n_back)
        For each lag two columns: the choice (1 or -1) of that trial where it was right, else 0; and
        where it was wrong.
    known : bool array, shape (n_trials,)
        Whether all lags lie in the same sequence.

    Raises
    ------
    UsageError
        `n_back` is below 1.

    Examples
    --------
    >>> columns, known = history_columns([1, 0, 1], [1, 0, 1], ["s", "s", "s"], n_back=1)
    >>> columns[1:].tolist(), known.tolist()
    ([[1.0, 0.0], [0.0, -1.0]], [False, True, True])
    """
    if n_back < 1:
        raise UsageError(f"n_back must be at least 1; got {n_back}.")
    signed = 2 * np.asarray(choice, dtype=float) - 1
    correct, sequence = np.asarray(correct, dtype=float), np.asarray(sequence)
    n = len(signed)
    columns, known = np.zeros((n, 2 * n_back)), np.ones(n, dtype=bool)
    for lag in range(1, n_back + 1):
        same = np.zeros(n, dtype=bool)
        same[lag:] = sequence[lag:] == sequence[:-lag]
        known &= same
        before = np.maximum(np.arange(n) - lag, 0)
        columns[:, 2 * lag - 2] = np.where(same & (correct[before] == 1), signed[before], 0.0)
        columns[:, 2 * lag - 1] = np.where(same & (correct[before] == 0), signed[before], 0.0)
    return columns, known


def _checked(design: np.ndarray, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(design, dtype=float), np.asarray(choice, dtype=float)
    if x.ndim != 2 or y.shape != x.shape[:1] or not np.isfinite(x).all():
        raise DataError(
            f"A choice GLM needs finite (n_trials, n_columns) and (n_trials,); got {x.shape} and "
            f"{y.shape}."
        )
    if not np.isin(y, (0, 1)).all() or len(np.unique(y)) < 2:
        raise DataError("A choice GLM needs choices 0 and 1, and both of them.")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise DataError("A column of the design follows from the others: leave it out.")
    return x, y


def _climbed(
    x: np.ndarray, y: np.ndarray, b: np.ndarray, step: np.ndarray, value: float, *, penalty: float
) -> tuple[np.ndarray, float]:
    """Go along a Newton step, halved until it does not go down."""
    for _ in range(40):
        new = b + step
        gained = choice_log_likelihood(x, y, new).sum() - 0.5 * penalty * new @ new
        if gained >= value:
            return new, float(gained)
        step = step / 2
    return b, value
