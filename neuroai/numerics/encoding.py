"""Encoding models scored on what was never learnt from: nested, grouped, fold by fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neuroai.numerics.folds import Folds
from neuroai.numerics.ridge import (
    Basis,
    Kernel,
    KernelBasis,
    Plain,
    as_features,
    target_blocks,
)
from neuroai.numerics.ridge_penalty import PENALTIES, choose_and_predict, choose_penalties

# A prediction that scatters less than this beside its target scatters by rounding.
ROUNDING, ROUNDING_SINGLE = 1e-11, 1e-6
Inner = Callable[[np.ndarray], Folds]
Learn = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray | None]]


@dataclass(frozen=True)
class Encoded:
    """How well targets are predicted from features, one row a fold.

    Attributes
    ----------
    r : array, shape (n_folds, n_targets)
        Correlation of prediction and target within the fold, in [-1, 1]; NaN where one of them
        does not vary there.
    r2 : array, shape (n_folds, n_targets)
        1 - squared error over the squared deviation from the fold's own mean, at most 1.
    penalties : array, shape (n_folds, n_targets), or None
        Chosen inside what the fold learns from; None for a method without penalties.
    at_edge : int
        Choices, of n_folds × n_targets, that fell on the smallest or largest penalty.
    predictions : array, shape (n_rows, n_targets), or None
        Each row predicted by the fold that tests it; NaN where none does.
    how : str
        How rows were dealt.
    """

    r: np.ndarray
    r2: np.ndarray
    penalties: np.ndarray | None
    at_edge: int
    predictions: np.ndarray | None
    how: str

    def mean_r(self) -> np.ndarray:
        """Average r over folds, shape (n_targets,); NaN where a fold is undefined."""
        return self.r.mean(axis=0)

    def mean_r2(self) -> np.ndarray:
        """Average R² over folds, shape (n_targets,)."""
        return self.r2.mean(axis=0)


def encode(
    x: Any,
    y: Any,
    *,
    folds: Folds,
    inner: Inner | None = None,
    penalties: Any = PENALTIES,
    score: str = "r2",
    rule: str = "folds",
    keep_predictions: bool = False,
) -> Encoded:
    """Predict targets from features by ridge regression, nested and cross-validated.

    Each fold chooses the penalties of its targets within the rows it learns from, fits on all of
    them, and is scored on the rows it tests. Scores are averaged over folds; predictions of
    several folds are never pooled, since their means differ.

    Parameters
    ----------
    x : array or tensor, shape (n_rows, n_features), or Kernel
        Features, or their inner products (`neuroai.numerics.ridge.as_kernel`), which serve as well
        however many features there are.
    y : array or tensor, shape (n_rows, n_targets)
        Targets.
    folds : Folds
        Outer folds.
    inner : callable, optional
        ``inner(rows)`` gives the folds by which penalties are chosen among the rows `rows`. By
        default the other outer folds take turns, so that groups and gaps hold inside as well.
    penalties : sequence of float
        What is tried.
    score, rule : str
        As in `neuroai.numerics.ridge_penalty.choose_penalties`.
    keep_predictions : bool
        Keep the prediction of every row.

    Returns
    -------
    Encoded

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> x = np.arange(12.0)[:, None]
    >>> found = encode(x, 3 * x, folds=group_folds([str(i) for i in range(12)], n_folds=3))
    >>> found.mean_r().round(6)
    array([1.])
    """
    features, y = _by_inner_products(*as_features(x, y))
    shape = (len(folds), y.shape[1])
    r, r2, chosen = (np.empty(shape) for _ in range(3))
    out = np.full(tuple(y.shape), np.nan, _numpy_type(y)) if keep_predictions else None
    at_edge = 0
    for place, (train, test) in enumerate(folds):
        rows, tested = (torch.as_tensor(some, device=y.device) for some in (train, test))
        known = y[rows]
        mean = known.mean(dim=0)
        if rule == "folds":
            within = folds.nested(train) if inner is None else inner(train)
            choice = choose_penalties(
                part_of(features, rows), known, folds=within, penalties=penalties, score=score
            )
            basis = features.basis(rows)
            predicted = _predict(basis, known, features.at(basis, tested), choice.penalties, mean)
        else:
            basis = features.basis(rows)
            at, how = features.at(basis, tested), {"rule": rule, "score": score}
            choice, predicted = choose_and_predict(basis, known, at, penalties=penalties, **how)
        chosen[place], at_edge = choice.penalties, at_edge + choice.at_edge
        # About the mean learnt: what a large penalty leaves of a prediction is far below it.
        r[place], r2[place] = fold_fit(y[tested].double() - mean, predicted)
        if out is not None:
            out[test] = (predicted + mean).cpu().numpy()
    return Encoded(r, r2, chosen, at_edge, out, folds.how)


def _by_inner_products(features: Plain | Kernel, y: Tensor) -> tuple[Plain | Kernel, Tensor]:
    """Take the inner products of many features once for all folds, outer and inner."""
    if isinstance(features, Kernel) or features.x.shape[1] <= len(features.x):
        return features, y
    centred = features.x - features.x.mean(dim=0)
    return Kernel(centred @ centred.T), y


def part_of(features: Plain | Kernel, rows: Tensor) -> Tensor | Kernel:
    """Keep some rows of features, or of a kernel."""
    if isinstance(features, Kernel):
        return Kernel(features.gram[rows][:, rows])
    return features.x[rows]


def _predict(
    basis: Basis | KernelBasis, y: Tensor, at: Tensor, penalties: np.ndarray, mean: Tensor
) -> Tensor:
    """Predict targets about their mean in the rows that are learnt from."""
    alphas = torch.as_tensor(penalties).to(y)
    out = torch.empty(len(at), y.shape[1], dtype=y.dtype, device=y.device)
    for some in target_blocks(y.shape[1], rows=len(y), itemsize=y.element_size()):
        b = basis.loadings(y[:, some] - mean[some])
        out[:, some] = at @ b.div_(basis.values[:, None] + alphas[some])
    return out


def over_folds(
    learn: Learn, y: np.ndarray, *, folds: Folds, keep_predictions: bool = False
) -> Encoded:
    """Score any method of prediction fold by fold, as `encode` scores ridge regression.

    Parameters
    ----------
    learn : callable
        ``learn(train, test)`` takes row numbers and gives the predictions (n_test, n_targets) of
        what it learnt from `train`, and the penalty of each target, or None.
    y : array, shape (n_rows, n_targets)
        Targets.
    folds : Folds
        Outer folds.
    keep_predictions : bool
        Keep the prediction of every row.

    Returns
    -------
    Encoded

    Examples
    --------
    >>> from neuroai.numerics.folds import group_folds
    >>> y = np.arange(6.0)[:, None]
    >>> found = over_folds(lambda train, test: (2 * y[test], None), y,
    ...                    folds=group_folds(list("abcdef"), n_folds=2))
    >>> found.mean_r()
    array([1.])
    """
    y = np.asarray(y)
    r, r2, chosen = [], [], []
    out = np.full(y.shape, np.nan) if keep_predictions else None
    for train, test in folds:
        predicted, penalties = learn(train, test)
        r_here, r2_here = fold_fit(y[test], predicted)
        r.append(r_here)
        r2.append(r2_here)
        if penalties is not None:
            chosen.append(penalties)
        if out is not None:
            out[test] = predicted
    return Encoded(
        np.array(r), np.array(r2), np.array(chosen) if chosen else None, 0, out, folds.how
    )


def fold_fit(truth: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    """Give r and R² of every target within one fold, each shape (n_targets,).

    Examples
    --------
    >>> fold_fit(np.array([[0.0], [2.0]]), np.array([[0.0], [1.0]]))
    (array([1.]), array([0.5]))
    """
    single = torch.as_tensor(predicted).dtype == torch.float32
    a, b = (torch.as_tensor(part).double() for part in (truth, predicted))
    r2_error = (a - b).square().sum(dim=0)
    a, b = a - a.mean(dim=0), b - b.mean(dim=0)
    total, spread = a.square().sum(dim=0), b.square().sum(dim=0)
    # A prediction that only scatters by rounding does not vary.
    flat = spread <= total * (ROUNDING_SINGLE if single else ROUNDING) ** 2
    scale = (total * spread).sqrt()
    r = torch.where((scale > 0) & ~flat, (a * b).sum(dim=0) / scale, torch.nan)
    r2 = torch.where(total > 0, 1 - r2_error / total, torch.nan)
    return r.clamp(-1, 1).cpu().numpy(), r2.cpu().numpy()


def _numpy_type(tensor: Tensor) -> type:
    return np.float32 if tensor.dtype == torch.float32 else np.float64
