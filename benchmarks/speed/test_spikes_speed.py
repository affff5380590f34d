"""Spikes of an NWB file in bins around trials, beside a loop over trials with numpy's histogram.

Run: pytest benchmarks/speed/test_spikes_speed.py -s
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.file import Subject

from neuroai.sources.spikes import bin_edges, bin_spikes
from neuroai.sources.spikes_nwb import read_nwb_units

N_UNITS, N_TRIALS, RATE, EVERY = 240, 2000, 5.0, 2.0
WINDOW, BIN = (0.0, 1.0), 0.01
LOOPED = 4  # units of 240: the loop's time is scaled


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 240 units of 5 Hz and 2,000 trials, two seconds apart."""
    rng = np.random.default_rng(0)
    nwb = NWBFile(
        session_description="made for a benchmark", identifier="x",
        session_start_time=datetime(2020, 1, 1, tzinfo=UTC),
        subject=Subject(subject_id="m1", species="Mus musculus", sex="U", age="P90D"),
    )  # fmt: skip
    nwb.add_trial_column("stimulus_id", "what was shown")
    for trial in range(N_TRIALS):
        start = EVERY * trial
        nwb.add_trial(start_time=start, stop_time=start + 1, stimulus_id=f"s{trial % 50}")
    nwb.add_unit_column("region", "where")
    length = EVERY * N_TRIALS
    for _ in range(N_UNITS):
        times = np.sort(rng.uniform(0, length, rng.poisson(RATE * length)))
        nwb.add_unit(spike_times=times, region="V1")
    path = tmp_path_factory.mktemp("nwb") / "session.nwb"
    with NWBHDF5IO(path, "w") as target:
        target.write(nwb)
    return path


def contents(path: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Read spike trains and onsets with pynwb alone."""
    with NWBHDF5IO(path, "r") as source:
        nwb = source.read()
        spikes = [np.asarray(nwb.units["spike_times"][unit]) for unit in range(len(nwb.units))]
        return spikes, np.asarray(nwb.trials["start_time"][:])


def loop(spikes: list[np.ndarray], starts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count trial by trial; each trial's spikes are cut out first, so that the loop is fair."""
    counts = np.zeros((len(starts), len(spikes), len(edges) - 1))
    for unit, times in enumerate(spikes):
        for trial, start in enumerate(starts):
            low, high = np.searchsorted(times, (start + edges[0], start + edges[-1]))
            counts[trial, unit] = np.histogram(times[low:high] - start, bins=edges)[0]
    return counts


def test_binning(session: Path, duel: Callable[..., float]) -> None:
    """All units and trials in one pass against the loop, on the same trains."""
    spikes, starts = contents(session)
    edges = bin_edges(WINDOW, bin_width=BIN)
    few = bin_spikes(spikes[:LOOPED], starts, edges=edges)
    # A spike on an edge may fall to either side by the last bit of the subtraction.
    assert np.abs(few - loop(spikes[:LOOPED], starts, edges)).sum() <= 1e-6 * few.sum()
    duel(
        "240 units x 2,000 trials in 10 ms",
        lambda: bin_spikes(spikes, starts, edges=edges),
        lambda: loop(spikes[:LOOPED], starts, edges),
        peer="loop with numpy.histogram",
        share=LOOPED / N_UNITS,
    )


def test_reading(session: Path, duel: Callable[..., float]) -> None:
    """From the file to the checked recording, against pynwb and the loop."""
    edges = bin_edges(WINDOW, bin_width=BIN)
    spikes, starts = contents(session)
    read = read_nwb_units(
        session, system="mouse", stimulus_set="bench", window=WINDOW, bin_width=BIN
    )
    few = read.transpose("presentation", "unit", "time").values[:, :LOOPED]
    assert np.abs(few - loop(spikes[:LOOPED], starts, edges)).sum() <= 1e-6 * few.sum()
    duel(
        "NWB file to recording",
        lambda: read_nwb_units(
            session, system="mouse", stimulus_set="bench", window=WINDOW, bin_width=BIN
        ),
        lambda: loop(spikes[:LOOPED], starts, edges),
        peer="the loop alone",
        share=LOOPED / N_UNITS,
        rounds=3,
    )
