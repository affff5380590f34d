"""What is left of a task when only some parts of a system are intact: brains and networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuroai.analyses.implementation.localiser import element_means
from neuroai.cards import ChoiceTask
from neuroai.format.answers import NotMeasurable
from neuroai.format.audit import usable_units
from neuroai.format.splits import halves
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.readout import Readout, fit_readout, predict
from neuroai.systems.base import System
from neuroai.systems.decisions import classes_of, option_probabilities, shown_in
from neuroai.systems.intervention import LAYER, VIRTUAL, Intervention, needs_reference
from neuroai.systems.layers import choose_layers
from neuroai.systems.lesion import applied, statistics_of
from neuroai.systems.model import Model

OUTPUTS, READOUT = "outputs", "readout"


@dataclass(frozen=True)
class Game:
    """One subject's parts and the accuracy that any set of intact ones leaves.

    Attributes
    ----------
    subject, whole : str
        Whose parts, and what they are parts of.
    parts : tuple of str
        Names of the parts.
    accuracy : callable
        Takes which parts are intact, array of bool, and gives the share of right choices on half
        B, in [0, 1].
    choice_by : str
        ``outputs`` of the network, or a ``readout`` fitted to the intact half A.
    """

    subject: str
    whole: str
    parts: tuple[str, ...]
    accuracy: Callable[[np.ndarray], float]
    choice_by: str


@dataclass(frozen=True)
class Asked:
    """The stimuli of a task, their right options, and the half that is learnt from."""

    stimuli: StimulusSet
    truth: np.ndarray
    train: np.ndarray
    task: ChoiceTask

    @property
    def half_a(self) -> StimulusSet:
        """Stimuli on which readouts are fitted and means are taken."""
        ids = self.stimuli.ids
        return self.stimuli.restrict([k for k, is_a in zip(ids, self.train, strict=True) if is_a])


def games(
    system: System,
    task: ChoiceTask,
    stimuli: StimulusSet | None,
    *,
    regions: Sequence[str] | None,
    n_groups: int | None,
    kind: str,
    seed: int,
) -> Iterator[Game] | NotMeasurable:
    """Make the game of every subject; see ``contributions``."""
    known = system.stimuli if stimuli is None else stimuli
    if known is None or task.truth not in known.table.columns:
        return NotMeasurable(f"no stimuli with the column '{task.truth}' of the task are at hand")
    if isinstance(system, Model):
        return _of_network(system, task, known, regions, n_groups, kind, seed)
    if system.kind == "model":
        return NotMeasurable("activations on disk cannot be lesioned")
    return _of_brain(system, task, known, regions, n_groups, kind, seed)


def _asked(task: ChoiceTask, stimuli: StimulusSet, seed: int) -> Asked | NotMeasurable:
    truth = stimuli.column(task.truth).astype(str)
    if min(np.unique(truth, return_counts=True)[1], default=0) < 2 or len(set(truth)) < 2:
        return NotMeasurable(f"the task '{task.name}' needs two options with two stimuli each")
    half = halves(stimuli.ids, condition=truth.tolist(), n_splits=1, seed=seed)[0]
    return Asked(stimuli, truth, np.asarray(half, dtype=bool), task)


def _of_brain(
    brain: System,
    task: ChoiceTask,
    stimuli: StimulusSet,
    regions: Sequence[str] | None,
    n_groups: int | None,
    kind: str,
    seed: int,
) -> Iterator[Game] | NotMeasurable:
    shown = stimuli.where(*task.where) if task.where else stimuli
    recordings = brain.recordings(shown, regions=regions)
    if isinstance(recordings, NotMeasurable):
        return recordings
    by_subject: dict[str, dict[str, tuple[tuple[str, ...], np.ndarray]]] = {}
    for recording in recordings:
        ids, values, _, _ = element_means(usable_units(recording, undefined="drop")[0])
        mine = by_subject.setdefault(str(recording.attrs["subject"]), {})
        mine[str(recording.attrs["region"])] = ids, values
    found = []
    for subject, mine in by_subject.items():
        common = sorted(set.intersection(*(set(ids) for ids, _ in mine.values())))
        asked = _asked(task, shown.restrict(common), seed)
        if isinstance(asked, NotMeasurable):
            return asked
        rows = {
            region: values[[ids.index(key) for key in asked.stimuli.ids]]
            for region, (ids, values) in mine.items()
        }
        found += _brain_games(subject, rows, asked, n_groups, kind, seed)
    return iter(found)


def _brain_games(
    subject: str,
    rows: Mapping[str, np.ndarray],
    asked: Asked,
    n_groups: int | None,
    kind: str,
    seed: int,
) -> list[Game]:
    """Make one game of all regions, or one a region whose parts are groups of its units."""
    if n_groups is None:
        values = np.concatenate(list(rows.values()), axis=1)
        part = np.repeat(np.arange(len(rows)), [v.shape[1] for v in rows.values()])
        return [_masked(subject, "regions", tuple(rows), values, part, asked, kind, seed)]
    return [
        _masked(
            subject, region, *_groups(values.shape[1], n_groups, values, seed), asked, kind, seed
        )
        for region, values in rows.items()
    ]


def _groups(
    n: int, n_groups: int, values: np.ndarray, seed: int
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    names, part = grouped(n, n_groups, seed=seed)
    return names, values, part


def grouped(n: int, n_groups: int, *, seed: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Deal n units at random into groups of equal size, up to one; at most a group a unit."""
    n_groups = min(n, n_groups)
    part = np.empty(n, dtype=int)
    part[np.random.default_rng(seed).permutation(n)] = np.arange(n) % n_groups
    if n_groups == n:
        return tuple(f"unit {i}" for i in range(n)), np.arange(n)
    return tuple(f"group {i}" for i in range(n_groups)), part


