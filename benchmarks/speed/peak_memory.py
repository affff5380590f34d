"""Peak memory of one task above what was held before it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def peak_of_script(script: str, *words: str) -> float:
    """Run a benchmark file as a script, which prints its peak in MiB as the last line."""
    command = [sys.executable, script, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def peak_above(task: Callable[[], object]) -> float:
    """Run a task here and give its peak, in MiB, above what the process holds already."""
    # Linux forgets the peak of what made the data.
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = _status("VmRSS")
    task()
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
