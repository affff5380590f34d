"""RDMs at every time, and their similarity with model RDMs, a block of times at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import Array, as_float, is_torch, require_finite
from neuroai.numerics.comparators import METHODS, as_complete_rdms, compare_rdms, standardised
from neuroai.numerics.ranks_float32 import average_ranks_of
from neuroai.numerics.rdm_vectors import pair_indices

DISTANCES = ("correlation", "squared-euclidean")
RANKED = ("spearman", "rho-a")

# The RDMs of one block of times stay in the cache of a processor.
_BLOCK_BYTES = 2**22

# A variance this share of the mean square, or less, is rounding: the pattern is constant.
_ROUNDING = {torch.float32: 1e-10, torch.float64: 1e-26}


def rdm_movie(patterns: Array, *, distance: str = "correlation", window: int = 1) -> np.ndarray:
    r"""Return the RDM at every time, or in every window of times.

    .. math:: d_{ij}(t) = \frac{1}{p w} \sum_{s=t}^{t+w-1} \sum_u (x_{ius} - x_{jus})^2, \qquad
              d_{ij}(t) = 1 - r\left(x_{i, t \dots t+w-1}, x_{j, t \dots t+w-1}\right)

    A window's elements are units and times alike. Its products are differences of running sums,
    so that a wide window costs no more than a narrow one.

    Parameters
    ----------
    patterns : array or tensor of shape (n_stimuli, n_units, n_times)
        Activity, any unit, finite. Single times are worked on in float32 if they are float32; all
        else in float64.
    distance : {"correlation", "squared-euclidean"}
        From 0 to 2, or in the squared unit of the activity, a unit.
    window : int
        Times in a window; windows start at every time and lie within the recording.

    Returns
    -------
    array of shape (n_times - window + 1, n_pairs)
        RDM vectors, in the precision that was worked in; NaN where a pattern is constant over
        units under ``correlation``.

    Raises
    ------
    UsageError
        The array has not three axes, or the window is longer than the recording.
    DataError
        Some entries are not finite.

    Examples
    --------
    >>> x = np.array([[[0.0, 0.0]], [[1.0, 3.0]]])
    >>> rdm_movie(x, distance="squared-euclidean").tolist()
    [[1.0], [9.0]]
    >>> rdm_movie(x, distance="squared-euclidean", window=2).tolist()
    [[5.0]]
    """
    one_of(distance, DISTANCES, option="distance")
    x = _in_time_order(patterns, window)
    return np.concatenate([block.cpu().numpy() for _, block in _blocks(x, distance, window)])


def movie_rsa(
    patterns: Array,
    models: np.ndarray,
    *,
    method: str = "spearman",
    distance: str = "correlation",
    window: int = 1,
) -> np.ndarray:
    """Return the similarity of the RDM at every time with every model RDM.

    The same as `compare_rdms` of `rdm_movie`, without holding the RDMs of all times.

    Parameters
    ----------
    patterns : array or tensor of shape (n_stimuli, n_units, n_times)
        Activity of one subject, any unit, finite.
    models : array of shape (n_models, n_pairs)
        Complete RDM vectors of the same stimuli in the same order.
    method : {"cosine", "pearson", "spearman", "rho-a", "tau-a"} or whitened
        The comparator.
    distance : {"correlation", "squared-euclidean"}
        Of the patterns.
    window : int
        Times in a window.

    Returns
    -------
    array of shape (n_times - window + 1, n_models)
        float64, from -1 to 1; NaN where an RDM is constant or undefined.

    Raises
    ------
    UsageError
        Shapes that do not fit, an unknown method, or a window longer than the recording.
    DataError
        Some entries are not finite.

    References
    ----------
    Cichy et al. (2014), https://doi.org/10.1038/nn.3635

    Examples
    --------
    >>> x = np.array([[[0.0, 0.0]], [[1.0, 3.0]], [[3.0, 1.0]]])
    >>> movie_rsa(x, np.array([[1.0, 9.0, 4.0]]), method="spearman", distance="squared-euclidean")
    array([[ 1.],
           [-1.]])
    """
    one_of(method, METHODS, option="method")
    one_of(distance, DISTANCES, option="distance")
    x = _in_time_order(patterns, window)
    models = as_complete_rdms(models, name="models")
    n_pairs = x.shape[1] * (x.shape[1] - 1) // 2
    if models.shape[1] != n_pairs:
        raise UsageError(
            f"The models have {models.shape[1]} pairs, and {x.shape[1]} stimuli have {n_pairs}. "
            "Both must hold the same stimuli in the same order."
        )
    out = np.full((x.shape[0] - window + 1, len(models)), np.nan)
    fast = method in ("cosine", "pearson", *RANKED)
    unit = _targets(models, method, x) if fast else None
    for start, block in _blocks(x, distance, window):
        part = slice(start, start + len(block))
        if unit is None:
            out[part] = compare_rdms(block.cpu().numpy(), models, method=method)
        else:
            out[part] = _scores(block, unit, method).cpu().numpy()
    return out


def _in_time_order(patterns: Array, window: int) -> Tensor:
    """Return patterns as a tensor (n_times, n_stimuli, n_units) on the device that they are on."""
    x = as_float(patterns)
    if x.ndim != 3 or x.shape[0] < 2 or min(x.shape) < 1:
        raise UsageError(
            "patterns must be stimuli x units x times, with 2 stimuli or more; "
            f"got an array of shape {tuple(x.shape)}."
        )
    if not 1 <= window <= x.shape[2]:
        raise UsageError(
            f"window must be from 1 to the {x.shape[2]} times that there are; got {window}."
        )
    require_finite(x, name="patterns")
    if not is_torch(x):
        x = torch.from_numpy(np.array(x.transpose(2, 0, 1), order="C"))
    else:
        x = x.permute(2, 0, 1).contiguous()
    return x.to(torch.float64) if window > 1 else x


def _blocks(x: Tensor, distance: str, window: int) -> Iterator[tuple[int, Tensor]]:
    """Yield the first time and the RDM vectors of each block of windows."""
    n_times, n, _ = x.shape
    rows, columns = (torch.from_numpy(index).to(x.device) for index in pair_indices(n))
    places = rows * n + columns
    width = max(1, _BLOCK_BYTES // (n * n * x.element_size()))
    for start in range(0, n_times - window + 1, width):
        stop = min(start + width, n_times - window + 1)
        part = x[start : stop + window - 1]
        if distance == "correlation":
            square = _minus_r(part, window)
            vectors = square.reshape(len(square), -1).index_select(1, places)
            yield start, vectors.add_(1).clamp_(0, 2)
        else:
            square = _euclidean(part, window)
            yield start, square.reshape(len(square), -1).index_select(1, places)


def _euclidean(part: Tensor, window: int) -> Tensor:
    part = part - part.mean(dim=1, keepdim=True)
    squares = (part * part).sum(dim=2)
    gram = torch.baddbmm(
        squares[:, :, None] + squares[:, None, :], part, part.transpose(1, 2), alpha=-2
    )
    return _summed(gram.clamp_(min=0), window) / (part.shape[2] * window)


def _minus_r(part: Tensor, window: int) -> Tensor:
    if window > 1:
        return _minus_r_of_windows(part, window)
    level = part.mean(dim=2, keepdim=True)
    part = part - level
    squares = (part * part).sum(dim=2, keepdim=True)
    varies = squares > _ROUNDING[part.dtype] * (squares + part.shape[2] * level * level)
    part *= torch.where(varies, squares, torch.nan).rsqrt()
    return torch.bmm(part, part.transpose(1, 2)).neg_()


def _minus_r_of_windows(part: Tensor, window: int) -> Tensor:
    n_elements = part.shape[2] * window
    raw = _summed((part * part).sum(dim=2), window)
    # An offset of a pattern changes nothing, if it is that of all its times.
    part = part - part.mean(dim=(0, 2))[:, None]
    gram = _summed(torch.bmm(part, part.transpose(1, 2)), window)
    sums = _summed(part.sum(dim=2), window)
    gram -= sums[:, :, None] * sums[:, None, :] / n_elements
    squares = gram.diagonal(dim1=1, dim2=2)
    scale = torch.where(squares > _ROUNDING[part.dtype] * raw, squares, torch.nan).rsqrt()
    gram *= scale[:, :, None] * scale[:, None, :]
    return gram.neg_()


def _summed(values: Tensor, window: int) -> Tensor:
    """Sum every window of times along the first axis."""
    if window == 1:
        return values
    total = values.cumsum(dim=0)
    total[window:] = total[window:] - total[:-window].clone()
    return total[window - 1 :]


def _targets(models: np.ndarray, method: str, like: Tensor) -> Tensor:
    unit = standardised(models, method=method)
    return torch.from_numpy(unit.T.copy()).to(device=like.device, dtype=like.dtype)


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
    for row in torch.nonzero(square <= 1e-9 * block.shape[1] * level[:, 0] ** 2)[:, 0].tolist():
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
