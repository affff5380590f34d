"""A worked case from beginning to end: one recipe, told by a configuration."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from neuroai.cards import ChoiceTask, Contrast
from neuroai.checks import known_name
from neuroai.errors import UsageError
from neuroai.experiment.case_asks import ask_side, check_ask, compared
from neuroai.experiment.case_files import (
    NOT_MEASURABLE,
    CaseFile,
    QuestionFile,
    named_datasets,
    read_case,
)
from neuroai.experiment.case_side import Reply, Settings, Side
from neuroai.experiment.case_words import case_methods, verdict
from neuroai.experiment.provenance import provenance
from neuroai.experiment.run import model_facts, stimuli_sha256
from neuroai.experiment.words import stimulus_labels
from neuroai.format.cases import CaseResults, Line
from neuroai.format.holdings import Holdings
from neuroai.sources.catalogue import load_dataset
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model


@dataclass(frozen=True)
class _Cast:
    """Everyone and everything that a case names, loaded."""

    case: CaseFile
    holdings: Mapping[str, Holdings]
    network: System
    settings: Settings
    memo: dict[Any, Any] = field(default_factory=dict)

    def side(self, name: str, question: QuestionFile, earlier: Mapping[str, Reply]) -> Side:
        """Make one side of a question ready."""
        facts: dict[str, Any] = dict(getattr(question, name))
        own = getattr(self.case, name)
        data = str(facts.get("dataset", own.dataset))
        held = self.holdings[data]
        # The head's system belongs to the head's data set.
        usual = own.system if data == own.dataset else ""
        system = self._system(name, held, str(facts.get("system", usual)))
        tasks: dict[str, ChoiceTask] = {task.name: task for task in held.tasks}
        tasks |= {one.name: one.task for one in self.case.tasks if one.dataset == data}
        contrasts: dict[str, Contrast] = dict(held.contrasts)
        contrasts |= {o.name: o.contrast for o in self.case.contrasts if o.dataset == data}
        return Side(
            name=name, system=system, holdings=held, tasks=tasks, contrasts=contrasts,
            settings=self.settings, facts=facts, earlier=earlier,
            question=question.id, lesion_tasks=_lesion_tasks(self.case), memo=self.memo,
        )  # fmt: skip

    def _system(self, side: str, held: Holdings, wanted: str) -> System:
        """Give a data set's system by name; the network that was given, where none is named."""
        if side == "network" and not wanted:
            return self.network
        kind = "brain" if side == "brain" else "model"
        known = {data.name: data for data in held.systems if data.kind == kind}
        if not known:
            raise UsageError(f"The data set '{held.card.name}' holds no {kind}.")
        name = wanted or next(iter(known))
        known_name(name, known, kind=f"{kind} of '{held.card.name}'")
        return Recorded(data=known[name], stimuli=held.stimuli, holdings=held)


