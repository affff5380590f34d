"""The sample of EEGLAB: its targets, presses and response times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuroai.format.holdings import Holdings
from neuroai.sources.catalogue import load_dataset

PRINTED = 5e-3  # half a unit of the second printed digit


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("eeglab_sample")


def test_targets_and_presses_are_counted(holdings: Holdings) -> None:
    """80 targets were shown and 74 presses recorded; the median response took 0.41 s."""
    (table,) = holdings.systems[0].behaviour
    (recording,) = holdings.systems[0].recordings
    assert (recording.sizes["presentation"], table.sizes["trial"]) == (80, 80)
    assert int(table["correct"].sum()) == 74
    seconds = table["response_time"].values
    np.testing.assert_array_equal(np.isnan(seconds), table["choice"].values == "")
    assert np.nanmedian(seconds) == pytest.approx(0.41, abs=PRINTED)


def test_eyes_are_not_taken_for_brain(holdings: Holdings) -> None:
    """30 EEG channels remain of 32, in volts, with positions."""
    (recording,) = holdings.systems[0].recordings
    assert recording.sizes["unit"] == 30
    assert not {"EOG1", "EOG2"} & set(recording["unit_id"].values)
    assert recording.attrs["physical_unit"] == "V"
    assert 1e-6 < np.abs(recording.values).mean() < 1e-4
    assert np.isfinite(recording["x"].values).all()


def test_epochs_are_those_of_eeglab(holdings: Holdings, data_root: Path) -> None:
    """The first sample of the first epoch, counted by hand in the file of floats."""
    (recording,) = holdings.systems[0].recordings
    path = data_root / "eeglab_sample" / "eeglab_data.fdt"
    microvolts = np.fromfile(path, dtype="<f4").reshape(-1, 32)
    onset = round(float(recording["onset"][0]) * 128)
    by_hand = microvolts[onset - 26 : onset + 103, 0] * 1e-6
    np.testing.assert_allclose(recording.values[0, 0], by_hand, rtol=1e-6, atol=0)


def test_loading_prints_nothing(holdings: Holdings, capfd: pytest.CaptureFixture[str]) -> None:
    """mne's log of what it reads is not shown."""
    assert load_dataset(holdings.card.name).card == holdings.card
    assert capfd.readouterr() == ("", "")
