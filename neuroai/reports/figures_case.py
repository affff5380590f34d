"""Figures of worked cases: curves of a brain and of a network, and deficits by task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from neuroai.format.cases import Curve
from neuroai.reports.numbers import number, span
from neuroai.reports.style import BRAIN, NETWORKS, PAPER, REFERENCE, plain, short
from neuroai.reports.svg import Drawing, draw

WIDTH, HEIGHT = 440, 290
MARGIN = 0.08


def curve_limits(curves: Sequence[Curve]) -> tuple[float, float]:
    """Give limits that hold every curve of one measure, so that sides can be compared by eye.

    Examples
    --------
    >>> one = np.array([0.5, 1.0])
    >>> curve_limits([Curve("a", "brain", "a", one, one, one, one, one, "x", "y")])
    (0.46, 1.04)
    """
    parts = [np.concatenate([c.y, c.low, c.high, [c.neutral]]) for c in curves]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    margin = MARGIN * (float(np.ptp(values)) or 1.0)
    return round(float(values.min()) - margin, 6), round(float(values.max()) + margin, 6)


def curve_figure(curve: Curve, *, name: str, limits: tuple[float, float]) -> Drawing:
    """Draw a measure along something graded, with its intervals; categories become bars
    from their neutral value, or points where there is none.

    `name` keeps the ids of pictures apart on one page.
    """
    colour = BRAIN if curve.side == "brain" else NETWORKS[0]

    def paint(axes: Axes) -> None:
        if curve.ticks:
            _bars(axes, curve, colour)
        else:
            _line(axes, curve, colour)
        axes.set_ylim(*limits)
        axes.set_ylabel(plain(curve.y_label))
        axes.set_title(short(curve.name, length=46))

    return Drawing(
        svg=draw(paint, width=WIDTH, height=HEIGHT, name=name, description=_words(curve)),
        caption=_caption(curve),
        header=(plain(curve.x_label), plain(curve.y_label), "interval", "n"),
        rows=tuple(_row(curve, i) for i in range(len(curve.x))),
        side=curve.side,
    )


def _line(axes: Axes, curve: Curve, colour: str) -> None:
    if np.isfinite(curve.neutral):
        axes.axhline(curve.neutral, color=REFERENCE, linestyle=":", linewidth=1.3)
    axes.vlines(curve.x, curve.low, curve.high, color=colour, linewidth=1.4)
    axes.plot(
        curve.x, curve.y, color=colour, marker="o", markersize=6, markerfacecolor=PAPER,
        markeredgewidth=1.5,
    )  # fmt: skip
    axes.set_xlabel(plain(curve.x_label))


def _bars(axes: Axes, curve: Curve, colour: str) -> None:
    if np.isfinite(curve.neutral):
        axes.axhline(curve.neutral, color=REFERENCE, linewidth=0.9)
        axes.bar(curve.x, curve.y, width=0.55, color=colour, alpha=0.85, linewidth=0)
        axes.vlines(curve.x, curve.low, curve.high, color=REFERENCE, linewidth=1.2)
    else:
        # Without a natural zero a bar's length would say nothing.
        axes.vlines(curve.x, curve.low, curve.high, color=colour, linewidth=1.4)
        axes.plot(curve.x, curve.y, color=colour, marker="o", markersize=8, linestyle="")
    axes.set_xlim(-0.6, len(curve.x) - 0.4)
    axes.set_xticks(curve.x, [short(tick, length=28) for tick in curve.ticks])
    axes.tick_params(axis="x", length=0)


def _caption(curve: Curve) -> str:
    note = f" {plain(curve.note)[:1].upper()}{plain(curve.note)[1:]}." if curve.note else ""
    return f"{plain(curve.name)}: {plain(curve.y_label)}.{note}"


def _place(curve: Curve, index: int) -> str:
    return plain(curve.ticks[index]) if curve.ticks else f"{float(curve.x[index]):.3g}"


def _row(curve: Curve, index: int) -> tuple[str, ...]:
    return (
        _place(curve, index),
        number(float(curve.y[index])) or "undefined",
        span(float(curve.low[index]), float(curve.high[index])) or "–",
        f"{int(curve.n[index]):,}",
    )


def _words(curve: Curve) -> str:
    points = [
        f"{_place(curve, i)}: {number(float(curve.y[i])) or 'undefined'}"
        for i in range(len(curve.x))
    ]
    return f"{curve.name}, {curve.y_label} by {curve.x_label}: {'; '.join(points)}."
