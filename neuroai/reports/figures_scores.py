"""Every candidate of one panel beside the others: score, interval, ceiling, single subjects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from neuroai.format.scores import Score
from neuroai.reports.numbers import counted, number, outcome, probability, span
from neuroai.reports.selection import Panel, Row, best_rows, ceiling_of, kind_words
from neuroai.reports.style import (
    CEILING,
    INK,
    MUTED,
    PAPER,
    REFERENCE,
    UNTRAINED,
    plain,
    short,
)
from neuroai.reports.svg import Drawing, draw

WIDTH, ROW_HEIGHT, FRAME = 440, 34, 92


def candidate_dots(
    panel: Panel, scores: Sequence[Score], *, colours: Mapping[str, str]
) -> Drawing | None:
    """Draw one dot and interval a candidate; None where no score is defined.

    `colours` gives every network its colour.
    """
    rows = [row for row in best_rows(scores) if row.score.status == "ok"]
    if not rows:
        return None

    def paint(axes: Axes) -> None:
        band = ceiling_of(scores)
        if band is not None:
            axes.axvspan(*band, color=CEILING, linewidth=0, zorder=0.5)
            axes.annotate(
                "noise ceiling",
                (sum(band) / 2, 1.0),
                xycoords=blended_transform_factory(axes.transData, axes.transAxes),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=MUTED,
                fontsize=9.5,
            )
        for height, row in enumerate(rows):
            _dot(axes, row, height, colour=_colour(row.score, colours))
        _dress(axes, panel, rows)

    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=FRAME + ROW_HEIGHT * len(rows),
            name=f"dots-{panel}",
            description=_words(panel, rows),
        ),
        caption=_caption(panel, scores, rows),
        header=("candidate", "kind", "layer", "score", "95 % interval", "ceiling", "p"),
        rows=tuple(_line(row.score) for row in best_rows(scores)),
    )


def _colour(score: Score, colours: Mapping[str, str]) -> str:
    if score.candidate_kind == "model":
        return colours.get(score.model, REFERENCE)
    return UNTRAINED if score.candidate_kind == "untrained" else REFERENCE


def _dot(axes: Axes, row: Row, height: int, *, colour: str) -> None:
    score = row.score
    if score.pairs is not None:
        values = np.asarray(score.pairs.values, dtype=float)
        each = _by_subject(values)
        axes.plot(
            each,
            np.full(each.size, height + 0.24),
            linestyle="",
            marker="o",
            markersize=3.4,
            markerfacecolor="none",
            markeredgecolor=colour,
            markeredgewidth=0.9,
            zorder=2,
        )
    if math.isfinite(score.ci_low) and math.isfinite(score.ci_high):
        axes.plot([score.ci_low, score.ci_high], [height, height], color=colour, linewidth=2.2)
    filled = score.candidate_kind == "model"
    axes.plot(
        [score.value],
        [height],
        linestyle="",
        marker="o",
        markersize=8.5,
        markerfacecolor=colour if filled else PAPER,
        markeredgecolor=colour,
        markeredgewidth=1.6,
        zorder=3,
    )


def _by_subject(values: np.ndarray) -> np.ndarray:
    """Average over the model's seeds, for display; pairs that were not measured are left out."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return total[count > 0] / count[count > 0]


def _dress(axes: Axes, panel: Panel, rows: Sequence[Row]) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
    labels = [_label(row) for row in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(plain(panel.metric))
    axes.set_title(short(panel.brain_region, length=44), pad=18)
    for height, row in enumerate(rows):
        axes.annotate(
            number(row.score.value),
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            annotation_clip=False,
        )


def _label(row: Row) -> str:
    score = row.score
    if score.seed:
        return f"{short(score.model, length=20)}\n(seed {short(score.seed, length=16)})"
    if score.candidate_kind == "model":
        return short(score.model, length=20)
    return f"{short(score.model, length=20)}\n({kind_words(score.candidate_kind)})"


def _caption(panel: Panel, scores: Sequence[Score], rows: Sequence[Row]) -> str:
    parts = [f"{plain(panel.metric)} against {plain(panel.brain_region)}; bars are 95 % intervals."]
    if any(row.score.pairs is not None for row in rows):
        parts.append("Small circles are single subjects of the brain.")
    if ceiling_of(scores) is not None:
        parts.append("The band is the noise ceiling, lower to upper.")
    highest = [row for row in rows if row.choice == "highest"]
    if highest:
        count = counted(max(row.n_regions for row in highest), "layer")
        parts.append(
            f"The layer shown is the highest of {count} on the same stimuli, which flatters it."
        )
    elif any(row.choice == "held-out" for row in rows):
        parts.append("Layers were chosen on other stimuli than those they are scored on.")
    return " ".join(parts)


def _words(panel: Panel, rows: Sequence[Row]) -> str:
    each = "; ".join(f"{r.score.model} {number(r.score.value)}" for r in rows)
    return f"{panel.metric} against {panel.brain_region}: {each}."


def _line(score: Score) -> tuple[str, ...]:
    return (
        score.model,
        kind_words(score.candidate_kind),
        score.model_region,
        outcome(score),
        span(score.ci_low, score.ci_high),
        span(score.ceiling_low, score.ceiling_high),
        probability(score.p),
    )
