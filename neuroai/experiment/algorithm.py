"""The algorithm level of a comparison: RDMs of every region and layer, and responses."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.analyses.algorithm.responses import responses
from neuroai.comparison.best_region import best_region_scores
from neuroai.comparison.compare import compare
from neuroai.comparison.encoding import encodings
from neuroai.comparison.paired import Context
from neuroai.comparison.references import mean_rdm_scores, subject_reference
from neuroai.experiment.notes import brief_notes
from neuroai.experiment.options import Asked, Part, candidate_kind
from neuroai.experiment.pooled import pool_sessions
from neuroai.experiment.unmeasured import unmeasured
from neuroai.format.align import common_stimuli
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.scores import Score
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded

LEVEL = "algorithm"
# Five folds of six: fewer leave a correlation of five points or less in each.
FEWEST_ENCODED = 30
BESIDE = ("rdm-pearson", "rdm-cosine", "rdm-rho-a")


def ask_rdms(
    asked: Asked,
) -> tuple[list[tuple[System, Answer]], list[tuple[Recorded, Answer]], Part]:
    """Ask every network and brain for its RDMs; what cannot answer becomes a row that says why."""
    options, missing = asked.options, Part()
    networks, brains = [], []
    for brain in asked.brains:
        answer = rdm(brain, regions=options.regions, distance=options.distance, undefined="drop")
        if isinstance(answer, NotMeasurable):
            missing += _missing(answer, asked, brain)
        else:
            brains.append((brain, pool_sessions(answer, brain)))
    # Without a brain to compare with, a sweep over every layer would answer nobody.
    asked_networks = asked.networks if brains else ()
    for network in tqdm(
        asked_networks, desc="RDMs of networks", disable=not (asked.progress and asked_networks)
    ):
        answer = rdm(
            network,
            stimuli=shown_to([answer for _, answer in brains], asked),
            regions=options.layers,
            distance=options.distance,
        )
        if isinstance(answer, NotMeasurable):
            missing += _missing(answer, asked, network)
        else:
            networks.append((network, answer))
    return networks, brains, missing


def shown_to(answers: Sequence[Answer], asked: Asked) -> StimulusSet:
    """Give the stimuli that any of these brains answered: a network needs to meet no others."""
    stimuli = asked.holdings.stimuli
    met = {key for answer in answers for key in answer.stimuli} & set(stimuli.ids)
    return stimuli.restrict(sorted(met))


def _missing(answer: NotMeasurable, asked: Asked, system: System) -> Part:
    is_brain = system.kind == "brain"
    return unmeasured(
        answer,
        level=LEVEL,
        question="rdm",
        system=system.name,
        dataset=asked.holdings.card.name,
        metric=asked.options.metric,
        brain=system.name if is_brain else "",
        model="" if is_brain else system.name,
        kind="model" if is_brain else candidate_kind(system),
    )


def compare_rdms_of(
    asked: Asked,
    networks: Sequence[tuple[System, Answer]],
    brains: Sequence[tuple[Recorded, Answer]],
) -> Part:
    """Score every network, other species and confound against every brain's RDMs."""
    part = Part(answers=tuple(a for _, a in brains) + tuple(a for _, a in networks))
    pairs = [(b, answer, n, theirs) for b, answer in brains for n, theirs in networks]
    for brain, answer, network, theirs in tqdm(
        pairs, desc="comparing RDMs", disable=not (asked.progress and pairs)
    ):
        part += Part(scores=_network_scores(asked, brain, answer, network, theirs))
    for brain, answer in brains:
        part += Part(scores=_reference_scores(asked, brain, answer, brains))
    notes = [note for answer in part.answers for note in brief_notes(answer)]
    return part + Part(audit=tuple(notes))


def _network_scores(
    asked: Asked, brain: Recorded, answer: Answer, network: System, theirs: Answer
) -> tuple[Score, ...]:
    options = asked.options
    context = _context(asked, candidate_kind(network))
    common = {"context": context, "stimuli": options.stimuli}
    grid = compare(answer, theirs, metric=options.metric, inference=options.inference, **common)
    best = best_region_scores(
        answer,
        theirs,
        metric=options.metric,
        condition=conditions(asked, answer, theirs),
        inference=options.inference,
        **common,
    )
    means = mean_rdm_scores(answer, theirs, metric=options.metric, **common)
    beside = [
        score
        for chosen in best
        for metric in BESIDE
        if metric != options.metric
        for score in compare(
            answer.restrict(regions=[_region_of(chosen, brain)]),
            theirs,
            metric=metric,
            regions=[chosen.model_region],
            inference=options.inference,
            **common,
        )
    ]
    return (*best, *grid, *means, *beside)


def _region_of(score: Score, brain: Recorded) -> str:
    return score.brain_region.removeprefix(f"{brain.name} ")


def _context(asked: Asked, kind: str) -> Context:
    return Context(level=LEVEL, dataset=asked.holdings.card.name, candidate_kind=kind)


