"""How a layer's output is laid out: which axis holds stimuli, features and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.errors import UsageError

_CHANNELS_FIRST_1D = (
    nn.Conv1d,
    nn.ConvTranspose1d,
    nn.BatchNorm1d,
    nn.InstanceNorm1d,
    nn.MaxPool1d,
    nn.AvgPool1d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveMaxPool1d,
)


@dataclass(frozen=True)
class Layout:
    """What the axes of a layer's output mean.

    Attributes
    ----------
    batch_axis : int
        Axis of the raw output that runs along stimuli.
    axes : tuple of str
        Names of the other axes in order: ``feature_map``, ``row``, ``col``, ``time`` or ``other``.
    """

    batch_axis: int
    axes: tuple[str, ...]

    @property
    def feature_axis(self) -> int:
        """Axis of the features once stimuli come first; lesions act along it."""
        return 1 + self.axes.index("feature_map")

    @property
    def recurrent(self) -> bool:
        """Whether one axis of the output is time."""
        return "time" in self.axes


def layout_of(module: nn.Module, ndim: int, shape: Sequence[int] = ()) -> Layout:
    """Say what the axes of a module's output mean.

    A recurrent module (``nn.RNN``, ``nn.GRU``, ``nn.LSTM``) gives (stimulus, time, feature) or,
    by its own ``batch_first``, (time, stimulus, feature). Four axes are (stimulus, feature map,
    row, column). Three axes are (stimulus, token, feature), the token being called ``row``;
    one-dimensional convolutions, norms and pools give (stimulus, feature map, row), and so does a
    block that holds such a convolution and gives as many features as it. Two axes are (stimulus,
    feature). Five axes are (stimulus, feature map, frame, row, column), as torch has films.

    Parameters
    ----------
    module : torch.nn.Module
        The layer.
    ndim : int
        Number of axes of its output, stimuli included.
    shape : sequence of int, optional
        Their lengths, which tell the features of a block from its positions.

    Examples
    --------
    >>> layout_of(nn.Conv2d(1, 2, 3), 4).axes
    ('feature_map', 'row', 'col')
    >>> layout_of(nn.GRU(4, 3), 3)
    Layout(batch_axis=1, axes=('time', 'feature_map'))
    """
    batch_axis = 0 if ndim < 3 or _batch_first(module) else 1
    if isinstance(module, nn.RNNBase) and ndim == 3:
        return Layout(batch_axis, ("time", "feature_map"))
    if ndim == 3:
        tokens = not isinstance(module, _CHANNELS_FIRST_1D) and not _maps_first(module, shape)
        return Layout(batch_axis, ("row", "feature_map") if tokens else ("feature_map", "row"))
    if ndim == 4:
        return Layout(batch_axis, ("feature_map", "row", "col"))
    if ndim == 5:
        return Layout(batch_axis, ("feature_map", "time", "row", "col"))
    return Layout(batch_axis, ("feature_map",) + ("other",) * max(ndim - 2, 0))


def _maps_first(module: nn.Module, shape: Sequence[int]) -> bool:
    """Say whether the second axis, and not the third, is as long as a convolution has features."""
    features = {part.out_channels for part in module.modules() if isinstance(part, nn.Conv1d)}
    return len(shape) == 3 and shape[1] in features and shape[2] not in features


def _batch_first(module: nn.Module) -> bool:
    inner = getattr(module, "self_attn", module)
    return bool(getattr(inner, "batch_first", True)) or not isinstance(
        inner, (nn.RNNBase, nn.MultiheadAttention)
    )


def time_first(rows: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
    """Bring the axis of time behind that of the stimuli (a view), where there is one.

    Examples
    --------
    >>> films = torch.zeros(2, 8, 5, 4, 4)
    >>> rows, layout = time_first(films, layout_of(nn.Conv3d(1, 8, 1), 5))
    >>> tuple(rows.shape), layout.axes
    ((2, 5, 8, 4, 4), ('time', 'feature_map', 'row', 'col'))
    """
    if not layout.recurrent or layout.axes[0] == "time":
        return rows, layout
    others = tuple(name for name in layout.axes if name != "time")
    moved = rows.movedim(1 + layout.axes.index("time"), 1)
    return moved, Layout(0, ("time", *others))


def rows_first(tensor: Tensor, layout: Layout, *, layer: str, n_stimuli: int) -> Tensor:
    """Bring the axis of stimuli to the front (a view), at least two axes.

    Raises
    ------
    UsageError
        That axis does not run along the stimuli of the batch.
    """
    rows = tensor.movedim(layout.batch_axis, 0) if tensor.ndim > layout.batch_axis else tensor
    if tensor.ndim == 0 or rows.shape[0] != n_stimuli:
        raise UsageError(
            f"Layer '{layer}' gives an output of shape {tuple(tensor.shape)} for {n_stimuli} "
            f"stimuli: axis {layout.batch_axis} does not run along stimuli. Choose another layer "
            "with layers=..."
        )
    return rows[:, None] if rows.ndim == 1 else rows


@dataclass(frozen=True)
class Activity:
    """What one layer gave for a batch or a whole set.

    Attributes
    ----------
    values : Tensor or numpy.ndarray, shape (n_stimuli, n_units) or (n_stimuli, n_units, n_times)
        Activity, float32.
    shape : tuple of int
        Shape of the elements that the units are, such as (feature maps, rows, columns).
    axes : tuple of str
        Name of each axis of `shape`.
    """

    values: Tensor | np.ndarray
    shape: tuple[int, ...]
    axes: tuple[str, ...]


def combine(
    calls: Sequence[Tensor], layout: Layout, *, layer: str, reduce: str | None = None
) -> Activity:
    """Turn the outputs of a layer's calls in one pass, stimuli first, into units and times.

    The calls of a recurrent layer are joined along time. Any other layer that is called more than
    once gives one time step a call.

    Raises
    ------
    UsageError
        The calls gave outputs of unlike shapes.
    """
    if layout.recurrent:
        joined = torch.cat(list(calls), dim=1)
        last = joined.movedim(1, -1).reshape(len(joined), -1, joined.shape[1])
        return Activity(last, tuple(joined.shape[2:]), layout.axes[1:])
    kept = [reduced(call, layout, reduce=reduce) for call in calls]
    shapes = {tuple(call.shape) for call in kept}
    if len(shapes) > 1:
        raise UsageError(
            f"Layer '{layer}' is called {len(calls)} times in one pass, with outputs of unlike "
            f"shapes {sorted(shapes)}. Choose layers inside or around it with layers=..., or "
            'reduce="mean".'
        )
    shape = tuple(kept[0].shape[1:])
    axes = layout.axes if len(layout.axes) == len(shape) else ("feature_map",)
    flat = [call.reshape(len(call), -1) for call in kept]
    values = flat[0] if len(flat) == 1 else torch.stack(flat, dim=2)
    return Activity(values, shape, axes)


def reduced(rows: Tensor, layout: Layout, *, reduce: str | None) -> Tensor:
    """Average over every axis but stimuli, features and time, if asked for."""
    if reduce is None or rows.ndim < 3:
        return rows
    kept = {0, layout.feature_axis, *(1 + i for i, a in enumerate(layout.axes) if a == "time")}
    others = [axis for axis in range(1, rows.ndim) if axis not in kept]
    if not others:
        return rows
    return rows.float().mean(dim=others)


def unit_columns(
    layer: str, shape: tuple[int, ...], axes: tuple[str, ...]
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Name the units of a layer and place them: ids and the columns feature_map, row and col.

    Examples
    --------
    >>> ids, columns = unit_columns("conv", (1, 1, 2), ("feature_map", "row", "col"))
    >>> ids, columns["col"].tolist()
    (['conv/0.0.0', 'conv/0.0.1'], [0.0, 1.0])
    """
    ids = [f"{layer}/"]
    for position, size in enumerate(shape):
        dot = "." if position else ""
        ends = [f"{dot}{index}" for index in range(size)]
        ids = [start + end for start in ids for end in ends]
    places = np.indices(shape, dtype=np.float64).reshape(len(shape), -1)
    columns = {name: place for name, place in zip(axes, places, strict=True) if name != "other"}
    return ids, columns
