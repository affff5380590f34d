"""How a benchmark of each analysis is scored: networks, controls, and others in their place."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr
from tqdm import tqdm

from neuroai.analyses.catalogue import analysis
from neuroai.cards import BenchmarkCard, ChoiceTask
from neuroai.comparison.best_region import best_region_scores
from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.pairing import paired_evaluators
from neuroai.comparison.references import subject_reference
from neuroai.comparison.statistics.inference import Inference, summarise
from neuroai.experiment.algorithm import ask_rdms, compare_rdms_of, conditions
from neuroai.experiment.notes import brief_notes
from neuroai.experiment.options import Asked, Part, candidate_kind
from neuroai.experiment.unmeasured import unmeasured
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.scores import Score
from neuroai.numerics.resample import bootstrap_counts
from neuroai.systems.base import System

DIFFERENCES = ("accuracy-difference", "shape-bias-difference")

Question = Callable[[System], "Answer | NotMeasurable"]


def score_rdms(asked: Asked, card: BenchmarkCard) -> Part:
    """Score the layers of every network, the best one chosen on held-out stimuli.

    The first brain is the one to match; the others, its own subjects and the data set's confounds
    are references.
    """
    networks, brains, part = ask_rdms(replace(asked, brains=asked.brains[:1]))
    if not brains:
        return part
    target, answer = brains[0]
    part += Part(answers=(answer, *(theirs for _, theirs in networks)))
    for network, theirs in tqdm(networks, desc="comparing RDMs", disable=not asked.progress):
        part += Part(scores=_layer_scores(asked, card, answer, network, theirs))
    free = replace(asked.options, regions=None)
    _, others, _ = ask_rdms(
        replace(asked, brains=asked.brains[1:], networks=(), options=free, progress=False)
    )
    found = compare_rdms_of(replace(asked, progress=False), [], [(target, answer), *others])
    places = {f"{target.name} {region}" for region in answer.regions}
    kept = [s for s in found.scores if s.brain_region in places]
    audit = [line for answer in part.answers for line in brief_notes(answer)]
    return part + Part(scores=tuple(kept), audit=tuple(audit))


def _layer_scores(
    asked: Asked, card: BenchmarkCard, answer: Answer, network: System, theirs: Answer
) -> tuple[Score, ...]:
    common = {
        "metric": card.metric,
        "context": context_of(card, candidate_kind(network)),
        "stimuli": asked.options.stimuli,
        "inference": asked.options.inference,
    }
    best = best_region_scores(answer, theirs, condition=conditions(asked, answer, theirs), **common)
    return (*best, *compare(answer, theirs, **common))


def context_of(card: BenchmarkCard, kind: str) -> Context:
    """Give what every score of a benchmark says beside its numbers."""
    return Context(
        level=card.level,
        dataset=card.dataset,
        candidate_kind=kind,
        task=str(card.parameters.get("task", "")),
    )


def score_answers(asked: Asked, card: BenchmarkCard) -> Part:
    """Score networks by one question that both sides answer once, on the stimuli at hand."""
    ask = _question(asked, card)
    target = asked.brains[0]
    answer = ask(target)
    if isinstance(answer, NotMeasurable):
        return _missing(card, answer, target)
    if card.regions:
        answer = answer.restrict(regions=card.regions)
    part = Part(answers=(answer,))
    for system in tqdm(asked.networks, desc=card.name, disable=not asked.progress):
        part += _candidate(asked, card, answer, ask(system), system, candidate_kind(system))
    part += Part(scores=_another_subject(asked, card, answer))
    for other in asked.brains[1:]:
        kind = "subject" if other.data.species == target.data.species else "species"
        theirs = ask(other)
        # A brain that was not asked this question is no reference for it.
        if not isinstance(theirs, NotMeasurable):
            part += _candidate(asked, card, answer, theirs, other, kind)
    return part


def _question(asked: Asked, card: BenchmarkCard) -> Question:
    """Fix the question: both sides are asked about the stimuli that networks can meet."""
    function = analysis(card.analysis).function
    stimuli, options = asked.holdings.stimuli, {}
    if "task" in card.parameters:
        task = _task(asked, str(card.parameters["task"]))
        stimuli = stimuli.where(*task.where) if task.where else stimuli
        options["task"] = task
    if stimuli.available:
        stimuli = stimuli.restrict(stimuli.available)
    if "seed" in inspect.signature(function).parameters:
        options["seed"] = asked.options.seed
    return lambda system: function(system, stimuli=stimuli, **options)


def _task(asked: Asked, name: str) -> ChoiceTask:
    return next(task for task in asked.holdings.tasks if task.name == name)


def _candidate(
    asked: Asked,
    card: BenchmarkCard,
    answer: Answer,
    theirs: Answer | NotMeasurable,
    system: System,
    kind: str,
) -> Part:
    if isinstance(theirs, NotMeasurable):
        return _missing(card, theirs, system)
    scores = compare(
        answer,
        theirs,
        metric=card.metric,
        context=context_of(card, kind),
        stimuli="shared",
        inference=asked.options.inference,
    )
    return Part(scores=tuple(_described(score, answer, theirs) for score in scores))


def _described(score: Score, answer: Answer, theirs: Answer) -> Score:
    """Note what a difference is the difference of, where both sides have a value of their own."""
    if score.metric not in DIFFERENCES or score.status != "ok":
        return score
    own = {
        "value of the brain": float(answer.data["value"].mean()),
        "value of the candidate": float(theirs.data["value"].sel(region=score.model_region).mean()),
    }
    words = [f"{answer.question} {key.removeprefix('value ')} {own[key]:.3f}" for key in own]
    note = "; ".join(filter(None, (*words, score.note)))
    return replace(score, note=note, history={**score.history, **own})


def _missing(card: BenchmarkCard, answer: NotMeasurable, system: System) -> Part:
    is_brain = system.kind == "brain"
    return unmeasured(
        answer,
        level=card.level,
        question=card.analysis,
        system=system.name,
        dataset=card.dataset,
        metric=card.metric,
        brain=system.name if is_brain else card.system,
        model="" if is_brain else system.name,
        kind=candidate_kind(system),
    )


def _another_subject(asked: Asked, card: BenchmarkCard, answer: Answer) -> tuple[Score, ...]:
    context, inference = context_of(card, "subject"), asked.options.inference
    if METRICS.get(card.metric).card.compares == "rdm":
        return subject_reference(answer, metric=card.metric, context=context, inference=inference)
    scores = (
        _subject_row(answer.restrict(regions=[region]), card, context, inference)
        for region in answer.regions
    )
    return tuple(score for score in scores if score is not None)


def _subject_row(
    brain: Answer, card: BenchmarkCard, context: Context, inference: Inference
) -> Score | None:
    """Put every subject in the network's place: the mean over the others, subject by subject."""
    paired = next(iter(paired_evaluators(brain, brain, metric=card.metric)))
    n_subjects = len(paired.subjects)
    if n_subjects < 2 or paired.undefined:
        return None
    evaluator = paired.evaluator
    rng = np.random.default_rng([inference.seed, 2])
    counts = bootstrap_counts(inference.n_bootstrap, evaluator.n_stimuli, rng=rng)
    pairs = evaluator.observed()
    observed = _mean_of_others(pairs)[:, None]
    base = {
        "level": context.level,
        "analysis": f"{brain.question}: {context.task}" if context.task else brain.question,
        "metric": card.metric,
        "dataset": context.dataset,
        "stimulus_set": brain.stimulus_set,
        "brain_region": f"{brain.system} {paired.brain_region}".strip(),
        "model": f"another {brain.system} subject",
        "model_region": paired.brain_region,
        "candidate_kind": "subject",
        "n_stimuli": evaluator.n_stimuli,
        "n_brain_subjects": n_subjects,
        "n_model_subjects": n_subjects - 1,
        "n_undefined": int((~np.isfinite(pairs)).sum()),
    }
    if not np.isfinite(observed).all():
        return Score(**base, status="undefined", note="no pair with some subject is defined")
    summary = summarise(
        observed,
        samples=_mean_of_others(evaluator.resampled(counts))[:, :, None],
        null=None,
        chance=None,
        n_stimuli=evaluator.n_stimuli,
        inference=inference,
    )
    low, high = evaluator.ceiling()
    signed = (
        ()
        if METRICS.get(card.metric).card.symmetric
        else ("signed differences cancel among subjects: the interval shows how far they differ",)
    )
    return Score(
        **base,
        value=summary.value,
        ci_low=max(summary.ci_low, paired.bounds[0]),
        ci_high=min(summary.ci_high, paired.bounds[1]),
        ceiling_low=low,
        ceiling_high=high,
        resampled=summary.resampled,
        note="; ".join(("mean over the other subjects", *signed, *summary.notes)),
        pairs=xr.DataArray(
            observed,
            dims=("subject", "model_subject"),
            coords={"subject": list(paired.subjects), "model_subject": ["the others"]},
        ),
    )


def _mean_of_others(pairs: np.ndarray) -> np.ndarray:
    """Average (..., n, n) over the columns of others, undefined pairs left out."""
    kept = np.isfinite(pairs) & ~np.eye(pairs.shape[-1], dtype=bool)
    n = kept.sum(axis=-1)
    total = np.where(kept, pairs, 0.0).sum(axis=-1)
    return np.where(n > 0, total / np.maximum(n, 1), math.nan)
