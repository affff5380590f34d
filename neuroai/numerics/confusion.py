"""Confusions: which option is mistaken for which, and how alike two observers' mistakes are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.checks import known_name
from neuroai.errors import DataError
from neuroai.numerics.agreement import stimulus_weights

# Variances of proportions below this share of their mean square are rounding of zero.
_CONSTANT = 1e-12


def confusion_counts(
    truth: Sequence[str],
    choice: Sequence[str],
    *,
    options: Sequence[str],
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Count how often each option was chosen for each true one.

    Parameters
    ----------
    truth, choice : sequence of str, length n_trials
        Right and chosen option; trials where either is ``''`` (missing) are not counted.
    options : sequence of str, length n_options
        The options, in the order of rows and columns.
    weights : array, shape (n_resamples, n_trials), optional
        How often each trial counts.

    Returns
    -------
    array, shape (n_options, n_options) or (n_resamples, n_options, n_options)
        Row: truth; column: choice.

    Raises
    ------
    UnknownName
        A truth or choice is not among the options.
    DataError
        The lengths differ.

    Examples
    --------
    >>> confusion_counts(["cat", "cat", "dog"], ["cat", "dog", "dog"], options=["cat", "dog"])
    array([[1., 1.],
           [0., 1.]])
    """
    if len(truth) != len(choice):
        raise DataError(f"{len(truth)} truths and {len(choice)} choices: give one of each a trial.")
    rows, columns = option_codes(truth, options=options), option_codes(choice, options=options)
    k, kept = len(options), (rows >= 0) & (columns >= 0)
    cell = rows[kept] * k + columns[kept]
    if weights is None:
        return np.bincount(cell, minlength=k * k).astype(float).reshape(k, k)
    weights = stimulus_weights(weights, n_stimuli=len(truth))[:, kept]
    return (weights @ np.eye(k * k)[cell]).reshape(-1, k, k)


def option_codes(values: Sequence[str], *, options: Sequence[str]) -> np.ndarray:
    """Turn names of options into their places, and missing ones (``''``) into -1.

    Examples
    --------
    >>> option_codes(["dog", ""], options=["cat", "dog"])
    array([ 1, -1])
    """
    places = {name: place for place, name in enumerate(options)} | {"": -1}
    for name in set(values) - set(places):
        known_name(str(name), [str(option) for option in options], kind="option")
    return np.array([places[name] for name in values], dtype=np.int64)


def pooled_confusions(
    choice_counts: np.ndarray, truth: np.ndarray, *, weights: np.ndarray | None = None
) -> np.ndarray:
    r"""Add the choices of stimuli up to confusion matrices, each stimulus with its weight.

    .. math:: C_{b s t c} = \sum_{i:\, truth_i = t} w_{b i}\, n_{s i c}

    Parameters
    ----------
    choice_counts : array, shape (n_subjects, n_stimuli, n_options)
        How often each subject chose each option on each stimulus.
    truth : int array, shape (n_stimuli,)
        Place of the right option; -1 leaves the stimulus out.
    weights : array, shape (n_resamples, n_stimuli), optional
        How often each stimulus counts.

    Returns
    -------
    array, shape (n_subjects, n_options, n_options) or (n_resamples, n_subjects, ...)
        Row: truth; column: choice.

    Examples
    --------
    >>> pooled_confusions(np.array([[[1, 0], [1, 1]]]), np.array([0, 1]))
    array([[[1., 0.],
            [1., 1.]]])
    """
    counts, truth = np.asarray(choice_counts, dtype=float), np.asarray(truth, dtype=np.int64)
    if counts.ndim != 3 or truth.shape != counts.shape[1:2]:
        raise DataError(
            "pooled_confusions needs (n_subjects, n_stimuli, n_options) and (n_stimuli,); got "
            f"{counts.shape} and {truth.shape}."
        )
    is_truth = (truth[:, None] == np.arange(counts.shape[2])).astype(float)
    if weights is None:
        return np.einsum("it,sic->stc", is_truth, counts, optimize=True)
    weights = stimulus_weights(weights, n_stimuli=len(truth))
    n_options, n_stimuli = counts.shape[2], len(truth)
    cells = is_truth[None, :, :, None] * counts[:, :, None, :]
    cells = cells.transpose(1, 0, 2, 3).reshape(n_stimuli, -1)
    return (weights @ cells).reshape(len(weights), len(counts), n_options, n_options)


