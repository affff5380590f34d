"""One-to-one matching of units: who is whose counterpart, scored on what did not choose it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from neuroai.errors import DataError, UsageError
from neuroai.numerics.encoding import Encoded, over_folds
from neuroai.numerics.folds import Folds


@dataclass(frozen=True)
class Matched:
    """How alike each unit and its counterpart are.

    Attributes
    ----------
    r : array, shape (n_folds, n_targets)
        Correlation with the counterpart on the rows that did not choose it, in [-1, 1]; NaN for a
        target without a counterpart, or where one of both does not vary.
    partner : array of int, shape (n_folds, n_targets)
        Column of x; -1 where all are taken.
    n_unmatched : int
        Targets without a counterpart in any one fold: those in excess of the columns of x.
    how : str
        How rows were dealt.
    """

    r: np.ndarray
    partner: np.ndarray
    n_unmatched: int
    how: str

    def mean_r(self) -> np.ndarray:
        """Average r over folds, shape (n_targets,); NaN where a fold is undefined."""
        return self.r.mean(axis=0)


def match_units(x: np.ndarray, y: np.ndarray, *, folds: Folds) -> Matched:
    r"""Match every target to one column of x and no column twice, and score on held-out rows.

    .. math:: \pi = \arg\max_\pi \sum_t r^{train}_{\pi(t)\, t}, \qquad
              s_t = r^{test}_{\pi(t)\, t}

    Parameters
    ----------
    x : array, shape (n_rows, n_units)
        Units to choose from, finite.
    y : array, shape (n_rows, n_targets)
        Units to find a counterpart for, finite.
    folds : Folds
        The counterpart is chosen on what a fold learns from and scored on what it tests.

    Returns
    -------
    Matched

    Raises
    ------
    UsageError
        Shapes do not fit.
    DataError
        A value is not finite.

    References
    ----------
    Li et al., 2015, arXiv:1511.07543; Kuhn, 1955, doi:10.1002/nav.3800020109

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> x = np.random.default_rng(0).standard_normal((20, 3))
    >>> folds = group_folds([str(i) for i in range(20)], n_folds=2)
    >>> match_units(x, x[:, [2, 0, 1]], folds=folds).partner.tolist()
    [[2, 0, 1], [2, 0, 1]]
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise UsageError(
            "Units (n_rows, n_units) and targets (n_rows, n_targets) of the same rows are wanted; "
            f"got {x.shape} and {y.shape}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError("Units to match must be finite. Leave the others out first.")
    found = [_one_fold(x, y, train, test) for train, test in folds]
    r, partner = (np.stack(part) for part in zip(*found, strict=True))
    return Matched(r, partner, max(0, y.shape[1] - x.shape[1]), folds.how)


def encode_matched(
    x: np.ndarray, y: np.ndarray, *, folds: Folds, keep_predictions: bool = False
) -> Encoded:
    """Predict every target by its one counterpart, as `encode` predicts it by all columns.

    The counterpart's own activity stands for the prediction: r is that of `match_units`, and R²
    asks for the same scale and level as well.

    Parameters
    ----------
    x, y, folds
        As in `match_units`.
    keep_predictions : bool
        Keep the prediction of every row; NaN for a target without a counterpart.

    Returns
    -------
    Encoded
        Without penalties.

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> x = np.random.default_rng(0).standard_normal((20, 3))
    >>> folds = group_folds([str(i) for i in range(20)], n_folds=2)
    >>> encode_matched(x, x[:, [2, 0]], folds=folds).mean_r().round(6)
    array([1., 1.])
    """
    found = match_units(x, y, folds=folds)
    partners = iter(found.partner)
    values = np.asarray(x, dtype=float)

    def learn(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, None]:
        del train
        partner = next(partners)
        return np.where(partner >= 0, values[test][:, partner], np.nan), None

    return over_folds(learn, np.asarray(y, float), folds=folds, keep_predictions=keep_predictions)


def _one_fold(
    x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    chosen, targets = linear_sum_assignment(
        _standard(x[train]).T @ _standard(y[train]), maximize=True
    )
    r, partner = np.full(y.shape[1], np.nan), np.full(y.shape[1], -1)
    partner[targets] = chosen
    a, b = x[test][:, chosen], y[test][:, targets]
    varies = (np.ptp(a, axis=0) > 0) & (np.ptp(b, axis=0) > 0)
    r[targets] = np.where(varies, (_standard(a) * _standard(b)).sum(axis=0), np.nan)
    return r, partner


def _standard(values: np.ndarray) -> np.ndarray:
    """Centre columns and scale them to length 1; a constant one becomes 0, alike to nothing."""
    centred = values - values.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    varies = (np.ptp(values, axis=0) > 0) & (norm > 0)
    return np.divide(centred, norm, out=np.zeros_like(centred), where=varies)
