"""Many lesions of one layer: everything before the layer is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.errors import UsageError
from neuroai.systems.extract import free_memory, mixes_stimuli, one_pass, sweep
from neuroai.systems.hooks import inference, map_tensors, tensor_of
from neuroai.systems.inputs import Inputs
from neuroai.systems.layers import choose_layers
from neuroai.systems.layout import Activity, layout_of
from neuroai.systems.lesion import Lesion, PlacedLesion, UnitStatistics, needs_reference

AGREEMENT = 1e-6  # relative; the cached and the full pass run the same float32 operations


@dataclass(frozen=True)
class Prefix:
    """Outputs of the parts that finish before the lesioned layer, and of the layer itself.

    Attributes
    ----------
    names : tuple of str
        Parts in the order of their calls; none lies inside another; the last is the layer.
    outputs : tuple of tuple
        For every batch, what each of these calls gave.
    later : frozenset of str
        Parts that are called after the layer.
    copied : frozenset of int
        Calls whose output the network writes into, so that it is handed out as a copy.
    """

    names: tuple[str, ...]
    outputs: tuple[tuple[Any, ...], ...]
    later: frozenset[str] = frozenset()
    copied: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class LesionBench:
    """One network, one layer, one set of stimuli, ready for many lesions.

    Made by ``Model.lesion_bench``. Where the network does not repeat itself, or the outputs before
    the layer do not fit into memory, every lesion runs a full pass instead (`cached` is False);
    the results are the same.

    Attributes
    ----------
    ids : tuple of str
        Stimuli, sorted; the rows of every result.
    region : str
        The layer.
    """

    module: nn.Module
    region: str
    inputs: Inputs
    statistics: UnitStatistics | None
    lesions: tuple[PlacedLesion, ...]
    batch_size: int
    device: str
    reduce: str | None
    prefix: Prefix | None
    _intact: dict[str, Activity] = field(default_factory=dict, repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """Stimuli, sorted."""
        return self.inputs.ids

    @property
    def cached(self) -> bool:
        """Whether everything before the layer is computed only once."""
        return self.prefix is not None

    def run(
        self, lesion: Lesion | None = None, *, layers: Sequence[str] = ()
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Give the outputs and the activity of layers under a lesion (None: as it stands).

        Parameters
        ----------
        lesion : Lesion, optional
            A lesion of the bench's layer.
        layers : sequence of str
            Names or globs of layers to read.

        Returns
        -------
        outputs : numpy.ndarray, shape (n_stimuli, n_outputs)
        activity : dict of numpy.ndarray, shape (n_stimuli, n_units) or (..., n_times)

        Raises
        ------
        UsageError
            The lesion is of another layer, or needs reference stimuli.
        """
        placed = self._place(lesion)
        chosen = choose_layers(self.module, layers) if layers else ()
        hidden = [name for name in chosen if self._is_before(name)]
        if self.prefix and not self.prefix.later.isdisjoint(hidden):
            # Such a part runs before and after the layer, so that only a full pass sees it whole.
            outputs, read = self._full(placed, chosen)
            return outputs, {name: np.asarray(read[name].values) for name in chosen}
        outputs, read = self._sweep(placed, [name for name in chosen if name not in hidden])
        read.update(self._before(hidden))
        return outputs, {name: np.asarray(read[name].values) for name in chosen}

    def _place(self, lesion: Lesion | None) -> tuple[PlacedLesion, ...]:
        if lesion is None:
            return self.lesions
        if lesion.region != self.region:
            raise UsageError(
                f"This bench lesions '{self.region}'; got a lesion of '{lesion.region}'."
            )
        if needs_reference(lesion.kind) and self.statistics is None:
            raise UsageError(f"A {lesion.kind} lesion needs lesion_bench(..., reference=...).")
        known = self.statistics if needs_reference(lesion.kind) else None
        return (*self.lesions, PlacedLesion(lesion, known))

    def _is_before(self, name: str) -> bool:
        """Say whether a layer lies inside a cached part, so that it is not run again."""
        names = self.prefix.names if self.prefix else ()
        return any(name.startswith(f"{part}.") for part in names)

    def _before(self, layers: Sequence[str]) -> dict[str, Activity]:
        missing = [name for name in layers if name not in self._intact]
        if missing:
            self._intact.update(self._full(self.lesions, missing)[1])
        return {name: self._intact[name] for name in layers}

    def _full(
        self, placed: Sequence[PlacedLesion], layers: Sequence[str]
    ) -> tuple[np.ndarray, dict[str, Activity]]:
        swept = sweep(
            self.module,
            self.inputs,
            layers=layers,
            lesions=placed,
            batch_size=self.batch_size,
            device=self.device,
            reduce=self.reduce,
        )
        return swept.outputs, swept.layers

    def _sweep(
        self, placed: Sequence[PlacedLesion], layers: Sequence[str]
    ) -> tuple[np.ndarray, dict[str, Activity]]:
        prefix = self.prefix
        if prefix is None:
            return self._full(placed, layers)
        swept = sweep(
            self.module,
            self.inputs,
            layers=layers,
            lesions=placed,
            batch_size=self.batch_size,
            device=self.device,
            reduce=self.reduce,
            shortcut=lambda number: answered(self.module, prefix, number),
        )
        return swept.outputs, swept.layers


