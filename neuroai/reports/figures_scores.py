"""Every candidate of one panel beside the others: score, interval, ceiling, single subjects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from neuroai.format.scores import Score
from neuroai.reports.numbers import counted, number, outcome, probability, span
from neuroai.reports.selection import (
    Panel,
    Row,
    asked_and_published,
    best_rows,
    ceiling_of,
    kind_words,
    reference_of,
)
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
from neuroai.reports.words import candidate_words, metric_words

WIDTH, ROW_HEIGHT, FRAME = 440, 28, 84


def candidate_dots(
    panel: Panel,
    scores: Sequence[Score],
    *,
    colours: Mapping[str, str],
    asked: frozenset[str] | None = None,
) -> Drawing | None:
    """Draw one dot and interval a candidate; None where no score is defined.

    `colours` gives every network its colour. Where many published networks stand beside those
    that were `asked`, they share one row of small circles.
    """
    every = best_rows(scores)
    fine = [row for row in every if row.score.status == "ok"]
    if not fine:
        return None
    names = frozenset(s.model for s in scores) if asked is None else asked
    rows, published = asked_and_published(fine, names)
    n_rows = len(rows) + bool(published)

    def paint(axes: Axes) -> None:
        _limits(axes, scores)
        for height, row in enumerate(rows):
            _dot(axes, row, height, colour=_colour(row.score, colours))
        if published:
            _strip(axes, published, len(rows))
        _dress(axes, panel, rows, published)

    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=FRAME + ROW_HEIGHT * n_rows,
            name=f"dots-{panel}",
            description=_words(panel, rows),
        ),
        caption=_caption(panel, scores, [*rows, *published]),
        header=("candidate", "kind", "layer", "score", "95 % interval", "ceiling", "p"),
        rows=tuple(_line(row.score) for row in every),
    )


def _limits(axes: Axes, scores: Sequence[Score]) -> None:
    """Draw the noise ceiling, or what another subject reaches where no more is known."""
    band, other = ceiling_of(scores), reference_of(scores)
    if band is not None:
        axes.axvspan(*band, color=CEILING, linewidth=0, zorder=0.5)
        _above(axes, sum(band) / 2, "noise ceiling")
    elif other is not None:
        axes.axvline(other, color=REFERENCE, linestyle="--", linewidth=1.2, zorder=0.6)
        _above(axes, other, f"another subject {number(other)}")


def _above(axes: Axes, x: float, text: str) -> None:
    axes.annotate(
        text,
        (x, 1.0),
        xycoords=blended_transform_factory(axes.transData, axes.transAxes),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=MUTED,
        fontsize=9.5,
    )


def _strip(axes: Axes, rows: Sequence[Row], height: int) -> None:
    axes.plot(
        [row.score.value for row in rows],
        [height] * len(rows),
        linestyle="",
        marker="o",
        markersize=5,
        markerfacecolor="none",
        markeredgecolor=REFERENCE,
        markeredgewidth=1.0,
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
        marker="D" if score.candidate_kind == "confound" else "o",
        markersize=6 if score.candidate_kind == "confound" else 8.5,
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


def _dress(axes: Axes, panel: Panel, rows: Sequence[Row], published: Sequence[Row]) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
    labels = [_label(row) for row in rows]
    printed = [number(row.score.value) for row in rows]
    if published:
        labels.append(f"{len(published)} published networks")
        printed.append(f"≤ {number(max(row.score.value for row in published))}")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(plain(metric_words(panel.metric)))
    axes.set_title(_heading(panel), pad=18)
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


def _heading(panel: Panel) -> str:
    _, _, task = panel.analysis.partition(": ")
    return short(f"{panel.brain_region} · {task}" if task else panel.brain_region, length=40)


def _label(row: Row) -> str:
    score = row.score
    if score.candidate_kind == "confound":
        return short(score.model, length=28)
    return short(candidate_words(score.model, score.candidate_kind), length=34)


def _caption(panel: Panel, scores: Sequence[Score], rows: Sequence[Row]) -> str:
    parts = [
        f"{plain(metric_words(panel.metric))} against {plain(panel.brain_region)}; "
        "bars are 95 % intervals."
    ]
    if any(row.score.candidate_kind == "confound" for row in rows):
        parts.append("Diamonds are simple explanations and published models.")
    if any(row.score.pairs is not None for row in rows):
        parts.append("Small circles are single subjects of the brain.")
    if ceiling_of(scores) is not None:
        parts.append("The band is the noise ceiling, lower to upper.")
    elif (other := reference_of(scores)) is not None:
        parts.append(
            f"The broken line is what another subject reaches ({number(other)}); no upper noise "
            "ceiling is known."
        )
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
