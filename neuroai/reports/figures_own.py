"""What every system does by itself, such as its accuracy: brain and networks in one frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from neuroai.format.scores import Score
from neuroai.reports.numbers import number, outcome, span
from neuroai.reports.selection import FEW
from neuroai.reports.style import BRAIN, INK, PAPER, REFERENCE, RULE, UNTRAINED, plain, short
from neuroai.reports.svg import Drawing, draw
from neuroai.reports.verdict import n_words
from neuroai.reports.words import question_words

WIDTH, ROW_HEIGHT, FRAME = 440, 28, 74


def own_figure(
    question: str, scores: Sequence[Score], *, colours: Mapping[str, str], asked: frozenset[str]
) -> Drawing | None:
    """Draw the value of every system for one question; None where none is defined.

    Brains stand first; many published networks share one row of small circles.
    """
    fine = [score for score in scores if score.status == "ok"]
    if not fine:
        return None
    others = [s for s in fine if s.model and s.model not in asked]
    together = others if len(others) > FEW else []
    rows = [s for s in fine if s not in together]
    title = question_words(question)

    def paint(axes: Axes) -> None:
        for height, score in enumerate(rows):
            _dot(axes, score, height, colour=_colour(score, colours))
        if together:
            _strip(axes, together, len(rows))
        _dress(axes, rows, together, title)

    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=FRAME + ROW_HEIGHT * (len(rows) + bool(together)),
            name=f"own-{question}",
            description=f"{title}: "
            + "; ".join(f"{system_name(s)} {number(s.value)}" for s in rows),
        ),
        caption=(
            f"{plain(title)[:1].upper()}{plain(title)[1:]}: what each system reaches by itself; "
            "bars are 95 % intervals."
        ),
        header=("system", "value", "95 % interval", "n", "note"),
        rows=tuple(
            (system_name(s), outcome(s), span(s.ci_low, s.ci_high) or "–", n_words(s), s.note)
            for s in scores
        ),
    )


def system_name(score: Score) -> str:
    """Give the system whose own value a score is."""
    return score.model or score.brain_region


def _colour(score: Score, colours: Mapping[str, str]) -> str:
    if not score.model:
        return BRAIN
    return UNTRAINED if score.candidate_kind == "untrained" else colours.get(score.model, REFERENCE)


def _dot(axes: Axes, score: Score, height: int, *, colour: str) -> None:
    if math.isfinite(score.ci_low) and math.isfinite(score.ci_high):
        axes.plot([score.ci_low, score.ci_high], [height, height], color=colour, linewidth=2.2)
    axes.plot(
        [score.value],
        [height],
        linestyle="",
        marker="o",
        markersize=8.5,
        markerfacecolor=PAPER if score.candidate_kind == "untrained" else colour,
        markeredgecolor=colour,
        markeredgewidth=1.6,
        zorder=3,
    )


def _strip(axes: Axes, scores: Sequence[Score], height: int) -> None:
    axes.plot(
        [score.value for score in scores],
        [height] * len(scores),
        linestyle="",
        marker="o",
        markersize=5,
        markerfacecolor="none",
        markeredgecolor=REFERENCE,
    )


def _dress(axes: Axes, rows: Sequence[Score], together: Sequence[Score], title: str) -> None:
    labels = [short(system_name(score), length=34) for score in rows]
    printed = [number(score.value) for score in rows]
    if together:
        values = [score.value for score in together]
        labels.append(f"{len(together)} published networks")
        printed.append(span(min(values), max(values), digits=2))
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(plain(title))
    for height, text in enumerate(printed):
        axes.annotate(
            text,
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            annotation_clip=False,
        )
