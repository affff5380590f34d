"""EEG and MEG: events, windows and decimation, and what must be refused."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pandas as pd
import pytest
from eeg_objects import (
    EXACT,
    N_SAMPLES,
    NAMES,
    ONSETS,
    RATE,
    SINGLE,
    WHO,
    epochs_object,
    event_file,
    expected,
    microvolts,
    raw_object,
    write_brainvision,
    write_edf,
)

from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.sources.eeg import read_eeg


def test_raw_is_cut_at_its_events() -> None:
    """Values, times, names and ids are those cut by hand; the object is left as it was."""
    raw = raw_object()
    found = read_eeg(raw, **WHO)
    assert found.dims == ("presentation", "unit", "time")
    np.testing.assert_allclose(found.values, expected(), rtol=0, atol=EXACT)
    np.testing.assert_allclose(found["time"].values, np.arange(-20, 81) / RATE, atol=EXACT)
    np.testing.assert_allclose(found["onset"].values, ONSETS, atol=EXACT)
    assert found["stimulus_id"].values.tolist() == ["a", "b", "a", "b"]
    assert found["unit_id"].values.tolist() == list(NAMES)
    assert found["region"].values.tolist() == ["eeg"] * 3
    assert (found.attrs["physical_unit"], found.attrs["time_unit"]) == ("V", "s")
    assert (found.attrs["modality"], found.attrs["subject"]) == ("EEG", "s1")
    np.testing.assert_array_equal(raw.get_data(), microvolts() * 1e-6)
    assert raw.ch_names == list(NAMES)


@pytest.mark.parametrize("kind", ["edf", "bdf", "vhdr", "fif", "fif.gz"])
def test_files_give_the_same_recording(kind: str, tmp_path: Path) -> None:
    """EDF, BDF and BrainVision written by hand, and FIF, hold the same volts at the same times."""
    events = event_file(tmp_path)
    if kind in ("edf", "bdf"):
        path = write_edf(tmp_path / f"run.{kind}", bits=16 if kind == "edf" else 24)
    elif kind == "vhdr":
        path = write_brainvision(tmp_path)
    else:
        path = tmp_path / f"run_raw.{kind}"
        raw_object().save(path, verbose="ERROR")
    found = read_eeg(path, events=events, **WHO)
    np.testing.assert_allclose(found.values, expected(), rtol=SINGLE, atol=EXACT)
    assert found["condition"].values.tolist() == ["a", "b", "a", "b"]
    assert "note" not in found.attrs


def test_markers_of_brainvision_are_on_their_samples(tmp_path: Path) -> None:
    """Markers count from 1, seconds from 0."""
    found = read_eeg(write_brainvision(tmp_path), conditions=["Stimulus/S  2"], **WHO)
    np.testing.assert_allclose(found["onset"].values, [1.0, 4.0], atol=EXACT)
    np.testing.assert_allclose(found.values, expected((1.0, 4.0)), rtol=0, atol=EXACT)


def test_a_recording_that_starts_late_is_cut_right() -> None:
    """Cropping moves the first sample; onsets stay those of the events."""
    late = raw_object().crop(0.5, None)
    found = read_eeg(late, **WHO)
    np.testing.assert_allclose(found["onset"].values, np.array(ONSETS) - 0.5, atol=EXACT)
    np.testing.assert_allclose(found.values, expected(), rtol=0, atol=EXACT)


def test_codes_of_mne_and_a_stimulus_channel() -> None:
    """Events given as codes, or found in a stimulus channel, cut the same epochs."""
    samples = np.array([round(onset * RATE) for onset in ONSETS])
    codes = np.column_stack([samples, np.zeros(4, int), [1, 2, 1, 2]])
    raw = raw_object(annotated=False)
    found = read_eeg(raw, events=codes, event_id={"a": 1}, **WHO)
    np.testing.assert_allclose(found.values, expected(ONSETS[::2]), rtol=0, atol=EXACT)
    steps = np.zeros((1, N_SAMPLES))
    steps[0, samples] = codes[:, 2]
    channel = mne.io.RawArray(steps, mne.create_info(["STI"], RATE, "stim"), verbose="ERROR")
    found = read_eeg(raw.add_channels([channel]), event_id={"a": 1, "b": 2}, **WHO)
    np.testing.assert_allclose(found.values, expected(), rtol=0, atol=EXACT)
    assert found["stimulus_id"].values.tolist() == ["a", "b", "a", "b"]


def test_epochs_are_cut_before_samples_are_dropped() -> None:
    """With every 4th sample kept, an onset at 7.25 s still lies at time 0."""
    found = read_eeg(raw_object(lowpass=10.0), decimate=4, **WHO)
    np.testing.assert_allclose(found.values, expected(step=4), rtol=0, atol=EXACT)
    np.testing.assert_allclose(found["time"].values, np.arange(-20, 81, 4) / RATE, atol=EXACT)


def test_decimation_that_aliases_is_refused() -> None:
    """25 Hz cannot carry what was filtered at 50 Hz."""
    with pytest.raises(DataError, match=r"gives 25 Hz.*filtered at 50 Hz.*Filter first"):
        read_eeg(raw_object(), decimate=4, **WHO)
    with pytest.raises(UsageError, match="whole number from 1; got 0"):
        read_eeg(raw_object(), decimate=0, **WHO)


def test_baseline_is_subtracted_before_decimation() -> None:
    """The mean of all samples before the onset, not of those that are kept."""
    found = read_eeg(raw_object(lowpass=10.0), baseline=(None, 0), decimate=4, **WHO)
    before = expected()[:, :, :21].mean(axis=2, keepdims=True)
    np.testing.assert_allclose(found.values, expected(step=4) - before, rtol=0, atol=EXACT)


@pytest.mark.parametrize("shift", [-1, 1, 3, 400])
def test_onsets_that_moved_against_their_samples_are_refused(shift: int, tmp_path: Path) -> None:
    """A shift by one sample is seen where the events state samples."""
    samples = [round(onset * RATE) for onset in ONSETS]
    moved = tuple(onset + shift / RATE for onset in ONSETS)
    path = event_file(tmp_path, moved, sample=samples)
    with pytest.raises(DataError, match="disagree by a sample or more|outside of the recording"):
        read_eeg(raw_object(), events=path, **WHO)


def test_every_one_of_a_hundred_shifts_is_seen() -> None:
    """Shifts by 1 to 50 samples either way, each against the stated samples."""
    raw, samples = raw_object(), [round(onset * RATE) for onset in ONSETS]
    seen = 0
    for shift in [*range(-50, 0), *range(1, 51)]:
        table = pd.DataFrame({"onset": np.array(ONSETS) + shift / RATE, "sample": samples})
        with pytest.raises(DataError, match="disagree by a sample or more for 4"):
            read_eeg(raw, events=table, **WHO)
        seen += 1
    assert seen == 100


@pytest.mark.parametrize("outside", [-0.01, 10.0, 3600.0])
def test_events_outside_are_named(outside: float, tmp_path: Path) -> None:
    """One sample before the first, or after the last, is outside."""
    path = event_file(tmp_path, (1.0, outside, 4.0, 5.0))
    with pytest.raises(DataError, match=r"1 event\(s\) lie outside.*9.990 s: 'b' at .* \(row 1\)"):
        read_eeg(raw_object(), events=path, **WHO)


def test_a_window_over_the_end_is_refused_or_counted(tmp_path: Path) -> None:
    """An event at 9.5 s has no 0.8 s after it; it is never dropped unsaid."""
    path = event_file(tmp_path, (1.0, 2.5, 4.0, 9.5))
    with pytest.raises(DataError, match=r"window from -0.2 to 0.8 s.*'b' at 9.5 s"):
        read_eeg(raw_object(), events=path, **WHO)
    found = read_eeg(raw_object(), events=path, incomplete="drop", **WHO)
    np.testing.assert_allclose(found.values, expected(ONSETS[:3]), rtol=0, atol=EXACT)
    assert found.attrs["note"] == "1 events near an end of the recording were left out"


def test_segments_marked_as_bad_are_counted() -> None:
    """An event within a bad segment is left out, and its row with it."""
    raw = raw_object()
    raw.set_annotations(raw.annotations + mne.Annotations([2.4], [0.3], ["BAD_move"]))
    found = read_eeg(raw, **WHO)
    np.testing.assert_allclose(found["onset"].values, [1.0, 4.0, 7.25], atol=EXACT)
    assert found.attrs["note"] == "1 events in segments marked as bad were left out"


def test_events_on_one_sample_are_refused(tmp_path: Path) -> None:
    """Two events at once are not two presentations."""
    path = event_file(tmp_path, (1.0, 1.0, 4.0, 5.0))
    with pytest.raises(DataError, match=r"1 event\(s\) fall on the same sample"):
        read_eeg(raw_object(), events=path, **WHO)
    found = read_eeg(raw_object(), events=path, conditions=["a"], **WHO)
    np.testing.assert_allclose(found["onset"].values, [1.0, 4.0], atol=EXACT)


def test_no_events_and_bad_tables_are_said(tmp_path: Path) -> None:
    """Each message says what to do."""
    with pytest.raises(DataError, match="holds no events.*Pass events="):
        read_eeg(raw_object(annotated=False), **WHO)
    with pytest.raises(UnknownName, match="No event is called 'A'. Did you mean 'a'"):
        read_eeg(raw_object(), conditions=["A"], **WHO)
    table = pd.DataFrame({"Onset": [1.0]})
    with pytest.raises(DataError, match="needs the column 'onset'.*it has Onset"):
        read_eeg(raw_object(), events=table, **WHO)
    with pytest.raises(DataError, match=r"1 event\(s\) have no onset"):
        read_eeg(raw_object(), events=pd.DataFrame({"onset": [1.0, np.nan]}), **WHO)
    with pytest.raises(UsageError, match="There is no table of events"):
        read_eeg(raw_object(), events=tmp_path / "none.tsv", **WHO)
    with pytest.raises(UsageError, match="for continuous recordings"):
        read_eeg(epochs_object(), events=table, **WHO)
