"""The work behind ``extract``: what a store is made with, and its parts one after another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.systems import store
from neuroai.systems.fitting import fitted_reducer
from neuroai.systems.hooks import inference
from neuroai.systems.inputs import Inputs
from neuroai.systems.layout import Activity
from neuroai.systems.lesion import PlacedLesion
from neuroai.systems.passes import (
    DTYPES,
    mixes_stimuli,
    on_device,
    one_pass,
    precision,
    refuse_overflow,
    tensors_in,
)
from neuroai.systems.preflight import Need, check_disk, free_memory, measured
from neuroai.systems.reduction import PCA, Reducer, Reduction
from neuroai.systems.sequences import LAYERS_TIME_UNIT, time_unit_of
from neuroai.systems.store_components import COMPONENTS, read_components, write_components

if TYPE_CHECKING:
    from neuroai.systems.model import Model


@dataclass(frozen=True, eq=False)
class Job:
    """One extraction: a network, stimuli, and what is kept of them.

    Attributes
    ----------
    model : Model
        On the device where it is to run.
    inputs : Inputs
        The stimuli; nothing of them is kept.
    layers : tuple of str
        Layers, in the order of the network.
    reduction : Reduction or None
        What is kept of each layer.
    dtype : str
        Precision in which the network runs and in which values are stored.
    """

    model: Model
    inputs: Inputs
    layers: tuple[str, ...]
    reduction: Reduction | None
    dtype: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Stimuli at hand, sorted."""
        return self.inputs.ids

    def parts(self, batch_size: int) -> list[tuple[int, tuple[str, ...]]]:
        """Number and stimuli of every part."""
        starts = range(0, len(self.ids), batch_size)
        return [(n, self.ids[start : start + batch_size]) for n, start in enumerate(starts)]

    def read(
        self,
        module: nn.Module,
        ids: Sequence[str],
        reducer: Reducer,
        lesions: Sequence[PlacedLesion],
    ) -> dict[str, Activity]:
        """Run some stimuli and give every layer as it is stored."""
        some = replace(self.inputs, stimuli=self.inputs.stimuli.restrict(ids), kept={})
        size = 1 if mixes_stimuli(module) else len(ids)
        device = self.model.device
        pieces: list[dict[str, Activity]] = []
        for shown, batch in some.batches(size):
            with precision(self.dtype, device):
                moved = on_device(batch, device)
                _, read = one_pass(module, moved, shown, self.layers, lesions, reducer)
            pieces.append({name: self._kept(read.pop(name), name, shown) for name in list(read)})
        return pieces[0] if len(pieces) == 1 else _joined(pieces)

    def _kept(self, activity: Activity, layer: str, ids: Sequence[str]) -> Activity:
        values = torch.as_tensor(activity.values).to(DTYPES[self.dtype])
        if self.dtype != "float32":
            refuse_overflow(values, layer, ids, torch.zeros(()))
        return replace(activity, values=values.cpu())


def _joined(pieces: Sequence[dict[str, Activity]]) -> dict[str, Activity]:
    joined = {}
    for name, first in pieces[0].items():
        values = torch.cat([torch.as_tensor(piece[name].values) for piece in pieces])
        joined[name] = replace(first, values=values)
    return joined


def settings_of(job: Job, batch_size: int) -> dict[str, Any]:
    """Give everything that the values of a store hang on, as JSON."""
    model, stimuli = job.model, job.inputs.stimuli
    return {
        "system": model.name,
        "subjects": list(model.subjects),
        "layers": list(job.layers),
        "reduce": str(job.reduction or "none"),
        "dtype": job.dtype,
        "device": torch.device(model.device).type,
        "batch_size": batch_size,
        "stimulus_set": stimuli.name,
        "n_stimuli": len(job.ids),
        "stimuli_sha256": _digest(zip(job.ids, stimuli.column("sha256", job.ids), strict=True)),
        "input_sha256": _input_sha256(job),
        "weights_sha256": model.weights_sha256(),
        "lesions": [
            [lesion.describe(), list(lesion.targets), lesion.seed, _reference(reference)]
            for lesion, reference in model.lesions
        ],
        "torch": torch.__version__,
    }


def _digest(pairs: Any) -> str:
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(":".join(map(str, pair)).encode("utf-8") + b";")
    return digest.hexdigest()


def _reference(reference: Any) -> str:
    if reference is None:
        return ""
    ids = reference.available
    return _digest(zip(ids, reference.column("sha256", ids), strict=True))


