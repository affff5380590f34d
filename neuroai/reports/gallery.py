"""Which figures a page shows, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neuroai.format.answers import Answer
from neuroai.format.results import Results
from neuroai.reports.context import kinds_of_systems, level_of
from neuroai.reports.figures_behaviour import can_be_dotted, confusion_figure, subject_dots
from neuroai.reports.figures_layers import layer_curves
from neuroai.reports.figures_lesions import common_limits, dose_figure, localiser_figure
from neuroai.reports.figures_rdm import rdm_figure
from neuroai.reports.figures_scores import candidate_dots
from neuroai.reports.selection import best_rows, panels
from neuroai.reports.style import network_colours, short
from neuroai.reports.svg import Drawing

MAX_ROWS = 8
MAX_CANDIDATES = 4
MAX_CURVES = 24


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
    """Give single subjects, dots and layer curves of every panel; further metrics are folded."""
    colours = _colours(results)
    first: dict[tuple[str, ...], str] = {}
    shown: list[Drawing] = []
    folded: list[Drawing] = []
    for panel, scores in panels(results.scores, level=level).items():
        key = (panel.analysis, panel.dataset, panel.stimulus_set, panel.brain_region)
        main = first.setdefault(key, panel.metric) == panel.metric
        figures = [draw(panel, scores, colours=colours) for draw in (candidate_dots, layer_curves)]
        place = shown if main and len(shown) < 2 * MAX_ROWS else folded
        place += [figure for figure in figures if figure is not None]
    shown += _subject_figures(results, level)
    groups = []
    if shown:
        words = "Every candidate in the same place: networks, their controls and other subjects."
        groups.append(Group("Agreement of brain and network", words, tuple(shown), wide=True))
    if folded:
        groups.append(
            Group("Further metrics and regions", "", tuple(folded), wide=True, folded=True)
        )
    return groups


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
            heading = f"Dissimilarities ({answer.question}): {region}"
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
        layer = _best_layer(results, answer, region)
        control = " (untrained)" if kinds.get(answer.system) == "untrained" else ""
        # A name such as hf:... of an untrained twin often says so itself; the title says it anyway.
        title = f"{short(answer.system, length=32 - len(control))}{control}"
        figure = rdm_figure(
            answer, layer, title=title, labels=results.stimulus_labels, side="network"
        )
        if figure is not None:
            figures.append(figure)
    return figures


def _best_layer(results: Results, answer: Answer, region: str) -> str:
    """Give the layer of a candidate that stands in the table for a region of the brain."""
    for panel, scores in panels(results.scores).items():
        if panel.analysis == answer.question and panel.brain_region == region:
            for row in best_rows(scores):
                if row.score.model == answer.system and row.score.model_region in answer.regions:
                    return row.score.model_region
    return answer.regions[-1]


def behaviour_groups(results: Results) -> list[Group]:
    """Give confusions, human beside model, and the dots of single subjects."""
    groups = []
    for question, answers in _by_question(results, "confusion").items():
        categories = _categories(answers)
        figures = [
            confusion_figure(
                answer,
                answer.regions[0],
                title=short(answer.system, length=32),
                side="brain" if answer.kind == "brain" else "network",
                categories=categories,
            )
            for answer in answers[: MAX_CANDIDATES + 1]
        ]
        shown = tuple(figure for figure in figures if figure is not None)
        if shown:
            words = "What was chosen for each true category; right choices lie on the diagonal."
            heading = (
                "Confusions" if question.startswith("confusion") else f"Confusions: {question}"
            )
            groups.append(Group(heading, words, shown))
    return groups


def _colours(results: Results) -> dict[str, str]:
    models = [s.model for s in results.scores if s.candidate_kind == "model"]
    kinds = kinds_of_systems(results)
    rest = [a.system for a in results.answers if kinds[a.system] == "model"]
    return network_colours([*models, *rest])


def _subject_figures(results: Results, level: str) -> list[Drawing]:
    dotted: dict[str, list[Answer]] = {}
    for answer in results.answers:
        if can_be_dotted(answer) and level_of(answer, results.scores) == level:
            dotted.setdefault(answer.question, []).append(answer)
    # Localisers have a figure of their own, with both halves.
    dotted.pop("localiser", None)
    kinds, colours = kinds_of_systems(results), _colours(results)
    drawn = [
        subject_dots(question, answers, kinds=kinds, colours=colours)
        for question, answers in dotted.items()
    ]
    return [figure for figure in drawn if figure is not None]


def _by_question(results: Results, form: str) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for answer in sorted(results.answers, key=lambda a: a.kind != "brain"):
        if answer.form == form:
            found.setdefault(answer.question, []).append(answer)
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
        groups.append(Group(f"Localiser: {contrast}", words, tuple(figures), layout="sides"))
    curves = results.dose_curves[:MAX_CURVES]
    for measure in dict.fromkeys((c.level, c.measure) for c in curves):
        alike = [c for c in curves if (c.level, c.measure) == measure]
        figures = [dose_figure(c, limits=common_limits(alike)) for c in alike]
        words = f"Change at the level of {measure[0]}; random sets have the size of the target."
        groups.append(Group(f"Lesions: {measure[1]}", words, tuple(figures), layout="sides"))
    return groups
