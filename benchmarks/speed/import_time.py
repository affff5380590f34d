"""Prints how long ``import neuroai`` and ``neuroai --help`` take in a fresh process.

Run it as ``python benchmarks/speed/import_time.py``. Medians are printed beside the bounds that the
project sets itself, and beside an empty Python.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

REPEATS = 9
CASES = {
    "python -c pass": (["-c", "pass"], None),
    "import neuroai": (["-c", "import neuroai"], 0.5),
    "neuroai --help": (["-c", "import neuroai.cli as c; c.main(['--help'])"], 0.8),
}


def seconds(words: list[str]) -> float:
    """Give the median time of a fresh process, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    for name, (words, bound) in CASES.items():
        stated = "" if bound is None else f" (bound {bound} s)"
        print(f"{name}: {seconds(words):.3f} s{stated}")
