"""Templates of pages: everything printed is escaped, and stripped of control characters."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from neuroai.reports.style import plain

FOLDER = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Make the environment that every page is rendered in."""
    return Environment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalise,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _finalise(value: object) -> object:
    return value if isinstance(value, Markup) or not isinstance(value, str) else plain(value)
