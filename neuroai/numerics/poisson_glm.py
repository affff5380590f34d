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
from neuroai.numerics.poisson_scores import bits_per_count, deviance, pseudo_r2
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
    own_weights : array, shape (n_own, n_targets), or None
        Of the features that each target has for itself.
    """

    weights: np.ndarray
    intercept: np.ndarray
    own_weights: np.ndarray | None = None

    def predict(self, x: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
        """Give expected counts, shape (n_rows, n_targets)."""
        log_rate = np.asarray(x, dtype=float) @ self.weights + self.intercept
        if self.own_weights is not None:
            log_rate += np.einsum("npt,pt->nt", own, self.own_weights)
        return np.exp(log_rate)


@dataclass(frozen=True)
class CountScores:
    """How well counts are predicted, fold by fold.

    Attributes
    ----------
    pseudo_r2, bits_per_count : array, shape (n_folds, n_targets)
        See `neuroai.numerics.poisson_scores`; NaN for a target without counts to learn from or to
        test.
    """

    pseudo_r2: np.ndarray
    bits_per_count: np.ndarray


def fit_poisson(
    x: Any, y: Any, *, penalties: Any = 1.0, own: Any = None, start: Poisson | None = None
) -> Poisson:
    r"""Fit the log rate of every target by Newton's method, each with its own penalty.

    .. math:: \min_{w, c} \sum_i \left(\mu_i - y_i \log \mu_i\right)
              + \tfrac{\alpha}{2} \lVert w \rVert^2, \qquad
              \mu_i = e^{c + w^\top x_i + v^\top h_i}

    The intercept is not penalised, and the penalty, which is that of v too, is not divided by the
    number of rows (as it is in scikit-learn and nemos).

    Parameters
    ----------
    x : array, shape (n_rows, n_features)
        Features, finite.
    y : array, shape (n_rows, n_targets)
        Counts, 0 or more.
    penalties : float or array, shape (n_targets,)
        Above 0.
    own : array, shape (n_rows, n_own, n_targets), optional
        Features h that each target has for itself, such as its counts before.
    start : Poisson, optional
        Where to begin, such as the fit of a penalty beside this one; where it ends is the same.

    Returns
    -------
    Poisson

    Raises
    ------
    UsageError
        `own` is of other rows or targets.
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
    n_rows, n_features = x.shape
    mine = _own_of(own, n_rows, y.shape[1])
    alphas = as_penalties(penalties, y.shape[1], like=y)
    n_weights = 1 + n_features + mine.shape[1]
    # About their mean features leave the intercept near the log of the mean count.
    mean, own_mean = x.mean(dim=0), mine.mean(dim=0)
    shared = torch.cat([torch.ones_like(y[:, :1]), x - mean], dim=1)
    found = _first(start, y, mean, own_mean, n_weights)
    counted = torch.nonzero(y.sum(dim=0) > 0)[:, 0]
    held = n_weights**2 + n_rows * (n_weights + 1)
    for some in target_blocks(len(counted), rows=held, itemsize=8):
        block = counted[some]
        design = _design(shared, mine[:, :, block] - own_mean[:, block])
        found[:, block] = _newton(design, y[:, block], alphas[block], found[:, block])
    found[:, y.sum(dim=0) == 0] = torch.nan
    weights, own_weights = found[1 : n_features + 1].numpy(), found[n_features + 1 :].numpy()
    level = mean.numpy() @ weights + (own_mean.numpy() * own_weights).sum(axis=0)
    intercept = found[0].numpy() - level
    return Poisson(weights, intercept, None if own is None else own_weights)


def _own_of(own: Any, n_rows: int, n_targets: int) -> Tensor:
    if own is None:
        return torch.zeros(n_rows, 0, n_targets, dtype=torch.float64)
    mine = torch.as_tensor(np.asarray(own, dtype=float))
    if mine.ndim != 3 or (mine.shape[0], mine.shape[2]) != (n_rows, n_targets):
        raise UsageError(
            f"own has the shape ({n_rows} rows, features, {n_targets} targets); got "
            f"{tuple(mine.shape)}."
        )
    return mine


def _design(shared: Tensor, own: Tensor) -> Tensor:
    """Give one design for all targets (n_rows, n), or one each (n_targets, n_rows, n)."""
    if not own.shape[1]:
        return shared
    mine = own.permute(2, 0, 1)
    return torch.cat([shared.expand(len(mine), -1, -1), mine], dim=2)


def _first(
    start: Poisson | None, y: Tensor, mean: Tensor, own_mean: Tensor, n_weights: int
) -> Tensor:
    """Give the weights to begin with, about the means of the features: a rate that is constant."""
    w = torch.zeros(n_weights, y.shape[1], dtype=y.dtype)
    w[0] = y.mean(dim=0).log()
    if start is None:
        return w
    own = np.zeros((0, y.shape[1])) if start.own_weights is None else start.own_weights
    weights = torch.as_tensor(np.vstack([start.weights, own]))
    level = mean @ weights[: len(mean)] + (own_mean * weights[len(mean) :]).sum(dim=0)
    found = torch.cat([(torch.as_tensor(start.intercept) + level)[None], weights])
    # A target that was silent then has no weights to begin with.
    return torch.where(found.isfinite().all(dim=0), found, w)


