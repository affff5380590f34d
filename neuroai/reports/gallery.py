"""Which figures a page shows, level by level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from neuroai.format.answers import Answer
from neuroai.format.results import Results
from neuroai.reports.context import kinds_of_systems, level_of
from neuroai.reports.figures_behaviour import can_be_dotted, confusion_figure, subject_dots
from neuroai.reports.figures_layers import layer_curves
from neuroai.reports.figures_lesions import common_limits, dose_figure, localiser_figure
from neuroai.reports.figures_own import own_figure
from neuroai.reports.figures_psychometric import psychometric_figure
from neuroai.reports.figures_rdm import rdm_figure
from neuroai.reports.figures_scores import candidate_dots
from neuroai.reports.lesions import contrast_words, dose_groups
from neuroai.reports.selection import (
    BEHAVIOUR,
    asked_names,
    best_rows,
    main_panels,
    own_values,
    panels,
)
from neuroai.reports.style import BRAIN, REFERENCE, network_colours, short
from neuroai.reports.svg import Drawing
from neuroai.reports.words import question_words

MAX_ROWS = 8
MAX_CANDIDATES = 4
MAX_CURVES = 24
MAX_FURTHER = 24


@dataclass(frozen=True)
class Group:
    """Figures that belong together: a heading, what to look for, and the figures.

    `layout` is ``sides`` (a column for the brain and one for the network) or ``flow``.
    """

    heading: str
    words: str
    figures: tuple[Drawing, ...]
    layout: str = "flow"
    legend: str = ""
    wide: bool = False
    folded: bool = False


def score_groups(results: Results, level: str) -> list[Group]:
    """Give own values, layer curves and single subjects; further questions are folded.

    The dots of the main panels stand in the verdict.
    """
    palette, asked = colours(results), asked_names(results)
    own = [
        own_figure(question, scores, colours=palette, asked=asked)
        for question, scores in own_values(results.scores, level=level).items()
    ]
    main = main_panels(results.scores, level=level)
    curves = [layer_curves(panel, scores, colours=palette) for panel, scores in main.items()]
    further = [
        draw(panel, scores)
        for panel, scores in panels(results.scores, level=level).items()
        if panel not in main
        for draw in (partial(candidate_dots, colours=palette, asked=asked), _curves_of(palette))
    ]
    return [
        *_group("What each system reaches", "Brain and networks asked the same.", own),
        *_group("Layer by layer", "", curves),
        *_group("Subject by subject", "", _subject_figures(results, level)),
        *_group("Further metrics and questions", "", further[: 2 * MAX_FURTHER], folded=True),
    ]


def _curves_of(palette: dict[str, str]) -> Callable[..., Drawing | None]:
    return partial(layer_curves, colours=palette)


def _group(
    heading: str, words: str, figures: Iterable[Drawing | None], *, folded: bool = False
) -> list[Group]:
    drawn = tuple(figure for figure in figures if figure is not None)
    return [Group(heading, words, drawn, wide=True, folded=folded)] if drawn else []


def rdm_groups(results: Results, level: str) -> list[Group]:
    """Give for every region of a brain its RDM beside those of the candidates' best layers."""
    brains = [
        a
        for a in results.answers
        if a.form == "rdm" and a.kind == "brain" and level_of(a, results.scores) == level
    ]
    pairs = [(answer, region) for answer in brains for region in answer.regions]
    groups = []
    for answer, region in pairs[:MAX_ROWS]:
        title = short(answer.system, length=30)
        first = rdm_figure(
            answer, region, title=title, labels=results.stimulus_labels, side="brain"
        )
        if first is not None:
            rest = _candidate_rdms(results, answer, region)
            words = "Stimuli are sorted by label, in the same order in every matrix."
            where = "" if region == BEHAVIOUR else f" {region}"
            heading = f"{question_words(answer.question)}: {answer.system}{where}"
            heading = heading[:1].upper() + heading[1:]
            groups.append(Group(heading, words, (first, *rest), legend="rdm"))
    return groups


def _candidate_rdms(results: Results, brain: Answer, region: str) -> list[Drawing]:
    kinds = kinds_of_systems(results)
    models = [
        a
        for a in results.answers
        if a.form == "rdm" and a.kind == "model" and a.question == brain.question
    ]
    models = sorted(models, key=lambda a: kinds.get(a.system) != "model")[:MAX_CANDIDATES]
    figures = []
    for answer in models:
        layer = _best_layer(results, answer, brain.system, region)
        untrained = kinds.get(answer.system) == "untrained"
        control = " (untrained)" if untrained and "untrained" not in answer.system else ""
        title = f"{short(answer.system, length=36 - len(control))}{control}"
        figure = rdm_figure(
            answer, layer, title=title, labels=results.stimulus_labels, side="network"
        )
        if figure is not None:
            figures.append(figure)
    return figures


