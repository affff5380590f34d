"""Psychometric functions: what was measured at each level, and the curve that was fitted."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from neuroai.format.answers import Answer
from neuroai.reports.numbers import counted, number, span
from neuroai.reports.style import INK, MUTED, PAPER, RULE, plain, short
from neuroai.reports.svg import Drawing, draw

WIDTH, HEIGHT = 400, 290
LARGEST, SMALLEST = 9.0, 4.0
MOST_SUBJECTS = 8


def psychometric_figure(
    answer: Answer, region: str, *, title: str, side: str, colour: str
) -> Drawing | None:
    """Draw the shares and the fitted curve of every subject; None where none was fitted.

    A circle is the share of responses at a level, larger where more trials stand behind it; a bar
    on the axis of levels is the interval of the threshold.

    Parameters
    ----------
    answer : Answer
        Answer to ``psychometric``.
    region : str
        Which region (``behaviour``, or a layer that was read out).
    title, side, colour : str
        Heading, column of the page, and colour of the system.
    """
    data = answer.data.sel(region=region)
    fitted = [s for s in answer.subjects if np.isfinite(float(data["value"].sel(subject=s)))]
    shown = fitted[:MOST_SUBJECTS]
    if not shown:
        return None
    level = str(answer.parameters.get("level", "level"))
    response = str(answer.parameters.get("response", "correct"))

    def paint(axes: Axes) -> None:
        for subject in shown:
            _subject(axes, data.sel(subject=subject), colour)
        _dress(axes, level, response, title)

    thresholds = [float(data["value"].sel(subject=s)) for s in shown]
    members = counted(len(fitted), "seed" if answer.kind == "model" else "subject")
    more = f", of which the first {len(shown)} are drawn" if len(shown) < len(fitted) else ""
    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=HEIGHT,
            name=f"psychometric-{answer.parameters.get('task', '')}-{answer.system}-{region}",
            description=(
                f"{plain(answer.system)}: share of {plain(response)} by {plain(level)}; threshold "
                f"{number(float(np.mean(thresholds)))} on average"
            ),
        ),
        caption=(
            f"{plain(answer.system)}: share of {plain(response)} responses by {plain(level)} "
            f"({members}{more}), chosen by {plain(str(answer.parameters.get('choice_by', '')))}; "
            "the curve is fitted by maximum likelihood, the bar is the 95 % interval of its "
            "threshold."
        ),
        header=("subject", "threshold", "95 % interval", "width", "lapse", "guess", "trials"),
        rows=tuple(_row(data.sel(subject=s), s) for s in fitted),
        side=side,
    )


def _subject(axes: Axes, data, colour: str) -> None:
    levels, share = data["level"].values.astype(float), data["share_by_level"].values
    n = data["n_by_level"].values.astype(float)
    met = n > 0
    size = SMALLEST + (LARGEST - SMALLEST) * np.sqrt(n[met] / n.max())
    for x, y, s in zip(levels[met], share[met], size, strict=True):
        axes.plot(
            x, y, marker="o", markersize=float(s), markerfacecolor=PAPER, markeredgecolor=colour,
            markeredgewidth=1.3,
        )  # fmt: skip
    axes.plot(data["level_of_place"].values, data["curve_by_place"].values, color=colour,
              linewidth=1.8)  # fmt: skip
    low, high = _interval(data)
    inside = np.clip([low, high], levels.min(), levels.max())
    axes.plot(inside, [-0.02, -0.02], color=colour, linewidth=2.6, solid_capstyle="butt")


def _interval(data) -> tuple[float, float]:
    ends = data["interval"].sel(parameter="threshold")
    return float(ends.sel(end="low")), float(ends.sel(end="high"))


def _row(data, subject: str) -> tuple[str, ...]:
    parts = [number(float(data[name])) for name in ("width", "lapse", "guess")]
    low, high = _interval(data)
    return (subject, number(float(data["value"])), span(low, high), *parts, str(int(data["n"])))


def _dress(axes: Axes, level: str, response: str, title: str) -> None:
    axes.set_ylim(-0.05, 1.05)
    axes.set_xlabel(short(level, length=30))
    axes.set_ylabel("share right" if response == "correct" else f"share of {short(response)}")
    axes.set_title(title, color=INK)
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.axhline(0.5, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)
