"""What the command line writes: the page, the tables, provenance and the last line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

from neuroai.format.files import save
from neuroai.format.results import Results
from neuroai.format.scores import SCORE_COLUMNS, Score, score_dataset
from neuroai.reports.numbers import number, probability, span
from neuroai.reports.page import write_page
from neuroai.reports.selection import best_rows, panels
from neuroai.reports.table import replace_file, write_scores_csv

HEADLINE_LEVELS = ("algorithm", "computation", "implementation")


def write_outputs(results: Results, folder: Path) -> dict[str, Path]:
    """Write report.html, scores.csv, scores.nc and provenance.json, each replaced whole.

    Parameters
    ----------
    results : Results
        What a comparison found.
    folder : pathlib.Path
        An existing folder.

    Returns
    -------
    dict
        From the file's name to its path.
    """
    paths = {name: folder / name for name in ("scores.csv", "scores.nc", "provenance.json")}
    write_scores_csv(results.scores, paths["scores.csv"])
    save(score_dataset(results.scores), paths["scores.nc"])
    text = json.dumps(dict(results.provenance), indent=2, sort_keys=True, default=str)
    replace_file(paths["provenance.json"], text + "\n")
    page = folder / "report.html"
    write_page(results, page)
    return {"report.html": page, **paths}


def json_lines(results: Results) -> Iterator[str]:
    """Give one JSON object a score; numbers that do not exist are null."""
    for score in results.scores:
        row = {name: _finite(getattr(score, name)) for name in SCORE_COLUMNS}
        yield json.dumps(row, ensure_ascii=False, allow_nan=False)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def headline(results: Results) -> str:
    """Say in one line what the first network scored, by the rule that the table follows.

    The first level that has a score of a network is told: algorithm, computation,
    implementation.
    """
    for level in HEADLINE_LEVELS:
        for scores in panels(results.scores, level=level).values():
            rows = [row for row in best_rows(scores) if row.score.candidate_kind == "model"]
            for row in rows:
                if row.score.status == "ok":
                    return _sentence(row.score, highest=row.choice == "highest")
    return "No score of a network is defined here; the page says why"


def _sentence(score: Score, *, highest: bool) -> str:
    layer = f" {score.model_region}" if score.model_region else ""
    note = " (highest of its layers)" if highest else ""
    text = f"{score.model}{layer}{note} with {score.brain_region or score.dataset}: "
    text += f"{score.metric} {number(score.value)}"
    interval = span(score.ci_low, score.ci_high)
    ceiling = span(score.ceiling_low, score.ceiling_high)
    parts = [
        f"95 % interval {interval}" if interval else "",
        f"ceiling {ceiling}" if ceiling else "",
        f"p {probability(score.p)}" if math.isfinite(score.p) else "",
    ]
    return ", ".join([text, *filter(None, parts)])