def _best_layer(results: Results, answer: Answer, brain: str, region: str) -> str:
    """Give the layer of a candidate that stands in the table for a region of the brain."""
    for panel, scores in panels(results.scores).items():
        here = panel.brain_region in (region, f"{brain} {region}")
        if panel.analysis == answer.question and here:
            for row in best_rows(scores):
                if row.score.model == answer.system and row.score.model_region in answer.regions:
                    return row.score.model_region
    return answer.regions[-1]


def behaviour_groups(results: Results) -> list[Group]:
    """Give confusions, human beside model, and the dots of single subjects."""
    groups = []
    for question, answers in _confusions(results).items():
        categories = _categories(answers)
        figures = [
            confusion_figure(
                answer,
                answer.regions[0],
                title=short(answer.system, length=36),
                side="brain" if answer.kind == "brain" else "network",
                categories=categories,
            )
            for answer in answers[: MAX_CANDIDATES + 1]
        ]
        shown = tuple(figure for figure in figures if figure is not None)
        if shown:
            words = "What was chosen for each true category; right choices lie on the diagonal."
            heading = question_words(question)
            heading = heading[:1].upper() + heading[1:]
            groups.append(Group(heading, words, shown))
    return [*groups, *_psychometric(results)]


def _psychometric(results: Results) -> list[Group]:
    """Give psychometric functions, the brain's in one column and the networks' in the other."""
    asked: dict[str, list[Answer]] = {}
    for answer in sorted(results.answers, key=lambda a: a.kind != "brain"):
        if answer.question == "psychometric":
            asked.setdefault(str(answer.parameters.get("task", "")), []).append(answer)
    palette, groups = colours(results), []
    for task, answers in asked.items():
        figures = [
            psychometric_figure(
                answer,
                answer.regions[0],
                title=short(answer.system, length=36),
                side="brain" if answer.kind == "brain" else "network",
                colour=BRAIN if answer.kind == "brain" else palette.get(answer.system, REFERENCE),
            )
            for answer in answers[: MAX_CANDIDATES + 1]
        ]
        shown = tuple(figure for figure in figures if figure is not None)
        if shown:
            words = "How the response rises with the level of the stimulus, asked alike."
            heading = f"Psychometric function: {task}"
            groups.append(Group(heading, words, shown, layout="sides"))
    return groups


def colours(results: Results) -> dict[str, str]:
    """Give every network its colour, those that were asked first."""
    asked = asked_names(results)
    models = [s.model for s in results.scores if s.model in asked and s.candidate_kind == "model"]
    kinds = kinds_of_systems(results)
    rest = [a.system for a in results.answers if kinds[a.system] == "model"]
    return network_colours([*models, *(name for name in rest if name in asked)])


def _subject_figures(results: Results, level: str) -> list[Drawing]:
    dotted: dict[str, list[Answer]] = {}
    for answer in results.answers:
        if can_be_dotted(answer) and level_of(answer, results.scores) == level:
            dotted.setdefault(answer.question, []).append(answer)
    # Localisers have a figure of their own, with both halves.
    dotted.pop("localiser", None)
    kinds, palette = kinds_of_systems(results), colours(results)
    drawn = [
        subject_dots(question, answers, kinds=kinds, colours=palette)
        for question, answers in dotted.items()
    ]
    return [figure for figure in drawn if figure is not None]


def _confusions(results: Results) -> dict[str, list[Answer]]:
    """Group confusions by question and task, brains before networks."""
    found: dict[str, list[Answer]] = {}
    for answer in sorted(results.answers, key=lambda a: a.kind != "brain"):
        if answer.form == "confusion":
            task = str(answer.parameters.get("task", ""))
            key = f"{answer.question}: {task}" if task else answer.question
            found.setdefault(key, []).append(answer)
    return found


def _categories(answers: Sequence[Answer]) -> tuple[str, ...]:
    names = {str(v) for a in answers for dim in ("truth", "choice") for v in a.data[dim].values}
    return tuple(sorted(names))


def parts_groups(results: Results) -> list[Group]:
    """Give localisers and dose curves, the brain's in one column and the network's in the other."""
    groups = []
    for contrast in dict.fromkeys(r.contrast for r in results.localisers):
        figures = []
        for kind, side in (("brain", "brain"), ("model", "network")):
            found = [r for r in results.localisers if (r.contrast, r.kind) == (contrast, kind)]
            if found:
                figures.append(localiser_figure(found, contrast=contrast, side=side))
        words = "Do the units that prefer one side keep their preference on stimuli not used?"
        groups.append(
            Group(f"Localiser: {contrast_words(contrast)}", words, tuple(figures), layout="sides")
        )
    curves = [group for group in dose_groups(results) if len(group.average.doses)][:MAX_CURVES]
    for level, measure in dict.fromkeys((c.average.level, c.average.measure) for c in curves):
        alike = [c for c in curves if (c.average.level, c.average.measure) == (level, measure)]
        limits = common_limits([one for c in alike for one in (c.average, *c.curves)])
        figures = [dose_figure(c, limits=limits) for c in alike]
        words = f"Change at the level of {level}; random sets have the size of the target."
        groups.append(Group(f"Lesions: {measure}", words, tuple(figures), layout="sides"))
    return groups