def conditions(asked: Asked, a: Answer, b: Answer) -> list[str] | None:
    """Give the condition of the common stimuli, by which halves are stratified, or None."""
    ids = common_stimuli(a.stimuli, b.stimuli, stimuli="shared")
    table = asked.holdings.stimuli.table
    for column in ("category", "condition", "truth"):
        if column in table.columns and table.loc[list(ids), column].nunique() > 1:
            return [str(value) for value in table.loc[list(ids), column]]
    return None


def _reference_scores(
    asked: Asked, brain: Recorded, answer: Answer, brains: Sequence[tuple[Recorded, Answer]]
) -> tuple[Score, ...]:
    """Put another subject, another species and simple confounds in the network's place."""
    options = asked.options
    found: list[Score] = list(
        subject_reference(
            answer,
            metric=options.metric,
            context=_context(asked, "subject"),
            inference=options.inference,
        )
    )
    others = [("species", theirs) for other, theirs in brains if other is not brain]
    others += [
        ("confound", _declared(theirs, options.distance))
        for theirs in asked.holdings.confounds
        if not _is_own_rdm(theirs, answer)
    ]
    for kind, theirs in others:
        found += compare(
            answer,
            theirs,
            metric=options.metric,
            context=_context(asked, kind),
            stimuli="shared",
            inference=options.inference,
        )
    return tuple(found)


def _is_own_rdm(confound: Answer, brain: Answer) -> bool:
    """Whether a published explanation of a brain is the RDM of one of its own regions."""
    shared = sorted(set(confound.stimuli) & set(brain.stimuli))
    if not shared:
        return False
    theirs, own = (
        answer.restrict(stimuli=shared)
        .data["rdm"]
        .transpose("subject", "region", "stimulus", "stimulus_to")
        .values.reshape(-1, len(shared), len(shared))
        for answer in (confound, brain)
    )
    return len(theirs) > 0 and all(any(np.allclose(rdm, mine) for mine in own) for rdm in theirs)


def _declared(answer: Answer, distance: str) -> Answer:
    """Let a confound (an RDM of labels, which has no distance of its own) meet any distance."""
    return dataclasses.replace(answer, parameters={**answer.parameters, "distance": distance})


def compare_responses(asked: Asked) -> Part:
    """Score activity by debiased CKA and by encoding models, where both sides have responses."""
    found = Part()
    for brain in asked.brains:
        theirs = responses(brain, regions=asked.options.regions, undefined="drop")
        if isinstance(theirs, NotMeasurable):
            found += unmeasured(
                theirs,
                level=LEVEL,
                question="responses",
                system=brain.name,
                dataset=asked.holdings.card.name,
                metric="cka-debiased",
                brain=brain.name,
            )
            continue
        for network in asked.networks:
            found += _responses(asked, theirs, network)
    return found


def _responses(asked: Asked, theirs: Answer, network: System) -> Part:
    options = asked.options
    ours = responses(network, stimuli=shown_to([theirs], asked), regions=options.layers)
    if isinstance(ours, NotMeasurable):
        return _unanswered(asked, network, ours, metric="cka-debiased")
    scores = compare(
        theirs,
        ours,
        metric="cka-debiased",
        context=_context(asked, candidate_kind(network)),
        stimuli=options.stimuli,
        inference=options.inference,
    )
    return Part(scores=scores) + _encoding(asked, theirs, ours, network)


def _encoding(asked: Asked, theirs: Answer, ours: Answer, network: System) -> Part:
    """Predict the brain's units from the network's; few stimuli are told, not extrapolated."""
    n_common = len(common_stimuli(theirs.stimuli, ours.stimuli, stimuli="shared"))
    if n_common < FEWEST_ENCODED:
        few = NotMeasurable(f"{n_common} stimuli are too few to learn and test an encoding model")
        return _unanswered(asked, network, few, metric="encoding-r")
    found = encodings(
        theirs,
        ours,
        context=_context(asked, candidate_kind(network)),
        stimuli=asked.options.stimuli,
        inference=asked.options.inference,
    )
    return Part(scores=found.scores)


def _unanswered(asked: Asked, network: System, answer: NotMeasurable, *, metric: str) -> Part:
    return unmeasured(
        answer,
        level=LEVEL,
        question="responses",
        system=network.name,
        dataset=asked.holdings.card.name,
        metric=metric,
        model=network.name,
        kind=candidate_kind(network),
    )


def best_layers(scores: Sequence[Score], answer: Answer | None) -> dict[str, str]:
    """Give the layer of every network that was chosen against a brain's last region.

    The last region is the one whose match lesions are tested on.
    """
    if answer is None:
        return {}
    place = f"{answer.system} {answer.regions[-1]}"
    return {
        score.model: score.model_region
        for score in scores
        if score.selected
        and score.brain_region == place
        and score.candidate_kind in ("model", "untrained")
    }
