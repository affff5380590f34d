"""Temporal response functions: ridge regression of continuous signals on lagged features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from neuroai.errors import UsageError
from neuroai.numerics.delays import Delayed, delayed
from neuroai.numerics.encoding import Encoded, encode
from neuroai.numerics.folds import Folds
from neuroai.numerics.ridge import as_kernel, as_pair
from neuroai.numerics.ridge_penalty import PENALTIES

BLOCK_ROWS = 4096


@dataclass(frozen=True)
class Trf:
    """A temporal response function.

    Attributes
    ----------
    weights : array, shape (n_lags, n_features, n_targets)
        In units of the target per unit of the feature.
    intercept : array, shape (n_targets,)
        Prediction where all features are 0.
    lags : tuple of int
        In rows; above 0 the feature comes before the response.
    """

    weights: np.ndarray
    intercept: np.ndarray
    lags: tuple[int, ...]

    def predict(self, x: np.ndarray, *, runs: Sequence[str]) -> np.ndarray:
        """Predict every row; beyond the border of a run features count as 0."""
        lagged = delayed(x, runs=runs, delays=self.lags, edges="zero")
        flat = self.weights.reshape(-1, self.weights.shape[2])
        out = np.empty((len(lagged), flat.shape[1]))
        for start in range(0, len(lagged), BLOCK_ROWS):
            rows = np.arange(start, min(start + BLOCK_ROWS, len(lagged)))
            out[rows] = lagged.rows(rows) @ flat + self.intercept
        return out


def fit_trf(
    x: Any, y: Any, *, lags: Sequence[int], runs: Sequence[str], penalty: float = 1.0
) -> Trf:
    r"""Fit a temporal response function with one penalty.

    .. math:: \hat y_t = c + \sum_{l} w_l^\top x_{t - l}, \qquad
              \min_w \lVert y - \hat y \rVert^2 + \alpha \lVert w \rVert^2

    Features and targets are taken about their means over all runs, and a feature counts as its
    mean beyond the border of its run, as in ``mne.decoding.TimeDelayingRidge``.

    Parameters
    ----------
    x : array, shape (n_rows, n_features)
        Features, runs one after the other.
    y : array, shape (n_rows, n_targets)
        Targets.
    lags : sequence of int
        In rows; above 0 the feature comes before the response.
    runs : sequence of str, length n_rows
        Run (or epoch) of each row.
    penalty : float
        Above 0, not divided by the number of rows.

    Returns
    -------
    Trf

    References
    ----------
    Crosse et al., 2016, Front Hum Neurosci 10, 604, doi:10.3389/fnhum.2016.00604

    Examples
    --------
    >>> x = np.array([[1.0], [0.0], [0.0], [-1.0], [0.0], [0.0]])
    >>> y = np.array([[0.0], [2.0], [0.0], [0.0], [-2.0], [0.0]])
    >>> trf = fit_trf(x, y, lags=[0, 1], runs=["a"] * 6, penalty=2.0)
    >>> trf.weights[:, 0, 0].round(6)
    array([0., 1.])
    """
    if not penalty > 0:
        raise UsageError(f"A penalty is above 0; got {penalty:g}.")
    x, y = (part.double().cpu().numpy() for part in as_pair(x, y))
    x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
    lagged = delayed(x - x_mean, runs=runs, delays=lags, edges="zero")
    gram, cross = _moments(lagged, y - y_mean)
    gram[np.diag_indices_from(gram)] += penalty
    weights = linalg.solve(gram, cross, assume_a="pos").reshape(len(lags), x.shape[1], -1)
    return Trf(weights, y_mean - x_mean @ weights.sum(axis=0), lagged.delays)


def _moments(lagged: Delayed, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum the products of lagged features with themselves and with targets, block by block."""
    size = lagged.shape[1]
    gram, cross = np.zeros((size, size)), np.zeros((size, y.shape[1]))
    for start in range(0, len(y), BLOCK_ROWS):
        rows = np.arange(start, min(start + BLOCK_ROWS, len(y)))
        part = lagged.rows(rows)
        gram += part.T @ part
        cross += part.T @ y[rows]
    return gram, cross


def encode_delayed(
    x: np.ndarray,
    y: np.ndarray,
    *,
    delays: Sequence[int],
    runs: Sequence[str],
    folds: Folds,
    penalties: Any = PENALTIES,
    keep_predictions: bool = False,
) -> Encoded:
    """Predict continuous targets from features at several delays, cross-validated.

    A finite impulse response for fMRI, a temporal response function for EEG and MEG. Delays are
    built run by run before rows are dealt, and rows whose delays reach beyond their run are left
    out of learning and of testing. Penalties are chosen for every target by the other folds.

    Parameters
    ----------
    x, y : array, shape (n_rows, n_features) and (n_rows, n_targets)
        Runs one after the other.
    delays : sequence of int
        In rows.
    runs : sequence of str, length n_rows
        Run of each row.
    folds : Folds
        Of all rows (`neuroai.numerics.folds.block_folds`, with a gap no shorter than the delays).
    penalties : sequence of float
        What is tried.
    keep_predictions : bool
        Keep the prediction of every row; NaN at the edges of runs.

    Returns
    -------
    Encoded

    Examples
    --------
    >>> from neuroai.numerics.folds import block_folds
    >>> x = np.random.default_rng(0).standard_normal((60, 1))
    >>> y = np.vstack([np.zeros((2, 1)), 3 * x[:-2]])
    >>> found = encode_delayed(x, y, delays=[1, 2, 3], runs=["a"] * 60,
    ...                        folds=block_folds(["a"] * 60, n_folds=3, gap=3))
    >>> found.mean_r().round(4)
    array([1.])
    """
    lagged = delayed(x, runs=runs, delays=delays)
    rows = lagged.kept
    wide = lagged.shape[1] > len(rows)
    features = as_kernel(lagged.gram()) if wide else lagged.rows()
    found = encode(
        features,
        np.asarray(y)[rows],
        folds=folds.within(rows),
        penalties=penalties,
        keep_predictions=keep_predictions,
    )
    if found.predictions is None:
        return found
    predictions = np.full((len(lagged), found.predictions.shape[1]), np.nan)
    predictions[rows] = found.predictions
    return Encoded(found.r, found.r2, found.penalties, found.at_edge, predictions, found.how)