class TraceDiffersError(RuntimeError):
    """A pass called the cached parts otherwise than the pass that was recorded."""


def make_bench(
    module: nn.Module,
    region: str,
    inputs: Inputs,
    *,
    statistics: UnitStatistics | None = None,
    lesions: tuple[PlacedLesion, ...] = (),
    batch_size: int = 32,
    device: str = "cpu",
    reduce: str | None = None,
) -> LesionBench:
    """Record a pass up to the layer and check that answering from the record changes nothing.

    The check lesions every other feature once with and once without the record.
    """
    full = LesionBench(
        module, region, inputs, statistics, lesions, batch_size, device, reduce, prefix=None
    )
    # A lesion before or at the layer changes what would be recorded.
    if lesions:
        return full
    prefix = _record(full)
    for _ in range(2):
        if prefix is None:
            return full
        cached = replace(full, prefix=prefix)
        written = _differs(full, cached)
        if written is None:
            return cached
        if not written:
            return full
        # The network wrote into recorded outputs: record anew and hand those out as copies.
        fresh = _record(full)
        prefix = None if fresh is None else replace(fresh, copied=prefix.copied | written)
    return full


def _differs(full: LesionBench, cached: LesionBench) -> frozenset[int] | None:
    """Give None if both agree, else the calls whose recorded output was written into."""
    prefix = cached.prefix
    if prefix is None:
        return None
    before = _versions(prefix)
    probe = Lesion(full.region, tuple(range(0, _n_features(full, prefix), 2)), "zero")
    try:
        got = cached.run(probe)[0]
    except TraceDiffersError:
        return frozenset()
    written = frozenset(
        call
        for old, new in zip(before, _versions(prefix), strict=True)
        for call, (a, b) in enumerate(zip(old, new, strict=True))
        if a != b
    )
    if written:
        return written
    wanted = full.run(probe)[0]
    scale = max(float(np.abs(wanted).max()), np.finfo(np.float32).tiny)
    same = np.array_equal(np.isnan(got), np.isnan(wanted))
    return None if same and np.nanmax(np.abs(got - wanted)) <= AGREEMENT * scale else frozenset()


def _n_features(full: LesionBench, prefix: Prefix) -> int:
    tensor = tensor_of(prefix.outputs[0][-1], layer=full.region)
    layout = layout_of(full.module.get_submodule(full.region), tensor.ndim, tensor.shape)
    rows = tensor.movedim(layout.batch_axis, 0)
    return int(rows.shape[layout.feature_axis]) if rows.ndim > 1 else 1


def _versions(prefix: Prefix) -> list[list[int]]:
    return [[_version(output) for output in outputs] for outputs in prefix.outputs]


def _version(output: Any) -> int:
    found: list[int] = []

    def look(tensor: Tensor) -> Tensor:
        found.append(tensor._version)
        return tensor

    map_tensors(output, look)
    return sum(found)


def _record(bench: LesionBench) -> Prefix | None:
    """Record every batch up to the layer; None if batches differ or memory is short."""
    names: tuple[str, ...] | None = None
    outputs: list[tuple[Any, ...]] = []
    later: set[str] = set()
    size = 1 if mixes_stimuli(bench.module) else bench.batch_size
    with inference(bench.module):
        for ids, batch in bench.inputs.batches(size):
            trace = _Trace(bench.module, bench.region)
            with trace.running():
                one_pass(bench.module, batch.to(bench.device), ids, (), (), None)
            calls = trace.finished
            if trace.n_calls != 1 or (names is not None and names != tuple(n for n, _ in calls)):
                return None
            names = tuple(name for name, _ in calls)
            later |= trace.later
            outputs.append(tuple(output for _, output in calls))
            if not _fits(outputs, len(ids), len(bench.ids)):
                return None
    return None if names is None else Prefix(names, tuple(outputs), frozenset(later))


def _fits(outputs: Sequence[tuple[Any, ...]], n_batch: int, n_stimuli: int) -> bool:
    taken = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal taken
        taken += tensor.nbytes
        return tensor

    map_tensors(outputs[-1], count)
    left = n_stimuli / n_batch - len(outputs)
    # Half of what is free is left to the lesions that follow.
    return left <= 0 or taken * left < free_memory() / 2


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
def answered(module: nn.Module, prefix: Prefix, batch: int) -> Iterator[None]:
    """Let the recorded parts answer from the record of one batch while the context lasts.

    Raises
    ------
    TraceDiffersError
        The pass left some of the record unread.
    """
    waiting: dict[str, list[Any]] = {}
    for call, (name, output) in enumerate(zip(prefix.names, prefix.outputs[batch], strict=True)):
        answer = map_tensors(output, torch.clone) if call in prefix.copied else output
        waiting.setdefault(name, []).append(answer)
    with ExitStack() as stack:
        for name, answers in waiting.items():
            _stand_in(module.get_submodule(name), answers, stack)
        yield
    if any(waiting.values()):
        raise TraceDiffersError(f"{sum(map(len, waiting.values()))} recorded calls were not made.")


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
