"""Networks that read sequences: which of a layer's positions count, and which are moments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from neuroai.systems.layout import Layout

SEQUENCE = "neuroai_sequence"
LAYERS_TIME_UNIT = "layers_time_unit"  # attr of a store: what the times of its layers are
POSITIONS = ("row", "feature_map")
MAPS_FIRST = ("feature_map", "row")


@dataclass(eq=False)
class Tokens:
    """Averages the tokens that a stimulus is read at.

    Attributes
    ----------
    weights : Tensor, shape (n_stimuli, n_tokens), or None
        Weight of every token of the batch that is running, summing to 1 a stimulus; 0 for
        padding and for tokens that are not read.
    """

    weights: Tensor | None = None
    _whole: bool = field(default=False, repr=False)
    _every: bool = field(default=False, repr=False)

    @property
    def time_unit(self) -> str:
        """Tokens are averaged, so that there is no time."""
        return ""

    def read(self, rows: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Average a layer (n_stimuli, n_tokens, n_features) over the tokens that are read."""
        w = self.weights
        # A padded token may hold anything, NaN too, so that it is cut out and not weighed by 0.
        if w is None or layout.axes != POSITIONS or rows.shape[:2] != w.shape:
            return rows, layout
        kept = torch.where((w > 0)[..., None], rows.float(), 0.0)
        if self._every:
            return kept, layout
        return torch.einsum("bt,btf->bf", w.to(kept), kept), Layout(0, ("feature_map",))

    def output(self, output: Any) -> Any:
        """Average what the whole network gives, unless every token is wanted."""
        from neuroai.systems.hooks import first_tensor

        tensor = first_tensor(output)
        w = self.weights
        if self._whole or tensor is None or w is None or tensor.shape[:2] != w.shape:
            return output
        return self.read(tensor, Layout(0, POSITIONS))[0]

    @contextmanager
    def every(self) -> Iterator[None]:
        """Leave the tokens of layers and output apart while the context lasts."""
        self._every = True
        try:
            with self.whole():
                yield
        finally:
            self._every = False

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Leave the network's own output as it is while the context lasts."""
        self._whole = True
        try:
            yield
        finally:
            self._whole = False


@dataclass(eq=False)
class Frames:
    """Calls the positions of a layer moments, in frames of that layer."""

    @property
    def time_unit(self) -> str:
        """Every layer's own frames."""
        return "frame"

    def read(self, rows: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Turn (n_stimuli, n_frames, n_features), or features first, into a course in time."""
        if layout.axes == MAPS_FIRST:
            rows, layout = rows.movedim(1, 2), Layout(0, POSITIONS)
        if layout.axes != POSITIONS:
            return rows, layout
        return rows, Layout(0, ("time", "feature_map"))


@dataclass(eq=False)
class Films:
    """Calls every run of a network over one frame of a film a moment."""

    @property
    def time_unit(self) -> str:
        """The film's frames."""
        return "frame"

    def read(self, rows: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Leave what a layer gives for one frame as it is: its calls are the moments."""
        return rows, layout


Reader = Tokens | Frames | Films


def sequence_of(module: nn.Module) -> Reader | None:
    """Give how the sequences of a network are read; None for one that reads none.

    Examples
    --------
    >>> sequence_of(nn.Linear(1, 1)) is None
    True
    """
    return getattr(module, SEQUENCE, None)


def time_unit_of(module: nn.Module) -> str:
    """Give the unit of the time axis of a network's layers: ``step``, or ``frame``.

    Examples
    --------
    >>> time_unit_of(nn.GRU(1, 1)), time_unit_of(nn.Conv3d(1, 1, 1))
    ('step', 'frame')
    """
    reader = sequence_of(module)
    films = any(isinstance(part, nn.Conv3d) for part in module.modules())
    return (reader.time_unit if reader else "") or ("frame" if films else "step")
