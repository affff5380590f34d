"""The sample of MNE: averages, units and sensors as the file states them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from neuroai.format.holdings import Holdings


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("mne_sample")


def test_averages_state_their_epochs(holdings: Holdings) -> None:
    """Four conditions of 3, 6, 6 and 6 epochs, 421 samples from -0.2 to 0.4995 s."""
    (recording,) = holdings.systems[0].recordings
    assert recording["stimulus_id"].values.tolist() == [
        "left-auditory", "right-auditory", "left-visual", "right-visual",
    ]  # fmt: skip
    assert recording["n_repeats"].values.tolist() == [3, 6, 6, 6]
    seconds = recording["time"].values
    assert len(seconds) == 421
    assert (seconds[0], seconds[-1]) == pytest.approx((-0.2, 0.4995), abs=0.5 / 600.6)


def test_sensors_keep_their_units(holdings: Holdings) -> None:
    """102 magnetometers in T, 204 gradiometers in T/m and 60 electrodes in V, of fitting size."""
    (recording,) = holdings.systems[0].recordings
    kinds = recording["region"].values
    assert Counter(kinds) == {"grad": 204, "mag": 102, "eeg": 60}
    units = dict(zip(kinds, recording["physical_unit"].values, strict=True))
    assert units == {"grad": "T/m", "mag": "T", "eeg": "V"}
    assert "physical_unit" not in recording.attrs
    sizes = {k: float(np.abs(recording.values[:, kinds == k]).mean()) for k in units}
    assert 1e-14 < sizes["mag"] < 1e-11
    assert 1e-13 < sizes["grad"] < 1e-10
    assert 1e-7 < sizes["eeg"] < 1e-4


def test_sensors_surround_the_head(holdings: Holdings) -> None:
    """In the head's frame, left sensors have negative x; MEG lies further out than EEG."""
    (recording,) = holdings.systems[0].recordings
    xyz = np.column_stack([recording[a].values for a in "xyz"])
    radius = np.linalg.norm(xyz - [0, 0, 40], axis=1)
    electric = recording["region"].values == "eeg"
    assert np.isfinite(radius).all()
    assert radius[electric].mean() < radius[~electric].mean() < 150
    names = dict(zip(recording["unit_id"].values, recording["x"].values, strict=True))
    assert names["MEG 0113"] < -80