def _input_sha256(job: Job) -> str:
    """Hash what the network is given for the first stimulus, so that preprocessing is told."""
    first = replace(job.inputs, stimuli=job.inputs.stimuli.restrict(job.ids[:1]), kept={})
    digest = hashlib.sha256()
    for _, batch in first.batches(1):
        for tensor in tensors_in(batch):
            digest.update(f"{tensor.dtype}:{tuple(tensor.shape)}:".encode())
            digest.update(tensor.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def facts_of(job: Job) -> dict[str, Any]:
    """Give what recordings made from the store say about themselves."""
    unit = time_unit_of(job.model.module(job.model.subjects[0]))
    kept = {"reduce": str(job.reduction or "none"), "dtype": job.dtype, LAYERS_TIME_UNIT: unit}
    return {**job.model._attrs(), **kept}


def plan(job: Job, memory: int | None) -> tuple[Need, dict[str, store.StoredShape]]:
    """Run one stimulus, then two, and give what the extraction takes and how layers lie."""
    model = job.model
    subject = model.subjects[0]
    module, lesions = model.module(subject), model._placed(subject)
    reducer = _reducer(job, subject, 1, memory)
    shapes: dict[str, store.StoredShape] = {}

    def run(n_stimuli: int) -> None:
        with inference(module):
            read = job.read(module, job.ids[:n_stimuli], reducer, lesions)
        for name, a in read.items():
            shapes[name] = store.StoredShape(tuple(a.values.shape[1:]), a.shape, a.axes)

    here, there = measured(run, n_stimuli=len(job.ids), device=model.device)
    disk = {
        name: shape.n_bytes(len(job.ids), job.dtype) * len(model.subjects)
        for name, shape in shapes.items()
    }
    return Need(here.fixed + reducer.n_bytes, here.per_stimulus, disk, there), shapes


def _reducer(job: Job, subject: str, batch_size: int, memory: int | None) -> Reducer:
    return fitted_reducer(
        job.reduction,
        job.model.module(subject),
        job.inputs,
        job.layers,
        batch_size=batch_size,
        device=job.model.device,
        dtype=job.dtype,
        memory=free_memory() // 2 if memory is None else memory,
    )


def begin(
    job: Job,
    path: Path,
    settings: Mapping[str, Any],
    need: Need,
    shapes: Mapping[str, store.StoredShape],
) -> frozenset[str]:
    """Create a store, or take up one that was begun with the same settings."""
    if path.exists():
        store.check_settings(path, settings)
        finished = store.tidy(path)
        total = len(job.parts(settings["batch_size"])) * len(job.model.subjects)
        check_disk(need, path, done=min(1.0, len(finished) / total))
        return finished
    check_disk(need, path)
    store.create(path, settings=settings, facts=facts_of(job), ids=job.ids, layers=shapes)
    return frozenset()


def write_subject(
    job: Job,
    path: Path,
    subject: str,
    *,
    batch_size: int,
    finished: frozenset[str],
    memory: int | None,
    bar: Any,
) -> None:
    """Compute and write the parts of one subject that are not finished."""
    parts = job.parts(batch_size)
    waiting = [(n, ids) for n, ids in parts if store.part_name(subject, n) not in finished]
    bar.update(sum(len(ids) for _, ids in parts) - sum(len(ids) for _, ids in waiting))
    if not waiting:
        return
    module, lesions = job.model.module(subject), job.model._placed(subject)
    reducer = _stored_reducer(job, path, subject, batch_size, finished, memory)
    with inference(module), store.PartWriter(path, subject) as writer:
        for number, ids in waiting:
            read = job.read(module, ids, reducer, lesions)
            for layer in job.layers:
                activity = read.pop(layer)
                writer.put(layer, _plain(torch.as_tensor(activity.values)), number * batch_size)
                del activity
            writer.end_part(number)
            bar.update(len(ids))


def _stored_reducer(
    job: Job,
    path: Path,
    subject: str,
    batch_size: int,
    finished: frozenset[str],
    memory: int | None,
) -> Reducer:
    """Give the reducer; components are kept in the store, so that they are fitted once."""
    if job.reduction is None or job.reduction.kind != PCA:
        return Reducer(job.reduction)
    if store.part_name(subject, COMPONENTS) in finished:
        return Reducer(job.reduction, read_components(path, subject, job.layers))
    reducer = _reducer(job, subject, batch_size, memory)
    write_components(path, subject, reducer)
    return reducer


def _plain(values: Tensor) -> np.ndarray:
    if values.dtype == torch.bfloat16:
        return values.contiguous().view(torch.int16).numpy().view(np.uint16)
    return values.numpy()
