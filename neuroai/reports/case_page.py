"""The page of a worked case: one table over three levels, and the figures behind its lines."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from neuroai.errors import DataError
from neuroai.format.cases import TABLE_COLUMNS, CaseResults, Cell, Line, case_scores, table_rows
from neuroai.format.schema import LEVELS
from neuroai.reports.context import flat
from neuroai.reports.figures_case import curve_figure, curve_limits
from neuroai.reports.figures_lesions import common_limits, dose_figure
from neuroai.reports.figures_rdm import rdm_figure
from neuroai.reports.lesions import DoseGroup
from neuroai.reports.numbers import number, probability, span
from neuroai.reports.page import MAX_BYTES, NOT_CLAIMED, QUESTIONS
from neuroai.reports.style import RDM_COLOURS, plain, short
from neuroai.reports.svg import Drawing
from neuroai.reports.table import replace_file, write_scores_csv
from neuroai.reports.template import FOLDER, environment

FILES = ("scores.csv", "table.csv", "provenance.json")
SHARED_WORDS = {"same": "the same", "re-created": "stimuli: re-created", "no": "others"}
CASE_NOT_CLAIMED = (
    "Two cells in one line answer one question; where the stimuli differ, they do not measure one "
    "quantity, and no difference between the two numbers is tested.",
)


def write_case(results: CaseResults, folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Write report.html, scores.csv, table.csv and provenance.json, each replaced whole.

    Parameters
    ----------
    results : CaseResults
        What a worked case found.
    folder : path
        Where to write; made where it does not exist.

    Returns
    -------
    dict
        From the file's name to its path.

    Raises
    ------
    DataError
        The page would be larger than 5 MB even without the numbers under its figures.

    Examples
    --------
    >>> import tempfile
    >>> nothing = CaseResults(name="none@1", title="none", question="?", simulated=False, lines=())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(write_case(nothing, folder))
    ['provenance.json', 'report.html', 'scores.csv', 'table.csv']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_scores_csv(case_scores(results), folder / "scores.csv")
    replace_file(folder / "table.csv", _table_csv(results))
    text = json.dumps(dict(results.provenance), indent=2, sort_keys=True, default=str)
    replace_file(folder / "provenance.json", text + "\n")
    replace_file(folder / "report.html", _fitting(results))
    return {name: folder / name for name in ("report.html", *FILES)}


def _fitting(results: CaseResults) -> str:
    for tables in (True, False):
        page = render_case(results, tables=tables)
        if len(page.encode("utf-8")) <= MAX_BYTES:
            return page
    raise DataError(
        f"The page of '{results.title}' would be larger than {MAX_BYTES // 1_000_000} MB. Ask "
        "fewer questions that draw matrices in one case."
    )


def _table_csv(results: CaseResults) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(TABLE_COLUMNS)
    for row in table_rows(results):
        writer.writerow([_field(row[name]) for name in TABLE_COLUMNS])
    return buffer.getvalue()


def _field(value: object) -> str:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    text = str(value)
    # A spreadsheet must not take a text for a formula.
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


@dataclass(frozen=True)
class PrintedCell:
    """A cell as the page prints it."""

    side: str
    value: str
    facts: tuple[str, ...]
    where: str
    absent: str
    null: str


@dataclass(frozen=True)
class PrintedLine:
    """A line as the page prints it."""

    id: str
    question: str
    brain: PrintedCell
    network: PrintedCell
    shared: str
    verdict: str


@dataclass(frozen=True)
class Pictures:
    """The figures of one line, with what the line says of a side that has none."""

    heading: str
    words: str
    line: PrintedLine
    figures: tuple[Drawing, ...]
    legend: str


def render_case(results: CaseResults, *, tables: bool = True) -> str:
    """Give the page as text; `tables` puts the numbers of every figure under it."""
    levels = [_level(results, level) for level in LEVELS]
    counts = Counter(line.verdict.partition(":")[0] for line in results.lines)
    return (
        environment()
        .get_template("case.html.j2")
        .render(
            results=results,
            style=Markup((FOLDER / "style.css").read_text(encoding="utf-8")),
            gradient=Markup(", ".join(RDM_COLOURS)),
            levels=[level for level in levels if level["lines"]],
            questions=QUESTIONS,
            verdicts=[f"{n} × {words}" for words, n in counts.most_common()],
            not_claimed=(*CASE_NOT_CLAIMED, *NOT_CLAIMED),
            provenance=flat(results.provenance),
            files=FILES,
            tables=tables,
        )
    )


def _level(results: CaseResults, level: str) -> dict[str, object]:
    lines = [line for line in results.lines if line.level == level]
    groups = [_pictures(results, line) for line in lines]
    return {
        "name": level,
        "lines": [_printed(line) for line in lines],
        "groups": [group for group in groups if group.figures],
    }


def _printed(line: Line) -> PrintedLine:
    return PrintedLine(
        id=line.id, question=line.question, brain=_cell(line.brain), network=_cell(line.network),
        shared=SHARED_WORDS[line.shared], verdict=line.verdict,
    )  # fmt: skip


def _cell(cell: Cell) -> PrintedCell:
    if cell.status != "ok":
        words = f"{cell.status.replace('_', ' ')}: {cell.note}"
        return PrintedCell(cell.side, "", (), _place(cell), words, "")
    interval = span(cell.ci_low, cell.ci_high)
    p = probability(cell.p)
    facts = (
        plain(cell.measure),
        f"95 % {interval}" if interval else "",
        f"n {cell.n:,} {_unit(cell)}" if cell.n else "",
        (f"p {p}" if p.startswith("<") else f"p = {p}") if p else "no test",
        plain(cell.note),
    )
    return PrintedCell(
        cell.side, number(cell.value), tuple(filter(None, facts)), _place(cell), "",
        plain(cell.null),
    )  # fmt: skip


def _unit(cell: Cell) -> str:
    return cell.unit.removesuffix("s") if cell.n == 1 else cell.unit


def _place(cell: Cell) -> str:
    where = f", {short(cell.where, length=60)}" if cell.where else ""
    origin = "" if cell.origin == "computed" else f" ({cell.origin})"
    return f"{cell.dataset}: {short(cell.system, length=34)}{where}{origin}"


def _pictures(results: CaseResults, line: Line) -> Pictures:
    """Give the figures of one line, the brain's in one column and the network's in the other."""
    figures = [*_curves(results, line), *_doses(results, line), *_matrices(results, line)]
    legend = "rdm" if any(a.form == "rdm" for a in results.answers.get(line.id, ())) else ""
    words = f"{line.verdict[:1].upper()}{line.verdict[1:]}."
    return Pictures(line.question, words, _printed(line), tuple(figures), legend)


def _curves(results: CaseResults, line: Line) -> list[Drawing]:
    curves = [curve for curve in results.curves.get(line.id, ()) if len(curve.x)]
    found = []
    for index, curve in enumerate(curves):
        alike = [one for one in curves if one.y_label == curve.y_label]
        name = f"{line.id}-{curve.side}-{index}"
        found.append(curve_figure(curve, name=name, limits=curve_limits(alike)))
    return found


def _doses(results: CaseResults, line: Line) -> list[Drawing]:
    curves = results.dose_curves.get(line.id, ())
    groups = [DoseGroup(c.system, ("",), (c,), c) for c in curves]
    return [dose_figure(group, limits=common_limits([group.average])) for group in groups]


def _matrices(results: CaseResults, line: Line) -> list[Drawing]:
    drawn = [
        rdm_figure(
            answer, answer.regions[0], title=short(answer.system, length=36),
            labels=results.stimulus_labels,
            side="brain" if answer.kind == "brain" else "network",
        )
        for answer in results.answers.get(line.id, ())
        if answer.form == "rdm"
    ]  # fmt: skip
    return [figure for figure in drawn if figure is not None]


def case_lines(results: CaseResults) -> str:
    """Give the table for a terminal: one line a question.

    Examples
    --------
    >>> case_lines(CaseResults(name="x@1", title="x", question="?", simulated=False, lines=()))
    ''
    """
    rows = []
    for line in results.lines:
        left, right = (_brief(cell) for cell in line.cells)
        rows.append(f"{line.level[:14]:<15}{line.id[:22]:<23}{left:<24}{right:<24}{line.verdict}")
    return "\n".join(plain(row) for row in rows)


def _brief(cell: Cell) -> str:
    if cell.status != "ok":
        return cell.status.replace("_", " ")
    p = probability(cell.p)
    told = (f" (p {p})" if p.startswith("<") else f" (p = {p})") if p else ""
    return f"{cell.side[:1].upper()} {number(cell.value)}{told}"
