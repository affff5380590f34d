"""What the command line prints beside the files: JSON lines and the last line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from neuroai.format.results import Results
from neuroai.format.scores import SCORE_COLUMNS
from neuroai.reports.verdict import headline as first_verdict


def json_lines(results: Results) -> Iterator[str]:
    """Give one JSON object a score; numbers that do not exist are null."""
    for score in results.scores:
        row = {name: _finite(getattr(score, name)) for name in SCORE_COLUMNS}
        yield json.dumps(row, ensure_ascii=False, allow_nan=False)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def headline(results: Results) -> str:
    """Say in one line what the first network scored, as the table and the page begin."""
    verdict = first_verdict(results)
    if verdict is None:
        return "No score of a network is defined here; the page says why"
    facts = dict(verdict.facts)
    layer = f" {verdict.layer}" if verdict.layer else ""
    names = ("95 % interval", "noise ceiling", "another subject", "p")
    parts = [
        f"{name} {facts[name]}" for name in names if not facts.get(name, "no").startswith("no")
    ]
    text = f"{verdict.model}{layer} with {verdict.region}: {facts['measure']} {verdict.value}"
    return ", ".join([text, *parts])
