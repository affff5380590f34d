"""Draw a figure and give it as SVG that stands inside a page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from neuroai.reports.style import SETTINGS, VARIABLES, plain

UNITS_PER_INCH = 72


@dataclass(frozen=True)
class Drawing:
    """A figure with the words and numbers that stand beside it.

    Attributes
    ----------
    svg : Markup
        The picture; safe to print, since `draw` escaped every name in it.
    caption : str
        What is shown.
    header, rows : tuple
        The same numbers as a table, already printed.
    listing : str
        For matrices: the numbers as lines of text.
    side : str
        ``brain``, ``network`` or ``both``: the column that it stands in.
    """

    svg: Markup
    caption: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    listing: str = ""
    side: str = "both"


def draw(
    paint: Callable[[Axes], None], *, width: int, height: int, name: str, description: str
) -> Markup:
    """Paint one pair of axes and give it as SVG for a page.

    Parameters
    ----------
    paint : callable
        Draws on the axes.
    width, height : int
        Size in CSS pixels at full size.
    name : str
        Unique on the page; keeps the ids inside the pictures apart, and equal from run to run.
    description : str
        What those are told who do not see the picture.

    Returns
    -------
    Markup
        One ``<svg>`` element without scripts, style sheets, comments or addresses.
    """
    salted = {**SETTINGS, "svg.hashsalt": name}
    with rc_context(salted), warnings.catch_warnings():
        # The reader's browser draws the letters, with fonts that the drawing library lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(
            figsize=(width / UNITS_PER_INCH, height / UNITS_PER_INCH),
            dpi=UNITS_PER_INCH,
            layout="constrained",
        )
        FigureCanvasSVG(figure)
        paint(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", dpi=UNITS_PER_INCH)
    return _inline(buffer.getvalue(), width=width, height=height, description=description)


def _inline(source: str, *, width: int, height: int, description: str) -> Markup:
    """Take what a page does not need out of a stand-alone SVG, and name its colours."""
    body = source[source.index("<svg") :]
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r"<defs>\s*</defs>", "", body)
    body = re.sub(r"((?:fill|stroke): )(#[0-9a-f]{6})", _variable, body)
    body = re.sub(r"\n\s*", "\n", body)
    opening = Markup(
        '<svg class="plot" role="img" aria-label="{label}" viewBox="0 0 {w} {h}" '
        'style="--full: {w}px">'
    ).format(label=plain(description), w=width, h=height)
    return opening + Markup(body)


def _variable(match: re.Match[str]) -> str:
    name = VARIABLES.get(match.group(2))
    return match.group(0) if name is None else f"{match.group(1)}var({name}, {match.group(2)})"
