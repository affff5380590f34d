"""EEG and MEG: metadata, channels, averages, folders and files that cannot be read."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd
import pytest
from eeg_objects import (
    EXACT,
    NAMES,
    ONSETS,
    RATE,
    SINGLE,
    WHO,
    epochs_object,
    expected,
    raw_object,
    write_brainvision,
)

from neuroai.cli import main
from neuroai.errors import DataError, MissingExtra, UnknownName, UsageError
from neuroai.format.files import open_form, save
from neuroai.format.validate import validate
from neuroai.sources import eeg
from neuroai.sources.description import load_description
from neuroai.sources.eeg import read_eeg, read_eeg_bids


def test_metadata_become_coordinates(tmp_path: Path) -> None:
    """Text, numbers with gaps and truth values, renamed where the form has the name."""
    metadata = pd.DataFrame(
        {
            "stimulus_id": list("uvwxyz"),
            "word": ["dog", None, "cat", "cow", "pig", "hen"],
            "rating": [1.0, 2.0, np.nan, 4.0, 5.0, 6.0],
            "subject": ["p"] * 6,
        }
    )
    epochs = epochs_object(metadata=metadata)
    found = read_eeg(epochs, **WHO)
    assert found["stimulus_id"].values.tolist() == list("uvwxyz")
    assert found["word"].values.tolist() == ["dog", "", "cat", "cow", "pig", "hen"]
    np.testing.assert_array_equal(found["rating"].values, metadata["rating"].to_numpy())
    assert found["event_subject"].dims == ("presentation",)
    assert found["condition"].values.tolist() == ["a", "b"] * 3
    np.testing.assert_array_equal(found.values, epochs.get_data())
    assert read_eeg(epochs, stimulus_id="rating", conditions=["b"], **WHO)[
        "stimulus_id"
    ].values.tolist() == ["2.0", "4.0", "6.0"]
    path = tmp_path / "r.nc"
    save(found, path)
    assert open_form(path).identical(found)


def test_ids_without_gaps_are_wanted() -> None:
    """A missing id, too few ids and an unknown column are refused."""
    metadata = pd.DataFrame({"word": ["dog", None, "cat", "cow", "pig", "hen"]})
    with pytest.raises(DataError, match="6 presentations and 5 ids"):
        read_eeg(epochs_object(metadata=metadata), stimulus_id="word", **WHO)
    with pytest.raises(DataError, match="6 presentations and 2 ids"):
        read_eeg(epochs_object(), stimulus_id=["a", "b"], **WHO)
    with pytest.raises(UnknownName, match="No column of the events.*Did you mean 'word'"):
        read_eeg(epochs_object(metadata=metadata), stimulus_id="words", **WHO)


def test_epochs_are_copied_not_changed() -> None:
    """Writing into the recording leaves the user's object alone, and cropping too."""
    epochs = epochs_object()
    before = epochs.get_data().copy()
    found = read_eeg(epochs, tmin=0.0, tmax=0.2, picks=["Cz"], **WHO)
    np.testing.assert_array_equal(found.values, before[:, 1:2, 10:31])
    found.values[:] = 0
    whole = read_eeg(epochs, **WHO)
    whole.values[:] = 0
    np.testing.assert_array_equal(epochs.get_data(), before)
    with pytest.raises(DataError, match=r"run from -0.1 to 0.39 s; the window from -0.2"):
        read_eeg(epochs, tmin=-0.2, **WHO)


