"""F10: a time axis that is off by a sample or more is noticed before anything is cut."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import NeuroaiError
from neuroai.sources.eeg import read_eeg
from neuroai.sources.fmri_runs import load_events

RATE, SECONDS, N_EVENTS = 100.0, 30, 12
N_SCANS, TR = 50, 2.0


def _raw(rate=RATE):
    info = mne.create_info(["a", "b"], rate, "eeg")
    values = 1e-6 * np.random.default_rng(0).standard_normal((2, int(RATE * SECONDS)))
    return mne.io.RawArray(values, info, verbose="ERROR")


def _events():
    onsets = 1.0 + 2.3 * np.arange(N_EVENTS)
    ids = [f"s{i}" for i in range(N_EVENTS)]
    return pd.DataFrame({"onset": onsets, "stimulus_id": ids, "sample": onsets * RATE})


def _read(raw, events):
    about = {"system": "human", "subject": "1", "stimulus_set": "s"}
    return read_eeg(raw, events=events, tmin=-0.1, tmax=0.2, **about)


def _samples_moved(rng):
    """The samples of a table come from another start of the recording."""
    table = _events()
    by = int(rng.integers(1, 50)) * rng.choice([-1, 1])
    _read(_raw(), table.assign(sample=table["sample"] + by))


def _another_rate(rng):
    """The header states another rate than the one the samples were counted at."""
    # The last event is off by a sample at least.
    least = 1.1 / _events()["sample"].max()
    _read(_raw(rate=RATE * (1 + rng.uniform(least, 0.2) * rng.choice([-1, 1]))), _events())


def _beyond_the_end(rng):
    """The last event lies a sample or more behind the last sample."""
    table = _events().drop(columns="sample")
    table.loc[N_EVENTS - 1, "onset"] = SECONDS + (int(rng.integers(0, 200)) / RATE)
    _read(_raw(), table)


def _before_the_start(rng):
    """The first event lies a sample or more before the recording."""
    table = _events().drop(columns="sample")
    table.loc[0, "onset"] = -int(rng.integers(1, 200)) / RATE
    _read(_raw(), table)


def _scans_passed(rng):
    """The events of a run lie a scan or more behind its end, or before its start."""
    onsets = 4.0 + 6.0 * np.arange(N_EVENTS)
    room = N_SCANS * TR - onsets[-1]
    by = rng.choice([room + rng.uniform(0, 50), -onsets[0] - rng.uniform(0.01, 50)])
    table = pd.DataFrame({"onset": onsets + by, "duration": 1.0, "trial_type": "a"})
    load_events(table, n_scans=N_SCANS, tr=TR)


KINDS = (_samples_moved, _another_rate, _beyond_the_end, _before_the_start, _scans_passed)


def run(cases, rng):
    """Shift events or rates in five ways; what is not shifted is read."""
    found = Outcome()
    found.check(
        _read(_raw(), _events()).sizes["presentation"] == N_EVENTS, "good files are refused"
    )
    for case in range(cases):
        kind = KINDS[case % len(KINDS)]
        try:
            kind(rng)
        except NeuroaiError:
            told = True
        else:
            told = False
        found.check(told, f"case {case}: {kind.__doc__} Nothing was said.")
    return found


FAULT = Fault("F10", "onsets or rates off by a sample or more are refused", 100, run)


def test_f10():
    """Every shift is noticed."""
    assert_held(FAULT)
