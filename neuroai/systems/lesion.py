"""Lesions of a network: which features of which layer give way to what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from neuroai.checks import in_range, known_name, listing
from neuroai.errors import UsageError
from neuroai.systems.catalogue import LESIONS
from neuroai.systems.hooks import tensor_of, with_first_tensor
from neuroai.systems.layout import Layout, layout_of, rows_first

_WITHOUT_CHANCE = ("zero", "mean")


@dataclass(frozen=True)
class Lesion:
    """A lesion of some features of one layer.

    The output a of a lesioned unit becomes (1 - s) a + s r, r being its replacement.

    Attributes
    ----------
    region : str
        Layer, as in ``named_modules()``.
    targets : tuple of int
        What is lesioned, counted from 0: feature maps of a layer with rows and columns, features
        of every token of a transformer, else units. They are the values of the unit column
        ``feature_map`` of the layer's recording.
    kind : str
        Registered lesion: ``zero``, ``mean`` or ``noise``.
    strength : float
        s in [0, 1].
    seed : int
        Seed of the noise.

    Raises
    ------
    UsageError
        No target, a target that is not a whole number from 0, or a strength outside [0, 1].
    UnknownName
        An unknown kind.

    Examples
    --------
    >>> Lesion("conv", (3, 1), "zero").describe()
    'zero lesion of 2 feature(s) of conv, strength 1'
    """

    region: str
    targets: tuple[int, ...]
    kind: str
    strength: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        known_name(self.kind, LESIONS.names(), kind="lesion")
        in_range(self.strength, option="strength", low=0, high=1)
        targets = [int(target) for target in self.targets]
        if targets != list(self.targets) or min(targets, default=-1) < 0:
            raise UsageError(
                f"targets of a lesion are one or more whole numbers from 0; "
                f"got {listing(self.targets) or 'none'}."
            )
        object.__setattr__(self, "targets", tuple(sorted(set(targets))))

    def describe(self) -> str:
        """Say in a few words what is lesioned."""
        return (
            f"{self.kind} lesion of {len(self.targets)} feature(s) of {self.region}, "
            f"strength {self.strength:g}"
        )


@dataclass(frozen=True)
class UnitStatistics:
    """Mean and standard deviation of every element of a layer, one array a call in a pass."""

    mean: tuple[np.ndarray, ...]
    sd: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class PlacedLesion:
    """A lesion and the statistics its replacement needs (None if it needs none)."""

    lesion: Lesion
    statistics: UnitStatistics | None


def statistics_of(calls: Sequence[np.ndarray]) -> UnitStatistics:
    """Give mean and SD (n - 1; 0 for one stimulus) over stimuli, the first axis of each call."""
    wide = [call.astype(np.float64) for call in calls]
    means = tuple(call.mean(axis=0) for call in wide)
    sds = tuple(
        call.std(axis=0, ddof=1) if len(call) > 1 else np.zeros(call.shape[1:]) for call in wide
    )
    return UnitStatistics(mean=means, sd=sds)


def needs_reference(kind: str) -> bool:
    """Say whether a kind of lesion needs reference stimuli; all but silencing do."""
    return kind != "zero"


def lesioning(placed: PlacedLesion, ids: Sequence[str]) -> Callable[[nn.Module, Any, int], Any]:
    """Make the change that a lesion applies to its layer's output.

    Noise is drawn anew for every stimulus from the lesion's seed and the stimulus's id, so that
    neither batches nor order matter. Of a recurrent layer the outputs at every step, and the last
    state that is passed on, are changed; the recurrence inside the layer runs on.

    Parameters
    ----------
    placed : PlacedLesion
        The lesion.
    ids : sequence of str
        Ids of the batch's stimuli.
    """
    lesion = placed.lesion

    def change(part: nn.Module, output: Any, call: int) -> Any:
        tensor = tensor_of(output, layer=lesion.region)
        layout = layout_of(part, tensor.ndim, tensor.shape)
        rows = rows_first(tensor, layout, layer=lesion.region, n_stimuli=len(ids))
        new = _apply(placed, rows, layout, call, ids)
        new = new.reshape(len(ids)) if tensor.ndim == 1 else new.movedim(0, layout.batch_axis)
        changed = with_first_tensor(output, new)
        return _with_last_state(part, changed, new) if isinstance(part, nn.RNNBase) else changed

    return change


def _apply(
    placed: PlacedLesion, rows: Tensor, layout: Layout, call: int, ids: Sequence[str]
) -> Tensor:
    lesion, statistics = placed.lesion, placed.statistics
    function: Any = LESIONS.get(lesion.kind).function
    if statistics is not None and call >= len(statistics.mean):
        raise UsageError(
            f"Layer '{lesion.region}' is called more often on these stimuli than on the "
            f"reference stimuli ({len(statistics.mean)} times). Use a zero lesion."
        )
    chance = lesion.kind not in _WITHOUT_CHANCE
    return function(
        rows,
        feature_mask(lesion, tuple(rows.shape[1:]), layout),
        strength=lesion.strength,
        mean=None if statistics is None else statistics.mean[call],
        sd=None if statistics is None else statistics.sd[call],
        rng=[_rng(lesion.seed, key, call) for key in ids] if chance else None,
    )


def feature_mask(lesion: Lesion, element: tuple[int, ...], layout: Layout) -> np.ndarray:
    """Give the mask of the lesioned features, broadcastable to one element.

    Raises
    ------
    UsageError
        A target lies beyond the layer's last feature.
    """
    axis = layout.feature_axis - 1
    size = element[axis]
    if lesion.targets[-1] >= size:
        beyond = [target for target in lesion.targets if target >= size]
        raise UsageError(
            f"Layer '{lesion.region}' has {size} features, counted from 0 to {size - 1}; "
            f"targets lie beyond: {listing(beyond)}."
        )
    mask = np.zeros(size, dtype=bool)
    mask[list(lesion.targets)] = True
    return mask.reshape([size if place == axis else 1 for place in range(len(element))])


def _rng(seed: int, stimulus_id: str, call: int) -> np.random.Generator:
    digest = hashlib.sha256(stimulus_id.encode("utf-8")).digest()
    return np.random.default_rng([seed, call, *np.frombuffer(digest[:16], dtype=np.uint32)])


def _with_last_state(part: nn.RNNBase, output: Any, sequence: Tensor) -> Any:
    """Carry a lesion of the sequence over to the last state, which readouts may take instead."""
    states = output[1]
    last = (states[0] if isinstance(states, tuple) else states).clone()
    steps = sequence.movedim(1 if part.batch_first else 0, 0)
    if part.bidirectional:
        half = steps.shape[-1] // 2
        last[-2], last[-1] = steps[-1, :, :half], steps[0, :, half:]
    else:
        last[-1] = steps[-1]
    return output[0], (last, *states[1:]) if isinstance(states, tuple) else last