def _lesion_tasks(case: CaseFile) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Gather the tasks that questions ask of lesions of the network, by the stimuli they use."""
    found: dict[tuple[str, ...], list[str]] = {}
    for question in case.questions:
        facts = question.network
        if facts.get("ask") in ("lesion", "profile"):
            tasks = found.setdefault(tuple(facts.get("where", ())), [])
            tasks += [t for t in (facts.get("task"), *facts.get("tasks", ())) if t]
    return {where: tuple(dict.fromkeys(tasks)) for where, tasks in found.items()}


def run_case(
    case: str | Path | CaseFile,
    model: str | System,
    *,
    n_bootstrap: int = 1000,
    n_null: int = 1000,
    n_controls: int = 100,
    seed: int = 0,
    device: str = "cpu",
    offline: bool = False,
    progress: bool = False,
) -> CaseResults:
    """Ask the questions of a worked case of a brain and of a network, at three levels.

    Every question becomes a line of one table: level, question, the brain's cell, the network's
    cell, their nulls and a verdict. "Not measurable" is a cell like any other. Each cell names its
    data set, its n and unit of inference, its interval and its p, and each line says whether both
    sides met the same stimuli.

    Parameters
    ----------
    case : str, path or CaseFile
        A name from ``neuroai ls cases``, or a ``.toml`` file.
    model : str or System
        The network, as for `neuroai.load_model`.
    n_bootstrap, n_null, n_controls : int
        Resamples, permutations and random lesions.
    seed : int
        Seed of every draw.
    device : str
        Where a network given by name runs.
    offline : bool
        Forbid the network.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    CaseResults
        Write it with `neuroai.reports.case_page.write_case`.

    Raises
    ------
    UnknownName
        A name in the configuration does not exist; the nearest are named.
    """
    started = time.perf_counter()
    file = case if isinstance(case, CaseFile) else read_case(case)
    # Names are looked up before anything is loaded: a misspelt one must not cost minutes.
    names = named_datasets(file)
    for question in file.questions:
        for side in (question.brain, question.network):
            check_ask(question.id, side)
    network = load_model(model, device=device) if isinstance(model, str) else model
    holdings = {name: load_dataset(name, offline=offline) for name in names}
    settings = Settings(n_bootstrap, n_null, n_controls, seed)
    cast = _Cast(file, holdings, network, settings)
    lines, replies = _ask_all(cast, progress=progress)
    return _results(cast, lines, replies, seconds=time.perf_counter() - started)


def _ask_all(
    cast: _Cast, *, progress: bool
) -> tuple[tuple[Line, ...], dict[str, tuple[Reply, Reply]]]:
    lines: list[Line] = []
    replies: dict[str, tuple[Reply, Reply]] = {}
    questions = cast.case.questions
    for question in tqdm(questions, desc="questions", disable=not progress):
        earlier = {name: pair[0] for name, pair in replies.items()}
        pair = _ask(cast, question, earlier)
        replies[question.id] = pair
        lines.append(_line(cast, question, pair))
    return tuple(lines), replies


def _ask(cast: _Cast, question: QuestionFile, earlier: Mapping[str, Reply]) -> tuple[Reply, Reply]:
    brain = cast.side("brain", question, earlier)
    if question.compare and NOT_MEASURABLE not in {*question.brain, *question.network}:
        network = cast.side("network", question, earlier)
        return compared(brain, network, metric=question.compare, level=question.level)
    first = ask_side(brain)
    return first, ask_side(cast.side("network", question, earlier))


def _line(cast: _Cast, question: QuestionFile, pair: tuple[Reply, Reply]) -> Line:
    shared = question.shared or cast.case.stimuli.shared
    cells = pair[0].cell, pair[1].cell
    asked = [str(s.get("ask", "")) for s in (question.brain, question.network)]
    return Line(
        id=question.id, level=question.level, question=question.question,
        analysis=" | ".join(dict.fromkeys(filter(None, asked))), brain=cells[0],
        network=cells[1], shared=shared,
        verdict=verdict(*cells, compared=bool(question.compare)),
    )  # fmt: skip


def _results(
    cast: _Cast,
    lines: tuple[Line, ...],
    replies: Mapping[str, tuple[Reply, Reply]],
    *,
    seconds: float,
) -> CaseResults:
    case, settings = cast.case, cast.settings
    cards = [held.card for held in cast.holdings.values()]
    pictures = {
        kind: {name: getattr(a, kind) + getattr(b, kind) for name, (a, b) in replies.items()}
        for kind in ("curves", "dose_curves", "answers")
    }
    return CaseResults(
        name=f"{case.name}@{case.version}", title=case.title, question=case.question,
        simulated=any(card.simulated for card in cards), lines=lines,
        curves=pictures["curves"], dose_curves=pictures["dose_curves"],
        answers=pictures["answers"], stimuli_note=case.stimuli.note,
        audit=_audit(replies),
        stimulus_labels={
            key: label
            for held in cast.holdings.values()
            for key, label in stimulus_labels(held.stimuli).items()
        },
        methods=case_methods(case, settings),
        citations=tuple(dict.fromkeys([case.citation, *(card.citation for card in cards)])),
        provenance=provenance(
            data={card.name: _facts(cast.holdings[name]) for name, card in _named(cast)},
            models=[model_facts(cast.network)],
            options={**vars(settings), "case": case.model_dump()},
            seconds=seconds,
        ),
    )  # fmt: skip


def _named(cast: _Cast):
    return ((name, held.card) for name, held in cast.holdings.items())


def _facts(held: Holdings) -> dict[str, str]:
    facts = {key: getattr(held.card, key) for key in ("name", "url", "licence", "citation")}
    return {**facts, "stimuli_sha256": stimuli_sha256(held)}


def _audit(replies: Mapping[str, tuple[Reply, Reply]]) -> tuple[str, ...]:
    told = [
        f"{answer.system}: {note}"
        for pair in replies.values()
        for reply in pair
        for answer in reply.answers
        for note in answer.notes[:2]
    ]
    untested = [
        name
        for name, pair in replies.items()
        if any(r.cell.status == "ok" and not math.isfinite(r.cell.p) for r in pair)
    ]
    if untested:
        told.append(f"no p on one side of: {', '.join(untested)}")
    return tuple(dict.fromkeys(told))
