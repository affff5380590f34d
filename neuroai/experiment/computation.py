"""The computation level of a comparison: choices, mistakes, shape bias and similarity."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from tqdm import tqdm

from neuroai.analyses.computation.accuracy import accuracy
from neuroai.analyses.computation.choices import choices
from neuroai.analyses.computation.confusions import confusions
from neuroai.analyses.computation.odd_one_out import odd_one_out
from neuroai.analyses.computation.psychometric import psychometric
from neuroai.analyses.computation.shape_bias import shape_bias
from neuroai.analyses.computation.similarity import similarity
from neuroai.cards import ChoiceTask
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.values import value_scores
from neuroai.experiment.options import Asked, Part, candidate_kind
from neuroai.experiment.unmeasured import unmeasured
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

LEVEL = "computation"
INTENSITY = "intensity"
ON_CHOICES = ("error-consistency", "confusion-correlation")
TABLES = {
    "accuracy": (accuracy, "accuracy-difference"),
    "shape_bias": (shape_bias, "shape-bias-difference"),
}


def ask_computation(asked: Asked) -> Part:
    """Ask every brain and network about every task, and for similarity judgements."""
    part = Part()
    tasks = asked.holdings.tasks
    for task in tqdm(tasks, desc="tasks", disable=not (asked.progress and tasks)):
        part += _task(asked, task)
    return part + _similarity(asked)


def _candidates(asked: Asked) -> Iterator[tuple[System, str]]:
    for network in (*asked.networks, *asked.published):
        yield network, candidate_kind(network)


def _task(asked: Asked, task: ChoiceTask) -> Part:
    """Compare accuracy, errors and confusions on one task, and shape bias where it is defined."""
    part = _compare_all(asked, choices, task=task, question="choices", metrics=ON_CHOICES)
    for question, (analysis, metric) in TABLES.items():
        if question == "shape_bias" and not {"shape", "texture"} <= set(
            asked.holdings.stimuli.table.columns
        ):
            continue
        part += _compare_all(
            asked, analysis, task=task, question=question, metrics=(metric,), described=True
        )
    return part + Part(answers=(*_confusions(asked, task), *_psychometric(asked, task)))


def _psychometric(asked: Asked, task: ChoiceTask) -> Iterator[Answer]:
    """Give the psychometric functions that the page shows, where stimuli have an intensity."""
    if INTENSITY not in asked.holdings.stimuli.table.columns:
        return
    for system in (*asked.brains[:1], *asked.networks):
        answer = psychometric(
            system, task=task, level=INTENSITY, stimuli=_shown(asked, task, system),
            seed=asked.options.seed,
        )  # fmt: skip
        if not isinstance(answer, NotMeasurable):
            yield answer


def _confusions(asked: Asked, task: ChoiceTask) -> Iterator[Answer]:
    """Give the confusion matrices that the page shows."""
    for system in (*asked.brains[:1], *asked.networks):
        answer = confusions(system, task=task, stimuli=_shown(asked, task, system))
        if not isinstance(answer, NotMeasurable):
            yield answer


def _shown(asked: Asked, task: ChoiceTask, system: System) -> StimulusSet:
    """Give the stimuli of a task; a network that computes can only meet those at hand."""
    stimuli = asked.holdings.stimuli
    return stimuli.where(*task.where) if task.where else stimuli


def _compare_all(
    asked: Asked,
    analysis: Callable[..., Answer | NotMeasurable],
    *,
    task: ChoiceTask,
    question: str,
    metrics: tuple[str, ...],
    described: bool = False,
) -> Part:
    part = Part()
    ours = []
    for network, kind in _candidates(asked):
        answer = analysis(network, task=task, stimuli=_shown(asked, task, network))
        if isinstance(answer, NotMeasurable):
            # What is missing for choices is missing for all that follows from them: said once.
            if network in asked.networks and question == "choices":
                part += _missing(asked, answer, network, f"{question}: {task.name}")
            continue
        ours.append((kind, answer))
        if described:
            part += Part(scores=_described(asked, answer, task, kind))
    for brain in asked.brains:
        theirs = analysis(brain, task=task, stimuli=_shown(asked, task, brain))
        if isinstance(theirs, NotMeasurable):
            if question == "choices":
                part += _missing(asked, theirs, brain, f"choices: {task.name}")
            continue
        if described:
            part += Part(scores=_described(asked, theirs, task, ""))
        for kind, answer in ours:
            part += Part(scores=_scores(asked, theirs, answer, task, kind, metrics))
    return part


def _scores(
    asked: Asked,
    theirs: Answer,
    ours: Answer,
    task: ChoiceTask,
    kind: str,
    metrics: tuple[str, ...],
):
    context = Context(
        level=LEVEL, dataset=asked.holdings.card.name, candidate_kind=kind, task=task.name
    )
    return tuple(
        score
        for metric in metrics
        for score in compare(
            theirs,
            ours,
            metric=metric,
            context=context,
            # A network answers only the stimuli at hand; what is dropped is counted.
            stimuli="shared",
            inference=asked.options.inference,
        )
    )


def _described(asked: Asked, answer: Answer, task: ChoiceTask, kind: str):
    context = Context(
        level=LEVEL,
        dataset=asked.holdings.card.name,
        candidate_kind=kind or "model",
        task=task.name,
    )
    return value_scores(answer, context=context, inference=asked.options.inference)


def _missing(asked: Asked, answer: NotMeasurable, system: System, question: str) -> Part:
    is_brain = system.kind == "brain"
    return unmeasured(
        answer,
        level=LEVEL,
        question=question,
        system=system.name,
        dataset=asked.holdings.card.name,
        brain=system.name if is_brain else "",
        model="" if is_brain else system.name,
        kind="model" if is_brain else candidate_kind(system),
    )


def judgements_of(asked: Asked) -> Answer | None:
    """Give the similarity judgements of the first brain that judged, or None."""
    for brain in asked.brains:
        answer = similarity(brain)
        if not isinstance(answer, NotMeasurable) and answer.parameters.get("method") != "activity":
            return answer
    return None


def _similarity(asked: Asked) -> Part:
    """Compare similarity judgements, and the odd ones out that follow from them."""
    theirs = judgements_of(asked)
    if theirs is None:
        reason = NotMeasurable("no similarity judgements were recorded")
        part = Part()
        for brain in asked.brains:
            part += _missing(asked, reason, brain, "similarity")
        return part
    brain = next(b for b in asked.brains if b.name == theirs.system)
    odd_theirs = odd_one_out(brain, seed=asked.options.seed)
    part = Part(answers=(theirs,))
    for network in tqdm(asked.networks, desc="similarity", disable=not asked.progress):
        ours = similarity(network, stimuli=asked.holdings.stimuli)
        odd_ours = odd_one_out(network, stimuli=asked.holdings.stimuli, seed=asked.options.seed)
        if isinstance(ours, NotMeasurable):
            part += _missing(asked, ours, network, "similarity")
            continue
        pairs = [(asked.options.metric, theirs, ours)]
        if not isinstance(odd_theirs, NotMeasurable) and not isinstance(odd_ours, NotMeasurable):
            pairs.append(("odd-one-out-agreement", odd_theirs, odd_ours))
        for metric, a, b in pairs:
            context = Context(
                level=LEVEL,
                dataset=asked.holdings.card.name,
                candidate_kind=candidate_kind(network),
            )
            scores = compare(
                a, _aligned(b, a), metric=metric, context=context, inference=asked.options.inference
            )
            part += Part(scores=scores)
    return part


def _aligned(ours: Answer, theirs: Answer) -> Answer:
    """Let judgements meet activity that stands in for them: how each was made is in the history."""
    shared = [key for key in ours.stimuli if key in set(theirs.stimuli)]
    if len(shared) != len(np.unique(shared)) or not shared:
        return ours
    return ours.restrict(stimuli=shared)
