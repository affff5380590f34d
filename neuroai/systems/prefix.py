"""The part of a pass before a layer, recorded once for all the lesions of that layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.systems.extract import free_memory
from neuroai.systems.hooks import first_tensor, inference, map_tensors
from neuroai.systems.inputs import Inputs
from neuroai.systems.passes import mixes_stimuli, on_device, one_pass

INPUT = -1


@dataclass(frozen=True)
class Prefix:
    """Outputs of the parts that finish before the lesioned layer, and of the layer itself.

    What nothing after them reads is not kept: in its place stands a hollow tensor of the same
    shape, which takes no memory.

    Attributes
    ----------
    names : tuple of str
        Parts in the order of their calls; none lies inside another; the last is the layer.
    outputs : tuple of tuple
        For every batch, what each of these calls gave.
    batches : tuple of (tuple of str, Any)
        For every batch its stimuli and its input, hollow where nothing reads it later.
    later : frozenset of str
        Parts that are called after the layer.
    copied : frozenset of int
        Calls whose output the network writes into, so that it is handed out as a copy.
    """

    names: tuple[str, ...]
    outputs: tuple[tuple[Any, ...], ...]
    batches: tuple[tuple[tuple[str, ...], Any], ...]
    later: frozenset[str] = frozenset()
    copied: frozenset[int] = frozenset()


@dataclass(frozen=True)
class RecordedInputs:
    """Inputs of a recorded pass: no stimulus is loaded again."""

    prefix: Prefix

    @property
    def ids(self) -> tuple[str, ...]:
        """Stimuli, sorted."""
        return tuple(key for ids, _ in self.prefix.batches for key in ids)

    def batches(self, size: int) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Give (ids, inputs) of the recorded batches, whatever the size asked for."""
        yield from self.prefix.batches


class TraceDiffersError(RuntimeError):
    """A pass called the cached parts otherwise than the pass that was recorded."""


def record(
    module: nn.Module, region: str, inputs: Inputs, *, batch_size: int, device: str
) -> Prefix | None:
    """Record every batch up to a layer, and of it only what later parts read.

    Returns
    -------
    Prefix or None
        None if batches differ in what they call, the layer is not called once, or memory is short.
    """
    prefix: Prefix | None = None
    needed: frozenset[int] = frozenset()
    size = 1 if mixes_stimuli(module) else batch_size
    with inference(module):
        for ids, batch in inputs.batches(size):
            shown = on_device(batch, device)
            one = _recorded(module, region, ids, shown)
            if one is None or (prefix is not None and one.names != prefix.names):
                return None
            if prefix is None:
                needed = _needed(module, region, one)
                prefix = replace(one, outputs=(), batches=())
            one = _hollowed(one, needed)
            prefix = replace(
                prefix,
                outputs=prefix.outputs + one.outputs,
                batches=prefix.batches + one.batches,
                later=prefix.later | one.later,
            )
            if not _fits(prefix, len(ids), len(inputs.ids)):
                return None
    return prefix


def _recorded(module: nn.Module, region: str, ids: Sequence[str], batch: Any) -> Prefix | None:
    """Record one batch whole."""
    trace = _Trace(module, region)
    with trace.running():
        one_pass(module, batch, ids, (), (), None)
    if trace.n_calls != 1:
        return None
    names, outputs = zip(*trace.finished, strict=True)
    return Prefix(names, (outputs,), ((tuple(ids), batch),), frozenset(trace.later))


def _needed(module: nn.Module, region: str, one: Prefix) -> frozenset[int]:
    """Find the calls (and the input) whose values something after the layer reads.

    A value is replaced by NaN; what changes the output, or cannot be written into, is needed.
    """
    last = len(one.names) - 1
    others = [INPUT, *range(last)]
    wanted = _output(module, one)
    if _same(module, one, others, wanted):
        return frozenset((last,))
    found = [call for call in others if not _same(module, one, [call], wanted)]
    rest = [call for call in others if call not in found]
    if rest and not _same(module, one, rest, wanted):
        found = others
    return frozenset((*found, last))


def _same(module: nn.Module, one: Prefix, calls: Sequence[int], wanted: np.ndarray) -> bool:
    gone = frozenset(range(INPUT, len(one.names))) - frozenset(calls)
    try:
        got = _output(module, _hollowed(one, gone, fill=float("nan")))
    except (RuntimeError, ValueError, ArithmeticError):
        return False
    return np.array_equal(got, wanted, equal_nan=True)


def _output(module: nn.Module, one: Prefix) -> np.ndarray:
    """Run the recorded batch with every call answered from copies of the record."""
    copied = replace(one, copied=frozenset(range(len(one.names))))
    ids, batch = one.batches[0]
    with answered(module, copied, 0) as begin:
        begin()
        output, _ = one_pass(module, batch, ids, (), (), None)
    tensor = first_tensor(output)
    return np.zeros(0) if tensor is None else tensor.float().cpu().numpy()


