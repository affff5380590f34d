"""The page of a worked case: every cell says what it must, hostile names are harmless."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from neuroai.errors import FormatError
from neuroai.format.cases import TABLE_COLUMNS, CaseResults, Cell, Curve, Line, case_scores
from neuroai.format.results import DoseCurve
from neuroai.reports.case_page import case_lines, render_case, write_case

HOSTILE = '</svg><script>alert(1)</script>"'


def cell(side: str, **facts: object) -> Cell:
    """Make a cell with numbers."""
    given = {
        "dataset": "data", "system": f"a {side}", "measure": "change", "value": -0.2,
        "ci_low": -0.3, "ci_high": -0.1, "neutral": 0.0, "n": 9, "unit": "mice", "p": 0.004,
        "null": "no change", "origin": "measured",
    }  # fmt: skip
    return Cell(side=side, **{**given, **facts})


def results(**changes: object) -> CaseResults:
    """Make a case of two lines: one with both sides, one that a side cannot answer."""
    absent = Cell(
        "network", "data", "a network", "time", status="not_measurable", note="it takes no time"
    )
    ones = np.ones(2)
    curve = Curve(
        "mice", "brain", "mice", np.array([17.0, 67.0]), np.array([0.5, 0.7]), 0.4 * ones,
        0.8 * ones, 9 * ones, "onset (ms)", "accuracy", 0.72, "mean over mice",
    )  # fmt: skip
    dose = DoseCurve(
        "a network", "model", "conv", "computation", "accuracy", "mean", "simulated", 0.9,
        np.array([0.5, 1.0]), np.array([0.8, 0.6]), np.full((2, 100), 0.85), 0.01 * ones,
        np.array([2, 4]), np.nan * ones, np.nan * ones,
    )  # fmt: skip
    facts = {
        "name": "case@1", "title": "A case", "question": "What?", "simulated": False,
        "lines": (
            Line("silence", "implementation", "What is lost?", "measured", cell("brain"),
                 cell("network", origin="simulated", unit="stimuli"), "re-created", "both"),
            Line("time", "algorithm", "How long?", "trialwise", cell("brain"), absent, "no",
                 "brain only"),
        ),
        "curves": {"silence": (curve,)}, "dose_curves": {"silence": (dose,)},
        "stimuli_note": "stimuli: re-created",
    }  # fmt: skip
    return CaseResults(**{**facts, **changes})


def test_every_cell_says_its_data_set_n_interval_and_p() -> None:
    """And the line which stimuli were met, its nulls and its verdict."""
    page = render_case(results())
    for words in (
        "−0.200", "95 % −0.300 to −0.100", "n 9 mice", "p = .004", "data: a brain (measured)",
        "re-created", "others", "no change", "not measurable: it takes no time", "stimuli: re-cr",
        "2 questions",
    ):  # fmt: skip
        assert words in page, words
    assert page.index('id="algorithm"') < page.index('id="implementation"')
    assert page.count("<svg") == 2


def test_names_of_others_are_escaped_everywhere() -> None:
    """In cells, curves, notes and the terminal."""
    line = Line(
        "x", "algorithm", HOSTILE, HOSTILE, cell("brain", system=HOSTILE, note=HOSTILE),
        cell("network", where=HOSTILE), "no", HOSTILE,
    )  # fmt: skip
    page = render_case(results(lines=(line,), title=HOSTILE, stimuli_note=HOSTILE, curves={}))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in case_lines(results(lines=(line,), title="\x1b[31m"))


def test_the_table_has_one_row_a_side(tmp_path: Path) -> None:
    """Numbers that do not exist are empty; scores hold the same."""
    found = results()
    paths = write_case(found, tmp_path)
    with paths["table.csv"].open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == TABLE_COLUMNS
    assert [row["side"] for row in rows] == ["brain", "network"] * 2
    assert [row["value"] for row in rows] == ["-0.2", "-0.2", "-0.2", ""]
    assert {row["stimuli_shared"] for row in rows} == {"re-created", "no"}
    scores = case_scores(found)
    assert [s.status for s in scores] == ["ok", "ok", "ok", "not_measurable"]
    assert [s.model for s in scores] == ["", "a network", "", "a network"]
    assert scores[0].n_brain_subjects == 9


def test_a_cell_without_a_number_needs_a_reason() -> None:
    """And a number needs the status ok: no bare NaN stands in a table."""
    with pytest.raises(FormatError, match="needs a note"):
        Cell("brain", "d", "s", "m", status="not_measurable")
    with pytest.raises(FormatError, match="finite exactly when"):
        Cell("brain", "d", "s", "m")
    assert cell("brain", p=0.2).effect == 0
    assert cell("brain").effect == -1
    assert np.isnan(cell("brain", p=float("nan")).effect)
