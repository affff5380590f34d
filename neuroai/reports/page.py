"""The page: one file that shows what a comparison found, without network and without scripts."""

from __future__ import annotations

import os
from pathlib import Path

from markupsafe import Markup

from neuroai.errors import DataError
from neuroai.format.results import Results
from neuroai.format.schema import LEVELS
from neuroai.format.scores import Score
from neuroai.reports.context import audit, flat, glance, unmeasured
from neuroai.reports.gallery import (
    behaviour_groups,
    colours,
    parts_groups,
    rdm_groups,
    score_groups,
)
from neuroai.reports.numbers import outcome, probability, span
from neuroai.reports.selection import kind_words
from neuroai.reports.style import RDM_COLOURS
from neuroai.reports.table import replace_file
from neuroai.reports.template import FOLDER, environment
from neuroai.reports.verdict import Verdict, verdicts

MAX_BYTES = 5_000_000
MAX_SCORE_ROWS = 1500
FILES = ("scores.csv", "scores.nc", "provenance.json")
A_LEVEL = 2

QUESTIONS = {
    "computation": "What is done, and how well?",
    "algorithm": "By which representations?",
    "implementation": "Carried by which parts?",
}
HOW_DRAWN = (
    "Numbers on this page are those of scores.csv, rounded to three digits. Matrices are averages "
    "over subjects made for the picture alone; dissimilarities are shown as percentiles of their "
    "matrix, so that matrices in different units can be compared by eye.",
)
NOT_CLAIMED = (
    "A high score is not a mechanism: two systems can order stimuli alike for different reasons.",
    "A score depends on the stimuli, the metric and the noise of the recordings; without a noise "
    "ceiling it cannot be called high or low.",
    "A lesion shows that parts are needed for a measure under these stimuli, not that they alone "
    "carry it; and what a lesion does to a network says nothing about a brain that was not "
    "lesioned.",
    "An interval speaks only of what was resampled, named beside it. Few subjects or stimuli make "
    "intervals too narrow or too wide; such scores are marked uncalibrated.",
    "A p-value above .05 is not evidence that there is no effect.",
)


def write_page(results: Results, path: str | os.PathLike[str]) -> Path:
    """Write what a comparison found as one HTML file of at most 5 MB.

    The page needs no network and no scripts; every name in it is escaped, and a content security
    policy forbids what is not in the file. Where the full tables under the figures would make it
    too large they are left out, and the page says so.

    Parameters
    ----------
    results : Results
        What to show; nothing is computed from it but orders, rounding and averages for pictures.
    path : path
        The file; replaced whole. ``scores.csv``, ``scores.nc`` and ``provenance.json`` are linked
        as its neighbours.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        Even without its tables the page is larger than 5 MB.
    """
    for tables in (True, False):
        page = render(results, tables=tables)
        if len(page.encode("utf-8")) <= MAX_BYTES:
            return replace_file(path, page)
    raise DataError(
        f"The page of '{results.title}' would be larger than {MAX_BYTES // 1_000_000} MB. Show "
        "fewer answers: compare fewer regions or models at once."
    )


def render(results: Results, *, tables: bool = True) -> str:
    """Give the page as text; `tables` puts the numbers of every figure under it."""
    told, folded = _verdicts(results)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            results=results,
            style=Markup((FOLDER / "style.css").read_text(encoding="utf-8")),
            gradient=Markup(", ".join(RDM_COLOURS)),
            verdicts=told,
            further=folded,
            glance=glance(results),
            levels=[_level(results, level) for level in LEVELS],
            questions=QUESTIONS,
            audit=audit(results),
            n_found=sum(line.found for line in results.truth),
            score_header=SCORE_HEADER,
            score_rows=[_score_row(s) for s in results.scores[:MAX_SCORE_ROWS]],
            n_scores=len(results.scores),
            how_drawn=HOW_DRAWN,
            not_claimed=NOT_CLAIMED,
            provenance=flat(results.provenance),
            files=FILES,
            tables=tables,
        )
    )


def _verdicts(results: Results) -> tuple[list[Verdict], list[Verdict]]:
    """Give the first verdicts of every level, and the rest, which is folded."""
    told: list[Verdict] = []
    folded: list[Verdict] = []
    for verdict in verdicts(results, colours=colours(results)):
        shown = sum(v.level == verdict.level for v in told)
        (told if shown < A_LEVEL else folded).append(verdict)
    return told, folded


def _level(results: Results, level: str) -> dict[str, object]:
    groups = [*score_groups(results, level), *rdm_groups(results, level)]
    if level == "computation":
        groups += behaviour_groups(results)
    if level == "implementation":
        groups += parts_groups(results)
    return {
        "name": level,
        "groups": groups,
        "brain_not": unmeasured(results, level, "brain"),
        "network_not": unmeasured(results, level, "network"),
    }


SCORE_HEADER = (
    "level",
    "metric",
    "brain region",
    "candidate",
    "kind",
    "layer",
    "lesion",
    "score",
    "95 % interval",
    "ceiling",
    "p",
    "stimuli",
    "subjects",
    "note",
)


def _score_row(s: Score) -> tuple[str, ...]:
    lesion = "" if s.intervention in ("none", "") else f"{s.intervention} {s.dose:g}"
    return (
        s.level,
        s.metric,
        s.brain_region,
        s.model + (f" (seed {s.seed})" if s.seed else ""),
        kind_words(s.candidate_kind),
        s.model_region + (" (chosen)" if s.selected else ""),
        lesion,
        outcome(s),
        span(s.ci_low, s.ci_high),
        span(s.ceiling_low, s.ceiling_high),
        probability(s.p),
        str(s.n_stimuli or ""),
        str(s.n_brain_subjects or ""),
        s.note if s.status == "ok" else "",
    )
