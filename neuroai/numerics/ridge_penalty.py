"""The penalty of every target, chosen by cross-validation on what is learnt from alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.folds import Folds
from neuroai.numerics.ridge import (
    Basis,
    KernelBasis,
    Plain,
    Ridge,
    as_features,
    as_pair,
    decompose,
    fit_from,
    target_blocks,
)
from neuroai.numerics.ridge_path import fold_scores, penalty_modes

SCORES = ("r2", "r")
RULES = ("folds", "leave-one-out", "generalised")
PENALTIES = tuple(float(alpha) for alpha in np.logspace(-3, 6, 20))


@dataclass(frozen=True)
class Chosen:
    """The penalty of every target.

    Attributes
    ----------
    penalties : array, shape (n_targets,)
        The one with the best score; of equals the largest.
    scores : array, shape (n_penalties, n_targets)
        What each would have scored, higher being better; NaN for a target without variance.
    at_edge : int
        Targets whose penalty is the smallest or the largest that was tried.
    """

    penalties: np.ndarray
    scores: np.ndarray
    at_edge: int


def choose_penalties(
    x: Any,
    y: Any,
    *,
    folds: Folds | None = None,
    penalties: Any = PENALTIES,
    score: str = "r2",
    rule: str = "folds",
) -> Chosen:
    r"""Choose the ridge penalty of every target.

    ``folds``: the mean over folds of R² (or r) on what was left out, each fold about its own mean.
    ``leave-one-out``: minus the mean squared error with each row left out, from one fit:
    e_i / (1 - h_i), with h the diagonal of the hat matrix, the intercept in it.
    ``generalised``: minus the same with the mean of h in place of h_i (generalised
    cross-validation), which takes no pass over the rows.

    Parameters
    ----------
    x : array or tensor, shape (n_rows, n_features), or Kernel
        Features.
    y : array or tensor, shape (n_rows, n_targets)
        Targets.
    folds : Folds, optional
        For the rule ``folds`` alone.
    penalties : sequence of float
        What is tried, above 0; twenty from 1e-3 to 1e6 by default.
    score : {"r2", "r"}
        For the rule ``folds`` alone.
    rule : {"folds", "leave-one-out", "generalised"}
        How they are compared. The last two take every row for independent.

    Returns
    -------
    Chosen

    Raises
    ------
    UsageError
        An unknown rule or score, folds that are missing or not used, or a penalty not above 0.

    References
    ----------
    Golub, Heath & Wahba, 1979, Technometrics 21, 215, doi:10.1080/00401706.1979.10489751

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> choose_penalties(x, 2 * x, penalties=[0.1, 10.0], rule="leave-one-out").penalties
    array([0.1])
    """
    features, y = as_features(x, y)
    tried = _checked(folds, penalties, score, rule)
    alphas = torch.as_tensor(tried).to(y)
    if folds is None:
        basis = features.basis(torch.arange(len(features), device=y.device))
        scores = _from_one_fit(basis, y, alphas, rule)
    else:
        scores = fold_scores(features, y, folds, alphas, score=score)
    return _best(scores.double().cpu().numpy(), tried)


def choose_and_predict(
    basis: Basis | KernelBasis,
    y: Tensor,
    at: Tensor,
    *,
    penalties: Any,
    rule: str,
    score: str = "r2",
) -> tuple[Chosen, Tensor]:
    """Choose by a rule of one fit, and predict with what was chosen.

    Choosing and predicting share the product of directions and targets, which is most of the work.

    Parameters
    ----------
    basis : Basis or KernelBasis
        Features of the rows that are learnt from.
    y : Tensor, shape (n_rows, n_targets)
        Their targets.
    at : Tensor, shape (n_new, rank)
        Coordinates of the rows to predict.
    penalties, rule, score
        As in `choose_penalties`; the rule is one of one fit.

    Returns
    -------
    Chosen, Tensor
        What was chosen, and the predictions (n_new, n_targets) about the mean of `y`.

    Examples
    --------
    >>> from neuroai.numerics.ridge import decompose
    >>> x = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    >>> basis = decompose(x)
    >>> chosen, predicted = choose_and_predict(
    ...     basis, 2 * x, basis.coordinates(torch.tensor([[4.0]])), penalties=[5.0],
    ...     rule="generalised")
    >>> predicted.tolist()
    [[2.5]]
    """
    tried = _checked(None, penalties, score, rule)
    fit = _OneFit.of(basis, torch.as_tensor(tried).to(y), rule, len(y))
    scores = np.empty((len(tried), y.shape[1]))
    chosen = np.empty(y.shape[1])
    out = torch.empty(len(at), y.shape[1], dtype=y.dtype, device=y.device)
    scale = basis.loading_scale()[:, None]
    for some in fit.blocks(y):
        mean = y[:, some].mean(dim=0)
        found, b = fit.scores(y[:, some] - mean)
        best = _best(found.double().cpu().numpy(), tried)
        scores[:, some], chosen[some] = best.scores, best.penalties
        alphas = torch.as_tensor(best.penalties).to(y)
        shrunk = b.mul_(scale).div_(basis.values[:, None] + alphas)
        torch.mm(at, shrunk, out=out[:, some])
    edge = np.isfinite(scores).any(axis=0) & np.isin(chosen, tried[[0, -1]])
    return Chosen(chosen, scores, int(edge.sum()) if len(tried) > 1 else 0), out


def fit_ridge_cv(
    x: Any,
    y: Any,
    *,
    folds: Folds | None = None,
    penalties: Any = PENALTIES,
    score: str = "r2",
    rule: str = "folds",
) -> tuple[Ridge, Chosen]:
    """Choose the penalty of every target, and fit all rows with it.

    Parameters
    ----------
    x, y : array or tensor, shape (n_rows, n_features) and (n_rows, n_targets)
        Features and targets.
    folds, penalties, score, rule
        As in `choose_penalties`.

    Returns
    -------
    Ridge, Chosen
        Both rules of one fit share its decomposition.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> fitted, chosen = fit_ridge_cv(x, 2 * x, penalties=[5.0], rule="generalised")
    >>> fitted.weights, chosen.penalties
    (array([[1.]]), array([5.]))
    """
    x, y = as_pair(x, y)
    tried = _checked(folds, penalties, score, rule)
    alphas = torch.as_tensor(tried).to(y)
    if folds is not None:
        scores = fold_scores(Plain(x), y, folds, alphas, score=score)
        basis = decompose(x)
    else:
        basis = decompose(x)
        scores = _from_one_fit(basis, y, alphas, rule)
    chosen = _best(scores.double().cpu().numpy(), tried)
    return fit_from(basis, y, torch.as_tensor(chosen.penalties).to(y)), chosen


def _checked(folds: Folds | None, penalties: Any, score: str, rule: str) -> np.ndarray:
    one_of(rule, RULES, option="rule")
    one_of(score, SCORES, option="score")
    if (folds is None) == (rule == "folds"):
        raise UsageError("folds are needed for rule='folds', and for no other.")
    tried = np.sort(np.asarray(penalties, dtype=np.float64))
    if tried.ndim != 1 or not len(tried) or not (tried > 0).all():
        raise UsageError("penalties are one or more numbers above 0.")
    return tried


def _best(scores: np.ndarray, alphas: np.ndarray) -> Chosen:
    comparable = np.where(np.isfinite(scores), scores, -np.inf)
    # Of equals the largest: counted from the end.
    place = len(alphas) - 1 - comparable[::-1].argmax(axis=0)
    defined = np.isfinite(scores).any(axis=0)
    edge = defined & ((place == 0) | (place == len(alphas) - 1))
    return Chosen(alphas[place], scores, int(edge.sum()) if len(alphas) > 1 else 0)


def _from_one_fit(basis: Basis | KernelBasis, y: Tensor, alphas: Tensor, rule: str) -> Tensor:
    fit = _OneFit.of(basis, alphas, rule, len(y))
    out = torch.empty(len(alphas), y.shape[1], dtype=y.dtype, device=y.device)
    for some in fit.blocks(y):
        out[:, some], _ = fit.scores(y[:, some] - y[:, some].mean(dim=0))
    return out


@dataclass(frozen=True, eq=False)
class _OneFit:
    """What the rules of one fit need of the features, the same for all targets.

    Attributes
    ----------
    left : Tensor, shape (n_rows, rank)
        Left singular vectors.
    lost : Tensor, shape (n_penalties, rank)
        Share of each direction that a penalty leaves in the error.
    beside : Tensor, shape (n_rows,)
        One minus the hat matrix's diagonal of the unpenalised fit.
    full : bool
        Whether the features span every centred pattern.
    kept, mix, modes : Tensor
        One minus the hat diagonal of every penalty, and how the errors mix; leave-one-out alone.
    """

    left: Tensor
    lost: Tensor
    beside: Tensor
    full: bool
    kept: Tensor | None = None
    mix: Tensor | None = None
    modes: Tensor | None = None

    @classmethod
    def of(cls, basis: Basis | KernelBasis, alphas: Tensor, rule: str, n: int) -> _OneFit:
        left = basis.training_coordinates()
        lost = alphas[:, None] / (basis.values + alphas[:, None])
        # Features that span every centred pattern leave nothing outside, not even rounding.
        full = len(basis.values) >= n - 1
        beside = torch.zeros_like(left[:, 0]) if full else 1 - 1 / n - left.square().sum(dim=1)
        if rule == "generalised":
            return cls(left, lost, beside, full)
        kept = lost @ left.square().T + beside
        return cls(left, lost, beside, full, kept, *penalty_modes(lost, torch.ones_like(lost[0])))

    def blocks(self, y: Tensor) -> Iterator[slice]:
        """Cut the targets so that the arrays of a block stay below the bytes allowed."""
        rows = 3 if self.modes is None else 3 + len(self.lost) + len(self.modes)
        return target_blocks(y.shape[1], rows=len(y) * rows, itemsize=y.element_size())

    def scores(self, centred: Tensor) -> tuple[Tensor, Tensor]:
        """Score every penalty for centred targets, and give their coordinates (rank, n)."""
        b = self.left.T @ centred
        outside = None if self.full else centred - self.left @ b
        if self.modes is None:
            found = _generalised(self.lost, b, outside, self.beside)
        else:
            outside = torch.zeros_like(centred) if outside is None else outside
            found = -_left_out_error(self.left, b, outside, self.kept, self.mix, self.modes)
        varies = torch.linalg.vecdot(centred, centred, dim=0) > 0
        return torch.where(varies, found, torch.nan), b


def _left_out_error(
    left: Tensor, b: Tensor, outside: Tensor, kept: Tensor, mix: Tensor, modes: Tensor
) -> Tensor:
    """Give the mean squared error of every penalty with each row left out in turn."""
    held = torch.empty(len(modes) + 1, *outside.shape, dtype=b.dtype, device=b.device)
    held[0] = outside
    for place, mode in enumerate(modes):
        torch.matmul(left * mode, b, out=held[place + 1])
    weights = torch.cat([torch.ones_like(mix[:, :1]), mix], dim=1)
    error = (weights @ held.view(len(held), -1)).view(len(mix), *outside.shape)
    # The mean over rows of error² / kept² in one product a penalty.
    share = kept.square().reciprocal() / len(outside)
    return torch.bmm(share[:, None, :], error.square_())[:, 0]


def _generalised(lost: Tensor, b: Tensor, outside: Tensor | None, beside: Tensor) -> Tensor:
    """Give minus the error per row of every penalty, from the coordinates alone."""
    n = len(beside)
    error = lost.square() @ b.square()
    if outside is not None:
        error += torch.linalg.vecdot(outside, outside, dim=0)
    return -(error / n) / ((lost.sum(dim=1) + beside.sum()) / n).square()[:, None]
