"""Interventions in a network's activity: which elements of a layer give way to what, in a pass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.checks import listing
from neuroai.errors import UsageError
from neuroai.systems.catalogue import LESIONS
from neuroai.systems.hooks import tensor_of, with_first_tensor
from neuroai.systems.intervention import (
    DIRECTION,
    HEADS,
    LAYER,
    UNITS,
    Intervention,
    dosed,
    needs_reference,
)
from neuroai.systems.layout import Layout, layout_of, rows_first
from neuroai.systems.lesions._blend import like

# A lesion is an intervention; the word for what most of them are.
Lesion = Intervention
__all__ = ["Lesion", "PlacedLesion", "UnitStatistics", "lesioning", "needs_reference"]


@dataclass(frozen=True)
class UnitStatistics:
    """Mean and standard deviation of every element of a layer, one array a call in a pass.

    Attributes
    ----------
    mean, sd : tuple of array, shape (*element)
        Over the reference stimuli.
    bank : tuple of array, shape (n_reference, *element)
        The activity itself, where it was asked for; else empty.
    ids : tuple of str
        Stimuli of the bank's rows.
    """

    mean: tuple[np.ndarray, ...]
    sd: tuple[np.ndarray, ...]
    bank: tuple[np.ndarray, ...] = ()
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlacedLesion:
    """An intervention and the statistics its replacement needs (None if it needs none)."""

    lesion: Intervention
    statistics: UnitStatistics | None


def statistics_of(
    calls: Sequence[np.ndarray], *, ids: Sequence[str] = (), keep: bool = False
) -> UnitStatistics:
    """Give mean and SD (n - 1; 0 for one stimulus) over stimuli, the first axis of each call.

    Parameters
    ----------
    calls : sequence of array, shape (n_stimuli, *element)
        Activity at every call of the layer.
    ids : sequence of str
        Stimuli of the rows.
    keep : bool
        Keep the activity too, to draw from.
    """
    wide = [call.astype(np.float64) for call in calls]
    means = tuple(call.mean(axis=0) for call in wide)
    sds = tuple(
        call.std(axis=0, ddof=1) if len(call) > 1 else np.zeros(call.shape[1:]) for call in wide
    )
    return UnitStatistics(means, sds, tuple(calls) if keep else (), tuple(ids))


def needs_bank(lesion: Intervention) -> bool:
    """Say whether single reference activities are needed, and not their mean and SD alone."""
    if lesion.on_weights:
        return False
    alone = lesion.of == DIRECTION and needs_reference(lesion.kind)
    return alone or bool({"bank", "source"} & set(lesion.card.needs))


def lesioning(placed: PlacedLesion, ids: Sequence[str]) -> Callable[[nn.Module, Any, int], Any]:
    """Make the change that an intervention applies to its layer's output.

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
        mask = feature_mask(lesion, tuple(rows.shape[1:]), layout, part=part)
        new = applied(
            lesion, rows, mask, _call_of(placed, call), feature_axis=layout.feature_axis,
            ids=ids, call=call,
        )  # fmt: skip
        new = new.reshape(len(ids)) if tensor.ndim == 1 else new.movedim(0, layout.batch_axis)
        changed = with_first_tensor(output, new)
        return _with_last_state(part, changed, new) if isinstance(part, nn.RNNBase) else changed

    return change


def _call_of(placed: PlacedLesion, call: int) -> UnitStatistics | None:
    """Give the statistics of one call of the layer in a pass."""
    known = placed.statistics
    if known is None:
        return None
    if call >= len(known.mean):
        raise UsageError(
            f"Layer '{placed.lesion.region}' is called more often on these stimuli than on the "
            f"reference stimuli ({len(known.mean)} times). Use a zero lesion."
        )
    return UnitStatistics(
        known.mean[call : call + 1], known.sd[call : call + 1], known.bank[call : call + 1],
        known.ids,
    )  # fmt: skip


def applied(
    lesion: Intervention,
    rows: Any,
    mask: np.ndarray,
    known: UnitStatistics | None,
    *,
    feature_axis: int,
    ids: Sequence[str],
    call: int = 0,
) -> Any:
    """Apply an intervention to activity, stimuli first: the same for hooks and for recordings.

    Parameters
    ----------
    lesion : Intervention
        What is done.
    rows : numpy.ndarray or torch.Tensor, shape (n_rows, *element)
        Activity; it is not written to.
    mask : array of bool, broadcastable to `element`
        What is changed.
    known : UnitStatistics or None
        Reference activity of this call alone.
    feature_axis : int
        Axis of `rows` along which features run.
    ids : sequence of str
        Stimulus of each row.
    call : int
        Number of the layer's call in the pass; every call draws anew.

    Returns
    -------
    array of the same kind and shape
    """
    if lesion.of == DIRECTION:
        return _along(lesion, rows, known, feature_axis, ids, call)
    given = _given(lesion, known, ids, call)
    function: Any = LESIONS.get(lesion.kind).function
    if {"vector", "seed"} & set(lesion.card.needs):
        # These kinds act along features, which they find on the last axis.
        last = np.moveaxis(mask, feature_axis - 1, -1)
        new = function(_moved(rows, feature_axis, -1), last, strength=lesion.strength, **given)
        return _laid_out(_moved(new, -1, feature_axis), rows)
    return function(rows, mask, strength=lesion.strength, **given)


