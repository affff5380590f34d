"""Spikes of superior colliculus over time: what a figure's onset adds to their own past."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.algorithm.encoding import unit_encoding
from neuroai.format import build
from neuroai.format.holdings import SystemData
from neuroai.format.laid_out import laid_out
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.spikes_nwb import read_nwb_units
from neuroai.systems.brain import Recorded

BIN = 0.01
# Seconds since the onset at which the response may change.
STEPS = (0.0, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 1.7)
N_SHOWN, N_NULL = 100, 9


@pytest.fixture(scope="module")
def spikes(data_root: Path):
    """Counts of the four busiest units of one session, every showing a run."""
    path = data_root / "cazemier_sc_opto" / "derived_nwb" / "sub-Mouse1_ses-20180526_ecephys.nwb"
    shown = read_nwb_units(
        path, system="mouse", stimulus_set="figures", stimulus_id="trial_group",
        align="stim_onset", window=(-0.19, 1.7), bin_width=BIN, region="superior colliculus",
    )  # fmt: skip
    busiest = np.argsort(-shown.values.sum(axis=(0, 2)))[:4]
    return laid_out(shown.isel(presentation=slice(N_SHOWN), unit=np.sort(busiest)))


def _since_onset(spikes):
    """One feature for every stretch of time since the onset."""
    time = spikes["time"].values
    within = [(time >= a) & (time < b) for a, b in zip(STEPS, STEPS[1:], strict=False)]
    return build.continuous(
        np.stack(within, axis=1).astype(float), run=spikes["run"].values.tolist(), time=time,
        stimulus_id=spikes["stimulus_id"].values.tolist(), unit_id=[f"{s:g} s" for s in STEPS[:-1]],
        region="onset", system="mouse", kind="brain", stimulus_set="figures", subject="Mouse1",
    )  # fmt: skip


def test_an_onset_adds_to_what_spikes_tell_of_spikes(spikes):
    """Real cells: the past tells something, the onset more, and not of spikes moved in time."""
    shown = pd.DataFrame({"stimulus_id": sorted(set(spikes["stimulus_id"].values))})
    data = SystemData("mouse", "brain", "none", recordings=(spikes,))
    (units,) = unit_encoding(
        Recorded(data, stimuli=stimulus_set(shown, name="figures")), features=_since_onset(spikes),
        method="poisson", history=(0.01, 0.02, 0.03, 0.05), gap=0.1, penalties=(100.0,),
        n_null=N_NULL,
    )  # fmt: skip
    assert units.attrs["folds"] == "5 folds of whole runs"
    assert (units["history_pseudo_r2"] > 0.01).all()
    assert (units["pseudo_r2"] > units["history_pseudo_r2"]).all()
    assert (units["bits_per_count"] > units["history_bits_per_count"]).all()
    assert (units["p"] == 1 / (N_NULL + 1)).all()
    # Moved in time the spikes keep their past, which is all that is then told of them.
    alone = float(units["history_pseudo_r2"].mean())
    assert units["null_mean"].values == pytest.approx(alone, abs=0.01)


def test_no_spike_is_lost_between_file_and_rows(spikes):
    """A run is a showing of 189 bins, and its counts are those of the file."""
    assert spikes.sizes["sample"] == N_SHOWN * 189 and (spikes.values >= 0).all()
    runs = spikes["run"].values
    assert len(set(runs)) == N_SHOWN and (runs[::189] == np.unique(runs)).all()
