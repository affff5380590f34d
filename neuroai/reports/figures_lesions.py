"""Lesions and localisers: what targeted lesions do beside random ones, and which units prefer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from neuroai.format.results import DoseCurve, LocaliserResult
from neuroai.reports.lesions import (
    ORIGIN_WORDS,
    SIGNIFICANT,
    DoseGroup,
    Localised,
    contrast_words,
    evidence,
    localised,
    member_noun,
)
from neuroai.reports.numbers import counted, number, probability, span
from neuroai.reports.style import BRAIN, MUTED, NETWORKS, PAPER, REFERENCE, UNTRAINED, plain, short
from neuroai.reports.svg import Drawing, draw

WIDTH, HEIGHT = 440, 290
BAR_HEIGHT, FRAME = 30, 100
LOW, HIGH = 5, 95
MAX_BARS = 6
NARROW_STEP = 0.13
DOSE_HEADER = (
    *("who", "dose", "lesioned", "targeted", "95 % interval"),
    *("controls", "5 to 95 %", "p"),
)


def common_limits(curves: Sequence[DoseCurve]) -> tuple[float, float]:
    """Give limits that hold every curve of one measure, so that systems can be compared by eye."""
    parts = [
        np.concatenate(
            [
                [c.baseline],
                c.targeted,
                c.ci_low,
                c.ci_high,
                control_band(c.controls).ravel(),
            ]
        )
        for c in curves
    ]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    margin = 0.06 * (float(np.ptp(values)) or 1.0)
    return float(values.min()) - margin, float(values.max()) + margin


def dose_figure(group: DoseGroup, *, limits: tuple[float, float]) -> Drawing:
    """Draw a measure against the dose: targeted lesion, random controls, intact level.

    Subjects or seeds of the system are thin lines, their average is the thick one.
    """
    curve = group.average

    def paint(axes: Axes) -> None:
        _controls(axes, curve)
        if len(group.curves) > 1:
            _members(axes, group)
        _targeted(axes, curve)
        _dress(axes, group)
        axes.set_ylim(*limits)

    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=HEIGHT,
            name="-".join(
                (
                    "dose",
                    group.system,
                    curve.region,
                    curve.level,
                    curve.measure,
                    curve.lesion,
                    curve.origin,
                )
            ),
            description=_words(curve),
        ),
        caption=_caption(group),
        header=(
            "who",
            "dose",
            "lesioned",
            "targeted",
            "95 % interval",
            "controls",
            "5 to 95 %",
            "p",
        ),
        rows=tuple(
            (member or "all", *_row(one, index))
            for member, one in zip(group.members, group.curves, strict=True)
            for index in range(len(one.doses))
        ),
        side="brain" if curve.kind == "brain" else "network",
    )


def _members(axes: Axes, group: DoseGroup) -> None:
    colour = BRAIN if group.average.kind == "brain" else NETWORKS[0]
    for one in group.curves:
        axes.plot(one.doses, one.targeted, color=colour, linewidth=0.8, alpha=0.55)


def control_band(controls: np.ndarray) -> np.ndarray:
    """Give 5th, 50th and 95th percentile of every dose's controls, shape (3, n_doses).

    Examples
    --------
    >>> control_band(np.array([[0.0, 1.0, 2.0]]))[1].tolist()
    [1.0]
    """
    band = np.full((3, len(controls)), np.nan)
    for index, row in enumerate(np.asarray(controls, dtype=np.float64)):
        known = row[np.isfinite(row)]
        if known.size:
            band[:, index] = np.percentile(known, (LOW, 50, HIGH))
    return band


def _controls(axes: Axes, curve: DoseCurve) -> None:
    low, middle, high = control_band(curve.controls)
    if not np.isfinite(middle).any():
        return
    count = np.shape(curve.controls)[1]
    drawn = "sham samples" if curve.origin == "measured" else "random sets"
    axes.fill_between(
        curve.doses, low, high, color=UNTRAINED, alpha=0.28, linewidth=0, label="5 to 95 %"
    )
    axes.plot(
        curve.doses,
        middle,
        color=UNTRAINED,
        linestyle="--",
        marker="s",
        markersize=4,
        label=f"{count:,} {drawn}, median",
    )


def _targeted(axes: Axes, curve: DoseCurve) -> None:
    colour = BRAIN if curve.kind == "brain" else NETWORKS[0]
    axes.axhline(curve.baseline, color=REFERENCE, linestyle=":", linewidth=1.3, label="intact")
    bounded = np.isfinite(curve.ci_low) & np.isfinite(curve.ci_high)
    axes.vlines(
        curve.doses[bounded],
        curve.ci_low[bounded],
        curve.ci_high[bounded],
        color=colour,
        linewidth=1.4,
    )
    axes.plot(curve.doses, curve.targeted, color=colour, label="targeted")
    for dose, value, p in zip(curve.doses, curve.targeted, curve.p, strict=True):
        filled = np.isfinite(p) and p <= SIGNIFICANT
        axes.plot(
            [dose],
            [value],
            linestyle="",
            marker="o",
            markersize=7,
            markerfacecolor=colour if filled else PAPER,
            markeredgecolor=colour,
            markeredgewidth=1.5,
            zorder=3,
        )


def _dress(axes: Axes, group: DoseGroup) -> None:
    curve = group.average
    doses = [float(dose) for dose in curve.doses]
    gaps = np.diff([0.0, *sorted(doses)])
    if len(doses) <= 6 and gaps[1:].min(initial=1.0) >= NARROW_STEP:
        labels = [_tick(group, index) for index in range(len(doses))]
        axes.set_xticks(doses, labels)
    axes.set_xlim(0, max(1.0, max(doses, default=1.0)) * 1.05)
    axes.set_xlabel("dose: fraction of the target lesioned")
    axes.set_ylabel(plain(curve.measure))
    axes.set_title(f"{short(group.system, length=26)} · {short(curve.region, length=24)}")
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(handles, labels, loc="outside lower left", ncols=2, columnspacing=1.4)


def _tick(group: DoseGroup, index: int) -> str:
    dose, printed = float(group.average.doses[index]), evidence(group, index)
    return f"{dose:g}\n{printed.removeprefix('p ≤ .05 in ')}" if printed else f"{dose:g}"


def _caption(group: DoseGroup) -> str:
    curve = group.average
    parts = [
        f"{plain(curve.measure)} of {plain(group.system)} after lesions "
        f"({plain(curve.lesion)}; {ORIGIN_WORDS.get(curve.origin, plain(curve.origin))}) "
        f"of {plain(curve.region)}.",
    ]
    if len(group.curves) > 1:
        who = member_noun(curve.kind, len(group.curves))
        parts.append(
            f"Thin lines: {who}; thick: their average. Under each dose: in how many p ≤ .05 "
            "against random sets of the same size."
        )
    elif np.isfinite(curve.p).any():
        against = "sham" if curve.origin == "measured" else "random sets of the same size"
        parts.append(f"Filled circles: p ≤ .05 against {against}.")
    if curve.note:
        parts.append(f"{plain(curve.note)[:1].upper()}{plain(curve.note)[1:]}.")
    return " ".join(parts)


def _words(curve: DoseCurve) -> str:
    middle = control_band(curve.controls)[1]
    steps = [
        f"dose {dose:g}: targeted {number(float(value)) or 'undefined'}, "
        f"random {number(float(control)) or 'none'}"
        for dose, value, control in zip(curve.doses, curve.targeted, middle, strict=True)
    ]
    start = f"{curve.measure} of {curve.system}, {curve.region}, intact {number(curve.baseline)}"
    return f"{start}; {'; '.join(steps)}."


def _row(curve: DoseCurve, index: int) -> tuple[str, ...]:
    low, middle, high = control_band(curve.controls)[:, index]
    return (
        f"{float(curve.doses[index]):g}",
        str(int(curve.n_targets[index])),
        number(float(curve.targeted[index])) or "undefined",
        span(float(curve.ci_low[index]), float(curve.ci_high[index])) or "–",
        number(float(middle)) or "–",
        span(float(low), float(high)) or "–",
        probability(float(curve.p[index])) or "–",
    )


def localiser_figure(found: Sequence[LocaliserResult], *, contrast: str, side: str) -> Drawing:
    """Draw for one contrast the mean t of the selected units on both halves of the stimuli.

    Subjects or seeds are circles, their averages bars; of many regions the best are drawn.
    """
    every = localised(found)
    best = sorted(every, key=lambda item: -np.nan_to_num(item.t_heldout, nan=-np.inf))[:MAX_BARS]
    shown = [item for item in every if item in best]

    def paint(axes: Axes) -> None:
        _bars(axes, shown, contrast)

    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=FRAME + BAR_HEIGHT * len(shown),
            name=f"localiser-{contrast}-{side}",
            description=f"Localiser {contrast}: "
            + "; ".join(
                f"{i.system} {i.region} held-out t {number(i.t_heldout, digits=2)}" for i in shown
            ),
        ),
        caption=_localiser_caption(contrast, every, shown),
        header=("system", "subject", "region", "selected", "t, choosing half", "t, held out", "p"),
        rows=tuple(_localiser_row(r) for r in found),
        side=side,
    )


def _localiser_caption(
    contrast: str, every: Sequence[Localised], shown: Sequence[Localised]
) -> str:
    who = member_noun(every[0].kind, max(item.n_members for item in every))
    text = (
        f"{plain(contrast_words(contrast))}: mean Welch t of the selected units, on the half that "
        "chose them (pale; too good by construction) and on the other half (solid); average of "
    )
    text += f"{who}, each a circle." if max(item.n_members for item in every) > 1 else f"{who}."
    if len(shown) < len(every):
        text += f" The {len(shown)} best of {len(every)} regions are drawn."
    return text


def _bars(axes: Axes, shown: Sequence[Localised], contrast: str) -> None:
    colour = BRAIN if shown[0].kind == "brain" else NETWORKS[0]
    at = np.arange(len(shown))
    pale = [item.t_selected for item in shown]
    solid = [item.t_heldout for item in shown]
    axes.barh(at - 0.19, pale, height=0.34, color=colour, alpha=0.35, linewidth=0)
    axes.barh(at + 0.19, solid, height=0.34, color=colour, linewidth=0)
    for height, item in enumerate(shown):
        if item.n_members > 1:
            axes.plot(
                [row.t_heldout for row in item.rows],
                [height + 0.19] * item.n_members,
                linestyle="",
                marker="o",
                markersize=4,
                markerfacecolor=PAPER,
                markeredgecolor=REFERENCE,
                markeredgewidth=0.9,
            )
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_yticks(at, [short(item.region, length=24) for item in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("mean t of the selected units")
    axes.set_title(short(shown[0].system, length=44))
    keys = [
        Patch(color=colour, alpha=0.35, linewidth=0, label="choosing half"),
        Patch(color=colour, linewidth=0, label="held-out half"),
    ]
    axes.figure.legend(handles=keys, loc="outside lower left", ncols=2)


def _localiser_row(r: LocaliserResult) -> tuple[str, ...]:
    return (
        r.system,
        r.subject,
        r.region,
        f"{r.n_selected} of {counted(r.n_units, r.unit_kind)}",
        number(r.t_selected, digits=2) or "undefined",
        number(r.t_heldout, digits=2) or "undefined",
        probability(r.heldout_p) or "–",
    )
