"""The implementation level of a comparison: localisers, lesions and their controls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from neuroai.analyses.implementation.dose_curve import activity_strata, dose_curve
from neuroai.analyses.implementation.localiser import (
    Localised,
    contrast_groups,
    contrast_half,
    element_means,
    localise,
)
from neuroai.cards import ChoiceTask, Contrast
from neuroai.checks import known_name
from neuroai.comparison.catalogue import METRICS
from neuroai.experiment.lesioned import (
    MEASURE_LEVEL,
    AfterLesion,
    LesionedActivity,
    asker,
    masked_activity,
)
from neuroai.experiment.measured import measured_curves
from neuroai.experiment.met import met_stimuli
from neuroai.experiment.options import DOSES, Asked, Part, candidate_kind
from neuroai.experiment.unmeasured import unmeasured
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.audit import usable_units
from neuroai.format.results import DoseCurve, LocaliserResult
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded
from neuroai.systems.decisions import classes_of, option_probabilities
from neuroai.systems.lesion import Lesion

LEVEL = "implementation"
FRACTION = 0.05
KINDS = ("mean", "zero", "noise")


@dataclass(frozen=True)
class Site:
    """Where one system is lesioned, and on which stimuli it is asked.

    Attributes
    ----------
    stimuli : StimulusSet
        The stimuli of the contrast, all of which the system can meet.
    half : mapping
        Half A (True) or B of every stimulus.
    found : Localised
        The ranked elements of the region.
    questions : AfterLesion
        What is asked after the lesion.
    task : ChoiceTask or None
        The task whose accuracy is asked.
    """

    stimuli: StimulusSet
    half: dict[str, bool]
    found: Localised
    questions: AfterLesion
    task: ChoiceTask | None


def ask_implementation(
    asked: Asked,
    *,
    brain_rdms: Answer | None,
    judgements: Answer | None,
    layers: dict[str, str],
) -> Part:
    """Localise and lesion brains and networks alike.

    Parameters
    ----------
    asked : Asked
        Who is asked.
    brain_rdms, judgements : Answer or None
        RDMs and similarity judgements of the brain to compare by default.
    layers : dict
        The layer of each network at which it is lesioned.
    """
    contrast = chosen_contrast(asked)
    if isinstance(contrast, NotMeasurable):
        part = Part()
        for system in (*asked.brains, *asked.networks):
            part += _missing(contrast, asked, system)
        return part
    part = Part()
    for brain in asked.brains:
        part += _brain(asked, brain, contrast, brain_rdms=brain_rdms, judgements=judgements)
    chosen = asked.networks if asked.options.lesions == "full" else asked.networks[:1]
    for network in chosen if asked.options.lesions != "none" else ():
        part += _network(
            asked, network, contrast, brain_rdms=brain_rdms, judgements=judgements, layers=layers
        )
    return part


def chosen_contrast(asked: Asked) -> Contrast | NotMeasurable:
    """Give the contrast that was asked for, or the first of the data set's card."""
    contrasts = asked.holdings.contrasts
    if asked.options.contrast:
        name = known_name(asked.options.contrast, contrasts, kind="contrast of this data set")
        return contrasts[name]
    if not contrasts:
        return NotMeasurable("the data set names no contrast for a localiser")
    return next(iter(contrasts.values()))


def _missing(answer: NotMeasurable, asked: Asked, system: System) -> Part:
    is_brain = system.kind == "brain"
    return unmeasured(
        answer,
        level=LEVEL,
        question="localiser and lesion",
        system=system.name,
        dataset=asked.holdings.card.name,
        brain=system.name if is_brain else "",
        model="" if is_brain else system.name,
        kind="model" if is_brain else candidate_kind(system),
    )


def _brain(
    asked: Asked,
    brain: Recorded,
    contrast: Contrast,
    *,
    brain_rdms: Answer | None,
    judgements: Answer | None,
) -> Part:
    """Localise and mask recorded units, and read what measured interventions did."""
    curves = measured_curves(brain, asked.holdings.tasks, seed=asked.options.seed)
    part = Part(dose_curves=curves)
    found = localise(
        brain,
        contrast=contrast,
        stimuli=met_stimuli(brain, asked.holdings.stimuli),
        regions=asked.options.regions,
        fraction=FRACTION,
        seed=asked.options.seed,
    )
    if isinstance(found, NotMeasurable):
        return part if curves else part + _missing(found, asked, brain)
    by_region: dict[str, list[Localised]] = {}
    for row in found:
        by_region.setdefault(row.region, []).append(row)
    for rows in by_region.values():
        part += Part(localisers=tuple(_localiser_result(brain, row, contrast) for row in rows))
    if asked.options.lesions == "none":
        return part
    last = list(by_region)[-1]
    for row in by_region[last]:
        part += _virtual(asked, brain, row, contrast, brain_rdms=brain_rdms, judgements=judgements)
    return part


