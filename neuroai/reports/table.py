"""Scores as a table in the terminal and as ``scores.csv``."""

from __future__ import annotations

import csv
import io
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from neuroai.format.results import Results
from neuroai.format.schema import LEVELS
from neuroai.format.scores import SCORE_COLUMNS, Score
from neuroai.reports.numbers import counted, number, outcome, probability, span
from neuroai.reports.selection import (
    Panel,
    Row,
    best_rows,
    ceiling_of,
    lesion_rows,
    panel_of,
    panels,
)
from neuroai.reports.style import plain, short

VALUE_COLUMNS = ("value", "ci_low", "ci_high", "ceiling_low", "ceiling_high", "p")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
QUESTIONS = {
    "computation": "Computation: what is done, and how well?",
    "algorithm": "Algorithm: by which representations?",
    "implementation": "Implementation: carried by which parts?",
}
DEFAULT_WIDTH, NARROWEST, WIDE = 100, 80, 100
# Column widths; what is left of the line is shared by the candidate (more) and its layer (less).
KIND, SCORE, INTERVAL, P, N, STATUS = 9, 7, 16, 6, 7, 6
GAP = "  "
BOLD, AMBER, FAINT, RESET = "\x1b[1m", "\x1b[33m", "\x1b[2m", "\x1b[0m"


def terminal_table(
    results: Results, *, width: int | None = None, colour: bool | None = None
) -> str:
    """Print what a comparison found as a table for the terminal, by Marr's level.

    One block a metric and brain region, one row a candidate; where a candidate has several
    layers, the one chosen on held-out stimuli (else the highest, marked ``*``). Single layers and
    seeds are left to ``scores.csv`` and counted.

    Parameters
    ----------
    results : Results
        What to print.
    width : int, optional
        Columns of text; those of the terminal by default, at least 80.
    colour : bool, optional
        Whether to use bold and colour; by default when standard output is a terminal and the
        environment variable ``NO_COLOR`` is not set.

    Returns
    -------
    str
        Lines of text, without control characters from names of others.
    """
    width = max(NARROWEST, width or shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns)
    if colour is None:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    lines = [(BOLD, plain(results.title))]
    if results.simulated:
        lines.append((AMBER, "Simulated brain: these data were made by a program."))
    for level in LEVELS:
        lines += _level(results, level, width)
    lines += _end(results, width)
    return "".join(_styled(style, line, colour) + "\n" for style, line in lines)


def _styled(style: str, line: str, colour: bool) -> str:
    return f"{style}{line}{RESET}" if colour and style and line else line


def _level(results: Results, level: str, width: int) -> list[tuple[str, str]]:
    lines = [("", ""), (BOLD, QUESTIONS[level])]
    blocks = {
        panel: best_rows(scores) for panel, scores in panels(results.scores, level=level).items()
    }
    for score in lesion_rows(results.scores):
        if score.level == level:
            blocks.setdefault(panel_of(score), []).append(Row(score, "only", 1))
    for panel, rows in blocks.items():
        lines += [("", ""), *_block(panel, rows, width)]
    absent = [item for item in results.not_measured if item.level == level]
    lines += [("", "")] if absent else []
    for item in absent:
        text = f"{item.system}, {item.question}: not measurable: {item.reason}"
        lines += [("", line) for line in _wrapped(text, width)]
    parts = _parts(results) if level == "implementation" else []
    for text in parts:
        lines += [("", line) for line in _wrapped(text, width)]
    if not blocks and not absent and not parts:
        lines.append((FAINT, "  not asked"))
    return lines


def _parts(results: Results) -> list[str]:
    """Give localisers, then lesions at their largest dose, a sentence each."""
    sentences = [
        f"{r.system} {r.subject}, {r.region}: localiser {r.contrast} selects "
        f"{counted(r.n_selected, r.unit_kind)}; held-out t "
        f"{number(r.t_heldout, digits=2) or 'undefined'}"
        for r in results.localisers
    ]
    for c in results.dose_curves:
        if len(c.doses):
            p = probability(float(c.p[-1]))
            sentences.append(
                f"{c.system}, {c.region}: {c.measure} {number(c.baseline)} → "
                f"{number(float(c.targeted[-1])) or 'undefined'} after the targeted {c.lesion} "
                f"lesion ({c.origin}) at dose {float(c.doses[-1]):g}"
                + (f"; p against random sets {p}" if p else "")
            )
    return sentences


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(plain(text), width, initial_indent="  ", subsequent_indent="    ")


