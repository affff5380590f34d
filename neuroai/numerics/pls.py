"""Partial least squares: the mapping of few dimensions that older benchmarks take."""

from __future__ import annotations

import numpy as np

from neuroai.errors import UsageError
from neuroai.numerics.encoding import Encoded, over_folds
from neuroai.numerics.folds import Folds


def encode_pls(
    x: np.ndarray,
    y: np.ndarray,
    *,
    folds: Folds,
    n_components: int,
    scale: bool = False,
    keep_predictions: bool = False,
) -> Encoded:
    """Predict targets by partial least squares (scikit-learn's NIPALS), cross-validated.

    The dimensions are chosen for all targets together: leaving targets out changes the scores of
    the others, so that these are comparable with no score of ridge regression.

    Parameters
    ----------
    x, y : array, shape (n_rows, n_features) and (n_rows, n_targets)
        Features and targets, finite.
    folds : Folds
        Outer folds.
    n_components : int
        Dimensions: stated, since the score hangs on them (25 in Brain-Score).
    scale : bool
        Divide features and targets by their standard deviations first.
    keep_predictions : bool
        Keep the prediction of every row.

    Returns
    -------
    Encoded
        Without penalties.

    Raises
    ------
    UsageError
        More dimensions than features, or than rows to learn from.

    References
    ----------
    Yamins et al., 2014, PNAS 111, 8619, doi:10.1073/pnas.1403112111

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> x = np.arange(12.0)[:, None]
    >>> folds = group_folds([str(i) for i in range(12)], n_folds=3)
    >>> encode_pls(x, 3 * x, folds=folds, n_components=1).mean_r().round(6)
    array([1.])
    """
    from sklearn.cross_decomposition import PLSRegression

    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    most = min(x.shape[1], int(folds.train.sum(axis=1).min()))
    if not 1 <= n_components <= most:
        raise UsageError(
            f"n_components lies between 1 and {most}, the features or rows to learn from; got "
            f"{n_components}."
        )

    def learn(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, None]:
        fitted = PLSRegression(n_components=n_components, scale=scale).fit(x[train], y[train])
        return fitted.predict(x[test]).reshape(len(test), -1), None

    return over_folds(learn, y, folds=folds, keep_predictions=keep_predictions)
