"""Dissimilarity matrices beside each other, stimuli sorted by their label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from scipy.stats import rankdata

from neuroai.format.answers import Answer
from neuroai.reports.numbers import counted, number
from neuroai.reports.style import PAPER, RDM_COLOURS, RULE, plain, short
from neuroai.reports.svg import Drawing, draw

WIDTH = HEIGHT = 340
LISTED_STIMULI = 128
DRAWN_STIMULI = 200
NAMED_BLOCKS = 20
SHADES = 64


def rdm_figure(
    answer: Answer, region: str, *, title: str, labels: Mapping[str, str], side: str
) -> Drawing | None:
    """Draw the RDM of one region, averaged over subjects; None where it was not measured.

    The picture shows ranks (percentiles of the pairs), so that matrices in different units can
    be compared by eye; the listing holds the averages themselves.
    """
    values = subject_average(answer, region)
    if not np.isfinite(values[~np.eye(len(values), dtype=bool)]).any():
        return None
    ids = [str(s) for s in answer.data["stimulus"].values]
    order = sorted(range(len(ids)), key=lambda i: (labels.get(ids[i], ""), ids[i]))
    values = values[np.ix_(order, order)]
    names = [ids[i] for i in order]
    groups = [labels.get(name, "") for name in names]
    grouped = any(groups) and len(_blocks(groups)) <= NAMED_BLOCKS

    def paint(axes: Axes) -> None:
        _paint(axes, percentiles(values), groups, title=title)

    return Drawing(
        svg=draw(
            paint,
            width=WIDTH,
            height=HEIGHT,
            name=f"rdm-{answer.question}-{answer.system}-{region}",
            description=(
                f"Dissimilarity of every pair of {counted(len(ids), 'stimulus')}: {answer.system}, "
                f"{region}, sorted by label."
            ),
        ),
        caption=_caption(answer, region, len(ids)),
        header=("label", *_blocks(groups)) if grouped else (),
        rows=_block_table(values, groups) if grouped else (),
        listing=_listing(values, names),
        side=side,
    )


def subject_average(answer: Answer, region: str) -> np.ndarray:
    """Average RDMs over the subjects that have them, for display, shape (n_stimuli, n_stimuli)."""
    stack = np.asarray(answer.data["rdm"].sel(region=region).values, dtype=np.float64)
    known = np.isfinite(stack)
    count = known.sum(axis=0)
    total = np.where(known, stack, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def percentiles(values: np.ndarray) -> np.ndarray:
    """Rank the pairs of an RDM onto 0 to 100, for display; the diagonal becomes 0.

    Examples
    --------
    >>> percentiles(np.array([[0.0, 5.0], [5.0, 0.0]])).tolist()
    [[0.0, 100.0], [100.0, 0.0]]
    """
    out = np.full(values.shape, np.nan)
    pairs = np.isfinite(values) & ~np.eye(len(values), dtype=bool)
    ranks = rankdata(values[pairs], method="max")
    out[pairs] = 100 * ranks / max(ranks.size, 1)
    np.fill_diagonal(out, 0.0)
    return out


def _paint(axes: Axes, values: np.ndarray, groups: Sequence[str], *, title: str) -> None:
    colours = LinearSegmentedColormap.from_list("rdm", RDM_COLOURS, N=SHADES).with_extremes(
        bad=RULE
    )
    n = len(values)
    axes.imshow(
        _shrunk(values), cmap=colours, vmin=0, vmax=100, interpolation="none", extent=(0, n, n, 0)
    )
    blocks = _blocks(groups)
    starts = [start for start, _ in blocks.values()] if len(blocks) <= NAMED_BLOCKS else []
    for start in starts[1:]:
        axes.axhline(start, color=PAPER, linewidth=0.9)
        axes.axvline(start, color=PAPER, linewidth=0.9)
    _name_blocks(axes, blocks)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title)


def _name_blocks(axes: Axes, blocks: Mapping[str, tuple[int, int]]) -> None:
    named = {name: ends for name, ends in blocks.items() if name}
    if not 1 <= len(named) <= NAMED_BLOCKS:
        axes.set_yticks([])
        return
    centres = [(start + stop) / 2 for start, stop in named.values()]
    size = 10.5 if len(named) <= 10 else 8.5
    axes.set_yticks(centres, [short(name, length=14) for name in named], fontsize=size)


def _shrunk(values: np.ndarray) -> np.ndarray:
    """Take evenly spaced rows and columns of a matrix that is larger than it is drawn."""
    if len(values) <= DRAWN_STIMULI:
        return values
    kept = np.linspace(0, len(values) - 1, DRAWN_STIMULI).round().astype(int)
    return values[np.ix_(kept, kept)]


def _blocks(groups: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Give first and last position of every label; the labels are sorted."""
    ends: dict[str, tuple[int, int]] = {}
    for index, group in enumerate(groups):
        ends[group] = (ends.get(group, (index, index))[0], index + 1)
    return ends


def _block_table(values: np.ndarray, groups: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    blocks = _blocks(groups)
    off = ~np.eye(len(values), dtype=bool)

    def cell(rows: tuple[int, int], cols: tuple[int, int]) -> str:
        part = (slice(*rows), slice(*cols))
        known = values[part][off[part] & np.isfinite(values[part])]
        return number(float(known.mean())) if known.size else "–"

    return tuple(
        (name, *(cell(rows, cols) for cols in blocks.values())) for name, rows in blocks.items()
    )


def _listing(values: np.ndarray, names: Sequence[str]) -> str:
    if len(names) > LISTED_STIMULI:
        return ""
    lines = [
        ",".join([plain(name).replace(",", ";"), *(f"{v:.3g}" for v in row[:index])])
        for index, (name, row) in enumerate(zip(names, values, strict=True))
    ]
    return "\n".join(lines)


def _caption(answer: Answer, region: str, n: int) -> str:
    who = "seed" if answer.kind == "model" else "subject"
    count = counted(len(answer.subjects), who)
    distance = answer.parameters.get("distance", "")
    kind = f", {plain(distance)} distance" if distance else ""
    source = ", as published" if answer.origin == "published" else ""
    drawn = f"; {DRAWN_STIMULI} of them drawn" if n > DRAWN_STIMULI else ""
    return (
        f"{plain(answer.system)}, {plain(region)}: average of {count}{kind}{source}; "
        f"{counted(n, 'stimulus')}{drawn}."
    )
