"""Searchlight decoding: shrinkage LDA around every centre, solved among rows, in large batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neuroai.checks import in_range, one_of
from neuroai.errors import DataError, UsageError
from neuroai.numerics.arrays import Array, as_patterns, require_finite
from neuroai.numerics.decoding import decode
from neuroai.numerics.discriminant import AUTO
from neuroai.numerics.lda_spherical import spherical_decisions
from neuroai.numerics.neighbourhoods import Neighbourhoods
from neuroai.numerics.searchlight_rsa import batches, gathered, units_first

SCORINGS = ("accuracy", "balanced-accuracy")

# Of the second moment about zero, the share below which a variance is rounding alone.
_ROUNDING = {torch.float32: 1e-10, torch.float64: 1e-13}


def searchlight_lda(
    patterns: Array,
    labels: Sequence[object],
    folds: Sequence[object],
    *,
    neighbourhoods: Neighbourhoods,
    shrinkage: float | str = AUTO,
    scoring: str = "balanced-accuracy",
) -> np.ndarray:
    r"""Decode classes from the units around every centre, cross-validated.

    The rule is that of `neuroai.numerics.discriminant.fit_rule`. With more units than training
    rows its covariance is a diagonal D and as many outer products as rows, :math:`\Sigma = D + L
    L^\top`, and is solved among rows:

    .. math:: \Sigma^{-1} \mu = D^{-1} \mu - D^{-1} L (I + L^\top D^{-1} L)^{-1} L^\top D^{-1} \mu

    Parameters
    ----------
    patterns : array or tensor of shape (n_rows, n_units)
        Activity, any unit, finite. float32 is worked on in float32, on the device it is on.
    labels : sequence, length n_rows
        Class of each row; at least two classes.
    folds : sequence, length n_rows
        Fold of each row; rows of one stimulus or run belong into one fold.
    neighbourhoods : Neighbourhoods
        From `neuroai.numerics.neighbourhoods`.
    shrinkage : float in (0, 1] or "auto"
        Share of the spherical part; "auto" takes that of Ledoit and Wolf, class by class.
    scoring : {"accuracy", "balanced-accuracy"}
        Scored within each fold and then averaged.

    Returns
    -------
    array of shape (n_centres,)
        From 0 to 1; NaN where training rows do not vary, and where there is no unit.

    Raises
    ------
    UsageError
        Shapes differ, there is one class or one fold, or an option is unknown.
    DataError
        Entries are not finite, or a fold holds every row of a class.

    References
    ----------
    Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4; Kriegeskorte, Goebel & Bandettini 2006,
    doi:10.1073/pnas.0600244103

    Examples
    --------
    >>> from neuroai.numerics.neighbourhoods import within_radius
    >>> near = within_radius(np.array([[0.0], [1.0], [9.0]]), radius=1.0)
    >>> x = np.array([[0, 1, 0, 1, 9, 8, 9, 8], [1, 1, 0, 2, 1, 0, 2, 1], [5] * 8]).T
    >>> searchlight_lda(x, list("aaaabbbb"), [0, 0, 1, 1, 0, 0, 1, 1], neighbourhoods=near)
    array([ 1.,  1., nan])
    """
    one_of(scoring, SCORINGS, option="scoring")
    x = as_patterns(patterns)
    require_finite(x, name="patterns")
    by_unit = units_first(x, neighbourhoods)
    problem = _Problem.of(labels, folds, n_rows=x.shape[0], like=by_unit)
    share = _checked(shrinkage)
    out = np.full(len(neighbourhoods), np.nan)
    for centres, members in batches(neighbourhoods, by_unit):
        rows = gathered(by_unit, members)
        # Solving among rows costs as their number cubed, among units as that of units.
        if 2 * rows.shape[1] < problem.most_rows:
            out[centres] = _among_units(rows, labels, folds, shrinkage, scoring)
            continue
        found, solved = problem.scores(rows, share, scoring)
        out[centres] = found.cpu().numpy()
        left = torch.nonzero(~solved)[:, 0]
        if len(left):
            again = _among_units(rows[left], labels, folds, shrinkage, scoring)
            out[centres[left.cpu().numpy()]] = again
    return out


def _checked(shrinkage: float | str) -> float | None:
    """Return a share, or None for that of Ledoit and Wolf."""
    if shrinkage == AUTO:
        return None
    return in_range(float(shrinkage), option="shrinkage", low=0, high=1, low_open=True)


def _among_units(
    rows: Tensor, labels: Sequence[object], folds: Sequence[object], shrinkage: object, scoring: str
) -> np.ndarray:
    """Decode with covariances of units; `rows` is (n_centres, n_units, n_rows)."""
    level = rows.mean(dim=2, keepdim=True)
    cube = _varying(rows - level, level).permute(2, 1, 0).cpu().numpy()
    options = {"shrinkage": shrinkage, "scoring": scoring}
    try:
        return decode(cube, labels, folds, **options).scores
    except np.linalg.LinAlgError:
        if len(rows) == 1:
            # Units that copy each other, and a share of 0, leave no rule.
            return np.array([np.nan])
    parts = [_among_units(one[None], labels, folds, shrinkage, scoring) for one in rows]
    return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class _Fold:
    train: tuple[Tensor, ...]  # places of the training rows of each class
    tested: Tensor
    codes: Tensor  # classes of the tested rows


@dataclass(frozen=True, eq=False)
class _Problem:
    folds: tuple[_Fold, ...]

    @classmethod
    def of(
        cls, labels: Sequence[object], folds: Sequence[object], *, n_rows: int, like: Tensor
    ) -> _Problem:
        names, codes = np.unique(np.asarray(labels).astype(str), return_inverse=True)
        parts, fold = np.unique(np.asarray(folds).astype(str), return_inverse=True)
        if len(codes) != n_rows or len(fold) != n_rows:
            raise UsageError(
                f"labels and folds must name the class and fold of each of the {n_rows} rows; got "
                f"{len(codes)} labels and {len(fold)} folds."
            )
        if len(names) < 2 or len(parts) < 2:
            raise UsageError(
                f"Decoding needs two classes and two folds or more; got {len(names)} and "
                f"{len(parts)}."
            )
        made = []
        for part in range(len(parts)):
            train = [np.flatnonzero((fold != part) & (codes == c)) for c in range(len(names))]
            if min(map(len, train)) == 0:
                raise DataError(
                    "A fold holds every row of a class, so that nothing is left to learn it from. "
                    "Take fewer folds, or folds that spread each class."
                )
            tested = np.flatnonzero(fold == part)
            at = [torch.from_numpy(rows).to(like.device) for rows in (*train, tested)]
            own = torch.from_numpy(codes[tested]).to(like.device)
            made.append(_Fold(tuple(at[:-1]), at[-1], own))
        return cls(tuple(made))

    @property
    def most_rows(self) -> int:
        """Training rows of the largest fold."""
        return max(sum(len(rows) for rows in fold.train) for fold in self.folds)

    def scores(self, rows: Tensor, share: float | None, scoring: str) -> tuple[Tensor, Tensor]:
        """Score each centre, (n_centres,), and say which could be solved among rows."""
        total = torch.zeros(len(rows), dtype=rows.dtype, device=rows.device)
        solved = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
        gram = None if share is None else _inner_products(rows)
        for fold in self.folds:
            decision, fine = _decisions(rows, gram, fold, share)
            right = (decision.argmax(dim=2) == fold.codes).to(rows.dtype)
            if scoring == "balanced-accuracy":
                classes = [right[:, fold.codes == code].mean(dim=1) for code in fold.codes.unique()]
                total += torch.stack(classes).mean(dim=0)
            else:
                total += right.mean(dim=1)
            solved &= fine & decision.isfinite().all(dim=2).all(dim=1)
        return total / len(self.folds), solved


def _inner_products(rows: Tensor) -> Tensor:
    level = rows.mean(dim=2, keepdim=True)
    centred = _varying(rows - level, level)
    return torch.bmm(centred.transpose(1, 2), centred)


def _decisions(
    rows: Tensor, gram: Tensor | None, fold: _Fold, share: float | None
) -> tuple[Tensor, Tensor]:
    """Return decision values (n_centres, n_tested, n_classes), and where the rule is defined."""
    if gram is not None:
        return spherical_decisions(
            gram,
            fold.train,
            fold.tested,
            share=share,
            n_units=rows.shape[1],
            rounding=_ROUNDING[rows.dtype],
        )
    trained = torch.cat(fold.train)
    level = rows.index_select(2, trained).mean(dim=2, keepdim=True)
    # The rule does not hang on the level, and products about it keep their digits.
    means, low, diagonal, within = [], [], 0.0, 0.0
    for part in fold.train:
        own = rows.index_select(2, part).sub_(level)
        mean = own.mean(dim=2, keepdim=True)
        own = _varying(own.sub_(mean), level)
        prior = len(part) / len(trained)
        weight, spherical, scatter = _ledoit_wolf(own)
        diagonal = diagonal + prior * spherical
        within = within + scatter
        low.append(own.mul_((prior * weight / len(part)).sqrt()[:, None, None]))
        means.append(mean)
    about_zero = within + len(trained) * (level * level).sum(dim=(1, 2))
    fine = (within > _ROUNDING[rows.dtype] * about_zero) & (diagonal > 0).all(dim=1)
    scale = torch.where(diagonal > 0, diagonal, 1.0).rsqrt()[:, :, None]
    low, means = torch.cat(low, dim=2).mul_(scale), torch.cat(means, dim=2).mul_(scale)
    tested = rows.index_select(2, fold.tested).sub_(level).mul_(scale)
    coef = means - _explained(low, means)
    priors = torch.tensor([len(part) / len(trained) for part in fold.train]).to(rows)
    intercept = priors.log() - 0.5 * (means * coef).sum(dim=1)
    return torch.bmm(tested.transpose(1, 2), coef) + intercept[:, None, :], fine


def _varying(own: Tensor, level: Tensor) -> Tensor:
    """Set to 0 what is left of units that are constant but for rounding."""
    rounding = 16 * torch.finfo(own.dtype).eps * level.abs()
    varies = own.abs().amax(dim=2, keepdim=True) > rounding
    return own if bool(varies.all()) else torch.where(varies, own, 0.0)


def _explained(low: Tensor, means: Tensor) -> Tensor:
    """Return :math:`L (I + L^T L)^{-1} L^T m` for every centre."""
    gram = torch.bmm(low.transpose(1, 2), low)
    gram.diagonal(dim1=1, dim2=2).add_(1)
    factor, _ = torch.linalg.cholesky_ex(gram)
    inner = torch.bmm(low.transpose(1, 2), means)
    return torch.bmm(low, torch.cholesky_solve(inner, factor))


def _ledoit_wolf(own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what is left of the products, the diagonal (n_centres, n_units), and the scatter."""
    n_units, n_rows = own.shape[1:]
    variance = (own * own).mean(dim=2)
    scatter = variance.sum(dim=1) * n_rows
    variance = torch.where(variance > 0, variance, 1.0)
    scaled = own * variance.rsqrt()[:, :, None]
    gram = torch.bmm(scaled.transpose(1, 2), scaled)
    lengths = gram.diagonal(dim1=1, dim2=2)
    squares = (gram * gram).sum(dim=(1, 2)) / n_rows**2
    level = lengths.sum(dim=1) / (n_rows * n_units)
    spread = ((lengths * lengths).sum(dim=1) / n_rows - squares) / (n_units * n_rows)
    distance = (squares - n_units * level * level) / n_units
    share = torch.where(distance > 0, torch.minimum(spread, distance) / distance, 0.0).clamp_(min=0)
    return 1 - share, (share * level)[:, None] * variance, scatter
