"""Workbooks are read as cells, and what is no workbook is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.sources.sheets import read_sheets, sheet

NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CELLS = (
    '<c r="A1" t="s"><v>0</v></c><c r="B1"><v>2.5</v></c><c r="C1"/>'
    '<c r="D1" t="inlineStr"><is><t>own</t></is></c><c r="E1" t="str"><f>1/0</f><v>#DIV/0!</v></c>'
)


def book(path: Path, cells: str = CELLS, before: str = "") -> Path:
    """Write a workbook of one sheet by hand."""
    sheets = f'<sheet name="Data" sheetId="1" r:id="r1" xmlns:r="{RELATIONS}"/>'
    parts = {
        "xl/workbook.xml": f"<workbook {NAMESPACE}><sheets>{sheets}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": (
            '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xl/sharedStrings.xml": (
            f"<sst {NAMESPACE}><si><r><t>two </t></r><r><t>runs</t></r></si></sst>"
        ),
        "xl/worksheets/sheet1.xml": (
            f"{before}<worksheet {NAMESPACE}><sheetData><row>{cells}</row></sheetData></worksheet>"
        ),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_cells_by_hand(tmp_path: Path) -> None:
    """Shared text, numbers, own text and a formula's stored value; empty cells are left out."""
    assert read_sheets(book(tmp_path / "a.xlsx")) == {
        "Data": {"A1": "two runs", "B1": 2.5, "D1": "own", "E1": "#DIV/0!"}
    }


def test_sheets_by_name(tmp_path: Path) -> None:
    """A misspelt sheet gets the near miss."""
    sheets = read_sheets(book(tmp_path / "a.xlsx"))
    assert sheet(sheets, "Data")["B1"] == 2.5
    with pytest.raises(UnknownName, match="Did you mean 'Data'"):
        sheet(sheets, "Dat")


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    """No zip, a broken cell, and declared entities are errors of the data."""
    (tmp_path / "a.xlsx").write_bytes(b"not a zip")
    book(tmp_path / "b.xlsx", cells='<c r="A1" t="s"><v>x</v></c>')
    book(tmp_path / "c.xlsx", before='<!DOCTYPE x [<!ENTITY a "b">]>')
    for name in ("a.xlsx", "b.xlsx", "c.xlsx"):
        with pytest.raises(DataError, match="cannot be read as an .xlsx workbook"):
            read_sheets(tmp_path / name)
    with pytest.raises(UsageError, match="There is no file"):
        read_sheets(tmp_path / "d.xlsx")
