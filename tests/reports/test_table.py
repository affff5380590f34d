"""Scores in ``scores.csv``."""

from __future__ import annotations

import csv
import math

import pandas as pd

from neuroai.format.results import Results
from neuroai.format.scores import SCORE_COLUMNS, Score
from neuroai.reports.table import write_scores_csv


def score(**more: object) -> Score:
    """Give one score against IT."""
    given = {"model": "net", "model_region": "fc", **more}
    return Score("algorithm", "rdm", "spearman", "data", "stimuli", "IT", **given)


def read(path) -> list[dict[str, str]]:
    """Read a CSV file as rows of text."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_every_column_and_row(results: Results, tmp_path) -> None:
    """The file has the columns of a score in their order and one row a score."""
    path = write_scores_csv(results.scores, tmp_path / "scores.csv")
    rows = read(path)
    assert tuple(rows[0]) == SCORE_COLUMNS
    assert len(rows) == len(results.scores)
    for row, given in zip(rows, results.scores, strict=True):
        assert (row["value"] == "") == (given.status != "ok")
        assert row["value"] == "" or float(row["value"]) == given.value
        assert row["selected"] == str(int(given.selected))


def test_csv_is_empty_where_there_is_no_number(tmp_path) -> None:
    """Value, interval, ceiling and p are empty unless the status is ok; no NaN is written."""
    scores = [
        score(value=0.25, seed="0"),
        score(status="undefined", note="no variance", ceiling_low=0.3, ceiling_high=0.5, p=0.4),
    ]
    path = write_scores_csv(scores, tmp_path / "scores.csv")
    first, second = read(path)
    assert (first["value"], first["ci_low"], first["dose"]) == ("0.25", "", "")
    for name in ("value", "ci_low", "ci_high", "ceiling_low", "ceiling_high", "p"):
        assert second[name] == ""
    assert (second["status"], second["note"]) == ("undefined", "no variance")
    assert "nan" not in path.read_text(encoding="utf-8").lower()
    table = pd.read_csv(path)
    assert table["value"].isna().tolist() == [False, True]
    assert math.isclose(table["value"][0], 0.25)


def test_csv_holds_no_formulas(tmp_path) -> None:
    """A text that a spreadsheet would execute is preceded by an apostrophe; numbers are not."""
    names = ["=1+1", "+1", "-1", "@x", "fine"]
    path = write_scores_csv([score(model=n, value=-0.5) for n in names], tmp_path / "s.csv")
    rows = read(path)
    assert [row["model"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "fine"]
    assert {row["value"] for row in rows} == {"-0.5"}


def test_csv_keeps_awkward_text(tmp_path) -> None:
    """Commas, quotes, new lines and letters of any script come back as they were."""
    name = 'a,"b"\nc 猫'
    path = write_scores_csv([score(model=name, value=1.0)], tmp_path / "new" / "s.csv")
    assert read(path)[0]["model"] == name
    assert [item.name for item in path.parent.iterdir()] == ["s.csv"]
