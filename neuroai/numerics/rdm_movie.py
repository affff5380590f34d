"""RDMs at every time, and their similarity with model RDMs, a block of times at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.numerics.arrays import Array, as_float, is_torch, require_finite
from neuroai.numerics.rdm_batch import (
    DISTANCES,
    ROUNDING,
    ModelRdms,
    batched_rdms,
    distances_from_minus_r,
    euclidean,
    upper_triangles,
)
from neuroai.numerics.rdm_movie_products import GramModels

# The RDMs of one block of times stay in the cache of a processor.
_BLOCK_BYTES = 2**22


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
    x = _in_time_order(_checked(patterns, window), window)
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
    patterns : array or tensor of shape (n_stimuli, n_units, n_times) or with subjects before
        Activity of one subject, or of several (n_subjects, n_stimuli, n_units, n_times), any unit,
        finite. Models are made ready once for all.
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
    array of shape (n_times - window + 1, n_models), with subjects before if there are several
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
    one_of(distance, DISTANCES, option="distance")
    several = as_float(patterns)
    several = several if several.ndim == 4 else several[None]
    if not len(several):
        raise UsageError("patterns hold no subject.")
    parts = [_checked(one, window) for one in several]
    ready = ModelRdms.of(models, method=method, n_stimuli=len(parts[0]), like=parts[0])
    by_products = (method, distance, window) == ("pearson", "correlation", 1)
    sums = None
    if by_products and ready.unit is not None:
        sums = GramModels.of(ready.unit, n_stimuli=len(parts[0]))
    found = np.stack([_of_subject(x, ready, sums, distance, window) for x in parts])
    return found if np.ndim(patterns) == 4 else found[0]


def _of_subject(
    x: Tensor, ready: ModelRdms, sums: GramModels | None, distance: str, window: int
) -> np.ndarray:
    if sums is None:
        return _scored(x, ready, distance, window)
    found, unsure = sums.scores(x)
    out = found.cpu().numpy()
    if bool(unsure.any()):
        out[unsure.cpu().numpy()] = _scored(x[:, :, unsure], ready, distance, window)
    return out


def _scored(x: Tensor, ready: ModelRdms, distance: str, window: int) -> np.ndarray:
    """Compare the RDM vectors of every window with every model, a block of times at once."""
    x = _in_time_order(x, window)
    out = np.empty((x.shape[0] - window + 1, len(ready.vectors)))
    for start, block in _blocks(
        x, distance, window, raw=ready.blind_to_offset, doubled=ready.by_order
    ):
        out[start : start + len(block)] = ready.scores(block)
    return out


def _checked(patterns: Array, window: int) -> Tensor:
    """Return finite patterns as a contiguous tensor on the device that they are on."""
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
    if not is_torch(x):
        x = np.ascontiguousarray(x)
        x = torch.from_numpy(x if x.flags.writeable else x.copy())
    # A sum that is finite has finite terms, and takes one pass.
    if not bool(torch.isfinite(x.sum())):
        require_finite(x, name="patterns")
    return x.contiguous()


def _in_time_order(x: Tensor, window: int) -> Tensor:
    """Return a copy (n_times, n_stimuli, n_units), in float64 for windows of several times."""
    n, n_units, n_times = x.shape
    # As a matrix, whose transposition is fast; a single time needs a copy of its own.
    turned = x.contiguous().view(n * n_units, n_times).t()
    turned = turned.contiguous() if n_times > 1 else turned.clone()
    turned = turned.view(n_times, n, n_units)
    return turned.to(torch.float64) if window > 1 else turned


def _blocks(
    x: Tensor, distance: str, window: int, *, raw: bool = False, doubled: bool = False
) -> Iterator[tuple[int, Tensor]]:
    """Yield the first time and the RDM vectors of each block of windows, writing over `x`.

    With `raw` correlation distances lack the 1 that they are counted from.
    """
    n_times, n, _ = x.shape
    width = max(1, _BLOCK_BYTES // (n * n * x.element_size()))
    for start in range(0, n_times - window + 1, width):
        stop = min(start + width, n_times - window + 1)
        part = x[start : stop + window - 1]
        if window == 1:
            yield start, batched_rdms(part, distance=distance, owned=True, raw=raw, doubled=doubled)
        elif distance == "correlation":
            yield start, distances_from_minus_r(_minus_r_of_windows(part, window))
        else:
            summed = _summed(euclidean(part), window) / (part.shape[2] * window)
            yield start, upper_triangles(summed)


def _minus_r_of_windows(part: Tensor, window: int) -> Tensor:
    n_elements = part.shape[2] * window
    raw = _summed((part * part).sum(dim=2), window)
    # An offset of a pattern changes nothing, if it is that of all its times.
    part = part - part.mean(dim=(0, 2))[:, None]
    gram = _summed(torch.bmm(part, part.transpose(1, 2)), window)
    sums = _summed(part.sum(dim=2), window)
    gram -= sums[:, :, None] * sums[:, None, :] / n_elements
    squares = gram.diagonal(dim1=1, dim2=2)
    scale = torch.where(squares > ROUNDING[part.dtype] * raw, squares, torch.nan).rsqrt()
    gram *= scale[:, :, None] * scale[:, None, :]
    return gram.neg_()


def _summed(values: Tensor, window: int) -> Tensor:
    """Sum every window of times along the first axis."""
    if window == 1:
        return values
    total = values.cumsum(dim=0)
    total[window:] = total[window:] - total[:-window].clone()
    return total[window - 1 :]
