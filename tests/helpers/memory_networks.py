"""Ten networks whose batches take tens of MiB, and the memory that extracting from them takes.

Run as a script it measures: ``python memory_networks.py plain:256 wide:512`` prints one line of
JSON a case, with the bytes that were told beforehand and those that were taken.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.systems.extract import extract
from neuroai.systems.load import load_model
from neuroai.systems.store_run import estimate, make_job

SIDE = 64
MIB = 2**20
BATCH, N_IMAGES = 32, 96
LONGEST = 600  # s


class Added(nn.Module):
    """A part whose output is added to its input."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.inner = nn.Sequential(*parts)

    def forward(self, values: Tensor) -> Tensor:
        """Add."""
        return values + self.inner(values)


class Tokens(nn.Module):
    """Pixels as (stimulus, place, feature)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Put features last."""
        return maps.flatten(2).transpose(1, 2)


class LastStep(nn.Module):
    """A recurrent network over places, of which the last step is read out."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(3 * SIDE, 512, batch_first=True)
        self.fc = nn.Linear(512, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Give logits."""
        steps, _ = self.gru(images.movedim(1, 2).flatten(2))
        return self.fc(steps[:, -1])


def _conv(n_in: int, n_out: int, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Conv2d(n_in, n_out, 3, stride, 1, groups=groups)


def _residual(width: int) -> nn.Module:
    return Added(_conv(width, width), nn.BatchNorm2d(width), nn.ReLU(), _conv(width, width))


def _attention(width: int) -> nn.Module:
    return nn.TransformerEncoderLayer(width, 4, 4 * width, batch_first=True)


def networks() -> dict[str, tuple[nn.Module, list[str]]]:
    """Give each network and the layers that are read, by name."""
    torch.manual_seed(0)
    relu, pool = nn.ReLU, nn.MaxPool2d(2)
    made = {
        "plain": nn.Sequential(_conv(3, 64), relu(), _conv(64, 64), relu(), pool, _conv(64, 128)),
        "in place": nn.Sequential(
            _conv(3, 64), relu(inplace=True), _conv(64, 64), relu(inplace=True)
        ),
        "strided": nn.Sequential(_conv(3, 96, 2), relu(), _conv(96, 192, 2), relu()),
        "residual": nn.Sequential(_conv(3, 64), _residual(64), _residual(64)),
        "depthwise": nn.Sequential(_conv(3, 96), _conv(96, 96, groups=96), nn.Conv2d(96, 128, 1)),
        "norms": nn.Sequential(_conv(3, 64), nn.BatchNorm2d(64), relu(), nn.GroupNorm(8, 64)),
        "transformer": nn.Sequential(
            nn.Conv2d(3, 192, 4, 4), Tokens(), _attention(192), _attention(192)
        ),
        "wide": nn.Sequential(
            nn.Flatten(),
            nn.Linear(3 * SIDE * SIDE, 1024),
            relu(),
            nn.Unflatten(1, (1, 32, 32)),
            nn.Upsample(scale_factor=12),
        ),
        "recurrent": LastStep(),
        "lines": nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 64, 9, padding=4), nn.GELU()),
    }
    return {
        name: (net.eval(), [key for key, _ in net.named_children() if key != "fc"])
        for name, net in made.items()
    }


def images(n: int) -> StimulusSet:
    """Random images as float32 arrays."""
    rng = np.random.default_rng(0)
    held = {f"i{i:04d}": rng.standard_normal((3, SIDE, SIDE), dtype=np.float32) for i in range(n)}
    return stimulus_set(
        pd.DataFrame({"stimulus_id": list(held)}), name="random", load=held.__getitem__
    )


def peaks_of_fresh_process(cases: Sequence[tuple[str, int]]) -> list[dict[str, int]]:
    """Measure in a process that has done nothing before: bytes told and taken, case by case.

    In a process that has run for hours, glibc no longer gives freed memory back at once (its
    thresholds grow to 32 and 64 MiB), and what it keeps would be counted as taken here.
    """
    words = [f"{name}:{budget}" for name, budget in cases]
    done = subprocess.run(
        [sys.executable, __file__, *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the measurement failed: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure(name: str, budget: int) -> dict[str, int]:
    """Give the bytes told beforehand, and taken at the peak, of one network and budget in MiB."""
    net, layers = networks()[name]
    shown, limit = images(N_IMAGES), budget * MIB
    model = load_model(net, preprocess=torch.from_numpy, layers=layers, name=name, batch_size=BATCH)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        job = make_job(model, shown, layers=None, reduction=None, dtype="float32", device=None)
        told = estimate(job, path / "a.zarr", max_memory=limit)
        took = peak_of(
            lambda: extract(model, shown, path / "a.zarr", max_memory=limit),
            warm=lambda: extract(model, shown.restrict(shown.ids[:2]), path / "w.zarr"),
        )
    return {"told": told.need.memory(told.batch_size), "took": took}


def peak_of(task: Callable[[], object], *, warm: Callable[[], object]) -> int:
    """Run a task in a forked process and give the bytes it took at its peak beside what it held.

    `warm` runs first: a forked process has yet to touch the code of the libraries.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            torch.set_num_threads(1)
            warm()
            gc.collect()
            # Memory that was freed before and kept for reuse would hide what the task takes.
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")
            before = _status("VmRSS")
            task()
            os.write(writer, str(_status("VmHWM") - before).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    told = os.read(reader, 100)
    os.close(reader)
    if not told:
        raise RuntimeError("the task failed in the forked process")
    return int(told)


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


if __name__ == "__main__":
    for word in sys.argv[1:]:
        name, _, budget = word.partition(":")
        print(json.dumps(measure(name, int(budget))), flush=True)  # noqa: T201