def _block(panel: Panel, rows: Sequence[Row], width: int) -> list[tuple[str, str]]:
    band = ceiling_of([row.score for row in rows])
    heading = [f"{panel.metric} against {panel.brain_region}"]
    heading += [f"noise ceiling {span(*band)}" if band else "no noise ceiling"]
    names = ("candidate", "kind", "layer", "score", "95 % interval", "p", "n", "status")
    lines = [("", line) for line in _wrapped("; ".join(heading), width)]
    lines.append((FAINT, _line(names, width)))
    for row in rows:
        lines += [("", line) for line in _row(row, width)]
    if any(row.choice == "highest" for row in rows):
        lines.append((FAINT, "  * highest of several on the same stimuli"))
    return lines


def _widths(width: int) -> tuple[int, ...]:
    fixed = (KIND, SCORE, INTERVAL, P, *((N,) if width >= WIDE else ()), STATUS)
    rest = width - sum(fixed) - len(GAP) * (len(fixed) + 2)
    layer = rest * 2 // 5
    return (rest - layer, KIND, layer, *fixed[1:])


def _line(cells: Sequence[str], width: int) -> str:
    if width < WIDE:
        cells = [cell for at, cell in enumerate(cells) if at != 6]
    parts = [
        cell.rjust(size) if at == 3 else cell.ljust(size)
        for at, (cell, size) in enumerate(zip(cells, _widths(width), strict=True))
    ]
    return (GAP + GAP.join(parts)).rstrip()


def _row(row: Row, width: int) -> list[str]:
    score = row.score
    candidate_width, _, layer_width, *_ = _widths(width)
    lesion = "" if score.intervention in ("none", "") else f" {score.intervention} {score.dose:g}"
    seed = f" seed {score.seed}" if score.seed else ""
    mark = "*" if row.choice == "highest" else ""
    start = (
        short(f"{score.model}{seed}{lesion}", length=candidate_width),
        "network" if score.candidate_kind == "model" else score.candidate_kind,
        short(score.model_region, length=layer_width - len(mark)) + mark,
    )
    if score.status != "ok":
        head = _line((*start, "", "", "", "", ""), width)
        return [head, *_wrapped(f"  {outcome(score)}", width)]
    numbers = (
        number(score.value),
        span(score.ci_low, score.ci_high) or "–",
        probability(score.p) or "–",
        f"{score.n_stimuli} × {score.n_brain_subjects}" if score.n_stimuli else "–",
        "ok",
    )
    return [_line((*start, *numbers), width)]


def _end(results: Results, width: int) -> list[tuple[str, str]]:
    shown = sum(len(best_rows(scores)) for scores in panels(results.scores).values())
    rest = len(results.scores) - shown - len(lesion_rows(results.scores))
    lines = [("", "")]
    if width >= WIDE:
        lines.append((FAINT, "n: stimuli × brain subjects."))
    if rest > 0:
        more = counted(rest, "further score")
        lines.append((FAINT, f"{more} (single layers and seeds) in scores.csv."))
    for sentence in results.audit:
        lines += [(AMBER, line) for line in _wrapped(f"! {sentence}", width)]
    return lines


def write_scores_csv(scores: Iterable[Score], path: str | os.PathLike[str]) -> Path:
    """Write one row a score; numbers that do not exist are empty.

    Columns are those of `SCORE_COLUMNS`. ``value``, interval, ceiling and p are empty unless the
    status is ok. A text that a spreadsheet would take for a formula is preceded by ``'``.

    Parameters
    ----------
    scores : iterable of Score
        What to write.
    path : path
        The file; replaced whole.

    Returns
    -------
    Path
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(SCORE_COLUMNS)
    writer.writerows([_field(score, name) for name in SCORE_COLUMNS] for score in scores)
    return replace_file(path, buffer.getvalue())


def _field(score: Score, name: str) -> str:
    value = getattr(score, name)
    if name in VALUE_COLUMNS and score.status != "ok":
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, int):
        return str(value)
    return repr(float(value)) if math.isfinite(value) else ""


def replace_file(path: str | os.PathLike[str], text: str) -> Path:
    """Write text to a file in one step, so that a reader never meets half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="")
    os.replace(part, path)
    return path
