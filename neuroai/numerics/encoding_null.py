"""Scores of encoding models when stimuli are labelled at random, everything learnt anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neuroai.errors import UsageError
from neuroai.numerics.encoding import ROUNDING, ROUNDING_SINGLE, encode
from neuroai.numerics.folds import Folds
from neuroai.numerics.ridge import Kernel, Plain, as_features
from neuroai.numerics.ridge_penalty import PENALTIES

# Small enough for the cache of a core, which the passes over a block then stay in.
BLOCK_BYTES = 2 * 2**20


def encoding_null(
    x: Any,
    y: np.ndarray,
    *,
    folds: Folds,
    permutations: np.ndarray,
    penalties: Any = PENALTIES,
    rule: str = "folds",
    block_bytes: int = BLOCK_BYTES,
) -> np.ndarray:
    r"""Score every target under every relabelling of the rows of the targets.

    .. math:: r_{\pi u} = \frac{1}{K} \sum_k \mathrm{corr}\left( y_{\pi(B_k) u},\;
              \hat f_{A_k}(x_{B_k}) \right)

    with :math:`\hat f_{A_k}` learnt on the relabelled rows :math:`A_k`, its penalty chosen anew.
    To permute what was predicted, without learning, is not enough: a row that is tested in one
    fold is learnt from in the others, so that the scores of folds go together, and a null without
    that is too narrow (rejecting 11 % at .05 in 40 stimuli).

    Parameters
    ----------
    x : array or tensor, shape (n_rows, n_features), or Kernel
        Features, or their inner products.
    y : array, shape (n_rows, n_targets)
        Targets.
    folds : Folds
        Outer folds.
    permutations : array of int, shape (n_permutations, n_rows)
        Every row holds 0 to ``n_rows - 1`` once.
    penalties, rule
        As in `neuroai.numerics.encoding.encode`.
    block_bytes : int
        Memory for the targets of one block of relabellings.

    Returns
    -------
    array, shape (n_permutations, n_targets)
        Correlations averaged over folds, in [-1, 1]; NaN where a fold has no variance.

    Raises
    ------
    UsageError
        Permutations of another number of rows.

    References
    ----------
    Ojala & Garriga 2010, Journal of Machine Learning Research 11, 1833

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> x = np.arange(12.0)[:, None]
    >>> folds = group_folds([str(i) for i in range(12)], n_folds=3)
    >>> orders = np.stack([np.arange(12), np.arange(12)[::-1]])
    >>> encoding_null(x, 3 * x, folds=folds, permutations=orders).round(6).ravel()
    array([1., 1.])
    """
    y, permutations = np.asarray(y), np.asarray(permutations)
    if permutations.ndim != 2 or permutations.shape[1] != len(y):
        raise UsageError(
            f"permutations must have shape (n_permutations, {len(y)}); got {permutations.shape}."
        )
    features, targets = as_features(x, y)
    tried = torch.as_tensor(np.sort(np.asarray(penalties, dtype=float))).to(targets)
    fast = [_fold(features, *fold, tried) for fold in folds] if rule == "generalised" else None
    n_targets = y.shape[1]
    at_once = max(1, block_bytes // max(1, targets.element_size() * targets.numel()))
    out = np.empty((len(permutations), n_targets))
    for start in range(0, len(permutations), at_once):
        orders = torch.tensor(permutations[start : start + at_once], device=targets.device)
        # Relabelled copies stand beside each other as further targets of one decomposition.
        copies = targets[orders].transpose(0, 1).reshape(len(y), -1)
        if fast is None:
            found = encode(x, copies, folds=folds, penalties=penalties, rule=rule).mean_r()
        else:
            found = torch.stack([fold.r(copies) for fold in fast]).mean(dim=0).cpu().numpy()
        out[start : start + at_once] = found.reshape(len(orders), n_targets)
    return out


@dataclass(frozen=True, eq=False)
class _Fold:
    """One fold decomposed once for all targets.

    `left` (n_rows, rank) is 0 in the rows that are not learnt from; its columns sum to 0, so that
    targets need no centring. `at` is (n_test, rank).
    """

    train: Tensor
    test: Tensor
    left: Tensor
    at: Tensor
    values: Tensor
    alphas: Tensor
    lost: Tensor
    rest: float

    def r(self, y: Tensor) -> Tensor:
        """Choose each target's penalty by generalised cross-validation, and score it."""
        b = self.left.T @ y
        error = self.lost.square() @ b.square()
        if self.rest:
            known = y[self.train] - y[self.train].mean(dim=0)
            error += (known.square().sum(dim=0) - b.square().sum(dim=0)).clamp(min=0)
        error /= (self.lost.sum(dim=1) + self.rest).square()[:, None]
        # Of equals the largest. Several times as fast as argmin over the first axis.
        places = torch.arange(len(error), dtype=error.dtype, device=error.device)[:, None]
        best = ((error == error.amin(dim=0)) * places).amax(dim=0).long()
        predicted = self.at @ b.div_(self.values[:, None] + self.alphas[best])
        return _correlation(y[self.test], predicted)


def _fold(features: Kernel | Plain, train: np.ndarray, test: np.ndarray, alphas: Tensor) -> _Fold:
    rows, tested = (torch.as_tensor(some, device=alphas.device) for some in (train, test))
    basis = features.basis(rows)
    left, values = basis.training_coordinates(), basis.values
    at = features.at(basis, tested) * basis.loading_scale()
    lost = alphas[:, None] / (values + alphas[:, None])
    everywhere = torch.zeros(len(features), left.shape[1], dtype=left.dtype, device=left.device)
    everywhere[rows] = left
    rest = float(len(rows) - 1 - len(values))
    return _Fold(rows, tested, everywhere, at, values, alphas, lost, rest)


def _correlation(truth: Tensor, predicted: Tensor) -> Tensor:
    a, b = truth - truth.mean(dim=0), predicted - predicted.mean(dim=0)
    total, spread = a.square().sum(dim=0), b.square().sum(dim=0)
    flat = spread <= total * (ROUNDING_SINGLE if a.dtype == torch.float32 else ROUNDING) ** 2
    scale = torch.where((total > 0) & ~flat, (total * spread).sqrt(), torch.nan)
    return ((a * b).sum(dim=0) / scale).clamp(-1, 1)