def test_channels_by_name_type_and_quality() -> None:
    """Bad channels are left out and named; unknown names get a near miss."""
    raw = raw_object()
    raw.info["bads"] = ["Cz"]
    found = read_eeg(raw, **WHO)
    assert found["unit_id"].values.tolist() == ["Fz", "Pz"]
    assert found.attrs["note"] == "channels marked as bad were left out: Cz"
    assert read_eeg(raw, picks=["Cz"], **WHO)["unit_id"].values.tolist() == ["Cz"]
    assert read_eeg(raw, picks="all", **WHO).sizes["unit"] == 3
    with pytest.raises(UnknownName, match="Did you mean 'Fz'"):
        read_eeg(raw, picks=["FZ "], **WHO)
    corrected = read_eeg(raw, channel_types={"Fz": "eog"}, picks=["eog", "Pz"], **WHO)
    assert corrected["region"].values.tolist() == ["eog", "eeg"]
    with pytest.raises(DataError, match="No channel is left"):
        read_eeg(raw, channel_types=dict.fromkeys(NAMES, "misc"), **WHO)


def test_units_of_mixed_sensors_stand_beside_each() -> None:
    """EEG in V and magnetometers in T have no common unit; alone they have one."""
    info = mne.create_info(["E1", "M1"], RATE, ["eeg", "mag"])
    events = np.column_stack([np.arange(3) * 90, np.zeros(3, int), np.ones(3, int)])
    epochs = mne.EpochsArray(np.ones((3, 2, 9)) * 1e-13, info, events, verbose="ERROR")
    found = read_eeg(epochs, **WHO)
    assert found["physical_unit"].values.tolist() == ["V", "T"]
    assert "physical_unit" not in found.attrs
    assert found.attrs["modality"] == "EEG+MEG"
    alone = read_eeg(epochs, picks=["mag"], **WHO)
    assert alone.attrs["physical_unit"] == "T"
    assert "physical_unit" not in alone.coords


def test_microvolts_taken_for_volts_are_refused() -> None:
    """Values a million times too large are said to be so."""
    raw = raw_object()
    raw._data[:] *= 1e6
    with pytest.raises(DataError, match=r"vary by .* V within one presentation.*microvolts"):
        read_eeg(raw, **WHO)


def test_positions_are_millimetres_of_the_head() -> None:
    """Metres become millimetres; a file that states millimetres is not enlarged again."""
    raw = raw_object()
    places = {"Fz": (0.0, 0.06, 0.07), "Cz": (0.0, 0.0, 0.09), "Pz": (0.0, -0.06, 0.07)}
    for channel in raw.info["chs"]:
        channel["loc"][:3] = places[channel["ch_name"]]
    found = read_eeg(raw, **WHO)
    wanted = np.array(list(places.values())) * 1000
    for axis, name in enumerate("xyz"):
        np.testing.assert_allclose(found[name].values, wanted[:, axis], atol=EXACT)
    for channel in raw.info["chs"]:
        channel["loc"][:3] *= 1000
    np.testing.assert_allclose(read_eeg(raw, **WHO)["z"].values, wanted[:, 2], atol=EXACT)
    assert np.isnan(read_eeg(raw_object(), **WHO)["x"].values).all()


def test_sensors_of_the_device_move_with_the_head() -> None:
    """A device 10 mm in front of the head: sensors lie 10 mm further in front."""
    info = mne.create_info(["M1"], RATE, "mag")
    info["chs"][0]["loc"][:3] = (0.01, 0.05, 0.1)
    info["chs"][0]["coord_frame"] = 1
    events = np.array([[0, 0, 1], [50, 0, 1]])
    epochs = mne.EpochsArray(np.ones((2, 1, 9)) * 1e-13, info, events, verbose="ERROR")
    assert np.isnan(read_eeg(epochs, **WHO)["x"].values).all()
    move = np.eye(4)
    move[1, 3] = 0.01
    with epochs.info._unlock():
        epochs.info["dev_head_t"] = mne.Transform("meg", "head", move)
    found = read_eeg(epochs, **WHO)
    np.testing.assert_allclose([float(found[a][0]) for a in "xyz"], [10, 60, 100], atol=EXACT)


