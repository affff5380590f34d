"""Extraction beside the bare forward pass and a plain Zarr write.

Run: pytest benchmarks/speed/test_extraction_speed.py -s (OMP_NUM_THREADS=2: two threads). Seconds
by the clock and of the processor are printed, the latter being what other work on the machine
leaves alone; 1.15 is the bound that both should keep. ROUNDS and N_IMAGES may be set as variables
of the environment. As a script with a number of bytes it prints the peak memory of one extraction.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import zarr
from torch import nn
from zarr.codecs import Crc32cCodec

from neuroai.format.stimuli import stimulus_set
from neuroai.systems.extract import extract
from neuroai.systems.load import load_model

N_IMAGES, ROUNDS = int(os.environ.get("N_IMAGES", "200")), int(os.environ.get("ROUNDS", "5"))
SIZE, BATCH = 224, 32
OVER = 1.1
SAME = 1e-5  # float32
Seconds = tuple[float, float]  # by the clock, and of the processor
LAYERS = ["stem", "blocks.*", "pool", "fc"]
MIB = 2**20


class Block(nn.Module):
    """Two convolutions of 3 by 3 with norms, added to their input."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.relu = nn.ReLU(inplace=True)
        shortcut = nn.Conv2d(n_in, n_out, 1, stride, bias=False)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and n_in == n_out
            else nn.Sequential(shortcut, nn.BatchNorm2d(n_out))
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Give maps of the same or half the size."""
        inner = self.relu(self.norm1(self.conv1(maps)))
        return self.relu(self.norm2(self.conv2(inner)) + self.shortcut(maps))


class Residual(nn.Module):
    """A stem, eight blocks, an average and a readout: 11.7 million weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1)]
        widths += [(128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]
        self.blocks = nn.Sequential(*(Block(*width) for width in widths))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, 1000)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give logits (n, 1000) for images (n, 3, 224, 224)."""
        return self.fc(self.pool(self.blocks(self.stem(images))).flatten(1))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """The network with random weights."""
    torch.manual_seed(0)
    return Residual().eval()


@pytest.fixture(scope="module")
def shown():
    """Images as arrays that need no preprocessing worth its time."""
    return images()


def images():
    """Make the images."""
    rng = np.random.default_rng(0)
    held = {
        f"image{i:03d}": rng.standard_normal((3, SIZE, SIZE), dtype=np.float32)
        for i in range(N_IMAGES)
    }
    table = pd.DataFrame({"stimulus_id": list(held)})
    return stimulus_set(table, name="random", load=held.__getitem__)


def to_tensor(image: np.ndarray) -> torch.Tensor:
    """Take an array for a tensor."""
    return torch.from_numpy(image)


def bare_pass(network: nn.Module, shown) -> torch.Tensor:
    """Load, stack and run every batch; give the logits of the last, and keep nothing else."""
    ids = shown.ids
    with torch.no_grad():
        for start in range(0, len(ids), BATCH):
            batch = [to_tensor(shown.content(key)) for key in ids[start : start + BATCH]]
            last = network(torch.stack(batch))
    return last


def timed(task: Callable[[], object]) -> Seconds:
    """Give the seconds of one run."""
    start, busy = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - start, time.process_time() - busy


def extraction(network: nn.Module, shown, path: Path, reduce: str | None) -> Callable[[], object]:
    """Give the task: a new store at `path`."""
    model = load_model(network, preprocess=to_tensor, batch_size=BATCH)

    def task() -> None:
        extract(model, shown, path, layers=LAYERS, reduce=reduce)

    return task


def plain_write(path: Path, arrays: list[np.ndarray]) -> None:
    """Write arrays batch by batch with Zarr alone: CRC32C, one chunk a batch."""
    group = zarr.create_group(path, overwrite=True)
    for i, values in enumerate(arrays):
        array = group.create_array(
            str(i),
            shape=(N_IMAGES, values.shape[1]),
            chunks=values.shape,
            dtype="float32",
            compressors=[Crc32cCodec()],
        )
        for start in range(0, N_IMAGES, BATCH):
            rows = min(BATCH, N_IMAGES - start)
            array[start : start + rows] = values[:rows]


def same_readout(written: zarr.Group, last: torch.Tensor) -> None:
    """Check the logits of the last batch in the store against those of the bare pass."""
    np.testing.assert_allclose(written["fc"][-len(last) :], last.numpy(), rtol=SAME, atol=SAME)


def medians(runs: list[Seconds]) -> Seconds:
    """Give the median by the clock and of the processor."""
    clock, busy = zip(*runs, strict=True)
    return statistics.median(clock), statistics.median(busy)


def told(runs: list[Seconds]) -> str:
    """Write median and range by the clock, and the processor's median."""
    clock, busy = zip(*runs, strict=True)
    middle = statistics.median(clock)
    cpu = statistics.median(busy)
    return f"{middle:.3g} s [{min(clock):.3g}, {max(clock):.3g}], processor {cpu:.3g} s"


