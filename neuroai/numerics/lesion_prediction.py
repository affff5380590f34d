"""Multivariate lesion-symptom mapping: a score predicted from all lesioned elements together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroai.errors import DataError, UsageError


@dataclass(frozen=True)
class Predicted:
    """Scores predicted from lesions that were never learnt from.

    Attributes
    ----------
    r : float
        Correlation of predicted and true scores, in [-1, 1]; NaN where predictions do not vary.
    predictions : array, shape (n_lesions,)
        One a lesion, in the unit of the scores.
    kept : array of bool, shape (n_features,)
        Features that vary often enough.
    """

    r: float
    predictions: np.ndarray
    kept: np.ndarray


def predict_scores(
    features: np.ndarray,
    scores: np.ndarray,
    *,
    estimator: Any = None,
    least_share: float = 0.1,
    standardise: bool = True,
    n_folds: int | None = None,
    seed: int = 0,
) -> Predicted:
    """Predict every score from a model that learnt from the other lesions.

    Predictions of all lesions are correlated
    with their scores: with one lesion left out at a time no fold has a correlation of its own.

    Parameters
    ----------
    features : array, shape (n_lesions, n_features)
        Share of each element or territory that is lesioned, and covariates such as age.
    scores : array, shape (n_lesions,)
        What is predicted.
    estimator : object, optional
        Any regressor of scikit-learn; support vector regression with a Gaussian kernel by default.
    least_share : float
        Features that are not 0 in so small a share of the lesions, or less, are left out.
    standardise : bool
        Bring features to mean 0 and SD 1, within what is learnt from.
    n_folds : int, optional
        Folds of lesions; each lesion by itself by default.
    seed : int
        Seed of the folds.

    Returns
    -------
    Predicted

    Raises
    ------
    UsageError
        Shapes that do not fit.
    DataError
        Values that are not finite, or no feature that varies.

    References
    ----------
    Zhang et al., 2014, Hum Brain Mapp 35, 5861, doi:10.1002/hbm.22590

    Examples
    --------
    >>> x = np.arange(30.0)[:, None]
    >>> from sklearn.linear_model import LinearRegression
    >>> round(predict_scores(x, 2 * x[:, 0], estimator=LinearRegression()).r, 6)
    1.0
    """
    from sklearn.base import clone
    from sklearn.model_selection import KFold, LeaveOneOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    x, y = np.asarray(features, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if x.ndim != 2 or y.shape != x.shape[:1] or len(y) < 3:
        raise UsageError(
            "Features (n_lesions, n_features) and scores (n_lesions,) of three or more lesions are "
            f"wanted; got {x.shape} and {y.shape}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError("A feature or score is not finite. Leave these lesions out.")
    kept = ((x != 0).mean(axis=0) > least_share) & (np.ptp(x, axis=0) > 0)
    if not kept.any():
        raise DataError(f"No feature differs from 0 in more than {least_share:.0%} of the lesions.")
    plain = SVR() if estimator is None else clone(estimator)
    model = make_pipeline(StandardScaler(), plain) if standardise else plain
    folds = LeaveOneOut() if n_folds is None else KFold(n_folds, shuffle=True, random_state=seed)
    predictions = cross_val_predict(model, x[:, kept], y, cv=folds)
    varies = np.ptp(predictions) > 0 and np.ptp(y) > 0
    r = float(np.corrcoef(predictions, y)[0, 1]) if varies else float("nan")
    return Predicted(r, predictions, kept)
