"""Scores in the terminal and in ``scores.csv``."""

from __future__ import annotations

import csv
import math

import pandas as pd
import pytest

from neuroai.format.results import Results
from neuroai.format.scores import SCORE_COLUMNS, Score
from neuroai.reports.table import terminal_table, write_scores_csv


def score(**more: object) -> Score:
    """Give one score against IT."""
    given = {"model": "net", "model_region": "fc", **more}
    return Score("algorithm", "rdm", "spearman", "data", "stimuli", "IT", **given)


def read(path) -> list[dict[str, str]]:
    """Read a CSV file as rows of text."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_terminal_table_has_levels_and_numbers(results: Results) -> None:
    """Every level has its heading; a row holds score, interval, p, n and status."""
    text = terminal_table(results, width=120, colour=False)
    places = [text.index(word) for word in ("Computation:", "Algorithm:", "Implementation:")]
    assert places == sorted(places)
    assert "rdm-spearman against IT; noise ceiling 0.379 to 0.600" in text
    row = next(line for line in text.splitlines() if "net.layer.5 " in line)
    assert row.split() == ("resnet network net.layer.5 0.330 0.290 to 0.370 .001 92 × 4 ok".split())
    assert "net.layer.3*" in text and "* highest of several on the same stimuli" in text
    assert "90 further scores (single layers and seeds) in scores.csv." in text
    assert "Simulated brain" in text


def test_terminal_table_spells_out_what_has_no_number(results: Results) -> None:
    """Undefined and not measurable are words with their reason, never NaN or 0."""
    text = terminal_table(results, width=120, colour=False)
    assert "not measurable: no cue-conflict images" in text
    assert "undefined: a layer without variance" in text
    assert "human, lesion of V1: not measurable: no lesions were made" in text
    assert "nan" not in text.lower()


def test_terminal_table_tells_localisers_and_lesions(results: Results) -> None:
    """Localisers and the largest dose of every lesion have a sentence each."""
    text = terminal_table(results, width=200, colour=False)
    assert "human s1, IT: localiser face > rest selects 20 units; held-out t 4.20" in text
    assert (
        "resnet, net.layer.7: accuracy 0.900 → 0.500 after the targeted mean lesion (simulated) "
        "at dose 1; p against random sets .010" in text
    )


@pytest.mark.parametrize("width", [80, 100, 160])
def test_terminal_table_fits_its_width(make_results, width) -> None:
    """No line is longer than the terminal, whatever the names."""
    results = make_results(name=lambda text: f"{text}-{'long' * 12}")
    lines = terminal_table(results, width=width, colour=False).splitlines()
    assert max(map(len, lines[1:])) <= width


def test_terminal_table_obeys_no_name(make_results) -> None:
    """Escape sequences in names never reach the terminal; colour is the table's own."""
    results = make_results(name=lambda text: f"\x1b[2J{text}\x07")
    assert "\x1b" not in terminal_table(results, colour=False)
    assert "\x1b[2J" not in terminal_table(results, colour=True)
    assert "\x1b[1m" in terminal_table(results, colour=True)


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
