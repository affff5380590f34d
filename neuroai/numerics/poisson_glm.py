"""Counts predicted from features: Poisson regression with a log link, many units at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neuroai.errors import DataError, UsageError
from neuroai.numerics.encoding import Encoded, over_folds
from neuroai.numerics.folds import Folds
from neuroai.numerics.ridge import as_pair, as_penalties, target_blocks

PENALTIES = tuple(float(alpha) for alpha in np.logspace(-2, 4, 7))
MAX_STEPS = 100
# Newton converges quadratically: a step this small in log rate leaves nothing to gain.
SMALLEST_STEP = 1e-10
HALVINGS = 30


@dataclass(frozen=True)
class Poisson:
    """Fitted log rates.

    Attributes
    ----------
    weights : array, shape (n_features, n_targets)
        In log counts per unit of the feature; NaN for a target without any count.
    intercept : array, shape (n_targets,)
        Log count where all features are 0.
    """

    weights: np.ndarray
    intercept: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Give expected counts, shape (n_rows, n_targets)."""
        return np.exp(np.asarray(x, dtype=float) @ self.weights + self.intercept)


def fit_poisson(x: Any, y: Any, *, penalties: Any = 1.0) -> Poisson:
    r"""Fit the log rate of every target by Newton's method, each with its own penalty.

    .. math:: \min_{w, c} \sum_i \left(\mu_i - y_i \log \mu_i\right)
              + \tfrac{\alpha}{2} \lVert w \rVert^2, \qquad \mu_i = e^{c + w^\top x_i}

    The intercept is not penalised, and the penalty is not divided by the number of rows (as it is
    in scikit-learn and nemos).

    Parameters
    ----------
    x : array, shape (n_rows, n_features)
        Features, finite.
    y : array, shape (n_rows, n_targets)
        Counts, 0 or more.
    penalties : float or array, shape (n_targets,)
        Above 0.

    Returns
    -------
    Poisson

    Raises
    ------
    DataError
        A count is below 0, or a fit does not converge.

    References
    ----------
    Pillow et al., 2008, Nature 454, 995, doi:10.1038/nature07140

    Examples
    --------
    >>> fit_poisson([[0.0], [1.0]], [[2.0], [2.0]]).intercept.round(4)
    array([0.6931])
    """
    x, y = (part.double() for part in as_pair(x, y))
    if bool((y < 0).any()):
        raise DataError(f"Counts are 0 or more; got {float(y.min()):g}.")
    alphas = as_penalties(penalties, y.shape[1], like=y)
    mean = x.mean(dim=0)
    # About their mean features leave the intercept near the log of the mean count.
    design = torch.cat([torch.ones_like(x[:, :1]), x - mean], dim=1)
    found = torch.full((design.shape[1], y.shape[1]), torch.nan, dtype=y.dtype)
    counted = torch.nonzero(y.sum(dim=0) > 0)[:, 0]
    for some in target_blocks(len(counted), rows=design.shape[1] ** 2 + len(x), itemsize=8):
        mine = counted[some]
        found[:, mine] = _newton(design, y[:, mine], alphas[mine])
    weights = found[1:].numpy()
    return Poisson(weights, found[0].numpy() - mean.numpy() @ weights)


def _newton(design: Tensor, y: Tensor, alphas: Tensor) -> Tensor:
    """Take Newton steps in all targets at once, halved where they would not lead down."""
    ridge = torch.ones_like(design[0])
    ridge[0] = 0
    w = torch.zeros(design.shape[1], y.shape[1], dtype=y.dtype)
    w[0] = y.mean(dim=0).log()
    for _ in range(MAX_STEPS):
        rate = (design @ w).exp()
        gradient = design.T @ (rate - y) + alphas * ridge[:, None] * w
        hessian = torch.einsum("np,nt,nq->tpq", design, rate, design)
        hessian += alphas[:, None, None] * torch.diag(ridge)
        step = torch.linalg.solve(hessian, gradient.T).T
        w, moved = _downhill(design, y, alphas * ridge[:, None], w, step)
        if moved < SMALLEST_STEP:
            return w
    raise DataError(
        f"Poisson regression did not converge in {MAX_STEPS} steps. Scale the features, or take a "
        "larger penalty."
    )


def _downhill(
    design: Tensor, y: Tensor, ridge: Tensor, w: Tensor, step: Tensor
) -> tuple[Tensor, float]:
    start, share = _loss(design, y, ridge, w), torch.ones_like(w[0])
    for _ in range(HALVINGS):
        there = _loss(design, y, ridge, w - share * step)
        # Rounding may lift a loss that has arrived.
        worse = ~(there <= start + 1e-12 * start.abs())
        if not bool(worse.any()):
            break
        share = torch.where(worse, share / 2, share)
    moved = share * step
    return w - moved, float((design @ moved).abs().max())


