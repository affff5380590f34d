"""Delimited text is read strictly: every fault is named with its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.sources.tables import read_table


def write(path: Path, text: str) -> Path:
    """Write a small file."""
    path.write_text(text, encoding="utf-8")
    return path


def test_text_and_numbers_by_hand(tmp_path: Path) -> None:
    """Text stays as it stands ('082' keeps its zero), numbers and missing entries are floats."""
    table = read_table(write(tmp_path / "a.csv", 'id,rt\n082,0.5\n"a,b",n/a\n'))
    assert table.n_rows == 2
    assert table.text("id").tolist() == ["082", "a,b"]
    np.testing.assert_array_equal(table.numbers("rt"), [0.5, np.nan])


def test_truths_by_hand(tmp_path: Path) -> None:
    """Truth values are 0, 1 or missing; anything else is named with its line."""
    table = read_table(write(tmp_path / "a.csv", "ok\nTrue\n0\n1.0\nn/a\n"))
    np.testing.assert_array_equal(table.truths("ok"), [1, 0, 1, np.nan])
    other = read_table(write(tmp_path / "b.csv", "ok\n1\nmaybe\n"))
    with pytest.raises(DataError, match=r"'maybe' on line 3, which is not a truth value"):
        other.truths("ok")


def test_tab_and_gzip(tmp_path: Path) -> None:
    """TSV and packed files are read alike, a byte-order mark is no part of the first name."""
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress("\ufeffa\tb\n1\t2\n".encode()))
    assert list(read_table(tmp_path / "a.tsv.gz").columns) == ["a", "b"]


def test_case_counts_only_where_it_must(tmp_path: Path) -> None:
    """'session' finds 'Session', unless two columns differ by case alone."""
    table = read_table(write(tmp_path / "a.csv", "Session,x,X\n1,2,3\n"))
    assert table.text("session").tolist() == ["1"]
    assert table.text("X").tolist() == ["3"]


def test_missing_column_names_the_nearest(tmp_path: Path) -> None:
    """A misspelt column is answered with the near miss and the list."""
    table = read_table(write(tmp_path / "a.csv", "subject,response\np1,dog\n"))
    with pytest.raises(UnknownName, match=r"no column 'respons'. Did you mean 'response'\?"):
        table.text("respons")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", r"has 2 columns, but 3 fields on line 3 \(1 such lines\)"),
        ("a,a\n1,2\n", "names a twice in its header"),
        ("", "is empty"),
    ],
)
def test_broken_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """Ragged rows, a double name and an empty file are errors that say where."""
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path / "a.csv", text))


def test_a_word_among_numbers_is_named(tmp_path: Path) -> None:
    """The entry, its line and its column stand in the message."""
    table = read_table(write(tmp_path / "a.csv", "rt\n0.5\nfast\n"))
    with pytest.raises(DataError, match=r"Column 'rt' .* holds 'fast' on line 3, which is not a"):
        table.numbers("rt")


def test_no_file_and_no_separator(tmp_path: Path) -> None:
    """An absent file gets the near miss; an unknown ending asks for the separator."""
    write(tmp_path / "trials.csv", "a\n1\n")
    with pytest.raises(UsageError, match=r"Did you mean 'trials.csv'\?"):
        read_table(tmp_path / "trial.csv")
    odd = write(tmp_path / "trials.dat", "a;b\n1;2\n")
    with pytest.raises(UsageError, match="separator=','"):
        read_table(odd)
    assert list(read_table(odd, separator=";").columns) == ["a", "b"]


def test_not_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and a gzip that is none, are errors of the data."""
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00x")
    (tmp_path / "b.csv.gz").write_bytes(b"not packed")
    for name in ("a.csv", "b.csv.gz"):
        with pytest.raises(DataError, match="Save it as UTF-8 text"):
            read_table(tmp_path / name)
