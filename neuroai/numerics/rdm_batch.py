"""RDMs of a batch of patterns at once, and their similarity with models, without Python loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.comparators import METHODS, as_complete_rdms, compare_rdms, standardised
from neuroai.numerics.ranks_float32 import average_ranks_of
from neuroai.numerics.rdm_vectors import pair_indices

DISTANCES = ("correlation", "squared-euclidean")
RANKED = ("spearman", "rho-a")
BY_ORDER = (*RANKED, "tau-a")

# A variance this share of the mean square, or less, is rounding: the pattern is constant.
ROUNDING = {torch.float32: 1e-10, torch.float64: 1e-26}

# An RDM whose variance is this share of its squared mean, or less, may be constant.
_MAY_BE_CONSTANT = 1e-9


def batched_rdms(
    patterns: Tensor,
    *,
    distance: str,
    owned: bool = False,
    raw: bool = False,
    doubled: bool = False,
) -> Tensor:
    r"""Return the RDM vector of every set of patterns in a batch.

    .. math:: d_{ij} = 1 - r(x_i, x_j), \qquad d_{ij} = \frac{1}{p} \sum_u (x_{iu} - x_{ju})^2

    Parameters
    ----------
    patterns : tensor of shape (n_sets, n_stimuli, n_units)
        float32 or float64, finite, of any strides; worked on in their own precision.
    distance : {"correlation", "squared-euclidean"}
        From 0 to 2, or in the squared unit of the activity, a unit.
    owned : bool
        Whether `patterns` may be written over, which saves a copy.
    raw : bool
        Leave out the 1 that correlation distances are counted from, which saves two passes where
        what follows is blind to an offset.
    doubled : bool
        Work in float64 and round what comes out to the precision of `patterns`. Distances then
        have the same order wherever and in whatever order sums are taken, as ranks need.

    Returns
    -------
    tensor of shape (n_sets, n_pairs)
        NaN where a pattern is constant over units under ``correlation``.

    Examples
    --------
    >>> x = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]]])
    >>> batched_rdms(x, distance="squared-euclidean").tolist()
    [[1.0, 0.5, 2.5]]
    """
    one_of(distance, DISTANCES, option="distance")
    part = patterns.double() if doubled else patterns
    if distance == "correlation":
        # Rounded before the triangles are taken, which reads half as much.
        minus_r = _minus_r(part, owned=owned or part is not patterns).to(patterns.dtype)
        return upper_triangles(minus_r) if raw else distances_from_minus_r(minus_r)
    summed = euclidean(part).div_(part.shape[2])
    return upper_triangles(summed.to(patterns.dtype))


def upper_triangles(square: Tensor) -> Tensor:
    """Return the entries above the diagonal of every matrix: (n_sets, n_pairs).

    Examples
    --------
    >>> upper_triangles(torch.tensor([[[0, 1, 2], [1, 0, 3], [2, 3, 0]]])).tolist()
    [[1, 2, 3]]
    """
    n = square.shape[-1]
    rows, columns = (torch.from_numpy(index) for index in pair_indices(n))
    places = (rows * n + columns).to(square.device)
    return square.reshape(len(square), -1).index_select(1, places)


def distances_from_minus_r(minus_r: Tensor) -> Tensor:
    """Turn square matrices of correlations with their sign changed into vectors of 1 - r."""
    return upper_triangles(minus_r).add_(1).clamp_(0, 2)


def euclidean(part: Tensor) -> Tensor:
    """Return the summed squared distances (n_sets, n_stimuli, n_stimuli), at least 0."""
    part = part - part.mean(dim=1, keepdim=True)
    squares = (part * part).sum(dim=2)
    gram = torch.baddbmm(
        squares[:, :, None] + squares[:, None, :], part, part.transpose(1, 2), alpha=-2
    )
    return gram.clamp_(min=0)


def _minus_r(part: Tensor, *, owned: bool) -> Tensor:
    level = part.mean(dim=2, keepdim=True)
    part = part.sub_(level) if owned else part - level
    gram = torch.bmm(part, part.transpose(1, 2))
    squares = gram.diagonal(dim1=1, dim2=2)
    level = level[..., 0]
    varies = squares > ROUNDING[part.dtype] * (squares + part.shape[2] * level * level)
    scale = torch.where(varies, squares, torch.nan).rsqrt()
    return gram.mul_(scale.neg()[:, :, None]).mul_(scale[:, None, :])


@dataclass(frozen=True, eq=False)
class ModelRdms:
    """Model RDMs made ready to be compared with any number of others.

    Attributes
    ----------
    vectors : array of shape (n_models, n_pairs)
        As they are.
    unit : tensor of shape (n_pairs, n_models) or None
        Standardised for the comparator; None for the comparators without such a form.
    method : str
        The comparator.
    """

    vectors: np.ndarray
    unit: Tensor | None
    method: str

    @property
    def blind_to_offset(self) -> bool:
        """Whether adding a number to an RDM leaves its scores as they are."""
        return self.unit is not None and self.method != "cosine"

    @property
    def by_order(self) -> bool:
        """Whether the order of the distances alone counts, so that what all but ties matters."""
        return self.method in BY_ORDER

    @classmethod
    def of(cls, models: np.ndarray, *, method: str, n_stimuli: int, like: Tensor) -> ModelRdms:
        """Make models ready in the precision and on the device of `like`.

        Raises
        ------
        UsageError
            The method is unknown, the models are of another number of stimuli, or the patterns lie
            on a device on which the method is not computed.
        DataError
            A model has undefined entries.
        """
        one_of(method, METHODS, option="method")
        models = as_complete_rdms(models, name="models")
        n_pairs = n_stimuli * (n_stimuli - 1) // 2
        if models.shape[1] != n_pairs:
            raise UsageError(
                f"The models have {models.shape[1]} pairs, and {n_stimuli} stimuli have "
                f"{n_pairs}. Both must hold the same stimuli in the same order."
            )
        if method not in ("cosine", "pearson", *RANKED):
            if like.device.type != "cpu":
                raise UsageError(
                    f"{method} is computed on the processor alone, and the patterns are on "
                    f"{like.device}. Give them with .cpu(), or take method='spearman'."
                )
            return cls(models, None, method)
        if n_pairs < 2:
            return cls(models, None, method)
        unit = torch.from_numpy(standardised(models, method=method).T.copy())
        return cls(models, unit.to(device=like.device, dtype=like.dtype), method)

    def scores(self, rdms: Tensor) -> np.ndarray:
        """Compare RDM vectors (n_sets, n_pairs), which may be written over, with every model.

        Returns
        -------
        array of shape (n_sets, n_models)
            From -1 to 1; NaN where an RDM is constant or has undefined entries.
        """
        if self.unit is None:
            found = np.full((len(rdms), len(self.vectors)), np.nan)
            array = rdms.cpu().numpy()
            defined = ~np.isnan(array).any(axis=1)
            found[defined] = compare_rdms(array[defined], self.vectors, method=self.method)
            return found
        return _scores(rdms, self.unit, self.method).cpu().numpy()


def _scores(block: Tensor, unit: Tensor, method: str) -> Tensor:
    """Compare RDM vectors (n_times, n_pairs) with models made ready (n_pairs, n_models)."""
    if method in RANKED:
        block, square = _ranked(block, method, unit.dtype)
    else:
        block, square = _centred(block) if method == "pearson" else _as_it_is(block)
    # Undefined RDMs are told apart by the sum of their squares.
    return ((block @ unit) / square.sqrt()[:, None]).clamp(-1, 1)


def _as_it_is(block: Tensor) -> tuple[Tensor, Tensor]:
    square = torch.linalg.vecdot(block, block)
    return block, torch.where(square == 0, torch.nan, square)


def _centred(block: Tensor) -> tuple[Tensor, Tensor]:
    level = block.mean(dim=1, keepdim=True)
    first = block[:, :1].clone()
    block -= level
    square = torch.linalg.vecdot(block, block)
    # The mean of equal numbers may be rounded: what varies so little is looked at closely.
    near = square <= _MAY_BE_CONSTANT * block.shape[1] * level[:, 0] ** 2
    for row in torch.nonzero(near)[:, 0].tolist():
        if bool((block[row] == first[row] - level[row]).all()):
            square[row] = torch.nan
    return block, square


def _ranked(block: Tensor, method: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return centred ranks and the sums of their squares, NaN where an RDM is undefined."""
    undefined = block.isnan().any(dim=1)
    values = torch.where(undefined[:, None], 0, block)
    n_pairs = values.shape[1]
    centred = average_ranks_of(values).to(dtype) - (n_pairs + 1) / 2
    square = torch.linalg.vecdot(centred, centred)
    constant = (square == 0) | undefined
    if method == "rho-a":
        square = torch.full_like(square, (float(n_pairs) ** 3 - n_pairs) / 12)
    square[constant] = torch.nan
    return centred, square
