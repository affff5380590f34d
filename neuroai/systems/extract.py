"""Reading layers: many from one forward pass, batch by batch, with the memory checked first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from neuroai.errors import ResourceError
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.fitting import fitted_reducer
from neuroai.systems.hooks import inference, tensor_of
from neuroai.systems.inputs import Inputs
from neuroai.systems.layout import Activity
from neuroai.systems.lesion import PlacedLesion
from neuroai.systems.passes import mixes_stimuli, on_device, one_pass, with_bar
from neuroai.systems.preflight import FLOAT32_BYTES, REMEDIES, free_memory, in_mib, read_size
from neuroai.systems.reduction import Reduction, read_reduction

if TYPE_CHECKING:
    from neuroai.systems.activations import Activations
    from neuroai.systems.model import Model
    from neuroai.systems.prefix import RecordedInputs

Shortcut = Callable[[int], AbstractContextManager[Callable[[], None]]]


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
    reduce: str | Reduction | None = None,
    progress: bool = False,
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
    reduce : str or Reduction, optional
        What is kept of every layer, such as ``mean`` or ``count-sketch:4096``; see
        `neuroai.systems.reduction.Reduction`.
    progress : bool
        Show progress on stderr.

    Raises
    ------
    ResourceError
        The activity would not fit into memory.
    UsageError
        A layer is never called, or its output has no axis of stimuli.
    DataError
        A layer holds infinite values or NaN.
    """
    [swept] = sweep_many(
        module,
        inputs,
        layers=layers,
        lesions=[lesions],
        batch_size=1 if mixes_stimuli(module) else batch_size,
        device=device,
        reduce=reduce,
        progress=progress,
    )
    return swept


def sweep_many(
    module: nn.Module,
    inputs: Inputs | RecordedInputs,
    *,
    layers: Sequence[str] = (),
    lesions: Sequence[Sequence[PlacedLesion]] = ((),),
    batch_size: int = 32,
    device: str = "cpu",
    reduce: str | Reduction | None = None,
    progress: bool = False,
    shortcut: Shortcut | None = None,
) -> list[Sweep]:
    """Run a network over stimuli under each of several sets of lesions, batch by batch.

    Options are those of `sweep`; ``shortcut(batch_number)`` gives a context in which parts of the
    network are cached, and that gives a function to call before every pass.

    Returns
    -------
    list of Sweep
        One a set of lesions.
    """
    reducer = fitted_reducer(
        read_reduction(reduce),
        module,
        inputs,
        layers,
        batch_size=batch_size,
        device=device,
        memory=free_memory() // 2,
    )
    n = len(inputs.ids)
    stores: list[dict[str, Activity]] = [{} for _ in lesions]
    outputs: list[list[np.ndarray]] = [[] for _ in lesions]
    done = 0
    with inference(module):
        for number, (ids, batch) in enumerate(with_bar(inputs.batches(batch_size), n, progress)):
            moved = on_device(batch, device)
            with shortcut(number) if shortcut else nullcontext(lambda: None) as begin:
                for placed, store, given in zip(lesions, stores, outputs, strict=True):
                    begin()
                    output, read = one_pass(module, moved, ids, layers, placed, reducer)
                    if read and not done:
                        _preflight(read, n)
                    _fill(store, read, done, n)
                    given.append(_rows(output, len(ids)))
            done += len(ids)
    return [
        Sweep(inputs.ids, np.concatenate(given), store)
        for given, store in zip(outputs, stores, strict=True)
    ]


def extract(
    model: Model,
    stimuli: StimulusSet,
    path: str | Path,
    *,
    layers: Sequence[str] | None = None,
    reduce: str | Reduction | None = None,
    max_memory: int | str | None = None,
    dtype: str = "float32",
    device: str | None = None,
    batch_size: int | None = None,
    progress: bool | None = None,
) -> Activations:
    """Write the activity of a network's layers to a store, batch by batch.

    Memory is bounded, whatever the number of stimuli. A call that was killed goes on where it
    stopped when it is made again: finished batches are not computed anew, and the store ends bit
    for bit as if it had not been killed (on one machine, with one number of threads). A store
    that is finished already is opened.

    Parameters
    ----------
    model : Model
        The network; each of its subjects is run.
    stimuli : StimulusSet
        Only those at hand are shown; rows are sorted by id.
    path : str or pathlib.Path
        Where the store is to lie; ends in ``.zarr``.
    layers : sequence of str, optional
        Names or globs; the model's `regions` by default.
    reduce : str or Reduction, optional
        What is kept of each layer: ``mean``, ``count-sketch:N``, ``sparse-projection:N`` or
        ``pca:N:fit=COLUMN=VALUE``; the model's own by default. ``pca`` is fitted on the intact
        network.
    max_memory : int or str, optional
        Bytes, such as ``2GiB``, that may be taken beside what the process holds already; what is
        free by default. In a process that has run long, such as a notebook's, the C library keeps
        up to some 64 MiB of freed memory beside.
    dtype : {"float32", "bfloat16"}
        Precision in which the network runs and in which values are kept. Reductions are summed in
        float32 in either case.
    device : str, optional
        Where the network runs, such as ``cpu`` or ``cuda``; the model's own by default.
    batch_size : int, optional
        Stimuli a forward pass. By default the model's own, or fewer if that does not fit.
    progress : bool, optional
        Show progress on stderr; as the model does by default.

    Returns
    -------
    Activations
        The sealed store as a system.

    Raises
    ------
    UsageError
        The store was begun with other settings (the first is named), or the path holds something
        else; or the stimuli are not at hand.
    ResourceError
        Memory or disk does not suffice, or the device is absent; the remedy is named.
    DataError
        A layer overflows.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, pandas as pd
    >>> from neuroai.format.stimuli import stimulus_set
    >>> from neuroai.systems.load import load_model
    >>> table = pd.DataFrame({"stimulus_id": ["a", "b"]})
    >>> shown = stimulus_set(table, name="noise", load=lambda key: np.ones((8, 8)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stored = extract(
    ...         load_model("builtin:small_convnet"), shown, f"{folder}/a.zarr", layers=["fc*"]
    ...     )
    ...     [recording.shape for recording in stored.recordings(shown)]
    [(2, 64), (2, 10)]
    """
    # Imported here: the store's parts run passes as this file does.
    from neuroai.systems.store_run import refuse_stored, run_job

    refuse_stored(model)

    return run_job(
        model,
        stimuli,
        Path(path).expanduser(),
        layers=layers,
        reduction=read_reduction(model.reduce if reduce is None else reduce),
        max_memory=read_size(max_memory),
        dtype=dtype,
        device=device,
        batch_size=batch_size,
        progress=model.progress if progress is None else progress,
    )


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


def _preflight(read: Mapping[str, Activity], n_stimuli: int) -> None:
    needed, free = bytes_needed(read, n_stimuli), free_memory()
    if needed > free:
        raise ResourceError(
            f"The activity of {len(read)} layers for {n_stimuli} stimuli takes "
            f"{in_mib(needed)}; {in_mib(free)} are free. {REMEDIES}, take fewer stimuli, or write "
            "it to disk batch by batch with neuroai.systems.extract.extract."
        )