def _hollowed(one: Prefix, needed: frozenset[int], *, fill: float = 0.0) -> Prefix:
    """Put hollow tensors in the place of what is not needed."""

    def hollow(tensor: Tensor) -> Tensor:
        value = fill if tensor.is_floating_point() else 0
        return torch.full((), value, dtype=tensor.dtype, device=tensor.device).expand(tensor.shape)

    rows = tuple(
        tuple(
            out if call in needed else map_tensors(out, hollow) for call, out in enumerate(outputs)
        )
        for outputs in one.outputs
    )
    batches = tuple(
        (ids, batch if INPUT in needed else map_tensors(batch, hollow))
        for ids, batch in one.batches
    )
    return replace(one, outputs=rows, batches=batches)


def _fits(prefix: Prefix, n_batch: int, n_stimuli: int) -> bool:
    taken: Counter[torch.device] = Counter()

    def count(tensor: Tensor) -> Tensor:
        taken[tensor.device] += tensor.untyped_storage().nbytes()
        return tensor

    map_tensors((prefix.outputs[-1], prefix.batches[-1][1]), count)
    left = n_stimuli / n_batch - len(prefix.outputs)
    # Half of what is free is left to the lesions that follow.
    return left <= 0 or all(size * left < _free(where) / 2 for where, size in taken.items())


def _free(where: torch.device) -> int:
    return torch.cuda.mem_get_info(where)[0] if where.type == "cuda" else free_memory()


def versions(prefix: Prefix) -> list[list[int]]:
    """Count how often each recorded output was written into."""
    return [[_version(output) for output in outputs] for outputs in prefix.outputs]


def _version(output: Any) -> int:
    found: list[int] = []

    def look(tensor: Tensor) -> Tensor:
        found.append(tensor._version)
        return tensor

    map_tensors(output, look)
    return sum(found)


class _Trace:
    """Hooks that keep the outermost calls finished before a layer, and the layer's own."""

    def __init__(self, module: nn.Module, region: str) -> None:
        self.module, self.region = module, region
        self.n_calls = 0
        self.finished: list[tuple[str, Any]] = []
        self.later: set[str] = set()
        self._frames: list[list[tuple[str, Any]]] = [[]]
        self._left = False

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name, part in self.module.named_modules():
                entering = part.register_forward_pre_hook(self._enter(name))
                leaving = part.register_forward_hook(self._leave(name))
                stack.callback(entering.remove)
                stack.callback(leaving.remove)
            yield

    def _enter(self, name: str) -> Callable[[nn.Module, Any], None]:
        def hook(_: nn.Module, __: Any) -> None:
            if name == self.region:
                self.n_calls += 1
                if self.n_calls == 1:
                    self.finished = [call for frame in self._frames for call in frame]
            elif self._left:
                self.later.add(name)
            self._frames.append([])

        return hook

    def _leave(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            self._frames.pop()
            if self.n_calls == 0 or name == self.region:
                kept = map_tensors(output, torch.clone)
                self._frames[-1].append((name, kept))
                if name == self.region and self.n_calls == 1:
                    self.finished.append((name, kept))
                    self._left = True

        return hook


@contextmanager
def answered(module: nn.Module, prefix: Prefix, batch: int) -> Iterator[Callable[[], None]]:
    """Let the recorded parts answer from the record of one batch while the context lasts.

    Gives a function to call before every pass.

    Raises
    ------
    TraceDiffersError
        A pass left some of the record unread.
    """
    waiting: dict[str, list[Any]] = {name: [] for name in prefix.names}

    def begin() -> None:
        _refuse_unread(waiting)
        row = zip(prefix.names, prefix.outputs[batch], strict=True)
        for call, (name, output) in enumerate(row):
            answer = map_tensors(output, _copy) if call in prefix.copied else output
            waiting[name].append(answer)

    with ExitStack() as stack:
        for name, answers in waiting.items():
            _stand_in(module.get_submodule(name), answers, stack)
        yield begin
    _refuse_unread(waiting)


def _refuse_unread(waiting: dict[str, list[Any]]) -> None:
    left = sum(map(len, waiting.values()))
    if left:
        raise TraceDiffersError(f"{left} recorded calls were not made.")


def _copy(tensor: Tensor) -> Tensor:
    # A hollow tensor stays hollow: whatever writes into it is told.
    return tensor.clone() if tensor.untyped_storage().nbytes() >= tensor.nbytes else tensor


def _stand_in(part: nn.Module, answers: list[Any], stack: ExitStack) -> None:
    original = part.forward
    own = part.__dict__.get("forward")

    def forward(*args: Any, **options: Any) -> Any:
        return answers.pop(0) if answers else original(*args, **options)

    def restore() -> None:
        if own is None:
            del part.__dict__["forward"]
        else:
            part.__dict__["forward"] = own

    part.__dict__["forward"] = forward
    stack.callback(restore)
