"""Run every fault suite and print the table: ``python -m tests.faults [--full] [--write FILE]``."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "helpers"))

from fault_cases import FULL, Fault  # noqa: E402

HEAD = """Faults held
===========

Each fault is made on purpose, as many times as stated, and each promise is checked every time.
The table is written by ``python -m tests.faults --full --write docs/background/faults_table.rst``;
the tests run a tenth of each.

.. list-table::
   :header-rows: 1

   * - fault
     - promise
     - cases
     - broken
     - counts
"""
ROW = re.compile(r"^   \* - ([FS]\d+)\n((?:     - .*\n){4})", re.MULTILINE)


def faults() -> list[Fault]:
    """Give every suite of this folder, in the order of the table."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"faults_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.append(module.FAULT)
    return found


def main() -> int:
    """Run them, print a row each, and write the page where asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all cases, not a tenth")
    parser.add_argument("--write", type=Path, help="write the table as a page of the docs")
    parser.add_argument(
        "--only", nargs="*", help="codes to run, such as F17; the page keeps the rows of the others"
    )
    asked = parser.parse_args()
    if asked.full:
        os.environ[FULL] = "1"
    broken = 0
    for fault in faults():
        if asked.only and fault.code not in asked.only:
            continue
        print(f"{fault.code}: {fault.size()} cases ...", file=sys.stderr, flush=True)
        start = time.perf_counter()
        outcome = fault.outcome()
        broken += len(outcome.broken)
        counts = ", ".join(f"{n} {name}" for name, n in sorted(outcome.counts.items())) or "–"
        row = (fault.code, fault.promise, outcome.tried, len(outcome.broken), counts)
        print(*row, f"{time.perf_counter() - start:.1f} s", sep=" | ", flush=True)
        for sentence in outcome.broken[:3]:
            print(f"    {sentence}")
        if asked.write:
            _write(asked.write, row)
    return 1 if broken else 0


def _write(page: Path, row: tuple[object, ...]) -> None:
    """Put one row into the page, in the order of the codes; a row of the same code is replaced."""
    there = page.read_text(encoding="utf-8") if page.is_file() else ""
    rows = dict(ROW.findall(there))
    rows[str(row[0])] = "".join(f"     - {cell}\n" for cell in row[1:])
    order = sorted(rows, key=lambda code: (code[0], int(code[1:])))
    page.write_text(HEAD + "".join(f"   * - {c}\n{rows[c]}" for c in order), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