def _masked(
    subject: str,
    whole: str,
    names: tuple[str, ...],
    values: np.ndarray,
    part: np.ndarray,
    asked: Asked,
    kind: str,
    seed: int,
) -> Game:
    readout = fit_readout(values[asked.train], list(asked.truth[asked.train]))
    known = statistics_of([values[asked.train]], keep=True)

    def accuracy(intact: np.ndarray) -> float:
        mask = ~intact[part]
        rows = values
        if mask.any():
            hit = tuple(np.flatnonzero(mask).tolist())
            lesion = Intervention(whole, hit, kind, seed=seed, origin=VIRTUAL)
            rows = applied(lesion, values, mask, known, feature_axis=1, ids=asked.stimuli.ids)
        return _right(readout, rows, asked)

    return Game(subject, whole, names, accuracy, READOUT)


def _right(readout: Readout, rows: np.ndarray, asked: Asked) -> float:
    chosen = predict(readout, rows[~asked.train]).labels
    return float((np.asarray(chosen, dtype=str) == asked.truth[~asked.train]).mean())


def _of_network(
    model: Model,
    task: ChoiceTask,
    stimuli: StimulusSet,
    regions: Sequence[str] | None,
    n_groups: int | None,
    kind: str,
    seed: int,
) -> Iterator[Game] | NotMeasurable:
    shown = shown_in(task, stimuli)
    if not shown.ids:
        return NotMeasurable(f"no stimulus of the task '{task.name}' is at hand")
    asked = _asked(task, shown, seed)
    if isinstance(asked, NotMeasurable):
        return asked
    module = model.module(model.subjects[0])
    layers = model.regions[:-1] if regions is None else choose_layers(module, regions)
    if not layers:
        return NotMeasurable(f"'{model.name}' has a single layer, from which choices are read")
    return _network_games(model, asked, layers, n_groups, kind, seed)


def _network_games(
    model: Model,
    asked: Asked,
    layers: Sequence[str],
    n_groups: int | None,
    kind: str,
    seed: int,
) -> Iterator[Game]:
    for subject in model.subjects:
        one = _single(model, subject)
        if n_groups is None:
            yield _layer_game(one, asked, layers, subject, kind, seed)
            continue
        for layer in layers:
            yield _group_game(one, asked, layer, subject, n_groups, kind, seed)


def _layer_game(
    model: Model, asked: Asked, layers: Sequence[str], subject: str, kind: str, seed: int
) -> Game:
    """Make the game whose parts are whole layers."""
    reference = asked.half_a if needs_reference(kind) else None
    last = model.regions[-1]
    lesions = [Intervention(name, (), kind, seed=seed, of=LAYER) for name in layers]
    swept = model.sweep(asked.stimuli, layers=[last])
    judge, by = _judge(model, asked, swept.outputs, np.asarray(swept.layers[last].values))

    def accuracy(intact: np.ndarray) -> float:
        under = model
        for lesion, kept in zip(lesions, intact, strict=True):
            under = under if kept else under.with_lesion(lesion, reference)
        swept = under.sweep(asked.stimuli, layers=[last])
        return judge(swept.outputs, np.asarray(swept.layers[last].values))

    return Game(subject, "layers", tuple(layers), accuracy, by)


def _single(model: Model, subject: str) -> Model:
    return replace(model, modules=((subject, model.module(subject)),))


def _group_game(
    model: Model, asked: Asked, layer: str, subject: str, n_groups: int, kind: str, seed: int
) -> Game:
    last = model.regions[-1]
    bench = model.lesion_bench(layer, asked.stimuli, reference=asked.half_a)
    one = asked.stimuli.restrict(asked.stimuli.ids[:1])
    [recording] = model.recordings(one, regions=[layer])
    n = int(recording["feature_map"].values.max()) + 1
    names, part = grouped(n, n_groups, seed=seed)
    outputs, read = bench.run(layers=[last])
    judge, by = _judge(model, asked, outputs, read[last])

    def accuracy(intact: np.ndarray) -> float:
        hit = tuple(np.flatnonzero(~intact[part]).tolist())
        lesion = Intervention(layer, hit, kind, seed=seed) if hit else None
        outputs, read = bench.run(lesion, layers=[last])
        return judge(outputs, read[last])

    return Game(subject, layer, names, accuracy, by)


def _judge(
    model: Model, asked: Asked, outputs: np.ndarray, last: np.ndarray
) -> tuple[Callable[[np.ndarray, np.ndarray], float], str]:
    """Choose by the outputs where they name the options, else by a readout of the last layer."""
    classes = classes_of(asked.task.options, model.output_map, model.labels)
    if isinstance(classes, NotMeasurable):
        flat = last.reshape(len(last), -1)
        readout = fit_readout(flat[asked.train], list(asked.truth[asked.train]))
        return lambda _, rows: _right(readout, rows.reshape(len(rows), -1), asked), READOUT
    options = np.asarray(asked.task.options, dtype=str)

    def judge(given: np.ndarray, _: np.ndarray) -> float:
        best = options[option_probabilities(given, classes).argmax(axis=1)]
        return float((best == asked.truth)[~asked.train].mean())

    return judge, OUTPUTS
