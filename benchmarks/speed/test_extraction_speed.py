"""Extraction beside the bare forward pass and a plain Zarr write.

Run: pytest benchmarks/speed/test_extraction_speed.py -s (two threads: OMP_NUM_THREADS=2).
"""

from __future__ import annotations

import os
import shutil
import statistics
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

N_IMAGES, SIZE, BATCH, ROUNDS = 200, 224, 32, 5
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
    rng = np.random.default_rng(0)
    images = {
        f"image{i:03d}": rng.standard_normal((3, SIZE, SIZE), dtype=np.float32)
        for i in range(N_IMAGES)
    }
    table = pd.DataFrame({"stimulus_id": list(images)})
    return stimulus_set(table, name="random", load=images.__getitem__)


def to_tensor(image: np.ndarray) -> torch.Tensor:
    """Take an array for a tensor."""
    return torch.from_numpy(image)


def bare_pass(network: nn.Module, shown) -> None:
    """Load, stack and run every batch, and keep nothing."""
    ids = shown.ids
    with torch.no_grad():
        for start in range(0, len(ids), BATCH):
            batch = [to_tensor(shown.content(key)) for key in ids[start : start + BATCH]]
            network(torch.stack(batch))


def timed(task: Callable[[], object]) -> float:
    """Give the seconds of one run."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


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


def median(values: list[float]) -> str:
    """Write median and range."""
    return f"{statistics.median(values):.3g} s [{min(values):.3g}, {max(values):.3g}]"


@pytest.mark.parametrize("reduce", ["mean", "count-sketch:4096"])
def test_reduced_extraction_speed(network, shown, tmp_path, reduce):
    """Bare pass and reduced extraction in turn; the ratio of medians is printed."""
    path = tmp_path / "a.zarr"
    ours, bare = [], []
    task = extraction(network, shown, path, reduce)
    for _ in range(ROUNDS):
        bare.append(timed(lambda: bare_pass(network, shown)))
        ours.append(timed(task))
        shutil.rmtree(path)
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"\n{reduce}: {median(ours)}, bare pass {median(bare)}, {ratio:.3f} x")


def test_whole_extraction_speed(network, shown, tmp_path):
    """Bare pass, a plain Zarr write of as many bytes, and the extraction, in turn."""
    path = tmp_path / "a.zarr"
    task = extraction(network, shown, path, None)
    task()
    written = zarr.open_group(path / "trained", mode="r")
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
    wanted = statistics.median(bare) + statistics.median(plain)
    print(
        f"\nwhole, {n_bytes / MIB:,.0f} MiB: {median(ours)}, bare pass {median(bare)}, plain write "
        f"{median(plain)}, {statistics.median(ours) / wanted:.3f} x"
    )


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux, not mps")
@pytest.mark.parametrize("budget", [400 * MIB, 800 * MIB])
def test_extraction_memory(network, shown, tmp_path, budget):
    """Peak memory of a fresh process beside what it held, against max_memory."""
    model = load_model(network, preprocess=to_tensor, batch_size=BATCH)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            torch.set_num_threads(1)
            Path("/proc/self/clear_refs").write_text("5")
            before = resident("VmRSS")
            extract(model, shown, tmp_path / "a.zarr", layers=LAYERS, max_memory=budget)
            os.write(writer, str(resident("VmHWM") - before).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    took = int(os.read(reader, 100) or 0)
    os.close(reader)
    print(f"\nmax_memory {budget / MIB:.0f} MiB: peak {took / MIB:.0f} MiB, {took / budget:.3f} x")


def resident(key: str) -> int:
    """Give bytes of memory of this process, now (VmRSS) or at most (VmHWM)."""
    text = Path("/proc/self/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024
