"""From a request to a sealed store: room is checked, parts are written, the store is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.format.files import ZARR
from neuroai.format.seal import is_sealed
from neuroai.format.stimuli import StimulusSet
from neuroai.systems import store
from neuroai.systems.layers import choose_layers
from neuroai.systems.passes import DTYPES
from neuroai.systems.preflight import (
    Need,
    check_device_memory,
    check_disk,
    disk_full_told,
    fitting_batch,
)
from neuroai.systems.reduction import Reduction
from neuroai.systems.store_read import open_store
from neuroai.systems.store_write import Job, begin, plan, settings_of, write_subject

if TYPE_CHECKING:
    from neuroai.systems.activations import Activations
    from neuroai.systems.model import Model


def make_job(
    model: Model,
    stimuli: StimulusSet,
    *,
    layers: Sequence[str] | None,
    reduction: Reduction | None,
    dtype: str,
    device: str | None,
) -> Job:
    """Resolve what is asked for, or say what is wrong with it."""
    refuse_stored(model)
    if not stimuli.available:
        raise UsageError(
            f"The stimuli of '{stimuli.name}' are not at hand, so a network cannot be shown any."
        )
    one_of(dtype, DTYPES, option="dtype")
    moved = model if device in (None, model.device) else replace(model, device=device)
    module = moved.module(moved.subjects[0])
    chosen = moved.regions if layers is None else choose_layers(module, layers)
    if reduction is not None and reduction.fit:
        reduction.fit_ids(stimuli)
    inputs = replace(moved._inputs(stimuli), kept={})
    return Job(moved, inputs, tuple(chosen), reduction, dtype)


def refuse_stored(model: object) -> None:
    """Raise a UsageError for what holds activations and cannot be run."""
    if not hasattr(model, "modules"):
        name = getattr(model, "name", type(model).__name__)
        raise UsageError(
            f"'{name}' is no network that can be run; its activations are on disk already."
        )


def run_job(
    model: Model,
    stimuli: StimulusSet,
    path: Path,
    *,
    layers: Sequence[str] | None,
    reduction: Reduction | None,
    max_memory: int | None,
    dtype: str,
    device: str | None,
    batch_size: int | None,
    progress: bool,
) -> Activations:
    """Do the work of `neuroai.systems.extract.extract`."""
    path = checked_path(path)
    job = make_job(model, stimuli, layers=layers, reduction=reduction, dtype=dtype, device=device)
    begun = store.read_root(path)["settings"] if path.exists() else {}
    wanted = _batch(job, begun, batch_size)
    if path.exists() and is_sealed(path):
        store.check_settings(path, settings_of(job, wanted))
        return open_store(path)
    need, shapes = plan(job, max_memory)
    given = batch_size is not None or bool(begun)
    size = fitting_batch(need, wanted=wanted, given=given, max_memory=max_memory)
    check_device_memory(need, size, job.model.device)
    settings = settings_of(job, size)
    with disk_full_told(path):
        finished = begin(job, path, settings, need, shapes)
        _write(job, path, size, finished, max_memory, progress)
        store.finish(path)
    # Just sealed, so that hashing every file once more would find nothing.
    return open_store(path, check=False)


def _batch(job: Job, begun: Mapping[str, Any], batch_size: int | None) -> int:
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"batch_size must be 1 or more; got {batch_size}.")
    if batch_size is None:
        return int(begun.get("batch_size", min(job.model.batch_size, len(job.ids))))
    return batch_size


def _write(
    job: Job,
    path: Path,
    batch_size: int,
    finished: frozenset[str],
    memory: int | None,
    progress: bool,
) -> None:
    total = len(job.ids) * len(job.model.subjects)
    with tqdm(total=total, unit="stimuli", desc="network", disable=not progress) as bar:
        for subject in job.model.subjects:
            write_subject(
                job,
                path,
                subject,
                batch_size=batch_size,
                finished=finished,
                memory=memory,
                bar=bar,
            )


@dataclass(frozen=True)
class Estimate:
    """What an extraction would take.

    Attributes
    ----------
    need : Need
        Memory and disk.
    batch_size : int
        Stimuli of a batch that fits.
    shapes : mapping of str to StoredShape
        How each layer would lie in the store.
    """

    need: Need
    batch_size: int
    shapes: Mapping[str, store.StoredShape]


def estimate(
    job: Job, path: Path, *, max_memory: int | None = None, batch_size: int | None = None
) -> Estimate:
    """Say what an extraction takes of memory and disk, and refuse what does not fit.

    Raises
    ------
    ResourceError
        Memory or disk does not suffice; the remedy is named.
    """
    path = checked_path(path)
    need, shapes = plan(job, max_memory)
    size = fitting_batch(
        need,
        wanted=_batch(job, {}, batch_size),
        given=batch_size is not None,
        max_memory=max_memory,
    )
    check_device_memory(need, size, job.model.device)
    check_disk(need, path)
    return Estimate(need, size, shapes)


def checked_path(path: Path) -> Path:
    """Refuse a name that is not one of a store, before any work."""
    if path.suffix != ZARR:
        raise UsageError(f"{path} must end in '{ZARR}': activations are written to a Zarr store.")
    return path.absolute()
