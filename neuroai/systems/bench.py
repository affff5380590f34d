"""Many lesions of one layer: everything before the layer is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import nn

from neuroai.errors import UsageError
from neuroai.systems.extract import sweep, sweep_many
from neuroai.systems.hooks import tensor_of
from neuroai.systems.inputs import Inputs
from neuroai.systems.layers import choose_layers
from neuroai.systems.layout import Activity, layout_of
from neuroai.systems.lesion import Lesion, PlacedLesion, needs_reference
from neuroai.systems.prefix import (
    Prefix,
    RecordedInputs,
    TraceDiffersError,
    answered,
    record,
    versions,
)

AT_ONCE = 16
AGREEMENT = 1e-6  # relative; the cached and the full pass run the same float32 operations


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
    place: Callable[[Lesion], PlacedLesion]
    has_reference: bool
    lesions: tuple[PlacedLesion, ...]
    batch_size: int
    device: str
    reduce: Any
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
        [found] = self.run_many([lesion], layers=layers)
        return found

    def run_many(
        self, lesions: Sequence[Lesion | None], *, layers: Sequence[str] = ()
    ) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Give what `run` gives for each of many lesions, which pass through batch by batch.

        Parameters
        ----------
        lesions : sequence of Lesion or None
            As for `run`.
        layers : sequence of str
            Names or globs of layers to read.

        Yields
        ------
        outputs, activity
            As of `run`, in the order of the lesions.
        """
        chosen = choose_layers(self.module, layers) if layers else ()
        for start in range(0, len(lesions), AT_ONCE):
            placed = [self._place(lesion) for lesion in lesions[start : start + AT_ONCE]]
            for outputs, read in self._together(placed, chosen):
                yield outputs, {name: np.asarray(read[name].values) for name in chosen}

    def _together(
        self, placed: Sequence[tuple[PlacedLesion, ...]], chosen: Sequence[str]
    ) -> list[tuple[np.ndarray, dict[str, Activity]]]:
        """Run some lesions from the record, or one by one where the record does not serve."""
        hidden = [name for name in chosen if self._is_before(name)]
        # Such a part runs before and after the layer, so that only a full pass sees it whole;
        # changed weights act on what reaches the layer, which is not kept.
        split = self.prefix is not None and not self.prefix.later.isdisjoint(hidden)
        if self.prefix is None or split or any(p.lesion.on_weights for one in placed for p in one):
            return [self._full(one, chosen) for one in placed]
        found = self._cached(self.prefix, placed, [name for name in chosen if name not in hidden])
        before = self._before(hidden)
        return [(outputs, {**read, **before}) for outputs, read in found]

    def _place(self, lesion: Lesion | None) -> tuple[PlacedLesion, ...]:
        if lesion is None:
            return self.lesions
        if lesion.region != self.region:
            raise UsageError(
                f"This bench lesions '{self.region}'; got a lesion of '{lesion.region}'."
            )
        if needs_reference(lesion.kind) and not lesion.on_weights and not self.has_reference:
            raise UsageError(f"A {lesion.kind} lesion needs lesion_bench(..., reference=...).")
        return (*self.lesions, self.place(lesion))

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

    def _cached(
        self, prefix: Prefix, placed: Sequence[tuple[PlacedLesion, ...]], layers: Sequence[str]
    ) -> list[tuple[np.ndarray, dict[str, Activity]]]:
        # Some reductions are fitted to activity, which takes the stimuli themselves.
        fitted = self.reduce is not None and self.reduce != "mean"
        swept = sweep_many(
            self.module,
            self.inputs if fitted else RecordedInputs(prefix),
            layers=layers,
            lesions=placed,
            batch_size=self.batch_size,
            device=self.device,
            reduce=self.reduce,
            shortcut=lambda number: answered(self.module, prefix, number),
        )
        return [(one.outputs, one.layers) for one in swept]


def make_bench(
    module: nn.Module,
    region: str,
    inputs: Inputs,
    *,
    place: Callable[[Lesion], PlacedLesion],
    has_reference: bool,
    lesions: tuple[PlacedLesion, ...] = (),
    batch_size: int = 32,
    device: str = "cpu",
    reduce: Any = None,
) -> LesionBench:
    """Record a pass up to the layer and check that answering from the record changes nothing.

    The check lesions every other feature once with and once without the record.
    """
    full = LesionBench(
        module, region, inputs, place, has_reference, lesions, batch_size, device, reduce,
        prefix=None,
    )  # fmt: skip
    # A lesion before or at the layer changes what would be recorded.
    if lesions:
        return full
    prefix = _recorded(full)
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
        fresh = _recorded(full)
        prefix = None if fresh is None else replace(fresh, copied=prefix.copied | written)
    return full


def _recorded(bench: LesionBench) -> Prefix | None:
    return record(
        bench.module, bench.region, bench.inputs, batch_size=bench.batch_size, device=bench.device
    )


def _differs(full: LesionBench, cached: LesionBench) -> frozenset[int] | None:
    """Give None if both agree, else the calls whose recorded output was written into."""
    prefix = cached.prefix
    if prefix is None:
        return None
    before = versions(prefix)
    probe = Lesion(full.region, tuple(range(0, _n_features(full, prefix), 2)), "zero")
    try:
        got = cached.run(probe)[0]
    except TraceDiffersError:
        return frozenset()
    written = frozenset(
        call
        for old, new in zip(before, versions(prefix), strict=True)
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
