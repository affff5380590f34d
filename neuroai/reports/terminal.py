"""What a comparison found, in the terminal: the verdict, then one table a level."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

from neuroai.format.results import Results
from neuroai.format.schema import LEVELS
from neuroai.format.scores import Score
from neuroai.reports.context import audit, merged
from neuroai.reports.lesions import best_localised, dose_groups, fall, localiser_words
from neuroai.reports.numbers import counted, number, outcome, probability, span
from neuroai.reports.selection import (
    MEAN_RDM,
    Panel,
    Row,
    asked_and_published,
    asked_names,
    best_rows,
    ceiling_of,
    layer_of,
    main_panels,
    own_values,
    reference_of,
)
from neuroai.reports.style import plain, short
from neuroai.reports.verdict import headline, n_words
from neuroai.reports.words import candidate_words, metric_words, question_words

QUESTIONS = {
    "computation": "Computation: what is done, and how well?",
    "algorithm": "Algorithm: by which representations?",
    "implementation": "Implementation: carried by which parts?",
}
DEFAULT_WIDTH, NARROWEST, WIDEST = 100, 80, 120
LAYER, SCORE, INTERVAL, P = 22, 7, 16, 6
MAX_LINES = 6
GAP = "  "
BOLD, AMBER, FAINT, RESET = "\x1b[1m", "\x1b[33m", "\x1b[2m", "\x1b[0m"
Lines = list[tuple[str, str]]


def terminal_table(
    results: Results, *, width: int | None = None, colour: bool | None = None
) -> str:
    """Print what a comparison found for the terminal: the verdict, then Marr's levels.

    Every level has one table of its first question by its first metric; where a candidate has
    several layers, the one chosen on held-out stimuli (else the highest, marked ``*``). All else
    is left to ``scores.csv`` and counted.

    Parameters
    ----------
    results : Results
        What to print.
    width : int, optional
        Columns of text; those of the terminal by default, 80 to 120.
    colour : bool, optional
        Whether to use bold and colour; by default when standard output is a terminal and the
        environment variable ``NO_COLOR`` is not set.

    Returns
    -------
    str
        Lines of text, without control characters from names of others.
    """
    columns = width or shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    width = min(max(NARROWEST, columns), WIDEST)
    if colour is None:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    lines = _head(results, width)
    for level in LEVELS:
        lines += [("", ""), (BOLD, QUESTIONS[level]), *_level(results, level, width)]
    lines += _end(results, width)
    return "".join(_styled(style, line, colour) + "\n" for style, line in lines)


def _styled(style: str, line: str, colour: bool) -> str:
    return f"{style}{line}{RESET}" if colour and style and line else line


def _wrapped(text: str, width: int, *, style: str = "", indent: str = "  ") -> Lines:
    parts = textwrap.wrap(
        plain(text), width, initial_indent=indent, subsequent_indent=f"{indent}  "
    )
    return [(style, part) for part in parts]


def _head(results: Results, width: int) -> Lines:
    lines = _wrapped(results.title, width, style=BOLD, indent="")
    if results.simulated:
        lines.append((AMBER, "Simulated brain: these data were made by a program."))
    verdict = headline(results)
    if verdict is not None:
        layer = f" {verdict.layer}" if verdict.layer else ""
        text = f"{verdict.value}  {verdict.model}{layer} {verdict.says} {verdict.beside}"
        lines += [("", ""), *_wrapped(text, width, style=BOLD)]
    if results.truth:
        found = sum(line.found for line in results.truth)
        lines += _wrapped(f"{found} of {len(results.truth)} planted facts were recovered.", width)
        for line in results.truth:
            if not line.found:
                text = f"not recovered: {line.name}: planted {line.planted}, got {line.recovered}"
                lines += _wrapped(text, width, style=AMBER)
    return lines


def _level(results: Results, level: str, width: int) -> Lines:
    asked = asked_names(results)
    lines: Lines = []
    for question, scores in own_values(results.scores, level=level).items():
        lines += _wrapped(_own(question, scores, asked), width)
    main = main_panels(results.scores, level=level)
    if main:
        lines.append((FAINT, _line(("", "layer", "score", "95 % interval", "p"), width)))
    for panel, scores in main.items():
        lines += _block(panel, scores, asked, width)
        lines += _of_mean_rdm(results, panel, asked, width)
    counts = dict.fromkeys(text for scores in main.values() if (text := _counted(scores)))
    lines += [line for text in counts for line in _wrapped(text, width, style=FAINT)]
    if level == "implementation":
        lines += _parts(results, width)
    for item in merged(i for i in results.not_measured if i.level == level):
        text = f"{item.question}, {item.system}: not measurable: {item.reason}"
        lines += _wrapped(text, width, style=FAINT)
    return lines or [(FAINT, "  not asked")]


def _counted(scores: Sequence[Score]) -> str:
    network = next((s for s in scores if s.candidate_kind == "model" and s.status == "ok"), None)
    if network is None:
        return ""
    over = network.resampled.replace("+", " and ")
    return f"n: {n_words(network)}" + (f"; intervals over {over}" if over else "")


def _own(question: str, scores: Sequence[Score], asked: frozenset[str]) -> str:
    shown = [s for s in scores if not s.model or s.model in asked]
    others = [s.value for s in scores if s not in shown and s.status == "ok"]
    parts = [_told(score) for score in shown]
    if others:
        reach = span(min(others), max(others))
        parts.append(f"{counted(len(others), 'published network')} {reach}")
    return f"{question_words(question)}: {', '.join(parts)}"


def _told(score: Score) -> str:
    interval = span(score.ci_low, score.ci_high)
    text = f"{score.model or score.brain_region} {outcome(score)}"
    return f"{text} [{interval}]" if interval and score.status == "ok" else text


def _block(panel: Panel, scores: Sequence[Score], asked: frozenset[str], width: int) -> Lines:
    rows, published = asked_and_published(best_rows(scores), asked)
    rows = [row for row in rows if row.score.candidate_kind != "confound"]
    _, _, task = panel.analysis.partition(": ")
    heading = f"{metric_words(panel.metric)} with {panel.brain_region}"
    lines = _wrapped(f"{heading}, {task}:" if task else f"{heading}:", width)
    for row in rows:
        lines += _row(row, width)
    lines += _limits(scores, published, width)
    if any(row.choice == "highest" for row in rows):
        lines.append((FAINT, "  * highest of several on the same stimuli"))
    return lines


def _of_mean_rdm(results: Results, panel: Panel, asked: frozenset[str], width: int) -> Lines:
    """Print what networks score against the averaged RDM, which many papers give: no ceiling."""
    rows = [
        s
        for s in results.scores
        if s.analysis == MEAN_RDM
        and s.status == "ok"
        and (s.brain_region, s.metric) == (panel.brain_region, panel.metric)
        and s.candidate_kind == "model"
        and s.model in asked
    ]
    best = {name: max((s for s in rows if s.model == name), key=_value) for name in _names(rows)}
    told = [f"{name} {layer_of(s)} {number(s.value)}" for name, s in best.items()]
    if not told:
        return []
    text = f"{MEAN_RDM} (RDMs averaged first; no ceiling applies), highest layer: "
    return _wrapped(text + ", ".join(told), width, style=FAINT, indent="    ")


def _value(score: Score) -> float:
    return score.value


def _names(scores: Sequence[Score]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(score.model for score in scores))


def _limits(scores: Sequence[Score], published: Sequence[Row], width: int) -> Lines:
    """Print what else stands in the panel: published networks, the ceiling or its lower bound."""
    lines: Lines = []
    values = [row.score.value for row in published if row.score.status == "ok"]
    if values:
        text = f"{counted(len(values), 'published network')}"
        lines.append(("", _line((text, "", "", span(min(values), max(values)), ""), width)))
    band, other = ceiling_of(scores), reference_of(scores)
    if band is not None:
        lines.append(("", _line(("noise ceiling", "", "", span(*band), ""), width)))
    elif other is not None:
        lines.append(("", _line(("another subject reaches", "", number(other), "", ""), width)))
    return lines


def _first(width: int) -> int:
    return width - (LAYER + SCORE + INTERVAL + P) - 6 * len(GAP)


def _line(cells: Sequence[str], width: int) -> str:
    sizes = (_first(width), LAYER, SCORE, INTERVAL, P)
    parts = [
        cell.rjust(size) if at == 2 else cell.ljust(size)
        for at, (cell, size) in enumerate(zip(cells, sizes, strict=True))
    ]
    return (GAP * 2 + GAP.join(parts)).rstrip()


def _row(row: Row, width: int) -> Lines:
    score = row.score
    seed = f" ({score.seed})" if score.seed and score.candidate_kind == "model" else ""
    seed = seed if row.n_regions == 0 else ""
    mark = "*" if row.choice == "highest" else ""
    name = candidate_words(score.model, score.candidate_kind) + seed
    start = (
        short(name, length=_first(width)),
        short(layer_of(score), length=LAYER - len(mark)) + mark,
    )
    if score.status != "ok":
        return [("", _line((*start, "", "", ""), width)), *_wrapped(f"  {outcome(score)}", width)]
    numbers = (
        number(score.value),
        span(score.ci_low, score.ci_high) or "–",
        probability(score.p) or "–",
    )
    return [("", _line((*start, *numbers), width))]


def _parts(results: Results, width: int) -> Lines:
    """Give the best localised region and the lesions of every system, a sentence each."""
    lines: Lines = []
    for item in best_localised(results.localisers):
        lines += _wrapped(f"{item.system}, localiser: {localiser_words(item)}", width)
    groups = [group for group in dose_groups(results) if len(group.average.doses)]
    for group in groups[:MAX_LINES]:
        curve = group.average
        text = f"{group.system}, {curve.origin} lesion of {curve.region}, dose "
        lines += _wrapped(f"{text}{float(curve.doses[-1]):g}: {fall(group)}", width)
    if len(groups) > MAX_LINES:
        lines.append((FAINT, f"  and {len(groups) - MAX_LINES} further dose curves on the page"))
    return lines


def _end(results: Results, width: int) -> Lines:
    shown = sum(
        len(best_rows(scores))
        for level in LEVELS
        for scores in main_panels(results.scores, level=level).values()
    )
    rest = len(results.scores) - shown
    lines: Lines = [("", "")]
    for sentence in audit(results).told[:MAX_LINES]:
        lines += _wrapped(f"! {sentence}", width, style=AMBER)
    if rest > 0:
        text = f"  {counted(rest, 'further score')} (other metrics, layers, seeds) in scores.csv."
        lines.append((FAINT, text))
    return lines
