"""Networks beside each other on one benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from neuroai.checks import listing, one_of
from neuroai.errors import DataError
from neuroai.format.scores import Score
from neuroai.reports.numbers import number, outcome, probability, span
from neuroai.reports.selection import Panel, Row, best_rows, kind_words, panels
from neuroai.reports.style import plain
from neuroai.reports.template import environment

FORMS = ("text", "html")
HEADER = ("", "candidate", "kind", "layer", "score", "95 % interval", "ceiling", "p", "n")


def leaderboard_table(scores: Iterable[Score], *, form: str = "text") -> str:
    """Make a table over networks: networks by falling score, then the controls under a rule.

    Each candidate has one row a metric and brain region; controls are the untrained network,
    another subject or species in the network's place, and simple explanations. Ranks are of the
    networks alone; two networks whose intervals overlap are not shown to differ.

    Parameters
    ----------
    scores : iterable of Score
        Of one benchmark.
    form : {"text", "html"}
        Lines of text, or a ``<section>`` whose every name is escaped.

    Returns
    -------
    str

    Raises
    ------
    DataError
        There are no scores, or they are of several benchmark versions.
    """
    one_of(form, FORMS, option="form")
    scores = list(scores)
    _same_version(scores)
    blocks = [
        (_heading(panel), [_cells(rank, row) for rank, row in _ranked(group)])
        for panel, group in panels(scores).items()
    ]
    if form == "html":
        template = environment().get_template("leaderboard.html.j2")
        return template.render(header=HEADER, blocks=blocks)
    return "\n\n".join(_text(heading, rows) for heading, rows in blocks) + "\n"


def _same_version(scores: Sequence[Score]) -> None:
    if not scores:
        raise DataError("A leaderboard needs scores; got none. Run a benchmark first.")
    versions = sorted({score.benchmark_version for score in scores})
    if len(versions) > 1:
        named = listing([f"'{version}'" for version in versions])
        raise DataError(
            f"A leaderboard needs scores of one benchmark version; got {named}. Scores of "
            "different versions cannot be compared: run the older ones again."
        )


def _heading(panel: Panel) -> str:
    parts = (panel.level, panel.analysis, panel.metric, panel.dataset, panel.brain_region)
    return plain(" · ".join(part for part in parts if part))


def _ranked(scores: Sequence[Score]) -> list[tuple[str, Row]]:
    rows = best_rows(scores)
    ranks = iter(range(1, len(rows) + 1))
    return [
        (
            str(next(ranks))
            if r.score.candidate_kind == "model" and r.score.status == "ok"
            else "",
            r,
        )
        for r in rows
    ]


def _cells(rank: str, row: Row) -> tuple[str, ...]:
    score = row.score
    mark = " *" if row.choice == "highest" else ""
    return (
        rank,
        plain(score.model) + (f" (seed {plain(score.seed)})" if score.seed else ""),
        kind_words(score.candidate_kind),
        plain(score.model_region) + mark,
        plain(outcome(score)),
        span(score.ci_low, score.ci_high) or "–",
        span(score.ceiling_low, score.ceiling_high) or "–",
        probability(score.p) or "–",
        f"{number(score.n_stimuli, digits=0)} × {number(score.n_brain_subjects, digits=0)}",
    )


def _text(heading: str, rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(line[i]) for line in [HEADER, *rows]) for i in range(len(HEADER))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    networks = [row for row in rows if row[2] == "network"]
    controls = [row for row in rows if row[2] != "network"]
    lines = [heading, line(HEADER), rule, *map(line, networks)]
    lines += [rule, *map(line, controls)] if controls else []
    if any(row[3].endswith(" *") for row in rows):
        lines.append("* highest of several layers on the same stimuli")
    return "\n".join(lines)
