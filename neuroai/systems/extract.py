"""Reading layers: many from one forward pass, batch by batch, with the memory checked first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from neuroai.checks import one_of
from neuroai.errors import ResourceError
from neuroai.systems.hooks import activities, capture, inference, replaced, tensor_of
from neuroai.systems.inputs import Inputs
from neuroai.systems.layout import Activity
from neuroai.systems.lesion import PlacedLesion, lesioning

REDUCTIONS = ("mean",)
FLOAT32_BYTES = 4
_MIB = 2**20

Shortcut = Callable[[int], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Sweep:
    """What one sweep over the stimuli gave.

    Attributes
    ----------
    ids : tuple of str
        Stimuli, sorted; the rows of every array.
    outputs : numpy.ndarray, shape (n_stimuli, n_outputs)
        The network's own outputs (logits), float32.
    layers : dict of Activity
        Activity of every layer that was read, as NumPy arrays.
    """

    ids: tuple[str, ...]
    outputs: np.ndarray
    layers: dict[str, Activity]


def sweep(
    module: nn.Module,
    inputs: Inputs,
    *,
    layers: Sequence[str] = (),
    lesions: Sequence[PlacedLesion] = (),
    batch_size: int = 32,
    device: str = "cpu",
    reduce: str | None = None,
    progress: bool = False,
    shortcut: Shortcut | None = None,
) -> Sweep:
    """Run a network over stimuli once and read its outputs and any number of layers.

    The result does not depend on the batch size beyond single precision.

    Parameters
    ----------
    module : torch.nn.Module
        The network, on `device`.
    inputs : Inputs
        The stimuli.
    layers : sequence of str
        Layers to read.
    lesions : sequence of PlacedLesion
        Applied in order while the pass lasts; the weights stay as they are.
    batch_size : int
        Stimuli a pass.
    device : str
        Where the network runs.
    reduce : {"mean"}, optional
        Average each feature over rows and columns.
    progress : bool
        Show progress on stderr.
    shortcut : callable, optional
        ``shortcut(batch_number)`` gives a context in which parts of the network are cached.

    Raises
    ------
    ResourceError
        The activity would not fit into memory.
    UsageError
        A layer is never called, or its output has no axis of stimuli.
    """
    if reduce is not None:
        one_of(reduce, REDUCTIONS, option="reduce")
    size = 1 if mixes_stimuli(module) else batch_size
    store: dict[str, Activity] = {}
    outputs: list[np.ndarray] = []
    done = 0
    with inference(module):
        for number, (ids, batch) in enumerate(_shown(inputs, size, progress)):
            with shortcut(number) if shortcut else nullcontext():
                output, read = one_pass(module, batch.to(device), ids, layers, lesions, reduce)
            if not done:
                _preflight(read, len(inputs.ids))
            _fill(store, read, done, len(inputs.ids))
            outputs.append(_rows(output, len(ids)))
            done += len(ids)
    return Sweep(inputs.ids, np.concatenate(outputs), store)


def one_pass(
    module: nn.Module,
    batch: Tensor,
    ids: Sequence[str],
    layers: Sequence[str],
    lesions: Sequence[PlacedLesion],
    reduce: str | None,
) -> tuple[Any, dict[str, Activity]]:
    """Run one batch with its lesions; give the output and the layers as tensors."""
    # Lesions are hooked first, so that a lesioned layer is read as it is passed on.
    changes = [(placed.lesion.region, lesioning(placed, ids)) for placed in lesions]
    with (
        replaced(module, changes),
        capture(module, layers, n_stimuli=len(ids), reduce=reduce) as read,
    ):
        output = module(batch)
    return output, activities(module, read, reduce=reduce)


def mixes_stimuli(module: nn.Module) -> bool:
    """Say whether stimuli of a batch act on each other: batch norms without running statistics."""
    return any(
        isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None
        for part in module.modules()
    )


def _shown(inputs: Inputs, size: int, progress: bool) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    if not progress:
        yield from inputs.batches(size)
        return
    from tqdm import tqdm

    with tqdm(total=len(inputs.ids), unit="stimuli", desc="network") as bar:
        for ids, batch in inputs.batches(size):
            yield ids, batch
            bar.update(len(ids))


def _rows(output: Any, n_stimuli: int) -> np.ndarray:
    tensor = tensor_of(output, layer="(output)")
    return tensor.detach().float().cpu().numpy().reshape(n_stimuli, -1)


def _fill(store: dict[str, Activity], read: Mapping[str, Activity], start: int, total: int) -> None:
    for name, activity in read.items():
        values = activity.values.float().cpu().numpy()
        if name not in store:
            empty = np.empty((total, *values.shape[1:]), dtype=np.float32)
            store[name] = Activity(empty, activity.shape, activity.axes)
        store[name].values[start : start + len(values)] = values


def bytes_needed(read: Mapping[str, Activity], n_stimuli: int) -> int:
    """Count the bytes that layers take for `n_stimuli`, from those of one batch."""
    units = sum(int(np.prod(activity.values.shape[1:])) for activity in read.values())
    return units * n_stimuli * FLOAT32_BYTES


def free_memory() -> int:
    """Give the bytes of memory that can be taken now."""
    # Linux alone tells what is free; elsewhere the memory of the machine is the only bound.
    if os.path.exists("/proc/meminfo"):
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _preflight(read: Mapping[str, Activity], n_stimuli: int) -> None:
    needed, free = bytes_needed(read, n_stimuli), free_memory()
    if needed > free:
        raise ResourceError(
            f"The activity of {len(read)} layers for {n_stimuli} stimuli takes "
            f"{needed / _MIB:,.0f} MiB; {free / _MIB:,.0f} MiB are free. Read fewer layers with "
            'layers=..., average over rows and columns with reduce="mean", or take fewer stimuli.'
        )
