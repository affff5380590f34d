r"""Scores of every ridge penalty from a few products instead of one product a penalty.

The prediction of fold and penalty is a sum over the directions of the features,

.. math:: \hat y_\alpha(x) = \sum_k \frac{a_k(x)\, b_k}{\lambda_k + \alpha}.

As functions of k the factors of twenty penalties span few dimensions: neighbouring penalties
shrink alike. They are written as a mix of orthogonal modes, as many as the precision can tell
apart, and the products with the targets are made for the modes alone. Gram matrices are made once
for all folds: what a fold leaves out is subtracted, or its rows are picked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from neuroai.numerics.folds import Folds
from neuroai.numerics.ridge import Kernel, Plain, spectrum, target_blocks

# Modes below this multiple of the rounding error are below that of a product of a thousand terms.
MODES_KEPT = 32
BLOCK_BYTES = 96 * 2**20


def penalty_modes(factors: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    r"""Write the factors of penalties as a mix of as few modes as rounding lets be told apart.

    .. math:: f_{jk} = \sum_i c_{ji} m_{ik}

    Parameters
    ----------
    factors : Tensor, shape (n_penalties, rank)
        Above 0.
    weights : Tensor, shape (rank,)
        How large the product is that each factor multiplies: each penalty keeps the relative
        precision of its weighted sum.

    Returns
    -------
    mix : Tensor, shape (n_penalties, n_modes)
        c.
    modes : Tensor, shape (n_modes, rank)
        m.

    Examples
    --------
    >>> mix, modes = penalty_modes(torch.tensor([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]),
    ...                            torch.ones(2))
    >>> mix.shape, bool(torch.allclose(mix @ modes, torch.tensor([[1.0, 2.0], [2.0, 4.0],
    ...                                                           [3.0, 6.0]])))
    (torch.Size([3, 1]), True)
    """
    largest = float(weights.amax()) if weights.numel() else 0.0
    if largest == 0:
        return torch.eye(len(factors)).to(factors), factors
    eps = torch.finfo(factors.dtype).eps
    w = weights.double().clamp(min=largest * eps)
    weighted = factors.double() * w
    scale = weighted.norm(dim=1, keepdim=True)
    u, s, v = torch.linalg.svd(weighted / scale, full_matrices=False)
    n_modes = int((s > MODES_KEPT * eps).sum())
    if n_modes >= len(factors):
        return torch.eye(len(factors)).to(factors), factors
    mix = scale * u[:, :n_modes] * s[:n_modes]
    return mix.to(factors), (v[:n_modes] / w).to(factors)


@dataclass(frozen=True, eq=False)
class InnerPath:
    """One fold that knows its features by their inner products.

    Attributes
    ----------
    train, test : Tensor of int
        Rows that are learnt from, and tested.
    mix : Tensor, shape (n_penalties, n_modes)
        How the products make up the prediction of each penalty.
    operators : Tensor, shape (n_modes, n_test, n_train)
        From targets to products.
    """

    train: Tensor
    test: Tensor
    mix: Tensor
    operators: Tensor

    def products(self, y: Tensor, cross: Tensor | None, out: Tensor) -> None:
        """Write the products of all modes, shape (n_modes, n_test, n_targets)."""
        del cross
        flat = self.operators.reshape(-1, self.operators.shape[2])
        torch.matmul(flat, y[self.train], out=out.view(-1, out.shape[2]))


@dataclass(frozen=True, eq=False)
class FeaturePath:
    """One fold that knows its features by the Gram matrix of the features.

    Attributes
    ----------
    train, test, mix
        As for `InnerPath`.
    x : Tensor, shape (n_rows, n_features)
        Features of all rows about their mean.
    left_out : Tensor of int, or None
        Rows that are not learnt from; None where they are the greater part.
    mean : Tensor, shape (n_features,)
        Of the rows that are learnt from.
    at : Tensor, shape (n_test, rank)
        Coordinates of the tested rows.
    modes : Tensor, shape (n_modes, rank)
        Modes of the penalties.
    vectors : Tensor, shape (n_features, rank)
        Eigenvectors of the Gram matrix.
    """

    train: Tensor
    test: Tensor
    mix: Tensor
    x: Tensor
    left_out: Tensor | None
    mean: Tensor
    at: Tensor
    modes: Tensor
    vectors: Tensor

    def products(self, y: Tensor, cross: Tensor | None, out: Tensor) -> None:
        """Write the products of all modes, shape (n_modes, n_test, n_targets)."""
        if cross is None or self.left_out is None:
            mine = self.x[self.train].T @ y[self.train]
            total = y[self.train].sum(dim=0)
        else:
            mine = cross - self.x[self.left_out].T @ y[self.left_out]
            total = y.sum(dim=0) - y[self.left_out].sum(dim=0)
        b = self.vectors.T @ mine.addr_(self.mean, total, alpha=-1)
        for place, mode in enumerate(self.modes):
            torch.matmul(self.at * mode, b, out=out[place])


def fold_scores(
    features: Plain | Kernel, y: Tensor, folds: Folds, alphas: Tensor, *, score: str
) -> Tensor:
    """Average over folds the score of every penalty and target.

    Parameters
    ----------
    features : Plain or Kernel
        All rows.
    y : Tensor, shape (n_rows, n_targets)
        Targets.
    folds : Folds
        What is learnt from and tested.
    alphas : Tensor, shape (n_penalties,)
        Penalties.
    score : {"r2", "r"}
        What is averaged.

    Returns
    -------
    Tensor, shape (n_penalties, n_targets)
        NaN where a target does not vary in a fold.
    """
    features, paths = _paths(features, folds, alphas, device=y.device)
    function = _r2 if score == "r2" else _r
    out = torch.zeros(len(alphas), y.shape[1], dtype=y.dtype, device=y.device)
    most = max(len(path.test) * (2 * len(path.mix) + 2) for path in paths) + len(y)
    for some in target_blocks(
        y.shape[1], rows=most, itemsize=y.element_size(), block_bytes=BLOCK_BYTES
    ):
        block = y[:, some] - y[:, some].mean(dim=0)
        cross = features.x.T @ block if isinstance(features, Plain) else None
        for path in paths:
            out[:, some] += _of_fold(path, block, cross, function)
    return out / len(paths)


def _of_fold(
    path: InnerPath | FeaturePath,
    y: Tensor,
    cross: Tensor | None,
    function: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Score every penalty; the tested targets stand before the products of the modes."""
    shape = (path.mix.shape[1] + 1, len(path.test), y.shape[1])
    held = torch.empty(shape, dtype=y.dtype, device=y.device)
    held[0] = y[path.test] - y[path.train].mean(dim=0)
    path.products(y, cross, held[1:])
    return function(held, path.mix)


