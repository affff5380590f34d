"""One forward pass: lesions, layers read and made smaller, and what overflowed named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from neuroai.checks import listing, one_of
from neuroai.errors import DataError, ResourceError, UsageError
from neuroai.systems.hooks import Reduce, activities, capture, map_tensors, replaced
from neuroai.systems.layout import Activity
from neuroai.systems.lesion import PlacedLesion, lesioning
from neuroai.systems.reduction import as_reducer, finite
from neuroai.systems.weight_change import weights_changed

# How many devices of each kind torch sees; of those without numbers one.
SEEN: dict[str, Callable[[], int]] = {
    "cpu": lambda: 1,
    "cuda": lambda: torch.cuda.device_count() if torch.cuda.is_available() else 0,
    "mps": lambda: int(torch.backends.mps.is_available()),
    "xpu": lambda: torch.xpu.device_count() if torch.xpu.is_available() else 0,
}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def one_pass(
    module: nn.Module,
    batch: Any,
    ids: Sequence[str],
    layers: Sequence[str],
    lesions: Sequence[PlacedLesion],
    reduce: Reduce,
) -> tuple[Any, dict[str, Activity]]:
    """Run one batch with its lesions; give the output and the layers as tensors.

    Raises
    ------
    DataError
        A layer that is read holds infinite values or NaN.
    """
    # Lesions are hooked first, so that a lesioned layer is read as it is passed on.
    changes = [
        (placed.lesion.region, lesioning(placed, ids))
        for placed in lesions
        if not placed.lesion.on_weights
    ]
    on_weights = [placed.lesion for placed in lesions if placed.lesion.on_weights]
    # A sweep makes this pass thousands of times: what is not asked for is not set up.
    with ExitStack() as stack:
        if on_weights:
            stack.enter_context(weights_changed(module, on_weights))
        if changes:
            stack.enter_context(replaced(module, changes))
        if not layers:
            return module(batch), {}
        reducer = as_reducer(reduce)
        read = stack.enter_context(capture(module, layers, n_stimuli=len(ids), reduce=reducer))
        output = module(batch)
    got = activities(module, read, reduce=reducer)
    for name, activity in got.items():
        refuse_overflow(torch.as_tensor(activity.values), name, ids, batch)
    return output, got


def refuse_overflow(values: Tensor, layer: str, ids: Sequence[str], batch: Any) -> None:
    """Raise a DataError that names the layer and the stimuli, if values are not finite."""
    if finite(values):
        return
    bad = ~torch.isfinite(values.reshape(len(ids), -1)).all(dim=1)
    if not bool(bad.any()):
        return
    where = listing([key for key, strange in zip(ids, bad.tolist(), strict=True) if strange])
    count = int((~torch.isfinite(values)).sum())
    if not all(finite(tensor) for tensor in tensors_in(batch)):
        raise DataError(
            f"The network's input is not finite, so that {count} values of layer '{layer}' are "
            f"not: {where}. Mend these stimuli or the preprocessing, or leave them out."
        )
    raise DataError(
        f"Layer '{layer}' overflows: {count} of {values.numel()} values are not finite, though "
        f"the network's input is, for {where}. Run it with dtype='float32', rescale the input, or "
        "leave the layer out with layers=..."
    )


def tensors_in(batch: Any) -> list[Tensor]:
    """Give every tensor of a batch, in order."""
    found: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    map_tensors(batch, keep)
    return found


def on_device(batch: Any, device: str) -> Any:
    """Move every tensor of a batch to a device."""
    return map_tensors(batch, lambda tensor: tensor.to(device))


def precision(dtype: str, device: str) -> AbstractContextManager[Any]:
    """Give the context in which a network runs in a precision.

    ``bfloat16`` leaves the weights as they are and computes products in bfloat16 with sums in
    float32; torch keeps norms, softmax and the like in float32.
    """
    one_of(dtype, DTYPES, option="dtype")
    if dtype == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=DTYPES[dtype])


def mixes_stimuli(module: nn.Module) -> bool:
    """Say whether stimuli of a batch act on each other: batch norms without running statistics."""
    return any(
        isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None
        for part in module.modules()
    )


def with_bar(batches: Iterator[Any], n_stimuli: int, progress: bool, done: int = 0) -> Iterator:
    """Pass batches (ids, inputs) on, with a bar on stderr if wanted."""
    if not progress:
        yield from batches
        return
    from tqdm import tqdm

    with tqdm(total=n_stimuli, initial=done, unit="stimuli", desc="network") as bar:
        for ids, batch in batches:
            yield ids, batch
            bar.update(len(ids))


def check_device(device: str) -> None:
    """Refuse a device that torch does not see, before any work.

    Raises
    ------
    ResourceError
        torch sees no such device here, or not so many.
    UsageError
        There is no such device.
    """
    try:
        asked = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f"device must be 'cpu' or 'cuda'; got {device!r}.") from error
    if asked.type not in SEEN:
        raise UsageError(f"device must be 'cpu' or 'cuda'; got {device!r}.")
    count = SEEN[asked.type]()
    if (asked.index or 0) >= count:
        there = f"{count} of them" if count else "no such device"
        raise ResourceError(
            f"device='{device}' was asked for and torch sees {there} here. "
            "Use device='cpu', or install a torch build for your graphics card."
        )