def _newton(design: Tensor, y: Tensor, alphas: Tensor, w: Tensor) -> Tensor:
    """Take Newton steps in all targets at once, halved where they would not lead down."""
    ridge = torch.ones(design.shape[-1], dtype=y.dtype)
    ridge[0] = 0
    for _ in range(MAX_STEPS):
        rate = _log_rate(design, w).exp()
        gradient = _back(design, rate - y) + alphas * ridge[:, None] * w
        hessian = _curvature(design, rate)
        hessian += alphas[:, None, None] * torch.diag(ridge)
        step = torch.linalg.solve(hessian, gradient.T).T
        w, moved = _downhill(design, y, alphas * ridge[:, None], w, step)
        if moved < SMALLEST_STEP:
            return w
    raise DataError(
        f"Poisson regression did not converge in {MAX_STEPS} steps. Scale the features, or take a "
        "larger penalty."
    )


def _log_rate(design: Tensor, w: Tensor) -> Tensor:
    return design @ w if design.ndim == 2 else torch.einsum("tnp,pt->nt", design, w)


def _back(design: Tensor, rest: Tensor) -> Tensor:
    return design.T @ rest if design.ndim == 2 else torch.einsum("tnp,nt->pt", design, rest)


def _curvature(design: Tensor, rate: Tensor) -> Tensor:
    each = design if design.ndim == 3 else design[None]
    return (each * rate.T[:, :, None]).transpose(1, 2) @ each


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
    return w - moved, float(_log_rate(design, moved).abs().max())


def _loss(design: Tensor, y: Tensor, ridge: Tensor, w: Tensor) -> Tensor:
    log_rate = _log_rate(design, w)
    return (log_rate.exp() - y * log_rate).sum(dim=0) + (ridge * w.square()).sum(dim=0) / 2


def encode_poisson(
    x: np.ndarray,
    y: np.ndarray,
    *,
    folds: Folds,
    penalties: Sequence[float] = PENALTIES,
    own: np.ndarray | None = None,
    keep_predictions: bool = False,
) -> tuple[Encoded, CountScores]:
    """Predict counts from features, nested and cross-validated.

    Parameters
    ----------
    x, y : array, shape (n_rows, n_features) and (n_rows, n_targets)
        Features and counts.
    folds : Folds
        Outer folds; within each the other folds choose every target's penalty by deviance.
    penalties : sequence of float
        What is tried, above 0.
    own : array, shape (n_rows, n_own, n_targets), optional
        Features that each target has for itself.
    keep_predictions : bool
        Keep the expected count of every row.

    Returns
    -------
    encoded : Encoded
        r and R² of the expected counts.
    scores : CountScores
        The share of deviance explained, and bits for every count.

    Raises
    ------
    UsageError
        A penalty is not above 0, or `own` is of other rows or targets.
    DataError
        A count is below 0, or a fit does not converge.

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> x = np.linspace(-1, 1, 30)[:, None]
    >>> folds = group_folds([str(i) for i in range(30)], n_folds=3)
    >>> found, scores = encode_poisson(x, np.round(20 * np.exp(x)), folds=folds)
    >>> bool((scores.pseudo_r2 > 0.99).all())
    True
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    tried = np.sort(np.asarray(penalties, dtype=float))
    if tried.ndim != 1 or not len(tried) or not (tried > 0).all():
        raise UsageError("penalties are one or more numbers above 0.")
    mine = _own_of(own, len(x), y.shape[1]).numpy()
    explained, bits = [], []

    def learn(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        losses = sum(
            _path_deviance(x, y, mine, train[a], train[b], tried) for a, b in folds.nested(train)
        )
        chosen = tried[len(tried) - 1 - np.argmin(losses[::-1], axis=0)]
        fitted = fit_poisson(x[train], y[train], penalties=chosen, own=mine[train])
        rate = fitted.predict(x[test], mine[test])
        explained.append(pseudo_r2(y[test], rate))
        bits.append(bits_per_count(y[test], rate, mean=y[train].mean(axis=0)))
        return rate, chosen

    found = over_folds(learn, y, folds=folds, keep_predictions=keep_predictions)
    return found, CountScores(np.array(explained), np.array(bits))


def _path_deviance(
    x: np.ndarray,
    y: np.ndarray,
    own: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    tried: np.ndarray,
) -> np.ndarray:
    """Give the deviance of every penalty and target, (n_penalties, n_targets), strongest first."""
    out, fitted = np.empty((len(tried), y.shape[1])), None
    for place in reversed(range(len(tried))):
        fitted = fit_poisson(
            x[train], y[train], penalties=tried[place], own=own[train], start=fitted
        )
        lost = deviance(y[test], fitted.predict(x[test], own[test]))
        out[place] = np.nan_to_num(lost, nan=np.inf, posinf=np.inf)
    return out