def test_averages_state_how_many_they_average(tmp_path: Path) -> None:
    """Two evokeds: values, comments and numbers of epochs, from objects and from a file."""
    epochs = epochs_object(6)[[0, 1, 2, 4]]
    evokeds = [epochs["a"].average(), epochs["b"].average()]
    evokeds[0].comment, evokeds[1].comment = "a", "b"
    path = tmp_path / "x-ave.fif"
    mne.write_evokeds(path, evokeds, verbose="ERROR")
    for source in (evokeds, path):
        found = read_eeg(source, **WHO)
        assert found["n_repeats"].values.tolist() == [3, 1]
        assert found["stimulus_id"].values.tolist() == ["a", "b"]
        by_hand = epochs_object(6).get_data()[[0, 2, 4]].mean(axis=0)
        np.testing.assert_allclose(found.values[0], by_hand, rtol=SINGLE, atol=EXACT)
    assert read_eeg(evokeds[0], **WHO).sizes["presentation"] == 1
    with pytest.raises(DataError, match="differ in channels, times or sampling rate"):
        read_eeg([evokeds[0], evokeds[1].copy().crop(0, 0.2)], **WHO)
    error = epochs["a"].standard_error()
    with pytest.raises(DataError, match="standard_error, not an average"):
        read_eeg(error, **WHO)


def test_unknown_files_and_objects_are_refused(tmp_path: Path) -> None:
    """The message says which file to give instead."""
    with pytest.raises(UsageError, match="through the file beside it: give run.vhdr"):
        read_eeg(tmp_path / "run.eeg", **WHO)
    with pytest.raises(UsageError, match="of no known kind; files end in .fif"):
        read_eeg(tmp_path / "run.pkl", **WHO)
    with pytest.raises(UsageError, match="There is no file"):
        read_eeg(tmp_path / "run.edf", **WHO)
    with pytest.raises(UsageError, match="got ndarray"):
        read_eeg(np.zeros(3), **WHO)  # type: ignore[arg-type]
    for suffix in (".edf", ".fif", ".vhdr", ".set", ".bdf"):
        path = tmp_path / f"broken_raw{suffix}"
        path.write_bytes(b"\x00 nothing of the kind")
        with pytest.raises(DataError, match="cannot be read as"):
            read_eeg(path, **WHO)


def test_a_truncated_file_says_so(tmp_path: Path) -> None:
    """A recording cut short: its own events lie outside of what is left."""
    raw = raw_object()
    onsets = mne.Annotations([*ONSETS, 9.9], 0.0, [*"abab", "late"])
    path = tmp_path / "run_raw.fif"
    raw.set_annotations(onsets).save(path, verbose="ERROR")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError):
        read_eeg(path, **WHO)