def _loss(design: Tensor, y: Tensor, ridge: Tensor, w: Tensor) -> Tensor:
    log_rate = design @ w
    return (log_rate.exp() - y * log_rate).sum(dim=0) + (ridge * w.square()).sum(dim=0) / 2


def deviance(y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    r"""Give the Poisson deviance of every target, 0 or more, 0 for a perfect prediction.

    .. math:: D(y, \mu) = 2 \sum_i \left(y_i \log \frac{y_i}{\mu_i} - y_i + \mu_i\right)

    Examples
    --------
    >>> deviance(np.array([[1.0], [3.0]]), np.array([[1.0], [3.0]]))
    array([0.])
    """
    y, rate = np.asarray(y, dtype=float), np.asarray(rate, dtype=float)
    ratio = np.divide(y, rate, out=np.ones_like(y), where=y > 0)
    return 2 * (y * np.log(ratio) - y + rate).sum(axis=0)


def pseudo_r2(y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    r"""Give the share of the deviance that is explained, at most 1; NaN without deviance.

    .. math:: R^2_D = 1 - D(y, \mu) / D(y, \bar y)

    with the mean of these rows, as R² has it; scikit-learn's ``d2_tweedie_score`` of power 1.

    Parameters
    ----------
    y, rate : array, shape (n_rows, n_targets)
        Counts, and expected counts above 0.

    Returns
    -------
    array, shape (n_targets,)

    References
    ----------
    Cameron & Windmeijer, 1997, J Econometrics 77, 329, doi:10.1016/S0304-4076(96)01818-0

    Examples
    --------
    >>> y = np.array([[1.0], [3.0]])
    >>> pseudo_r2(y, y), pseudo_r2(y, np.full((2, 1), 2.0))
    (array([1.]), array([0.]))
    """
    y = np.asarray(y, dtype=float)
    none = deviance(y, np.broadcast_to(y.mean(axis=0), y.shape))
    varies = np.ptp(y, axis=0) > 0
    share = np.divide(deviance(y, rate), none, out=np.full(len(none), np.nan), where=varies)
    return 1 - share


def encode_poisson(
    x: np.ndarray,
    y: np.ndarray,
    *,
    folds: Folds,
    penalties: Sequence[float] = PENALTIES,
    keep_predictions: bool = False,
) -> tuple[Encoded, np.ndarray]:
    """Predict counts from features, nested and cross-validated.

    Parameters
    ----------
    x, y : array, shape (n_rows, n_features) and (n_rows, n_targets)
        Features and counts.
    folds : Folds
        Outer folds; within each the other folds choose every target's penalty by deviance.
    penalties : sequence of float
        What is tried, above 0.
    keep_predictions : bool
        Keep the expected count of every row.

    Returns
    -------
    encoded : Encoded
        r and R² of the expected counts.
    pseudo_r2 : array, shape (n_folds, n_targets)
        See `pseudo_r2`; NaN for a target without counts to learn from, or constant where tested.

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> x = np.linspace(-1, 1, 30)[:, None]
    >>> folds = group_folds([str(i) for i in range(30)], n_folds=3)
    >>> found, explained = encode_poisson(x, np.round(20 * np.exp(x)), folds=folds)
    >>> bool((explained > 0.99).all())
    True
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    tried = np.sort(np.asarray(penalties, dtype=float))
    if tried.ndim != 1 or not len(tried) or not (tried > 0).all():
        raise UsageError("penalties are one or more numbers above 0.")
    explained = []

    def learn(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inner = folds.within(train)
        losses = [_inner_deviance(x[train], y[train], inner, alpha) for alpha in tried]
        chosen = tried[len(tried) - 1 - np.argmin(losses[::-1], axis=0)]
        rate = fit_poisson(x[train], y[train], penalties=chosen).predict(x[test])
        explained.append(pseudo_r2(y[test], rate))
        return rate, chosen

    found = over_folds(learn, y, folds=folds, keep_predictions=keep_predictions)
    return found, np.array(explained)


def _inner_deviance(x: np.ndarray, y: np.ndarray, inner: Folds, alpha: float) -> np.ndarray:
    total = np.zeros(y.shape[1])
    for train, test in inner:
        rate = fit_poisson(x[train], y[train], penalties=alpha).predict(x[test])
        total += np.nan_to_num(deviance(y[test], rate), nan=np.inf, posinf=np.inf)
    return total
