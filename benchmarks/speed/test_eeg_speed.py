"""Epochs of a FIF file into a recording: memory at the peak beside the size of the data.

Run: pytest benchmarks/speed/test_eeg_speed.py -s
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

from neuroai.sources.eeg import read_eeg

N_EPOCHS, N_CHANNELS, N_TIMES, RATE = 1000, 32, 600, 600.0
WHO = {"system": "human", "subject": "1", "stimulus_set": "bench"}
SINGLE = 1e-6  # of a float32
COPIES = 1.1  # peak over the data's own size: the recording, and what an interpreter scatters by
MEASURE = """
import json, sys
from pathlib import Path
import mne
from neuroai.sources.eeg import read_eeg
mne.set_log_level("ERROR")

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

def peak(task):
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    task()
    return status("VmHWM") - before

path, small, who = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
tasks = {"ours": lambda p: read_eeg(p, **who), "mne": lambda p: mne.read_epochs(p, preload=True)}
tasks[sys.argv[4]](small)
print(peak(lambda: tasks[sys.argv[4]](path)))
"""


def write_epochs(path: Path, n_epochs: int) -> int:
    """Write random epochs; give the bytes of their values in memory."""
    values = np.random.default_rng(0).standard_normal((n_epochs, N_CHANNELS, N_TIMES)) * 1e-5
    events = np.column_stack(
        [np.arange(n_epochs) * 1000, np.zeros(n_epochs, int), np.ones(n_epochs, int)]
    )
    info = mne.create_info(N_CHANNELS, RATE, "eeg")
    mne.EpochsArray(values, info, events, verbose="ERROR").save(path, verbose="ERROR")
    return values.nbytes


@pytest.fixture(scope="module")
def epochs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, int]:
    """A file of 1,000 epochs, one of ten, and the bytes of the large one."""
    folder = tmp_path_factory.mktemp("fif")
    write_epochs(folder / "small-epo.fif", 10)
    size = write_epochs(folder / "large-epo.fif", N_EPOCHS)
    return folder / "large-epo.fif", folder / "small-epo.fif", size


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux, not mps")
def test_peak_memory(epochs: tuple[Path, Path, int]) -> None:
    """A fresh process each: the recording is all that is held, where mne's reader holds two."""
    large, small, size = epochs
    took = {}
    for name in ("ours", "mne"):
        words = [sys.executable, "-c", MEASURE, str(large), str(small), json.dumps(WHO), name]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        took[name] = int(done.stdout) / size
    print(f"\n1,000 epochs: peak {took['ours']:.3f} x the data, mne preloading {took['mne']:.3f} x")
    assert took["ours"] <= COPIES


def test_reading(epochs: tuple[Path, Path, int], duel: Callable[..., float]) -> None:
    """From the file to the checked recording, against mne's reader alone."""
    large, small, _ = epochs
    ours = read_eeg(small, **WHO).transpose("presentation", "unit", "time")
    peer = mne.read_epochs(small, preload=True, verbose="ERROR").get_data(copy=False)
    np.testing.assert_allclose(ours.values, peer, rtol=SINGLE, atol=0)
    duel(
        "1,000 epochs of 32 channels",
        lambda: read_eeg(large, **WHO),
        lambda: mne.read_epochs(large, preload=True, verbose="ERROR"),
        peer="mne.read_epochs",
        rounds=3,
    )