def _given(
    lesion: Intervention, known: UnitStatistics | None, ids: Sequence[str], call: int
) -> dict[str, Any]:
    """Collect what the kind needs."""
    needs, found = set(lesion.card.needs), {}
    if needs & {"mean", "sd", "bank"} and known is None:
        raise UsageError(f"A {lesion.kind} lesion needs reference stimuli.")
    if "mean" in needs:
        found["mean"] = known.mean[0]
    if "sd" in needs:
        found["sd"] = known.sd[0]
    if "bank" in needs:
        found["bank"] = known.bank[0]
    if "source" in needs:
        found["source"] = _sources(lesion, known, ids)
    if "rng" in needs:
        found["rng"] = [_rng(lesion.seed, key, call) for key in ids]
    found |= {n: getattr(lesion, n) for n in ("amount", "seed", "vector") if n in needs}
    return found


def _sources(lesion: Intervention, known: UnitStatistics | None, ids: Sequence[str]) -> np.ndarray:
    """Give each row the reference activity of its pair."""
    place = {key: row for row, key in enumerate(known.ids if known else ())}
    pair = dict(lesion.pairs)
    absent = sorted({key for key in ids if pair.get(key) not in place})
    if absent or known is None:
        raise UsageError(
            f"A swap needs, for every stimulus, a pair whose other stimulus is among the "
            f"reference stimuli; there is none for {listing(absent)}."
        )
    return known.bank[0][[place[pair[key]] for key in ids]]


def _along(
    lesion: Intervention,
    rows: Any,
    known: UnitStatistics | None,
    feature_axis: int,
    ids: Sequence[str],
    call: int,
) -> Any:
    """Apply a kind to the coefficient of the activity along the intervention's direction."""
    last = _moved(rows, feature_axis, -1)
    unit = np.asarray(lesion.vector) / np.linalg.norm(lesion.vector)
    _refuse_length(lesion, last.shape[-1])
    if known is not None:
        bank = np.moveaxis(known.bank[0], feature_axis, -1).astype(np.float64) @ unit
        known = statistics_of([bank[..., None]], ids=known.ids, keep=True)
    direction = like(unit, rows)
    coefficient = (last @ direction)[..., None]
    function: Any = LESIONS.get(lesion.kind).function
    given = _given(lesion, known, ids, call)
    new = function(coefficient, np.array([True]), strength=lesion.strength, **given)
    return _laid_out(_moved(last + (new - coefficient) * direction, -1, feature_axis), rows)


def _refuse_length(lesion: Intervention, n_features: int) -> None:
    if lesion.vector and len(lesion.vector) != n_features:
        raise UsageError(
            f"Layer '{lesion.region}' has {n_features} features; the vector has "
            f"{len(lesion.vector)} numbers."
        )


def _moved(rows: Any, source: int, target: int) -> Any:
    if isinstance(rows, np.ndarray):
        return np.moveaxis(rows, source, target)
    return rows.movedim(source, target)


def _laid_out(new: Any, rows: Any) -> Any:
    """Lay a tensor out in memory as the activity was, so that later sums keep their order."""
    if isinstance(new, np.ndarray):
        return new
    return torch.empty_like(rows).copy_(new)


def feature_mask(
    lesion: Intervention, element: tuple[int, ...], layout: Layout, *, part: Any = None
) -> np.ndarray:
    """Give the mask of what is changed, broadcastable to one element.

    Raises
    ------
    UsageError
        A target lies beyond the layer's last feature, unit or head, the layer shows no heads, or
        a vector does not have as many numbers as the layer has features.
    """
    axis = layout.feature_axis - 1
    size = element[axis]
    _refuse_length(lesion, size)
    if lesion.of == UNITS and len(element) > 1 + layout.recurrent:
        # A unit is lesioned at every time.
        spread = [1 if name == "time" else n for name, n in zip(layout.axes, element, strict=True)]
        return _hit(lesion, int(np.prod(spread)), UNITS).reshape(spread)
    if lesion.of == LAYER:
        mask = _random_share(lesion, size)
    elif lesion.of == HEADS:
        n_heads = getattr(part, "n_heads", 0)
        if not n_heads:
            raise UsageError(
                f"Layer '{lesion.region}' shows no attention heads; take the layer "
                "'...heads' of neuroai.systems.heads.with_heads(model)."
            )
        mask = np.repeat(_hit(lesion, n_heads, HEADS), size // n_heads)
    elif lesion.of == DIRECTION:
        mask = np.ones(size, dtype=bool)
    else:
        mask = _hit(lesion, size, "features")
    return mask.reshape([size if place == axis else 1 for place in range(len(element))])


def _random_share(lesion: Intervention, size: int) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    order = np.random.default_rng(lesion.seed).permutation(size)
    mask[order[: dosed(size, lesion.dose)]] = True
    return mask


def _hit(lesion: Intervention, size: int, what: str) -> np.ndarray:
    beyond = [target for target in lesion.targets if int(target) >= size]
    if beyond:
        raise UsageError(
            f"Layer '{lesion.region}' has {size} {what}, counted from 0 to {size - 1}; "
            f"targets lie beyond: {listing(beyond)}."
        )
    mask = np.zeros(size, dtype=bool)
    mask[list(lesion.struck)] = True
    return mask


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