def _localiser_result(system: System, row: Localised, contrast: Contrast) -> LocaliserResult:
    return LocaliserResult(
        system=system.name,
        kind=system.kind,
        subject=row.subject,
        region=row.region,
        contrast=f"{contrast.column}: {' or '.join(contrast.positive)}",
        n_units=len(row.elements),
        n_selected=len(row.selected),
        t_selected=float(row.t_chosen[row.selected].mean()),
        t_heldout=float(row.t_heldout[row.selected].mean()),
        heldout_p=row.heldout_p,
        unit_kind=row.element_kind,
        elements=row.elements,
        unit_t_selected=tuple(float(t) for t in row.t_chosen),
        unit_t_heldout=tuple(float(t) for t in row.t_heldout),
        unit_is_selected=tuple(np.isin(np.arange(len(row.elements)), row.selected).tolist()),
    )


def _virtual(
    asked: Asked,
    brain: Recorded,
    row: Localised,
    contrast: Contrast,
    *,
    brain_rdms: Answer | None,
    judgements: Answer | None,
) -> Part:
    site = _site(asked, brain, row, contrast, brain_rdms=brain_rdms, judgements=judgements)
    recordings = brain.recordings(site.stimuli, regions=[row.region])
    if isinstance(recordings, NotMeasurable):
        return _missing(recordings, asked, brain)
    mine = next(r for r in recordings if r.attrs["subject"] == row.subject)
    _, values, _, _ = element_means(usable_units(mine, undefined="drop")[0])
    activity_of = masked_activity(
        values, train=site.questions.train, kind="mean", strength=1.0, seed=asked.options.seed
    )
    return _curves(
        asked, brain, site, asker(activity_of, site.questions), kind="mean", origin="virtual"
    )


def _site(
    asked: Asked,
    system: System,
    row: Localised,
    contrast: Contrast,
    *,
    brain_rdms: Answer | None,
    judgements: Answer | None,
) -> Site:
    """Fix stimuli, halves and questions for one system's lesions."""
    stimuli = met_stimuli(system, asked.holdings.stimuli)
    half = contrast_half(contrast_groups(stimuli, contrast), seed=asked.options.seed)
    ids = sorted(half)
    train = np.array([half[key] for key in ids])
    task = lesion_task(asked.holdings.tasks)
    labels = None
    if task is not None:
        labels = stimuli.column(task.truth, ids).astype(object)
    heldout = [key for key, is_a in zip(ids, train, strict=True) if not is_a]
    questions = AfterLesion(
        train=train,
        test=~train,
        labels=labels,
        option_names=task.options if task else (),
        brain_rdms=_vectors(
            brain_rdms, heldout, without=row.subject if system.kind == "brain" else ""
        ),
        judgements=_vectors(judgements, heldout, without=""),
        method=METRICS.get(asked.options.metric).card.comparator,
        distance=asked.options.distance,
    )
    return Site(stimuli=stimuli.restrict(ids), half=half, found=row, questions=questions, task=task)


def lesion_task(tasks: Sequence[ChoiceTask]) -> ChoiceTask | None:
    """Choose the task whose accuracy lesions are tested on: the first over all stimuli."""
    everywhere = [task for task in tasks if not task.where]
    return everywhere[0] if everywhere else None


def _vectors(answer: Answer | None, ids: Sequence[str], *, without: str) -> np.ndarray | None:
    """Give the RDMs of an answer's last region on these stimuli, one row a subject."""
    if answer is None or not set(ids) <= set(answer.stimuli):
        return None
    kept = [s for s in answer.subjects if s != without]
    if not kept:
        return None
    restricted = answer.restrict(stimuli=ids, subjects=kept, regions=[answer.regions[-1]])
    vectors = to_vector(restricted.data["rdm"].isel(region=0).values)
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    return vectors if len(vectors) else None


