"""Delimited text files, read strictly: every row has every field, and nothing is guessed."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuroai.checks import listing, near_miss
from neuroai.errors import DataError, UnknownName, UsageError

SEPARATORS = {".csv": ",", ".tsv": "\t"}
MISSING = ("", "na", "NA", "n/a", "N/A", "nan", "NaN")
TRUTHS = {"1": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "false": 0.0, "no": 0.0}
LINE_OF_FIRST_ROW = 2


@dataclass(frozen=True)
class TextTable:
    """The text of a delimited file.

    Attributes
    ----------
    path : pathlib.Path
        Where it was read.
    columns : dict
        From the name in the header to an object array of strings, one a row.
    """

    path: Path
    columns: dict[str, np.ndarray]

    @property
    def n_rows(self) -> int:
        """How many rows stand below the header."""
        return len(next(iter(self.columns.values())))

    def text(self, name: str) -> np.ndarray:
        """Give a column as strings; upper and lower case count as equal if that is unambiguous.

        Raises
        ------
        UnknownName
            The file has no such column; the nearest ones are named.
        """
        if name in self.columns:
            return self.columns[name]
        folded = [key for key in self.columns if key.lower() == name.lower()]
        if len(folded) == 1:
            return self.columns[folded[0]]
        raise UnknownName(
            f"{self.path} has no column '{name}'. {near_miss(name, list(self.columns))} "
            f"Its columns are: {listing(self.columns, shown=20)}."
        )

    def numbers(self, name: str, *, missing: Sequence[str] = MISSING) -> np.ndarray:
        """Give a column as float64, missing entries as NaN.

        Raises
        ------
        DataError
            An entry is neither a number nor one of `missing`; its line is named.
        """
        return np.array(
            [np.nan if v in missing else self._float(v, i, name) for i, v in self._entries(name)],
            dtype=np.float64,
        )

    def truths(self, name: str, *, missing: Sequence[str] = MISSING) -> np.ndarray:
        """Give a column of truth values as float64 0, 1 and NaN.

        Raises
        ------
        DataError
            An entry is neither a truth value nor one of `missing`; its line is named.
        """
        found = [
            np.nan if v in missing else TRUTHS.get(v.lower().removesuffix(".0"))
            for _, v in self._entries(name)
        ]
        if None in found:
            row = found.index(None)
            raise self._strange(name, row, wanted="a truth value (0, 1, true, false, yes, no)")
        return np.array(found, dtype=np.float64)

    def _entries(self, name: str) -> enumerate[str]:
        return enumerate(value.strip() for value in self.text(name))

    def _float(self, value: str, row: int, name: str) -> float:
        try:
            return float(value)
        except ValueError as error:
            raise self._strange(name, row, wanted="a number") from error

    def _strange(self, name: str, row: int, *, wanted: str) -> DataError:
        value = self.text(name)[row]
        return DataError(
            f"Column '{name}' of {self.path} holds {value!r} on line {row + LINE_OF_FIRST_ROW}, "
            f"which is not {wanted}. Correct it, or name it among the missing values."
        )


def read_table(path: str | Path, *, separator: str = "") -> TextTable:
    """Read a CSV or TSV file (also with ``.gz``) as text.

    Parameters
    ----------
    path : str or pathlib.Path
        Its name ends in ``.csv`` or ``.tsv``, unless `separator` is given.
    separator : str
        What stands between fields; by default as the name of the file says.

    Returns
    -------
    TextTable

    Raises
    ------
    UsageError
        The name says no separator, or there is no such file.
    DataError
        The file is empty, a name occurs twice in the header, a row is too short or too long, or it
        is not UTF-8 text.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise UsageError(f"There is no file {path}. {_others(path)}")
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if not separator and suffix not in SEPARATORS:
        raise UsageError(
            f"{path} must end in {' or '.join(SEPARATORS)} (or these with .gz); or say what stands "
            "between its fields with separator=','."
        )
    rows = _rows(path, separator or SEPARATORS[suffix])
    header = [name.strip() for name in rows[0]] if rows else []
    twice = sorted({name for name in header if header.count(name) > 1})
    if not header or twice:
        wrong = f"names {listing(twice)} twice in its header" if twice else "is empty"
        raise DataError(f"{path} {wrong}. A table has one line of unique column names.")
    ragged = [i for i, row in enumerate(rows, start=1) if len(row) != len(header)]
    if ragged:
        raise DataError(
            f"{path} has {len(header)} columns, but {len(rows[ragged[0] - 1])} fields on line "
            f"{ragged[0]} ({len(ragged)} such lines). Quote fields that hold the separator."
        )
    fields = np.array(rows[1:], dtype=object).reshape(-1, len(header))
    return TextTable(path=path, columns={n: fields[:, i] for i, n in enumerate(header)})


def _others(path: Path) -> str:
    there = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
    return near_miss(path.name, there)


def _rows(path: Path, separator: str) -> list[list[str]]:
    opener = gzip.open if path.name.endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
            return [row for row in csv.reader(handle, delimiter=separator) if row]
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError) as error:
        raise DataError(
            f"{path} cannot be read as a table ({error}). Save it as UTF-8 text."
        ) from error