def off_diagonal_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson correlation of the mistakes in confusion matrices.

    Rows are divided by their sums; the diagonal is left out, since it would dominate. Rows that
    are empty (see :func:`empty_rows`) in either matrix are left out of that pair.

    Parameters
    ----------
    a : array, shape (n_a, n_options, n_options) or (n_resamples, n_a, n_options, n_options)
        Counts, at least 0; row: truth; column: choice.
    b : array, shape (n_b, n_options, n_options) or (n_resamples, n_b, n_options, n_options)
        The same for the other observers.

    Returns
    -------
    array, shape (n_a, n_b) or (n_resamples, n_a, n_b)
        Correlation in [-1, 1]; NaN where one of the two makes no mistakes, or makes all equally
        often.

    Raises
    ------
    DataError
        The shapes do not match.

    References
    ----------
    Rajalingham, Schmidt & DiCarlo 2015, doi:10.1523/JNEUROSCI.5181-14.2015.

    Examples
    --------
    >>> c = np.array([[[8.0, 2, 0], [0, 9, 1], [3, 0, 7]]])
    >>> off_diagonal_correlation(c, 10 * c).round(12)
    array([[1.]])
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    alike = a.ndim == b.ndim and a.ndim in (3, 4) and a.shape[:-3] == b.shape[:-3]
    if not alike or len({*a.shape[-2:], *b.shape[-2:]}) != 1:
        raise DataError(
            "off_diagonal_correlation needs (n_a, n_options, n_options) and (n_b, n_options, "
            f"n_options), or both with resamples in front; got {a.shape} and {b.shape}."
        )
    return _complete_pearson(_mistakes(a), _mistakes(b))


def empty_rows(counts: np.ndarray) -> np.ndarray:
    """Count the true options of which no trial was answered.

    Parameters
    ----------
    counts : array, shape (..., n_options, n_options)
        Row: truth; column: choice.

    Returns
    -------
    int array, shape (...)

    Examples
    --------
    >>> int(empty_rows(np.array([[1, 1], [0, 0]])))
    1
    """
    return (np.asarray(counts).sum(axis=-1) == 0).sum(axis=-1)


def _mistakes(counts: np.ndarray) -> np.ndarray:
    """Row-normalised off-diagonal entries, NaN in empty rows."""
    totals = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = np.where(totals > 0, counts / totals, np.nan)
    return rates[..., ~np.eye(counts.shape[-1], dtype=bool)]


def _complete_pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pairwise-complete Pearson of the rows of x (..., n_a, m) and y (..., n_b, m)."""
    in_x, in_y = (~np.isnan(x)).astype(float), (~np.isnan(y)).astype(float)
    x, y = np.nan_to_num(x), np.nan_to_num(y)
    in_y, y = np.swapaxes(in_y, -1, -2), np.swapaxes(y, -1, -2)
    n, sx, sy = in_x @ in_y, x @ in_y, in_x @ y
    sxx, syy = (x * x) @ in_y, in_x @ (y * y)
    with np.errstate(invalid="ignore", divide="ignore"):
        xx, yy, xy = sxx - sx * sx / n, syy - sy * sy / n, x @ y - sx * sy / n
        varies = (xx > sxx * _CONSTANT) & (yy > syy * _CONSTANT)
        return np.where(varies, np.clip(xy / np.sqrt(xx * yy), -1, 1), np.nan)
