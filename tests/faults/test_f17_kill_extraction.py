"""F17: an extraction that is killed goes on where it stopped, to the same store bit for bit."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from fault_cases import Fault, Outcome, assert_held, open_files, stopped

from neuroai.format.seal import finished_parts, is_sealed
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.extract import extract
from neuroai.systems.load import load_model

N_STIMULI, BATCH, SIDE = 96, 8, 48
PARTS = N_STIMULI // BATCH
LAYERS = ["0", "1", "2"]
# Of all kills, so many must fall between the first and the last chunk, and so many upon a chunk
# whose file is open.
WRITING, OPEN = 0.75, 0.25
BETWEEN, HELD = "between first and last chunk", "with a chunk file open"
FEW = 100  # kills below which a share says little
AGAIN = 10  # cases after which the length of the writing phase is measured anew


def _network():
    torch.manual_seed(0)
    maps = torch.nn.Conv2d(1, 24, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(24, 24, 3)
    return load_model(
        torch.nn.Sequential(*maps), preprocess=torch.from_numpy, layers=LAYERS, batch_size=BATCH,
        name="net",
    )  # fmt: skip


def _shown():
    rng = np.random.default_rng(0)
    images = {
        f"s{i:03d}": rng.standard_normal((1, SIDE, SIDE), dtype=np.float32)
        for i in range(N_STIMULI)
    }
    return stimulus_set(pd.DataFrame({"stimulus_id": list(images)}), name="s", load=images.get)


def run(cases, rng):
    """Fork, extract, kill at a moment uniform over the writing phase, and go on."""
    found, model, shown = Outcome(), _network(), _shown()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        extract(model, shown, folder / "whole.zarr")
        expected = _files(folder / "whole.zarr")
        timed = folder / "timed.zarr"
        lasts = 0.0
        for case in range(cases):
            if case % AGAIN == 0:
                lasts = _writing_phase(lambda: extract(model, shown, timed), timed)
            path = folder / "a.zarr"
            shutil.rmtree(path, ignore_errors=True)
            held = _killed(
                lambda path=path: extract(model, shown, path), path, after=rng.uniform(0, lasts)
            )
            done = _note(found, path, held)
            shown_again: list[int] = []
            handle = model.module().register_forward_hook(
                lambda _m, given, _o, seen=shown_again: seen.append(len(given[0]))
            )
            extract(model, shown, path)
            handle.remove()
            # Sizing a store that is not finished runs one stimulus, then two.
            left = 0 if done >= PARTS else (PARTS - done) * BATCH
            again = sum(shown_again) - 3
            found.check(_files(path) == expected, f"case {case}: the store differs")
            found.check(again <= left, f"case {case}: {again} stimuli computed, {left} were left")
    if cases >= FEW:
        for name, share in ((BETWEEN, WRITING), (HELD, OPEN)):
            n = found.counts.get(name, 0)
            found.check(n >= share * cases, f"only {n} of {cases} kills fell {name}")
    return found


def _files(path):
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def _forked(task):
    child = os.fork()
    if not child:
        try:
            task()
        finally:
            os._exit(0)
    return child


def _writing_phase(task, path):
    """Give how long an unbroken run goes on after its first chunk was begun."""
    spans = []
    for _ in range(3):
        shutil.rmtree(path, ignore_errors=True)
        child = _forked(task)
        _first_chunk(child, path)
        start = time.perf_counter()
        while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.0005)
        os.waitpid(child, 0)
        spans.append(time.perf_counter() - start)
    return float(np.median(spans))


def _first_chunk(child, path):
    """Wait until a chunk's folder is there, or the process is at its end."""
    while not any(path.glob("trained/*/c")):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.0005)


def _killed(task, path, *, after):
    """Wait for the first chunk and a while longer, look at the files that are open, and kill."""
    child = _forked(task)
    _first_chunk(child, path)
    time.sleep(after)
    if not stopped(child):
        return []
    held = open_files(child)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return held


def _note(found, path, held):
    """Count where the kill fell, from what lies on disk and what was open."""
    if not path.is_dir():
        found.count("before the first chunk")
        return 0
    if is_sealed(path):
        found.count("after the seal")
        return PARTS
    chunks = any(p.is_file() and "/c/" in p.as_posix() for p in path.rglob("*"))
    found.count(BETWEEN if chunks else "before the first chunk")
    if any(name.startswith(str(path)) and "/c/" in name for name in held):
        found.count(HELD)
    return len(finished_parts(path))


FAULT = Fault(
    "F17", "a killed extraction goes on: bit-identical, finished parts not redone", 200, run
)


def test_f17():
    """Kills are uniform over the writing phase of an unbroken run."""
    assert_held(FAULT)
