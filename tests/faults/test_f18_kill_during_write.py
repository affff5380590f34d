"""F18: a run that is killed while it writes a result leaves the old file or the new one."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
from fault_cases import Fault, Outcome, assert_held

from neuroai.format.files import open_form, save
from neuroai.testing import random_recording

SIZES = {"n_stimuli": 60, "n_units": 400}


def run(cases, rng):
    """Fork, write over the old file, and kill at a moment uniform over an unbroken write."""
    found = Outcome()
    old, new = (random_recording(**SIZES, seed=seed) for seed in (0, 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.nc"
        save(old, path)
        lasts = max(_unbroken(lambda: save(old, path)) for _ in range(3))
        for case in range(cases):
            save(old, path)
            _killed(lambda: save(new, path), after=rng.uniform(0, 1.1 * lasts))
            values = open_form(path).values
            is_new = np.array_equal(values, new.values)
            found.count("new file" if is_new else "old file")
            found.check(
                is_new or np.array_equal(values, old.values), f"case {case}: neither file is whole"
            )
            # What a killed writer left is no result, and the next write is not troubled by it.
            for left in set(Path(folder).iterdir()) - {path}:
                found.count("temporary files left")
                left.unlink()
    return found


def _forked(task):
    child = os.fork()
    if not child:
        try:
            task()
        finally:
            os._exit(0)
    return child


def _unbroken(task):
    start = time.perf_counter()
    os.waitpid(_forked(task), 0)
    return time.perf_counter() - start


def _killed(task, *, after):
    child = _forked(task)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


FAULT = Fault("F18", "a killed write leaves the old file or the new one, never half", 200, run)


def test_f18():
    """Every file opens and is whole."""
    assert_held(FAULT)
