"""Banded ridge regression: one penalty a feature space, searched by himalaya."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroai.checks import need
from neuroai.errors import UsageError
from neuroai.numerics.encoding import Encoded, over_folds
from neuroai.numerics.folds import Folds
from neuroai.numerics.ridge_penalty import PENALTIES


@dataclass(frozen=True)
class Banded:
    """How well several feature spaces together predict, and the share of each.

    Attributes
    ----------
    encoded : Encoded
        r and R² of the joint prediction, fold by fold.
    shares : array, shape (n_folds, n_bands, n_targets)
        Product measure: parts of R² that sum to it; a part can lie below 0.
    log_weights : array, shape (n_folds, n_bands, n_targets)
        himalaya's deltas: log of each band's weight over the penalty.
    n_iter, seed : int
        Random search: other values find other weights.
    """

    encoded: Encoded
    shares: np.ndarray
    log_weights: np.ndarray
    n_iter: int
    seed: int


def encode_banded(
    bands: Sequence[np.ndarray],
    y: np.ndarray,
    *,
    folds: Folds,
    penalties: Sequence[float] = PENALTIES,
    n_iter: int = 100,
    seed: int = 0,
    keep_predictions: bool = False,
) -> Banded:
    r"""Predict targets from several feature spaces, each with a penalty of its own.

    .. math:: \min_w \Bigl\lVert y - \sum_b X_b w_b \Bigr\rVert^2 + \sum_b \alpha_b
              \lVert w_b \rVert^2

    Penalties are searched at random for every target (himalaya's random search over weights of
    kernels), by the other folds. Features and targets are taken about the means of what is learnt
    from; features are not scaled.

    Parameters
    ----------
    bands : sequence of array, shape (n_rows, n_features of the band)
        Feature spaces, two or more.
    y : array, shape (n_rows, n_targets)
        Targets.
    folds : Folds
        Outer folds.
    penalties : sequence of float
        Overall penalties that are tried with every draw of weights.
    n_iter : int
        Draws of weights.
    seed : int
        Seed of the draws.
    keep_predictions : bool
        Keep the prediction of every row.

    Returns
    -------
    Banded

    Raises
    ------
    MissingExtra
        himalaya is not installed.
    UsageError
        Fewer than two bands, or of unequal length.

    References
    ----------
    Nunez-Elizalde et al., 2019, NeuroImage 197, 482, doi:10.1016/j.neuroimage.2019.04.012;
    Dupré la Tour et al., 2022, NeuroImage 264, 119728, doi:10.1016/j.neuroimage.2022.119728

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.standard_normal((60, 3)), rng.standard_normal((60, 3))
    >>> folds = group_folds([str(i) for i in range(60)], n_folds=3)
    >>> found = encode_banded([a, b], a[:, :1], folds=folds, n_iter=5)
    >>> shares = found.shares.mean(axis=0)[:, 0]
    >>> bool(shares[0] > 0.9), bool(abs(shares[1]) < 0.1)
    (True, True)
    """
    ridge = need("himalaya.kernel_ridge", extra="banded", purpose="Banded ridge regression")
    scoring = need("himalaya.scoring", extra="banded", purpose="Banded ridge regression")
    bands, y = [np.asarray(band, dtype=float) for band in bands], np.asarray(y, dtype=float)
    if len(bands) < 2 or any(band.ndim != 2 or len(band) != len(y) for band in bands):
        raise UsageError(
            "Two or more feature spaces (n_rows, n_features) of the targets' rows are wanted; got "
            f"{[band.shape for band in bands]} for targets {y.shape}."
        )
    shares, weights = [], []

    def learn(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, None]:
        own, new = _kernels(bands, train, test)
        mean = y[train].mean(axis=0)
        fitted = ridge.MultipleKernelRidgeCV(
            kernels="precomputed",
            solver="random_search",
            solver_params={
                "alphas": np.asarray(penalties, dtype=float),
                "n_iter": n_iter,
                "progress_bar": False,
                "score_func": scoring.r2_score,
            },
            cv=list(folds.nested(train)),
            random_state=seed,
        ).fit(own, y[train] - mean)
        parts = np.asarray(fitted.predict(new, split=True), dtype=float)
        shares.append(_shares(y[test] - mean, parts))
        weights.append(np.asarray(fitted.deltas_, dtype=float))
        return parts.sum(axis=0) + mean, None

    encoded = over_folds(learn, y, folds=folds, keep_predictions=keep_predictions)
    return Banded(encoded, np.array(shares), np.array(weights), n_iter, seed)


def _kernels(
    bands: Sequence[np.ndarray], train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give inner products (n_bands, n_train or n_test, n_train) about the training means."""
    centred = [(b[train] - b[train].mean(axis=0), b[test] - b[train].mean(axis=0)) for b in bands]
    return np.stack([a @ a.T for a, _ in centred]), np.stack([n @ a.T for a, n in centred])


def _shares(truth: np.ndarray, parts: np.ndarray) -> np.ndarray:
    r"""Split R² among bands by the product measure, each about the mean of the tested rows.

    The offset that the joint prediction misses stays with the bands by their own offsets, so that
    the shares sum to R².
    """
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    joint = parts.sum(axis=0)
    explained = (parts * (2 * truth - joint)).sum(axis=1)
    missed = len(truth) * truth.mean(axis=0) ** 2
    # 1 - |y - p|² / total = (Σ p (2y - p) - n ȳ²) / total; the last term belongs to no band.
    defined = np.where(total > 0, total, np.nan)
    return (explained - missed / len(parts)) / defined
