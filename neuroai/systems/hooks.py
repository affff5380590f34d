"""Hooks on any module: outputs are read or replaced in one pass, and nothing is left behind."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from neuroai.errors import UsageError
from neuroai.systems.layout import Activity, combine, layout_of, rows_first, time_first
from neuroai.systems.reduction import Reducer, Reduction, as_reducer
from neuroai.systems.sequences import Frames, Reader, sequence_of
from neuroai.systems.single_precision import full_single_precision

Replace = Callable[[nn.Module, Any, int], Any]
Reduce = str | Reduction | Reducer | None


def first_tensor(output: Any) -> Tensor | None:
    """Give the first tensor of an output: itself, or the first in a tuple, list or mapping.

    Examples
    --------
    >>> first_tensor((None, torch.zeros(2))).tolist()
    [0.0, 0.0]
    """
    if isinstance(output, Tensor):
        return output
    if isinstance(output, PackedSequence):
        return None
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, (tuple, list)):
        found = (first_tensor(item) for item in output)
        return next((tensor for tensor in found if tensor is not None), None)
    return None


def with_first_tensor(output: Any, tensor: Tensor) -> Any:
    """Give the same output with its first tensor exchanged; the original is left as it was."""
    if isinstance(output, Tensor):
        return tensor
    if isinstance(output, Mapping):
        changed = copy.copy(output)
        key = next(key for key, item in output.items() if first_tensor(item) is not None)
        changed[key] = with_first_tensor(output[key], tensor)  # type: ignore[index]
        return changed
    items = list(output)
    place = next(i for i, item in enumerate(items) if first_tensor(item) is not None)
    items[place] = with_first_tensor(items[place], tensor)
    if hasattr(output, "_fields"):
        return type(output)(*items)
    return type(output)(items)


def map_tensors(output: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Apply a function to every tensor in tuples, lists and mappings; keep the structure."""
    if isinstance(output, Tensor):
        return change(output)
    if isinstance(output, Mapping):
        changed = copy.copy(output)
        for key, item in output.items():
            changed[key] = map_tensors(item, change)  # type: ignore[index]
        return changed
    if isinstance(output, (tuple, list)) and not isinstance(output, PackedSequence):
        items = [map_tensors(item, change) for item in output]
        return type(output)(*items) if hasattr(output, "_fields") else type(output)(items)
    return output


@contextmanager
def inference(module: nn.Module) -> Iterator[nn.Module]:
    """Hold a module in eval mode without gradients; then give each part its previous mode.

    The fused attention of torch is switched off meanwhile, since it skips the layers inside it, and
    float32 is computed in float32 on every device.
    """
    parts = list(module.modules())
    modes = [(part, part.training) for part in parts if part.training]
    fused = torch.backends.mha.get_fastpath_enabled()
    try:
        if modes:
            module.eval()
        torch.backends.mha.set_fastpath_enabled(False)
        with torch.no_grad(), full_single_precision():
            yield module
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for part, mode in modes:
            part.training = mode


@contextmanager
def replaced(module: nn.Module, changes: Sequence[tuple[str, Replace]]) -> Iterator[None]:
    """Replace outputs of named layers while the context lasts.

    Each change is called as ``change(layer_module, output, call)`` with the number of the layer's
    call in the pass so far, and gives the output that is passed on. One context holds one pass.
    """
    with ExitStack() as stack:
        for name, change in changes:
            handle = module.get_submodule(name).register_forward_hook(_replacing(change))
            stack.callback(handle.remove)
        yield


def _replacing(change: Replace) -> Callable[[nn.Module, Any, Any], Any]:
    calls = 0

    def hook(part: nn.Module, _: Any, output: Any) -> Any:
        nonlocal calls
        calls += 1
        return change(part, output, calls - 1)

    return hook


@contextmanager
def capture(
    module: nn.Module,
    layers: Sequence[str],
    *,
    n_stimuli: int,
    reduce: Reduce = None,
    as_time: bool = True,
) -> Iterator[dict[str, list[Tensor]]]:
    """Collect what named layers give while the context lasts, one tensor a call.

    Tensors are detached copies with stimuli first; of an output with several tensors the first
    is read. Hooks are removed when the context ends, also by an exception.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    layers : sequence of str
        Names as in ``named_modules()``.
    n_stimuli : int
        Size of the batch; an output whose axis of stimuli has another length is an error.
    reduce : str, Reduction or Reducer, optional
        Make each call smaller while reading, such as ``mean`` over rows and columns (tokens).
    as_time : bool
        Whether the frames of a network that hears become times, features first.

    Examples
    --------
    >>> net = nn.Sequential(nn.Identity(), nn.ReLU())
    >>> with capture(net, ["1"], n_stimuli=1) as read:
    ...     _ = net(torch.tensor([[-1.0, 2.0]]))
    >>> read["1"][0].tolist()
    [[0.0, 2.0]]
    """
    read: dict[str, list[Tensor]] = {name: [] for name in layers}
    reducer, reader = as_reducer(reduce), sequence_of(module)
    reader = None if isinstance(reader, Frames) and not as_time else reader
    with ExitStack() as stack:
        for name in read:
            hook = _reading(name, read[name], n_stimuli, reducer, reader, as_time=as_time)
            stack.callback(module.get_submodule(name).register_forward_hook(hook).remove)
        yield read


def _reading(
    name: str,
    kept: list[Tensor],
    n_stimuli: int,
    reducer: Reducer,
    reader: Reader | None,
    *,
    as_time: bool,
) -> Callable[[nn.Module, Any, Any], None]:
    def hook(part: nn.Module, _: Any, output: Any) -> None:
        tensor = tensor_of(output, layer=name)
        layout = layout_of(part, tensor.ndim, tensor.shape)
        rows = rows_first(tensor.detach(), layout, layer=name, n_stimuli=n_stimuli)
        if as_time:
            rows, layout = time_first(rows, layout)
        if reader is not None:
            rows, layout = reader.read(rows, replace(layout, batch_axis=0))
        small = reducer(rows, layout, layer=name)
        # What was not made anew may be written into by a later layer.
        kept.append(small.clone() if _shares(small, tensor) else small)

    return hook


def _shares(tensor: Tensor, other: Tensor) -> bool:
    return tensor.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def tensor_of(output: Any, *, layer: str) -> Tensor:
    """Give the first tensor of a layer's output, or say that there is none."""
    tensor = first_tensor(output)
    if tensor is None:
        raise UsageError(
            f"Layer '{layer}' gives {type(output).__name__}, which holds no tensor with an axis "
            "of stimuli. Choose another layer with layers=..."
        )
    return tensor


def activities(
    module: nn.Module, read: Mapping[str, list[Tensor]], *, reduce: Reduce = None
) -> dict[str, Activity]:
    """Turn captured calls into units and times, layer by layer.

    Parameters
    ----------
    read : mapping of str to list of Tensor
        As `capture` gave it.
    reduce : Reducer, optional
        The one that `capture` was given, which knows what the axes mean now.

    Raises
    ------
    UsageError
        A layer was not called in the pass.
    """
    silent = [name for name, calls in read.items() if not calls]
    if silent:
        raise UsageError(
            f"Layer '{silent[0]}' is never called in a forward pass, so it has no activity. "
            "Choose other layers with layers=..."
        )
    layouts = reduce.layouts if isinstance(reduce, Reducer) else {}
    return {
        name: combine(
            calls,
            layouts.get(name) or layout_of(module.get_submodule(name), calls[0].ndim),
            layer=name,
        )
        for name, calls in read.items()
    }