@pytest.mark.parametrize("verbose", [None, False, "ERROR", 50, "CRITICAL"])
def test_nothing_is_printed_and_no_warning_leaks(
    verbose: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name against mne's conventions warns nobody; what matters goes to the note."""
    path = tmp_path / "oddly_named.fif"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        epochs_object().save(path, verbose="ERROR")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_eeg(path, verbose=verbose, **WHO)
    assert "note" not in found.attrs
    assert capsys.readouterr() == ("", "")


def test_large_epochs_are_read_without_a_second_copy(tmp_path: Path) -> None:
    """32 channels and 1,000 epochs: the peak stays below twice the data."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((1000, 32, 60)) * 1e-5
    events = np.column_stack([np.arange(1000) * 100, np.zeros(1000, int), np.ones(1000, int)])
    epochs = mne.EpochsArray(values, mne.create_info(32, RATE, "eeg"), events, verbose="ERROR")
    path = tmp_path / "big-epo.fif"
    epochs.save(path, verbose="ERROR")
    read_eeg(epochs_object(), **WHO)
    tracemalloc.start()
    found = read_eeg(path, **WHO)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.sizes == {"presentation": 1000, "unit": 32, "time": 60}
    assert peak < 2 * values.nbytes


def test_bids_folder_is_read_with_its_events(tmp_path: Path) -> None:
    """A run of a BIDS folder: events of its table, channels of its table, entities with key."""
    bids = pytest.importorskip("mne_bids", reason="mne-bids is not installed")
    source = mne.io.read_raw_brainvision(write_brainvision(tmp_path), verbose="ERROR")
    source.set_annotations(mne.Annotations(list(ONSETS), 0.0, ["a", "b", "a", "b"]))
    place = bids.BIDSPath(root=tmp_path / "set", subject="01", task="see", datatype="eeg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bids.write_raw_bids(source, place, event_id={"a": 1, "b": 2}, verbose="ERROR")
    who = {"system": "human", "stimulus_set": "toy"}
    found = read_eeg_bids(tmp_path / "set", subject="sub-01", task="see", **who)
    np.testing.assert_allclose(found.values, expected(), rtol=SINGLE, atol=EXACT)
    assert found["stimulus_id"].values.tolist() == ["a", "b", "a", "b"]
    assert found.attrs["subject"] == "01" and set(found["task"].values) == {"see"}
    validate(found)
    with pytest.raises(DataError, match="does not hold sub-02_task-see"):
        read_eeg_bids(tmp_path / "set", subject="02", task="see", **who)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_described_bids_folder_heeds_its_table_of_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel that channels.tsv marks as bad is left out by `check --write` and what follows."""
    bids = pytest.importorskip("mne_bids", reason="mne-bids is not installed")
    source = mne.io.read_raw_brainvision(write_brainvision(tmp_path), verbose="ERROR")
    source.set_annotations(mne.Annotations(list(ONSETS), 0.0, ["a", "b", "a", "b"]))
    for session in ("x", "y"):
        place = bids.BIDSPath(
            root=tmp_path / "set", subject="01", session=session, task="see", datatype="eeg"
        )
        bids.write_raw_bids(source, place, event_id={"a": 1, "b": 2}, verbose="ERROR")
    bad = source.ch_names[1]
    for path in (tmp_path / "set").rglob("*_channels.tsv"):
        table = pd.read_csv(path, sep="\t", keep_default_na=False)
        table.loc[table["name"] == bad, "status"] = "bad"
        table.to_csv(path, sep="\t", index=False)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "set", "--write", "mydata.toml"]) == 0
    assert "bids = true" in (tmp_path / "mydata.toml").read_text()
    (found,) = load_description(tmp_path / "mydata.toml").systems[0].recordings
    assert bad not in found["unit_id"].values and bad in found.attrs["note"]
    assert found.sizes["unit"] == len(source.ch_names) - 1
    assert found["session"].values.tolist() == ["x"] * 4 + ["y"] * 4
    loose = (tmp_path / "mydata.toml").read_text().replace("bids = true", "bids = false")
    (tmp_path / "loose.toml").write_text(loose)
    (whole,) = load_description(tmp_path / "loose.toml").systems[0].recordings
    assert bad in whole["unit_id"].values


def test_bids_needs_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without mne-bids the message says what to install."""

    def missing(module: str, **options: str) -> None:
        raise MissingExtra(f"{module} of the extra {options['extra']}")

    monkeypatch.setattr(eeg, "need", missing)
    with pytest.raises(MissingExtra, match="mne_bids of the extra bids"):
        read_eeg_bids(tmp_path, subject="01", task="see", system="human", stimulus_set="toy")


def test_eeglab_sample_holds_its_targets_and_presses(data_root: Path) -> None:
    """The sample's published counts: 80 targets and 74 presses of the button."""
    path = data_root / "eeglab_sample" / "eeglab_data.set"
    read: Callable[..., Any] = read_eeg
    targets = read(path, conditions=["square"], **WHO)
    presses = read(path, conditions=["rt"], **WHO)
    assert (targets.sizes["presentation"], presses.sizes["presentation"]) == (80, 74)
    assert targets.attrs["physical_unit"] == "V"
    epochs = read(path.with_name("eeglab_data_epochs_ica.set"), **WHO)
    assert epochs.sizes["presentation"] == 80
    assert "multiple events" in epochs.attrs["note"]
