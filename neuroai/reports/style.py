"""How reports look: colours and their names in the style sheet, settings, plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from types import MappingProxyType

INK = "#1d1f24"
MUTED = "#6b7079"
RULE = "#d6d8dc"
PAPER = "#fefefd"
CEILING = "#e8dfcb"
BRAIN = "#b5532a"
UNTRAINED = "#8d929b"
REFERENCE = "#4a4e57"
NETWORKS = ("#1f5fa7", "#1a8776", "#7b4da1", "#a07d10", "#b23b6c", "#4c7a29")

# Letters of some scripts, and emoji, are joined by these; they cannot hide or turn text.
JOINERS = "\u200c\u200d"

# Figures are drawn in these colours; the page replaces each by a variable that dark mode changes.
VARIABLES = MappingProxyType(
    {
        INK: "--ink",
        MUTED: "--muted",
        RULE: "--rule",
        PAPER: "--paper",
        CEILING: "--ceiling",
        BRAIN: "--brain",
        UNTRAINED: "--untrained",
        REFERENCE: "--reference",
        **{colour: f"--network-{index}" for index, colour in enumerate(NETWORKS)},
    }
)

# From light (alike, rare) to dark (unlike, frequent), with lightness falling steadily.
RDM_COLOURS = ("#fbf6e9", "#cfd9cf", "#86adb5", "#4a7899", "#2a4a78", "#1a2147")
SHARE_COLOURS = ("#fbf7ee", "#f0d9bd", "#dfa57c", "#c06e48", "#8f3f2b", "#561f1d")

SETTINGS = MappingProxyType(
    {
        "font.family": "DejaVu Sans",
        "font.size": 11.0,
        "axes.titlesize": 12.0,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 9.0,
        "axes.labelsize": 11.0,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "text.color": INK,
        "text.parse_math": False,
        "text.usetex": False,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 10.5,
        "ytick.labelsize": 10.5,
        "legend.frameon": False,
        "legend.fontsize": 10.5,
        "lines.linewidth": 1.8,
        "svg.fonttype": "none",
        "svg.image_inline": True,
    }
)


def network_colours(names: Iterable[str]) -> dict[str, str]:
    """Give every network its colour, the same in every figure; colours repeat after six.

    Examples
    --------
    >>> network_colours(["a", "b", "a"])
    {'a': '#1f5fa7', 'b': '#1a8776'}
    """
    return {name: NETWORKS[i % len(NETWORKS)] for i, name in enumerate(dict.fromkeys(names))}


def plain(value: object) -> str:
    """Give text on one line, with control and text-direction characters shown as U+FFFD.

    Names come from files of others; a terminal or a browser must not obey what they hold.

    Examples
    --------
    >>> plain("a\\x1b[31mb")
    'a\\ufffd[31mb'
    >>> plain("two\\nlines")
    'two lines'
    """
    flat = str(value).replace("\r", " ").replace("\n", " ").replace("\t", " ")
    return "".join(
        "\ufffd"
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs") and letter not in JOINERS
        else letter
        for letter in flat
    )


def short(value: object, *, length: int = 28) -> str:
    """Shorten a long name in its middle, where names of layers and folders differ least.

    Examples
    --------
    >>> short("a-rather-long-name", length=9)
    'a-ra…name'
    """
    text = plain(value)
    if len(text) <= length:
        return text
    left = length // 2
    return f"{text[:left]}…{text[len(text) - (length - left - 1) :]}"
