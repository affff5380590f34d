"""Excel workbooks (.xlsx), read as cells: no formulas are computed, nothing is executed."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from neuroai.checks import known_name
from neuroai.errors import DataError, UsageError

MOST_BYTES = 2**28  # of one part of the workbook when unpacked
CELL = re.compile(r"^([A-Z]+)(\d+)$")
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_sheets(path: str | Path) -> dict[str, dict[str, str | float]]:
    """Read the cells of every sheet of a workbook.

    Parameters
    ----------
    path : str or pathlib.Path
        An ``.xlsx`` file.

    Returns
    -------
    dict
        From the name of a sheet to a dict from cell (``"B2"``) to its text or number; empty cells
        are left out. A formula gives the value that was stored with it.

    Raises
    ------
    DataError
        The file is no workbook.
    UsageError
        There is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as book:
            texts = _shared_texts(book)
            return {name: _cells(_xml(book, part), texts) for name, part in _parts(book).items()}
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as an .xlsx workbook ({error}). Save it again, or as CSV."
        ) from error


def column_of(cells: dict[str, str | float], letter: str, rows: range) -> list[str | float | None]:
    """Give a stretch of one column, None where a cell is empty.

    Examples
    --------
    >>> column_of({"B2": 1.0, "B4": "x"}, "B", range(2, 5))
    [1.0, None, 'x']
    """
    return [cells.get(f"{letter}{row}") for row in rows]


def sheet(sheets: dict[str, dict[str, str | float]], name: str) -> dict[str, str | float]:
    """Give one sheet by name, or raise UnknownName with the near miss."""
    return sheets[known_name(name, sheets, kind="sheet")]


def _xml(book: zipfile.ZipFile, part: str) -> ElementTree.Element:
    if book.getinfo(part).file_size > MOST_BYTES:
        raise ValueError(f"{part} is larger than {MOST_BYTES} bytes")
    content = book.read(part)
    if b"<!DOCTYPE" in content:
        raise ValueError(f"{part} declares entities")
    root = ElementTree.fromstring(content)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _parts(book: zipfile.ZipFile) -> dict[str, str]:
    relations = {
        item.get("Id"): str(item.get("Target"))
        for item in _xml(book, "xl/_rels/workbook.xml.rels").iter("Relationship")
    }
    found = {}
    for item in _xml(book, "xl/workbook.xml").iter("sheet"):
        target = relations[item.get(RELATION)]
        found[str(item.get("name"))] = (
            target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        )
    return found


def _shared_texts(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    items = _xml(book, "xl/sharedStrings.xml").iter("si")
    return ["".join(text.text or "" for text in item.iter("t")) for item in items]


def _cells(root: ElementTree.Element, texts: list[str]) -> dict[str, str | float]:
    found: dict[str, str | float] = {}
    for cell in root.iter("c"):
        where, value = str(cell.get("r")), cell.find("v")
        if cell.get("t") == "inlineStr":
            found[where] = "".join(text.text or "" for text in cell.iter("t"))
        elif value is not None and value.text is not None and CELL.match(where):
            found[where] = _value(value.text, str(cell.get("t", "n")), texts)
    return found


def _value(text: str, kind: str, texts: list[str]) -> str | float:
    if kind == "s":
        return texts[int(text)]
    return float(text) if kind == "n" else text
