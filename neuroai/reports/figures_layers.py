"""Score by layer for every network, with the ceiling, the controls and the references."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from neuroai.format.scores import Score
from neuroai.reports.numbers import number, outcome, probability, span
from neuroai.reports.selection import (
    Panel,
    Row,
    best_rows,
    ceiling_of,
    kind_words,
    layer_grid,
)
from neuroai.reports.style import (
    CEILING,
    MUTED,
    PAPER,
    REFERENCE,
    UNTRAINED,
    plain,
    short,
)
from neuroai.reports.svg import Drawing, draw
from neuroai.reports.words import metric_words

WIDTH, HEIGHT, LEGEND_ROW = 440, 270, 18
MANY_LAYERS = 12
MOST = 0.75
DASHES = ("--", ":", "-.", (0, (1, 1)))
LABEL, HALF_LABEL = 44, 26
BRIEF = {
    "untrained": "untrained",
    "subject": "subject",
    "species": "species",
    "confound": "confound",
}
MARKERS = ("o", "s", "D", "^", "v", "P")


def layer_curves(
    panel: Panel, scores: Sequence[Score], *, colours: Mapping[str, str]
) -> Drawing | None:
    """Draw the scores of one panel by layer; None where no candidate has several layers.

    `colours` gives every network its colour.
    """
    grids = layer_grid(scores)
    if not grids:
        return None
    names = [tuple(score.model_region for score in grid) for grid in grids.values()]
    shared = names[0] if len(set(names)) == 1 else ()
    rest = [
        r
        for r in best_rows(scores)
        if r.score.status == "ok"
        and r.score.candidate_kind in ("subject", "species")
        and _key(r) not in grids
    ]

    bound = ceiling_of(scores) is not None
    labels = [
        *(["noise ceiling"] if bound else []),
        *map(_label, grids),
        *(_label(_key(row)) for row in rest),
    ]

    def paint(axes: Axes) -> None:
        _ceiling(axes, scores)
        for index, (key, grid) in enumerate(_networks_first(grids)):
            colour = colours.get(key[0], UNTRAINED) if key[1] == "model" else UNTRAINED
            _curve(axes, key, grid, index=index, colour=colour, by_name=bool(shared))
        for index, row in enumerate(rest):
            _reference(axes, row, index=index)
        _dress(axes, panel, shared)

    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=_height(labels, shared),
            name=f"layers-{panel}",
            description=_words(panel, grids, rest),
        ),
        caption=_caption(panel, shared, ceiling=ceiling_of(scores) is not None),
        header=("candidate", "kind", "layer", "score", "95 % interval", "p"),
        rows=_table([*sum(grids.values(), []), *(row.score for row in rest)]),
    )


def _columns(labels: Sequence[str]) -> int:
    return 2 if max(map(len, labels)) <= HALF_LABEL else 1


def _height(labels: Sequence[str], shared: tuple[str, ...]) -> int:
    legend = LEGEND_ROW * math.ceil(len(labels) / _columns(labels))
    return HEIGHT + legend + (30 if len(shared) > MANY_LAYERS else 0)


def _key(row: Row) -> tuple[str, str, str]:
    return row.score.model, row.score.candidate_kind, ""


def _networks_first(grids: dict) -> list[tuple[tuple[str, str, str], list[Score]]]:
    return sorted(grids.items(), key=lambda item: item[0][1] != "model")


def _curve(
    axes: Axes,
    key: tuple[str, str, str],
    grid: Sequence[Score],
    *,
    index: int,
    colour: str,
    by_name: bool,
) -> None:
    control = key[1] != "model"
    x = np.arange(len(grid)) if by_name else np.linspace(0, 1, len(grid))
    value, low, high = (
        np.array([getattr(score, name) for score in grid], dtype=float)
        for name in ("value", "ci_low", "ci_high")
    )
    axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(
        x,
        value,
        color=colour,
        linestyle=DASHES[index % len(DASHES)] if control else "-",
        marker=MARKERS[index % len(MARKERS)],
        markersize=4.5,
        markerfacecolor=PAPER if control else colour,
        label=_label(key),
    )


def _label(key: tuple[str, str, str]) -> str:
    model, kind, seed = key
    words = "" if kind in ("model", "subject") or kind in model else f" ({BRIEF[kind]})"
    return (
        f"{short(model, length=LABEL - len(words))}{words}{f', seed {plain(seed)}' if seed else ''}"
    )


def _reference(axes: Axes, row: Row, *, index: int) -> None:
    label = _label((row.score.model, row.score.candidate_kind, ""))
    style = DASHES[(index + 1) % len(DASHES)]
    axes.axhline(
        row.score.value, color=REFERENCE, linestyle=style, linewidth=1.2, label=label, zorder=1.5
    )


def _ceiling(axes: Axes, scores: Sequence[Score]) -> None:
    band = ceiling_of(scores)
    if band is not None:
        axes.axhspan(*band, color=CEILING, linewidth=0, zorder=0.5, label="noise ceiling")


def _dress(axes: Axes, panel: Panel, shared: tuple[str, ...]) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.8, zorder=1)
    axes.set_title(f"{short(panel.brain_region)}")
    axes.set_ylabel(plain(metric_words(panel.metric)))
    if shared:
        start = _common_start(shared)
        many = len(shared) > MANY_LAYERS
        labels = [short(name.removeprefix(start), length=12 if many else 14) for name in shared]
        tilt = 90 if many or max(map(len, labels)) > 5 else 0
        axes.set_xticks(range(len(shared)), labels, rotation=tilt, fontsize=9.5 if many else 10.5)
        axes.set_xlabel(f"layer ({short(start)}…)" if start else "layer")
    else:
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["first", "¼", "½", "¾", "last"])
        axes.set_xlabel("relative depth of the layer")
    axes.margins(x=0.02)
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(
        handles,
        labels,
        loc="outside lower left",
        ncols=_columns(labels),
        handlelength=2.2,
        columnspacing=1.4,
    )


def _common_start(names: Sequence[str]) -> str:
    """Give the beginning that most names share, up to a separator, or nothing."""
    starts: dict[str, int] = {}
    for name in names:
        for at, letter in enumerate(name[:-1]):
            if letter in "./_:":
                starts[name[: at + 1]] = starts.get(name[: at + 1], 0) + 1
    shared = [start for start, count in starts.items() if count >= MOST * len(names)]
    return max(shared, key=len, default="")


def _caption(panel: Panel, shared: tuple[str, ...], *, ceiling: bool) -> str:
    band = "; the band is the noise ceiling, lower to upper" if ceiling else ""
    where = "" if shared else " Networks differ in their layers, so the axis is relative depth."
    return (
        f"{plain(metric_words(panel.metric))} of every layer against {plain(panel.brain_region)}. "
        f"Shading: 95 % interval{band}.{where} Every layer is scored on all stimuli here; the "
        "choice of one layer is scored on stimuli it was not chosen on."
    )


def _words(panel: Panel, grids: dict, rest: Sequence[Row]) -> str:
    parts = []
    for key, grid in grids.items():
        fine = [score for score in grid if score.status == "ok"]
        if fine:
            top = max(fine, key=lambda score: score.value)
            parts.append(f"{_label(key)} is highest at {top.model_region} ({number(top.value)})")
    parts += [f"{row.score.model} reaches {number(row.score.value)}" for row in rest]
    return f"Score by layer against {panel.brain_region}: " + "; ".join(parts) + "."


def _table(scores: Sequence[Score]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            s.model,
            kind_words(s.candidate_kind),
            s.model_region,
            outcome(s),
            span(s.ci_low, s.ci_high),
            probability(s.p),
        )
        for s in scores
    )
