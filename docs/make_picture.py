"""Draw the README's picture: one real comparison, from representations to a lesion.

Run it where the data and a network lie::

    NEUROAI_DATA=FOLDER python docs/make_picture.py hf:FOLDER docs/_static/report.png
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from neuroai.format.results import Results
from neuroai.format.scores import Score
from neuroai.reports.figures_lesions import control_band
from neuroai.reports.figures_rdm import percentiles, subject_average
from neuroai.reports.lesions import DoseGroup, dose_groups, evidence
from neuroai.reports.selection import ceiling_of, layer_grid, main_panels
from neuroai.reports.style import (
    CEILING,
    INK,
    MUTED,
    NETWORKS,
    PAPER,
    RDM_COLOURS,
    REFERENCE,
    SETTINGS,
    UNTRAINED,
)

DATASET = "kriegeskorte2008"
REGION = "human IT"
SIZE, DOTS = (16.0, 8.2), 100


def compared(model: str) -> Results:
    """Compare a network and its untrained twin with the data set."""
    import neuroai as nai

    return nai.compare(DATASET, [model, f"{model}?init=random&seeds=0,1,2"])


def picture(results: Results, path: str | Path) -> Path:
    """Draw two RDMs, the score of every layer and a dose curve into one PNG file."""
    with rc_context({**SETTINGS, "font.size": 12.0}):
        figure = Figure(figsize=SIZE, dpi=DOTS, facecolor=PAPER, layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.9), wspace=0.04, hspace=0.06)
        rdms(results, [figure.add_subplot(grid[row, 0]) for row in range(2)])
        layers(results, figure.add_subplot(grid[0, 1]))
        dose(results, figure.add_subplot(grid[1, 1]))
        figure.savefig(path, facecolor=PAPER)
    return Path(path)


def main_scores(results: Results) -> list[Score]:
    """Give the scores against the region of the picture."""
    main = main_panels(results.scores, level="algorithm")
    return next(scores for panel, scores in main.items() if panel.brain_region == REGION)


def chosen(results: Results) -> Score:
    """Give the score of the network's layer that was chosen on other stimuli."""
    return next(s for s in main_scores(results) if s.selected and s.candidate_kind == "model")


def rdms(results: Results, axes: Sequence[Axes]) -> None:
    """Draw the brain's RDM above the network's, sorted by category."""
    best = chosen(results)
    system, region = REGION.split(" ")
    answers = {a.system: a for a in results.answers if a.question == "rdm"}
    shown = (
        (answers[system], region, f"brain: {REGION}"),
        (answers[best.model], best.model_region, f"network: {best.model_region.split('.')[-1]}"),
    )
    for ax, (answer, place, title) in zip(axes, shown, strict=True):
        ids = [str(s) for s in answer.data["stimulus"].values]
        labels = [results.stimulus_labels[s] for s in ids]
        order = sorted(range(len(ids)), key=lambda i: (labels[i], ids[i]))
        values = percentiles(subject_average(answer, place)[np.ix_(order, order)])
        matrix(ax, values, [labels[i] for i in order])
        ax.set_title(title)


def matrix(ax: Axes, values: np.ndarray, labels: Sequence[str]) -> None:
    """Draw one matrix with lines between categories."""
    colours = LinearSegmentedColormap.from_list("rdm", RDM_COLOURS)
    ax.imshow(values, cmap=colours, interpolation="nearest", aspect="equal")
    names = list(dict.fromkeys(labels))
    starts = np.array([labels.index(name) for name in names])
    ends = np.append(starts[1:], len(labels))
    for start in starts[1:]:
        ax.axhline(start - 0.5, color=PAPER, linewidth=1)
        ax.axvline(start - 0.5, color=PAPER, linewidth=1)
    ax.set_xticks([])
    ax.set_yticks((starts + ends) / 2 - 0.5, names)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def layers(results: Results, ax: Axes) -> None:
    """Draw the score of every layer with its interval, the ceiling and the untrained twin."""
    scores = main_scores(results)
    band = ceiling_of(scores)
    if band is not None:
        ax.axhspan(*band, color=CEILING, linewidth=0)
        ax.annotate(
            "noise ceiling",
            (0.2, band[1]),
            va="top",
            color=MUTED,
            xytext=(0, -4),
            textcoords="offset points",
        )
    for (name, kind, _), grid in layer_grid(scores).items():
        colour = NETWORKS[0] if kind == "model" else UNTRAINED
        x = np.arange(len(grid))
        low, value, high = (
            np.array([getattr(s, key) for s in grid]) for key in ("ci_low", "value", "ci_high")
        )
        ax.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(x, value, color=colour, marker="o", markersize=4.5, label=name)
        ticks = [s.model_region.split(".")[-1] for s in grid]
    ax.set_xticks(range(len(ticks)), ticks, rotation=90, fontsize=9)
    ax.axhline(0, color=MUTED, linewidth=0.8)
    for score in scores:
        if score.candidate_kind == "subject":
            ax.axhline(score.value, color=REFERENCE, linestyle=":", label=score.model)
    ax.set_ylabel("RDM match (Spearman)")
    ax.set_title(f"Every layer against {REGION}; 95 % intervals")
    ax.margins(x=0.015)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.83), fontsize=11, ncols=3)


def dose(results: Results, ax: Axes) -> None:
    """Draw what lesions of the selective units do to the match, beside random sets."""
    group = next(g for g in dose_groups(results) if g.average.measure.lower() == "rdm match")
    curve = group.average
    low, middle, high = control_band(curve.controls)
    ax.fill_between(curve.doses, low, high, color=UNTRAINED, alpha=0.28, linewidth=0)
    count = curve.controls.shape[1]
    ax.plot(curve.doses, middle, "--", color=UNTRAINED, label=f"{count} random sets, 5 to 95 %")
    ax.axhline(curve.baseline, color=REFERENCE, linestyle=":", label="intact")
    ax.plot(
        curve.doses,
        curve.targeted,
        color=NETWORKS[0],
        marker="o",
        markersize=8,
        label="selective units",
    )
    ax.set_xticks(curve.doses, [tick(group, index) for index in range(len(curve.doses))])
    ax.set_xlabel("dose: fraction of the target lesioned")
    ax.set_ylabel(f"RDM match with {REGION}")
    place = curve.region.split(".")[-1]
    what = results.localisers[0].contrast.split(":")[0]
    ax.set_title(f"Lesions of the {what}-selective units of {place}, beside random sets")
    ax.legend(loc="lower left", fontsize=11)
    ax.tick_params(labelcolor=INK)


def tick(group: DoseGroup, index: int) -> str:
    """Print a dose with its p-value."""
    return f"{float(group.average.doses[index]):g}\n{evidence(group, index)}"


if __name__ == "__main__":
    print(picture(compared(sys.argv[1]), sys.argv[2]))