@pytest.mark.parametrize("reduce", ["mean", "count-sketch:4096"])
def test_reduced_extraction_speed(network, shown, tmp_path, reduce):
    """Bare pass and reduced extraction in turn: at most 1.15 of it."""
    path = tmp_path / "a.zarr"
    ours, bare = [], []
    task = extraction(network, shown, path, reduce)
    task()
    # The readout has no places to average and fewer units than the sketch: it stays as it is.
    same_readout(zarr.open_group(path / "trained", mode="r"), bare_pass(network, shown))
    shutil.rmtree(path)
    for _ in range(ROUNDS):
        bare.append(timed(lambda: bare_pass(network, shown)))
        ours.append(timed(task))
        shutil.rmtree(path)
    clock, busy = (a / b for a, b in zip(medians(ours), medians(bare), strict=True))
    print(
        f"\n{reduce}: {told(ours)}; bare pass {told(bare)}; {clock:.3f} x, processor {busy:.3f} x"
    )


def test_whole_extraction_speed(network, shown, tmp_path):
    """Bare pass, a plain Zarr write of as many bytes, and the extraction, in turn."""
    path = tmp_path / "a.zarr"
    task = extraction(network, shown, path, None)
    task()
    written = zarr.open_group(path / "trained", mode="r")
    same_readout(written, bare_pass(network, shown))
    rng = np.random.default_rng(1)
    arrays = [
        rng.standard_normal((BATCH, array.shape[1]), dtype=np.float32)
        for _, array in sorted(written.arrays())
    ]
    n_bytes = sum(array.shape[1] for array in arrays) * 4 * N_IMAGES
    shutil.rmtree(path)
    ours, bare, plain = [], [], []
    for _ in range(ROUNDS):
        bare.append(timed(lambda: bare_pass(network, shown)))
        plain.append(timed(lambda: plain_write(tmp_path / "plain.zarr", arrays)))
        shutil.rmtree(tmp_path / "plain.zarr")
        ours.append(timed(task))
        shutil.rmtree(path)
    pairs = zip(medians(ours), medians(bare), medians(plain), strict=True)
    clock, busy = (a / (b + c) for a, b, c in pairs)
    print(
        f"\nwhole, {n_bytes / MIB:,.0f} MiB: {told(ours)}; bare pass {told(bare)}; plain write "
        f"{told(plain)}; {clock:.3f} x, processor {busy:.3f} x"
    )


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux, not mps")
@pytest.mark.parametrize("budget", [400 * MIB, 800 * MIB])
def test_extraction_memory(budget):
    """Peak memory of a fresh process beside what it held, against max_memory."""
    words = [sys.executable, __file__, str(budget)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    took = int(done.stdout)
    print(f"\nmax_memory {budget / MIB:.0f} MiB: peak {took / MIB:.0f} MiB, {took / budget:.3f} x")
    assert took <= OVER * budget


def peak(budget: int) -> int:
    """Give the bytes that one extraction takes at its peak, beside what was held before."""
    torch.manual_seed(0)
    shown = images()
    model = load_model(Residual().eval(), preprocess=to_tensor, batch_size=BATCH)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        extract(model, shown.restrict(shown.ids[:2]), path / "w.zarr", layers=LAYERS)
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
        extract(model, shown, path / "a.zarr", layers=LAYERS, max_memory=budget)
        return resident("VmHWM") - before


def resident(key: str) -> int:
    """Give bytes of memory of this process, now (VmRSS) or at most (VmHWM)."""
    text = Path("/proc/self/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    print(peak(int(sys.argv[1])))
