"""Simulate every property and print the table: ``python -m tests.calibration [--full]``.

With ``--write`` the rows of the designs that ran replace those of the page, so that the table can
be made in pieces. ``--recovery FILE`` writes which network is taken for which (T7).
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import multiprocessing
import os
import sys
import time
from pathlib import Path
from types import ModuleType

# One thread a process, set before NumPy reads it: the parts run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "helpers"))

from calibration_cases import FULL, Calibration  # noqa: E402

PART = 500
HEAD = """Calibration
===========

Simulations whose truth is known: how often tests reject where nothing is to be found, how often
intervals hold the true value, and how far estimates lie from it. The table is written by
``python -m tests.calibration --full --write docs/background/calibration_table.rst``; the tests run
fewer simulations within wider bounds, at least four standard errors. Where no bound is given the
measured value is shown alone: scores of such sizes carry the stamp *uncalibrated*.

.. list-table::
   :header-rows: 1

   * - test
     - value
     - design
     - simulations
     - measured
     - standard error
     - bounds
"""


def loaded(path: Path) -> ModuleType:
    """Load a test file by its path."""
    spec = importlib.util.spec_from_file_location(f"calibration_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def cases() -> list[Calibration]:
    """Give every case of this folder, in the order of the table."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        found.extend(getattr(loaded(path), "CASES", ()))
    return sorted(found, key=lambda case: int(case.code[1:]))


def simulated(case: Calibration, *, jobs: int, most: int) -> np.ndarray:
    """Run one case in parts over processes; the values do not hang on how many there are."""
    n = min(case.size().n, most)
    parts = [(min(PART, n - start), start // PART) for start in range(0, n, PART)]
    if jobs == 1:
        return np.concatenate([case.part(*part) for part in parts])
    # Forked, since functions of files loaded by path cannot be sent to another process.
    global _case
    _case = case
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        return np.concatenate(pool.map(_part, parts, chunksize=1))


def _part(part: tuple[int, int]) -> np.ndarray:
    return _case.part(*part)


def write(page: Path, rows: list[tuple]) -> None:
    """Put rows in the place of those of the same designs, and keep the others of the page."""
    kept: dict[tuple[str, ...], tuple[str, ...]] = {}
    if page.exists():
        _, _, body = page.read_text(encoding="utf-8").partition(HEAD)
        for part in body.split("   * - ")[1:]:
            row = tuple(part.rstrip("\n").split("\n     - "))
            kept[row[:3]] = row
    for row in rows:
        words = tuple(map(str, row))
        kept[words[:3]] = words
    cells = ["   * - " + "\n     - ".join(row) + "\n" for row in sorted(kept.values(), key=_place)]
    page.write_text(HEAD + "".join(cells), encoding="utf-8")


def _place(row: tuple[str, ...]) -> tuple[int, str, str]:
    return int(row[0][1:]), row[1], row[2]


def _bounds(low: float, high: float) -> str:
    # A share is at most 1, which bounds nothing.
    if math.isinf(low) and high >= 1:
        return "none"
    return f"{low:.3f} to {high:.3f}"


def main() -> int:
    """Run them, print a row each, and write the page where asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.calibration", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all simulations")
    parser.add_argument("--write", type=Path, help="write the table as a page of the docs")
    parser.add_argument("--recovery", type=Path, help="write the confusions of networks alone")
    parser.add_argument("--only", nargs="*", help="codes to run, such as T4")
    parser.add_argument("--cells", help="run the designs alone whose words hold this")
    parser.add_argument("--most", type=int, default=sys.maxsize, help="simulations a design")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    asked = parser.parse_args()
    if asked.full:
        os.environ[FULL] = "1"
    if asked.recovery:
        found = loaded(HERE / "test_t07_recovery.py").recovery_page()
        asked.recovery.write_text(found, encoding="utf-8")
        return 0
    rows, outside = [], 0
    for case in cases():
        if asked.only and case.code not in asked.only:
            continue
        if asked.cells and asked.cells not in case.cell:
            continue
        start = time.perf_counter()
        values = simulated(case, jobs=asked.jobs, most=asked.most)
        mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
        low, high = case.bounds(values)
        held = low <= mean <= high
        outside += not held
        numbers = (f"{mean:.4f}", f"{error:.4f}", _bounds(low, high))
        rows.append((case.code, case.what, case.cell, len(values), *numbers))
        lasted = f"{time.perf_counter() - start:.1f} s"
        print(*rows[-1], "" if held else "OUTSIDE", lasted, sep=" | ", flush=True)
        if asked.write:
            # After every case, since the whole takes hours.
            write(asked.write, rows)
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
