"""Behaviour: confusion matrices, and what single subjects reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from neuroai.format.answers import Answer
from neuroai.reports.numbers import counted, number
from neuroai.reports.style import (
    BRAIN,
    INK,
    MUTED,
    PAPER,
    REFERENCE,
    RULE,
    SHARE_COLOURS,
    UNTRAINED,
    plain,
    short,
)
from neuroai.reports.svg import Drawing, draw

SIZE, SMALL_SIZE, SMALL = 360, 250, 4
WIDTH, ROW_HEIGHT, FRAME = 440, 26, 86
NUMBERED = 10
SHADES = 64
MAX_LINES = 16
UNCHOSEN = "(none)"


def confusion_figure(
    answer: Answer, region: str, *, title: str, side: str, categories: Sequence[str]
) -> Drawing | None:
    """Draw a confusion matrix, averaged over subjects; None where nothing was chosen.

    `categories` is the order of rows and columns, so that systems can be compared.
    """
    truths = [c for c in categories if c in _names(answer, "truth")]
    choices = [c for c in categories if c in _names(answer, "choice")]
    shares = choice_shares(answer, region, truths=truths, choices=choices)
    if not np.isfinite(shares).any():
        return None

    size = SMALL_SIZE if max(shares.shape) <= SMALL else SIZE

    def paint(axes: Axes) -> None:
        _confusion(axes, shares, truths, choices, title=title)

    return Drawing(
        svg=draw(
            paint,
            width=size + 60 if size < SIZE else size,
            height=size,
            name=f"confusion-{answer.question}-{answer.system}-{region}",
            description=_diagonal_words(answer, shares, truths, choices),
        ),
        caption=(
            f"{plain(answer.system)}: share of choices (columns) for each true category (rows), "
            f"in percent of the row; average of {_members(answer)}."
        ),
        header=("true \\ chosen", *(choice or UNCHOSEN for choice in choices)),
        rows=tuple(
            (truth, *(number(float(v)) or "–" for v in row))
            for truth, row in zip(truths, shares, strict=True)
        ),
        side=side,
    )


def _members(answer: Answer) -> str:
    return counted(len(answer.subjects), "seed" if answer.kind == "model" else "subject")


def _names(answer: Answer, dim: str) -> set[str]:
    return {str(name) for name in answer.data[dim].values}


def choice_shares(
    answer: Answer, region: str, *, truths: Sequence[str], choices: Sequence[str]
) -> np.ndarray:
    """Turn counts into shares of each row, averaged over subjects, shape (n_truth, n_choice)."""
    table = answer.data["confusion"].sel(region=region, truth=list(truths), choice=list(choices))
    table = table.transpose("subject", "truth", "choice")
    counts = np.asarray(table.values, dtype=np.float64)
    filled = np.where(np.isfinite(counts), counts, 0.0)
    total = filled.sum(axis=2, keepdims=True)
    shares = filled / np.where(total > 0, total, 1.0)
    members = (total > 0).sum(axis=0)
    return np.where(members > 0, shares.sum(axis=0) / np.maximum(members, 1), np.nan)


def _confusion(
    axes: Axes, shares: np.ndarray, truths: Sequence[str], choices: Sequence[str], *, title: str
) -> None:
    colours = LinearSegmentedColormap.from_list("share", SHARE_COLOURS, N=SHADES).with_extremes(
        bad=RULE
    )
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1, interpolation="none")
    size = 10.5 if len(truths) <= NUMBERED else 8.5
    axes.set_xticks(
        range(len(choices)),
        [short(c or UNCHOSEN, length=12) for c in choices],
        rotation=90,
        fontsize=size,
    )
    axes.set_yticks(range(len(truths)), [short(t, length=12) for t in truths], fontsize=size)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("chosen")
    axes.set_ylabel("true")
    axes.set_title(title)
    if max(shares.shape) <= NUMBERED:
        _number_cells(axes, shares)


def _number_cells(axes: Axes, shares: np.ndarray) -> None:
    for (row, col), share in np.ndenumerate(shares):
        if np.isfinite(share) and share >= 0.005:
            # The map itself is not changed by dark mode, so neither is the ink on it.
            ink = "#ffffff" if share > 0.5 else "#2b2320"
            axes.text(
                col, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=9.5, color=ink
            )


def _diagonal_words(
    answer: Answer, shares: np.ndarray, truths: Sequence[str], choices: Sequence[str]
) -> str:
    right = [
        f"{truth} {100 * shares[row, choices.index(truth)]:.0f} %"
        for row, truth in enumerate(truths)
        if truth in choices and np.isfinite(shares[row]).all()
    ]
    return f"Confusions of {answer.system}; chosen correctly: {', '.join(right)}."


def can_be_dotted(answer: Answer) -> bool:
    """Say whether an answer holds one value, or a few, for every subject and region."""
    if answer.form not in ("table", "profile") or "value" not in answer.data:
        return False
    extra = [dim for dim in answer.data["value"].dims if dim not in ("subject", "region")]
    return len(extra) <= 1 and answer.data["value"].dtype.kind in "fiu"


def subject_dots(
    question: str,
    answers: Sequence[Answer],
    *,
    kinds: Mapping[str, str],
    colours: Mapping[str, str],
) -> Drawing | None:
    """Draw the value of every subject (seed) for one question, brain and networks in one frame.

    Parameters
    ----------
    question : str
        Name of the analysis.
    answers : sequence of Answer
        Those for which `can_be_dotted` holds.
    kinds : mapping
        Kind of candidate by name of system; ``brain`` for a brain.
    colours : mapping
        Colour by name of network.
    """
    lines = [line for answer in answers for line in _lines(answer)][:MAX_LINES]
    if not lines:
        return None

    def paint(axes: Axes) -> None:
        _paint_lines(axes, question, lines, {**colours, **_fixed(kinds)})

    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=FRAME + ROW_HEIGHT * len(lines),
            name=f"subjects-{question}",
            description=f"{question} of every subject: "
            + "; ".join(f"{label} {number(float(v.mean()))}" for label, _, v in lines),
        ),
        caption=(
            f"{plain(question)}: every circle is one subject of the brain or one seed of a "
            "network; the bar is their average."
        ),
        header=("who", "subjects", "average", "lowest", "highest"),
        rows=tuple(
            (label, str(v.size), *(number(float(f(v))) for f in (np.mean, np.min, np.max)))
            for label, _, v in lines
        ),
    )


def _fixed(kinds: Mapping[str, str]) -> dict[str, str]:
    """Give brains and untrained controls their colour."""
    given = {"brain": BRAIN, "untrained": UNTRAINED}
    return {name: given[kind] for name, kind in kinds.items() if kind in given}


def _lines(answer: Answer) -> list[tuple[str, str, np.ndarray]]:
    """Give (label, system, values over subjects) for every region and condition that has values."""
    values = answer.data["value"]
    extra = [str(dim) for dim in values.dims if dim not in ("subject", "region")]
    stacked = values.transpose("region", *extra, "subject")
    found = []
    for index in np.ndindex(stacked.shape[:-1]):
        numbers = np.asarray(stacked.values[index], dtype=np.float64)
        names = [
            str(stacked[dim].values[at])
            for dim, at in zip(stacked.dims, index, strict=False)
            if dim in stacked.coords and stacked.sizes[dim] > 1
        ]
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size:
            label = " · ".join([short(answer.system, length=22), *(short(n) for n in names)])
            found.append((label, answer.system, numbers))
    return found


def _paint_lines(
    axes: Axes,
    question: str,
    lines: Sequence[tuple[str, str, np.ndarray]],
    colours: Mapping[str, str],
) -> None:
    for height, (_, system, values) in enumerate(lines):
        colour = colours.get(system, REFERENCE)
        axes.plot(
            values,
            np.full(values.size, height),
            linestyle="",
            marker="o",
            markersize=6,
            markerfacecolor=PAPER,
            markeredgecolor=colour,
            markeredgewidth=1.3,
        )
        mean = float(values.mean())
        axes.plot([mean, mean], [height - 0.3, height + 0.3], color=colour, linewidth=2.6)
        axes.annotate(
            number(mean),
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            annotation_clip=False,
        )
    axes.set_yticks(range(len(lines)), [label for label, _, _ in lines])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
    axes.set_title(plain(question))
