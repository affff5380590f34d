"""F12: values in another unit than stated, or in two units, are refused."""

from __future__ import annotations

import tempfile
from pathlib import Path

import mne
import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.errors import NeuroaiError
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.behaviour import read_behaviour
from neuroai.sources.eeg import read_eeg
from neuroai.sources.fmri_runs import load_events
from neuroai.sources.nwb_tables import refuse_mixed_clocks
from neuroai.systems.brain import Recorded
from neuroai.testing import random_recording

UNITS = (("V", "uV"), ("percent", "z"), ("spikes", "spikes/s"), ("T", "fT"), ("z", "percent"))


def _two_units(rng, _folder):
    """Subjects of one region in different units."""
    recordings = tuple(
        random_recording(seed=int(rng.integers(100))).assign_attrs(physical_unit=u, subject=u)
        for u in UNITS[int(rng.integers(len(UNITS)))]
    )
    facts = SystemData("brain", "brain", "none", recordings=recordings)
    ids = sorted(set(recordings[0]["stimulus_id"].values))
    shown = stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="noise")
    rdm(Recorded(data=facts, stimuli=shown), distance="squared-euclidean")


def _microvolts(rng, _folder):
    """Potentials in microvolts where mne keeps volts."""
    values = rng.uniform(2, 50) * rng.standard_normal((2, 1000))
    raw = mne.io.RawArray(values, mne.create_info(["a", "b"], 100.0, "eeg"), verbose="ERROR")
    events = pd.DataFrame({"onset": [2.0, 4.0], "stimulus_id": ["a", "b"]})
    read_eeg(raw, events=events, system="human", subject="1", stimulus_set="s")


def _times_in_milliseconds(rng, folder):
    """Response times in milliseconds, taken for seconds."""
    path = folder / "times.csv"
    times = rng.uniform(200, 1500, 20).round()
    path.write_text("who,image,rt\n" + "".join(f"p,s{i},{t}\n" for i, t in enumerate(times)))
    columns = {"subject": "who", "stimulus_id": "image", "response_time": "rt"}
    read_behaviour(path, columns=columns, system="human", kind="brain", stimulus_set="s")


def _onsets_in_milliseconds(rng, _folder):
    """Onsets of a run in milliseconds."""
    table = pd.DataFrame({"onset": 1000 * np.arange(1.0, 11.0), "duration": 1.0})
    load_events(table.assign(trial_type="a"), n_scans=20, tr=rng.uniform(0.5, 3))


def _spikes_in_milliseconds(rng, _folder):
    """Spikes in milliseconds, trials in seconds."""
    last = rng.uniform(100, 1000)
    refuse_mixed_clocks(
        1000 * 1.0, 1000 * last, np.linspace(1, last, 40), what="spikes", table="trials"
    )


KINDS = (
    _two_units, _microvolts, _times_in_milliseconds, _onsets_in_milliseconds,
    _spikes_in_milliseconds,
)  # fmt: skip


def run(cases, rng):
    """Mix units in five ways, each refused in words."""
    found = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        for case in range(cases):
            kind = KINDS[case % len(KINDS)]
            try:
                kind(rng, Path(folder))
            except NeuroaiError:
                told = True
            else:
                told = False
            found.check(told, f"case {case}: {kind.__doc__} Nothing was said.")
    return found


FAULT = Fault("F12", "values in two units, or in another than is stated, are refused", 30, run)


def test_f12():
    """Every mixture is noticed."""
    assert_held(FAULT)