def _r2(held: Tensor, mix: Tensor) -> Tensor:
    truth = held[0]
    total = (truth - truth.mean(dim=0)).square_().sum(dim=0)
    # Truth minus prediction of every penalty in one product.
    weights = torch.cat([torch.ones_like(mix[:, :1]), -mix], dim=1)
    left = (weights @ held.view(len(held), -1)).view(len(mix), *truth.shape)
    error = left.square_().sum(dim=1)
    return torch.where(total > 0, 1 - error / total, torch.nan)


def _r(held: Tensor, mix: Tensor) -> Tensor:
    held -= held.mean(dim=1, keepdim=True)
    truth = held[0]
    predicted = (mix @ held[1:].view(len(held) - 1, -1)).view(len(mix), *truth.shape)
    cross = mix @ (held[1:] * truth).sum(dim=1)
    scale = (predicted.square_().sum(dim=1) * truth.square().sum(dim=0)).sqrt_()
    return torch.where(scale > 0, cross / scale, torch.nan)


def _paths(
    features: Plain | Kernel, folds: Folds, alphas: Tensor, *, device: torch.device
) -> tuple[Plain | Kernel, list[InnerPath] | list[FeaturePath]]:
    rows = [[torch.as_tensor(part, device=device) for part in pair] for pair in folds]
    if isinstance(features, Plain):
        x = features.x - features.x.mean(dim=0)
        if x.shape[1] <= min(len(train) for train, _ in rows):
            gram = x.T @ x
            return Plain(x), [_by_features(x, gram, *pair, alphas) for pair in rows]
        features = Kernel(x @ x.T)
    return features, [_by_inner_products(features, *pair, alphas) for pair in rows]


def _by_inner_products(kernel: Kernel, train: Tensor, test: Tensor, alphas: Tensor) -> InnerPath:
    basis = kernel.basis(train)
    at = kernel.at(basis, test)
    mix, modes = penalty_modes(1 / (basis.values + alphas[:, None]), at.norm(dim=0))
    operators = torch.stack([(at * mode) @ basis.vectors.T for mode in modes])
    return InnerPath(train, test, mix, operators)


def _by_features(
    x: Tensor, gram: Tensor, train: Tensor, test: Tensor, alphas: Tensor
) -> FeaturePath:
    """Take what is left out from the Gram matrix of all rows, and decompose it."""
    learnt = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    learnt[train] = True
    left_out = torch.nonzero(~learnt)[:, 0] if 2 * len(train) >= len(x) else None
    if left_out is None:
        own = x[train].T @ x[train]
    else:
        own = gram - x[left_out].T @ x[left_out]
    mean = x[train].mean(dim=0)
    own = own.addr_(mean, mean, alpha=-len(train))
    values, vectors = spectrum(own, max(len(train), x.shape[1]))
    at = (x[test] - mean) @ vectors
    mix, modes = penalty_modes(1 / (values + alphas[:, None]), at.norm(dim=0) * values.sqrt())
    return FeaturePath(train, test, mix, x, left_out, mean, at, modes, vectors)