def _network(
    asked: Asked,
    network: System,
    contrast: Contrast,
    *,
    brain_rdms: Answer | None,
    judgements: Answer | None,
    layers: dict[str, str],
) -> Part:
    """Localise every layer of a network and lesion it at its best one (or at all)."""
    options = asked.options
    found = localise(
        network,
        contrast=contrast,
        stimuli=met_stimuli(network, asked.holdings.stimuli),
        regions=options.layers,
        fraction=FRACTION,
        seed=options.seed,
    )
    if isinstance(found, NotMeasurable):
        return _missing(found, asked, network)
    if not hasattr(network, "lesion_bench"):
        return _missing(NotMeasurable("activations on disk cannot be lesioned"), asked, network)
    rows = list(found)
    part = Part(localisers=tuple(_localiser_result(network, row, contrast) for row in rows))
    chosen = layers.get(network.name) or _default_layer(rows)
    sites = [row for row in rows if options.lesions == "full" or row.region == chosen]
    kinds = KINDS if options.lesions == "full" else KINDS[:1]
    jobs = [(row, kind) for row in sites for kind in kinds]
    for row, kind in tqdm(jobs, desc="lesions", disable=not asked.progress):
        site = _site(asked, network, row, contrast, brain_rdms=brain_rdms, judgements=judgements)
        question = asker(_bench_activity(asked, network, site, kind), site.questions)
        part += _curves(asked, network, site, question, kind=kind, origin="simulated")
    return part


def _default_layer(rows: Iterable[Localised]) -> str:
    """Without a brain to choose by, take the layer before the last (the last gives the choices)."""
    names = list(dict.fromkeys(row.region for row in rows))
    return names[-2] if len(names) > 1 else names[-1]


def _bench_activity(asked: Asked, network: System, site: Site, kind: str):
    """Run lesions of one layer with everything before it computed once."""
    ids = sorted(site.half)
    half_a = site.stimuli.restrict([key for key in ids if site.half[key]])
    bench = network.lesion_bench(
        site.found.region, site.stimuli, reference=half_a, subject=site.found.subject
    )
    last = network.regions[-1]
    option_columns = _option_columns(network, site.task)

    def activity_of(positions: tuple[int, ...]) -> LesionedActivity:
        lesion = None
        if positions:
            targets = tuple(int(site.found.elements[p]) for p in positions)
            lesion = Lesion(
                region=site.found.region, targets=targets, kind=kind, seed=asked.options.seed
            )
        outputs, activations = bench.run(lesion, layers=(site.found.region, last))
        n = len(ids)
        return LesionedActivity(
            lesioned=np.asarray(activations[site.found.region]).reshape(n, -1),
            readout=np.asarray(activations[last]).reshape(n, -1),
            options=None if option_columns is None else option_columns(np.asarray(outputs)),
        )

    return activity_of


def _option_columns(
    network: System, task: ChoiceTask | None
) -> Callable[[np.ndarray], np.ndarray] | None:
    """Give the map from outputs to evidence for the options, or None if the outputs lack them."""
    if task is None:
        return None
    mapping, labels = getattr(network, "output_map", {}), getattr(network, "labels", ())
    classes = classes_of(task.options, mapping, labels)
    if isinstance(classes, NotMeasurable):
        return None
    return functools.partial(option_probabilities, classes=classes)


def _matched(levels: int) -> str:
    if levels == 1:
        return "not matched in activity (too few elements are as active as the target)"
    return f"matched in {levels} levels of mean activity"


def _curves(asked: Asked, system: System, site: Site, question, *, kind: str, origin: str) -> Part:
    """Run a dose curve and label what it found; controls are as active as the target."""
    row = site.found
    elements = np.flatnonzero(np.isfinite(row.t_chosen))
    strata = activity_strata(row.mean_activity[elements], elements, row.selected)
    found = dose_curve(
        question,
        targets=row.selected,
        elements=elements,
        strata=strata,
        doses=DOSES,
        n_controls=asked.options.n_controls,
        seed=asked.options.seed,
    )
    if isinstance(found, NotMeasurable):
        return _missing(found, asked, system)
    nothing = np.full(len(DOSES), np.nan)
    curves = tuple(
        DoseCurve(
            system=f"{system.name} ({row.subject})",
            kind=system.kind,
            region=row.region,
            level=MEASURE_LEVEL[name],
            measure=name,
            lesion=kind,
            origin=origin,
            baseline=float(values["baseline"]),
            doses=np.array(DOSES),
            targeted=values["targeted"],
            controls=values["controls"],
            p=values["p"],
            n_targets=values["n_targets"],
            ci_low=nothing,
            ci_high=nothing,
            note=(
                f"{row.element_kind}s chosen on half A, measured on half B; controls of the same "
                f"size, {_matched(int(strata.max()) + 1)}"
            ),
        )
        for name, values in found.items()
    )
    return Part(dose_curves=curves)
