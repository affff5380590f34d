"""Scores as ``scores.csv``, and files replaced whole."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable
from pathlib import Path

from neuroai.format.scores import SCORE_COLUMNS, Score

VALUE_COLUMNS = ("value", "ci_low", "ci_high", "ceiling_low", "ceiling_high", "p")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_scores_csv(scores: Iterable[Score], path: str | os.PathLike[str]) -> Path:
    """Write one row a score; numbers that do not exist are empty.

    Columns are those of `SCORE_COLUMNS`. ``value``, interval, ceiling and p are empty unless the
    status is ok. A text that a spreadsheet would take for a formula is preceded by ``'``.

    Parameters
    ----------
    scores : iterable of Score
        What to write.
    path : path
        The file; replaced whole.

    Returns
    -------
    Path
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(SCORE_COLUMNS)
    writer.writerows([_field(score, name) for name in SCORE_COLUMNS] for score in scores)
    return replace_file(path, buffer.getvalue())


def _field(score: Score, name: str) -> str:
    value = getattr(score, name)
    if name in VALUE_COLUMNS and score.status != "ok":
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, int):
        return str(value)
    return repr(float(value)) if math.isfinite(value) else ""


def replace_file(path: str | os.PathLike[str], text: str) -> Path:
    """Write text to a file in one step, so that a reader never meets half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="")
    os.replace(part, path)
    return path
