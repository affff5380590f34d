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
from fault_cases import Fault, Outcome, assert_held

from neuroai.format.seal import finished_parts, is_sealed
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.extract import extract
from neuroai.systems.load import load_model

N_STIMULI, BATCH, SIDE = 96, 8, 48
PARTS = N_STIMULI // BATCH
LAYERS = ["0", "1", "2"]


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
        begin, end = _writing_phase(lambda: extract(model, shown, folder / "timed.zarr"), folder)
        for case in range(cases):
            path = folder / "a.zarr"
            shutil.rmtree(path, ignore_errors=True)
            _killed(lambda path=path: extract(model, shown, path), after=rng.uniform(begin, end))
            done = _note(found, path)
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


def _writing_phase(task, folder):
    """Give when the first and the last part of an unbroken run appeared, from its fork on."""
    spans = []
    for _ in range(3):
        shutil.rmtree(folder / "timed.zarr", ignore_errors=True)
        start, child = time.perf_counter(), _forked(task)
        first = None
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if first is None and any((folder / "timed.zarr").glob("trained/*/c")):
                first = time.perf_counter() - start
            time.sleep(0.0005)
        spans.append((first or 0.0, time.perf_counter() - start))
    return np.median([a for a, _ in spans]), np.median([b for _, b in spans])


def _killed(task, *, after):
    child = _forked(task)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _note(found, path):
    """Count where the kill fell, from what lies on disk."""
    if not path.is_dir():
        found.count("before the first chunk")
        return 0
    if is_sealed(path):
        found.count("after the seal")
        return PARTS
    done = len(finished_parts(path))
    chunks = [p for p in path.rglob("c/*") if p.is_dir() or p.is_file()]
    found.count("between first and last chunk" if chunks else "before the first chunk")
    files = [p for p in path.rglob("*") if p.is_file() and "/c/" in p.as_posix()]
    rows = max(
        (len(list((path / "trained" / layer / "c").glob("*"))) for layer in LAYERS), default=0
    )
    # A chunk whose part is not listed was under way.
    if files and rows > done:
        found.count("with a part under way")
    return done


FAULT = Fault(
    "F17", "a killed extraction goes on: bit-identical, finished parts not redone", 200, run
)


def test_f17():
    """Kills are uniform over the writing phase of an unbroken run."""
    assert_held(FAULT)
