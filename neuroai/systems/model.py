"""Networks as systems: any module with a preprocessing function, asked like a brain."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from torch import Tensor, nn

from neuroai.cards import ChoiceTask
from neuroai.checks import known_name
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.bench import LesionBench, make_bench
from neuroai.systems.decisions import classes_of, decide, shown_in
from neuroai.systems.defaults import read_by_default
from neuroai.systems.extract import Sweep, sweep
from neuroai.systems.inputs import Inputs
from neuroai.systems.labelled import layer_recording
from neuroai.systems.layers import choose_layers
from neuroai.systems.lesion import (
    Lesion,
    PlacedLesion,
    UnitStatistics,
    needs_bank,
    needs_reference,
)
from neuroai.systems.passes import check_device
from neuroai.systems.reduction import Reduction, read_reduction
from neuroai.systems.reference import identity_of, reference_activity, try_target
from neuroai.systems.sequences import time_unit_of
from neuroai.systems.weights import weights_sha256

Source = nn.Module | Callable[[], nn.Module]

NO_STIMULI = "stimuli not distributed"


@dataclass(frozen=True, eq=False)
class Model:
    """A network as a system; the seeds of one architecture are its subjects.

    Attributes
    ----------
    name : str
        Name in tables.
    modules : tuple of (str, torch.nn.Module or callable)
        Every subject's network, or a function without arguments that builds it when needed.
    preprocess : callable
        Turns one stimulus into the tensor the network takes, without an axis of stimuli.
    layers : tuple of str
        Names or globs of the layers that are read by default; empty for the blocks that
        `neuroai.systems.layers.default_layers` chooses.
    output_map : mapping of str to tuple of int
        For each option of a choice task the outputs that belong to it. An option's probability
        is the mean softmax over them.
    labels : tuple of str
        Name of each output, used for options that `output_map` does not hold.
    device : str
        Where the network runs, such as ``cpu`` or ``cuda``.
    batch_size : int
        Stimuli a forward pass; results do not depend on it beyond single precision.
    reduce : str or Reduction, optional
        What is kept of every layer, such as ``mean`` or ``count-sketch:4096``; written into the
        recordings' attrs. See `neuroai.systems.reduction.Reduction`.
    untrained : bool
        Whether the weights are random: a control, not a candidate.
    revision : str
        Where the weights come from, as exactly as is known.
    progress : bool
        Show progress on stderr.
    lesions : tuple of (Lesion, StimulusSet or None)
        Lesions and the reference stimuli of each; made by `with_lesion`.
    facts : mapping of str to str
        What recordings say about themselves besides, such as the length of a text's context.
    """

    name: str
    modules: tuple[tuple[str, Source], ...]
    preprocess: Callable[[Any], Tensor]
    layers: tuple[str, ...] = ()
    output_map: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    device: str = "cpu"
    batch_size: int = 32
    reduce: str | Reduction | None = None
    untrained: bool = False
    revision: str = ""
    progress: bool = False
    lesions: tuple[tuple[Lesion, StimulusSet | None], ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    _memo: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.modules:
            raise UsageError(f"The model '{self.name}' needs at least one network.")
        if self.batch_size < 1:
            raise UsageError(f"batch_size must be 1 or more; got {self.batch_size}.")
        check_device(self.device)
        read_reduction(self.reduce)

    @property
    def kind(self) -> str:
        """Always ``model``."""
        return "model"

    @property
    def candidate_kind(self) -> str:
        """``untrained`` for random weights, else ``model``."""
        return "untrained" if self.untrained else "model"

    @property
    def stimuli(self) -> StimulusSet | None:
        """None: a network meets any stimuli."""
        return None

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the seeds; ``trained`` for a single published network."""
        return tuple(name for name, _ in self.modules)

    @property
    def regions(self) -> tuple[str, ...]:
        """Layers that are read by default, in the order of ``named_modules()``."""
        if "regions" not in self._memo:
            module = self.module(self.subjects[0])
            self._memo["regions"] = (
                choose_layers(module, self.layers)
                if self.layers
                else read_by_default(module, self.preprocess)
            )
        return self._memo["regions"]

    def module(self, subject: str | None = None) -> nn.Module:
        """Give the network of a subject, on the model's device."""
        name = self._subject(subject)
        if ("module", name) not in self._memo:
            source = dict(self.modules)[name]
            module = source if isinstance(source, nn.Module) else source()
            if self.device != "cpu":
                # The caller's network stays where it is.
                module = copy.deepcopy(module).to(self.device)
            self._memo["module", name] = module
        return self._memo["module", name]

    def _subject(self, subject: str | None) -> str:
        if subject is None and len(self.subjects) > 1:
            raise UsageError(
                f"'{self.name}' has the subjects {', '.join(self.subjects)}; say which one."
            )
        name = self.subjects[0] if subject is None else subject
        return known_name(name, self.subjects, kind=f"subject of '{self.name}'")

    def weights_sha256(self) -> dict[str, str]:
        """Give the hash of every subject's weights; no lesion and no reading changes it."""
        return {name: weights_sha256(self.module(name)) for name in self.subjects}

    def recordings(
        self, stimuli: StimulusSet | None = None, *, regions: Sequence[str] | None = None
    ) -> Iterator[xr.DataArray] | NotMeasurable:
        """Give the activity of every subject's layers, all layers from one sweep over the stimuli.

        Parameters
        ----------
        stimuli : StimulusSet
            Only those at hand are shown; rows are sorted by id.
        regions : sequence of str, optional
            Names or globs of layers; the model's `regions` by default.

        Returns
        -------
        iterator of xarray.DataArray, or NotMeasurable

        Raises
        ------
        UnknownName
            A layer that the network does not have.
        ResourceError
            The activity would not fit into memory.
        """
        if stimuli is None or not stimuli.available:
            return NotMeasurable(_why_not(stimuli))
        module = self.module(self.subjects[0])
        chosen = self.regions if regions is None else choose_layers(module, regions)
        return self._recordings(stimuli, chosen)

    def _recordings(self, stimuli: StimulusSet, layers: Sequence[str]) -> Iterator[xr.DataArray]:
        for subject in self.subjects:
            swept = self.sweep(stimuli, subject=subject, layers=layers)
            for layer in layers:
                yield layer_recording(
                    swept.layers.pop(layer),
                    layer=layer,
                    subject=subject,
                    system=self.name,
                    stimulus_id=swept.ids,
                    stimulus_set=stimuli.name,
                    attrs={**self._attrs(), "reduce": str(read_reduction(self.reduce) or "none")},
                    labels=self._memo.setdefault("labels", {}),
                    time_unit=time_unit_of(self.module(subject)),
                )

    def _attrs(self) -> dict[str, str]:
        attrs = {"candidate_kind": self.candidate_kind, "revision": self.revision, **self.facts}
        if self.lesions:
            attrs["intervention"] = "; ".join(lesion.describe() for lesion, _ in self.lesions)
            attrs["origin"] = "simulated"
        return attrs

    def sweep(
        self, stimuli: StimulusSet, *, subject: str | None = None, layers: Sequence[str] = ()
    ) -> Sweep:
        """Run one subject's network over the stimuli; give outputs and layers as arrays."""
        name = self._subject(subject)
        return sweep(
            self.module(name),
            self._inputs(stimuli),
            layers=layers,
            lesions=self._placed(name),
            batch_size=self.batch_size,
            device=self.device,
            reduce=self.reduce,
            progress=self.progress,
        )

    def outputs(self, stimuli: StimulusSet, *, subject: str | None = None) -> np.ndarray:
        """Give the network's outputs (logits) for the stimuli at hand, sorted by id.

        Returns
        -------
        numpy.ndarray, shape (n_stimuli, n_outputs)
            float32; of an output with several tensors the first.
        """
        return self.sweep(stimuli, subject=subject).outputs

    def choices(
        self, task: ChoiceTask, stimuli: StimulusSet | None = None
    ) -> xr.Dataset | NotMeasurable:
        """Give every subject's choices on the stimuli of a task that are at hand.

        The choice is the option of highest probability, the mean softmax over its classes.
        """
        if stimuli is None or not stimuli.available:
            return NotMeasurable(_why_not(stimuli))
        deciding = self._deciding(task, stimuli)
        if isinstance(deciding, NotMeasurable):
            return deciding
        shown, _ = deciding
        outputs = {name: self.outputs(shown, subject=name) for name in self.subjects}
        return self.choices_from(outputs, task, stimuli)

    def _deciding(
        self, task: ChoiceTask, stimuli: StimulusSet
    ) -> tuple[StimulusSet, tuple[tuple[int, ...], ...]] | NotMeasurable:
        """Find the stimuli of a task and the outputs of its options."""
        shown = shown_in(task, stimuli)
        if not shown.ids:
            return NotMeasurable(f"no stimulus of the task '{task.name}' is at hand")
        classes = classes_of(task.options, self.output_map, self.labels)
        return classes if isinstance(classes, NotMeasurable) else (shown, classes)

    def choices_from(
        self, outputs: Mapping[str, np.ndarray], task: ChoiceTask, stimuli: StimulusSet
    ) -> xr.Dataset | NotMeasurable:
        """Turn outputs that were computed already (by a lesion bench, say) into choices.

        `outputs` holds one array (n_stimuli, n_outputs) a subject, in the order of the task's
        stimuli at hand, sorted by id.
        """
        deciding = self._deciding(task, stimuli)
        if isinstance(deciding, NotMeasurable):
            return deciding
        shown, classes = deciding
        return decide(
            outputs,
            task=task,
            classes=classes,
            stimuli=shown,
            system=self.name,
            attrs=self._attrs(),
        )

    def published(self, question: str) -> tuple[Answer, ...]:
        """Give nothing: a network that can be run answers by itself."""
        return ()

    def with_lesion(self, lesion: Lesion, reference: StimulusSet | None = None) -> Model:
        """Give a new model with one more lesion; this one and its weights stay as they are.

        Parameters
        ----------
        lesion : Lesion
            What is lesioned.
        reference : StimulusSet, optional
            Stimuli over which the replacing means and SDs are taken, on the intact network.
            Silencing needs none.

        Raises
        ------
        UnknownName
            The network has no such layer.
        UsageError
            A target lies beyond the layer, or the kind of lesion needs reference stimuli.
        """
        choose_layers(self.module(self.subjects[0]), [lesion.region])
        needed = needs_reference(lesion.kind) and not lesion.on_weights
        if reference is not None and reference.available:
            try_target(
                self.module(self.subjects[0]), lesion.emptied() if needed else lesion,
                reference, preprocess=self.preprocess, device=self.device,
            )  # fmt: skip
        elif needed:
            raise UsageError(
                f"A {lesion.kind} lesion needs reference=..., a stimulus set whose stimuli are "
                "at hand."
            )
        new = replace(self, lesions=(*self.lesions, (lesion, reference)))
        # Everything remembered is about the intact network, which both share.
        object.__setattr__(new, "_memo", self._memo)
        return new

    def _placed(self, subject: str) -> tuple[PlacedLesion, ...]:
        return tuple(self.placed(lesion, ref, subject=subject) for lesion, ref in self.lesions)

    def placed(
        self, lesion: Lesion, reference: StimulusSet | None, *, subject: str | None = None
    ) -> PlacedLesion:
        """Join an intervention with what it needs of the reference stimuli."""
        if reference is None or lesion.on_weights or not needs_reference(lesion.kind):
            return PlacedLesion(lesion, None)
        known = self.statistics(lesion.region, reference, subject=subject, keep=needs_bank(lesion))
        return PlacedLesion(lesion, known)

    def statistics(
        self,
        region: str,
        reference: StimulusSet,
        *,
        subject: str | None = None,
        keep: bool = False,
    ) -> UnitStatistics:
        """Give mean and SD of every element of a layer over stimuli, on the intact network.

        With `keep` the activity of every stimulus is kept too, for kinds that draw from it.
        """
        name = self._subject(subject)
        key = ("statistics", name, region, keep, *identity_of(reference))
        if key not in self._memo:
            self._memo[key] = reference_activity(
                self.module(name), region, self._inputs(reference), keep=keep,
                batch_size=self.batch_size, device=self.device,
            )  # fmt: skip
        return self._memo[key]

    def lesion_bench(
        self,
        region: str,
        stimuli: StimulusSet,
        *,
        reference: StimulusSet | None = None,
        subject: str | None = None,
    ) -> LesionBench:
        """Prepare many lesions of one layer: everything before it is computed once.

        ``bench.run(lesion, layers=(...))`` gives the outputs and the layers under a lesion, equal
        to those of `with_lesion`.
        """
        name = self._subject(subject)
        choose_layers(self.module(name), [region])

        def placed(lesion: Lesion) -> PlacedLesion:
            return self.placed(lesion, reference, subject=name)

        return make_bench(
            self.module(name),
            region,
            self._inputs(stimuli),
            place=placed,
            has_reference=reference is not None,
            lesions=self._placed(name),
            batch_size=self.batch_size,
            device=self.device,
            reduce=self.reduce,
        )

    def _inputs(self, stimuli: StimulusSet) -> Inputs:
        key = identity_of(stimuli)
        if self._memo.get("inputs", (None, None))[0] != key:
            self._memo["inputs"] = (key, Inputs(stimuli, self.preprocess))
        return self._memo["inputs"][1]


def _why_not(stimuli: StimulusSet | None) -> str:
    return "a network needs stimuli to answer; none were given" if stimuli is None else NO_STIMULI
