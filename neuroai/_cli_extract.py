"""The command ``neuroai extract``: a network's activity, written to disk once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuroai.errors import UsageError

if TYPE_CHECKING:
    from neuroai.format.stimuli import StimulusSet
    from neuroai.systems.store_run import Estimate
    from neuroai.systems.store_write import Job

REDUCE_HELP = "mean, count-sketch:N, sparse-projection:N or pca:N:fit=COLUMN=VALUE."
Device = Annotated[str, typer.Option("--device", help="cpu, cuda or mps.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
MaxMemory = Annotated[
    str, typer.Option("--max-memory", metavar="SIZE", help="Such as 2GiB; default: what is free.")
]


def extract(
    model: Annotated[str, typer.Argument(metavar="SPEC", help="A network, as in 'compare -m'.")],
    stimuli: Annotated[
        str, typer.Argument(help="A data set ('neuroai ls datasets'), or a folder of stimuli.")
    ],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="PATH.zarr", help="Default: ./NAME-STIMULI.zarr.")
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option("--layers", metavar="GLOB", help="Layers to read, such as 'layer.2*'."),
    ] = None,
    reduce: Annotated[str, typer.Option("--reduce", help=REDUCE_HELP)] = "",
    dtype: Annotated[
        str, typer.Option("--dtype", help="float32 or bfloat16; what overflows is refused.")
    ] = "float32",
    max_memory: Annotated[
        str,
        typer.Option("--max-memory", metavar="SIZE", help="Such as 2GiB. Default: what is free."),
    ] = "",
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, help="Stimuli a forward pass.")
    ] = None,
    device: Device = "cpu",
    offline: Offline = False,
    quiet: Quiet = False,
) -> None:
    """Write the activity of a network's layers to a Zarr store.

    Memory is bounded. A run that was interrupted goes on where it stopped when the same command is
    given again. What it will take of memory and disk is said, and checked, before any work.

    \b
    Examples
      neuroai extract hf:FOLDER kriegeskorte2008 --layers 'layer.*' --reduce mean
      neuroai extract hf:FOLDER my-images --to acts.zarr --max-memory 4GiB
      neuroai compare kriegeskorte2008 -m acts:acts.zarr
    """
    from neuroai.systems.extract import extract as write
    from neuroai.systems.load import load_model
    from neuroai.systems.preflight import read_size
    from neuroai.systems.reduction import read_reduction
    from neuroai.systems.store_run import estimate, make_job

    network = load_model(model, device=None if device == "cpu" else device)
    shown = _stimuli(stimuli, offline=offline)
    path = to or Path(f"{_plain(network.name)}-{_plain(shown.name)}.zarr")
    reduction = read_reduction(reduce or getattr(network, "reduce", None))
    job = make_job(network, shown, layers=layers, reduction=reduction, dtype=dtype, device=None)
    if not path.exists():
        size = read_size(max_memory or None)
        _tell(job, path, estimate(job, path, max_memory=size, batch_size=batch_size))
    stored = write(
        network,
        shown,
        path,
        layers=layers,
        reduce=reduction,
        max_memory=max_memory or None,
        dtype=dtype,
        batch_size=batch_size,
        progress=not quiet,
    )
    for name, layer in stored.layers.items():
        typer.echo(f"{name}  {' x '.join(map(str, layer.shape))}")
    _say(f"Sealed. Use it with: neuroai compare DATASET -m acts:{path}")


def _tell(job: Job, path: Path, told: Estimate) -> None:
    from neuroai.systems.preflight import in_mib

    need = told.need
    _say(
        f"Will write {len(job.layers)} layers of {len(job.ids)} stimuli to {path}: about "
        f"{in_mib(need.total_disk)} on disk, {in_mib(need.memory(told.batch_size))} "
        f"of memory in batches of {told.batch_size}"
    )


def _stimuli(name: str, *, offline: bool) -> StimulusSet:
    folder = Path(name).expanduser()
    if folder.is_dir():
        from neuroai.sources.stimulus_folder import stimuli_of_folder

        return stimuli_of_folder(folder)
    from neuroai.sources.catalogue import load_dataset

    found = load_dataset(name, offline=offline).stimuli
    if not found.available:
        raise UsageError(f"The stimuli of '{name}' are not distributed, so none can be shown.")
    return found.restrict(found.available)


def _plain(name: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    return kept.strip("-")


def _say(text: str) -> None:
    typer.echo(text, err=True)
