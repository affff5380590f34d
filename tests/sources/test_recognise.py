"""What files are told to be, what is said to be wrong, and files that only pretend."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import mne
import nibabel
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat, wavfile

from neuroai.errors import UsageError
from neuroai.format.build import recording
from neuroai.format.files import save
from neuroai.sources.recognise import recognise, recognise_all

EVENTS = "onset\tduration\ttrial_type\tstim_file\n0\t1\tface\ta.png\n2\t1\thouse\tb.png\n"
TRIALS = "participant,image,response,category,RT\np1,a,cat,cat,450\np1,b,dog,cat,600\n"
N_MUTANTS = 12


def nifti(path: Path, values: np.ndarray, tr: float = 2.0) -> Path:
    """Write an image."""
    image = nibabel.Nifti1Image(values.astype(np.float32), np.eye(4))
    if values.ndim == 4:
        image.header.set_zooms((1, 1, 1, tr))
        image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)
    return path


def noise(*shape: int) -> np.ndarray:
    """Standard normal values."""
    return np.random.default_rng(0).standard_normal(shape)


def raw_eeg(values: np.ndarray) -> mne.io.RawArray:
    """A continuous recording with two events."""
    info = mne.create_info([f"E{i}" for i in range(len(values))], 100.0, "eeg")
    raw = mne.io.RawArray(values, info, verbose="ERROR")
    return raw.set_annotations(mne.Annotations([0.1, 0.4], [0, 0], ["face", "house"]))


def fif(path: Path, values: np.ndarray) -> Path:
    """Write it as FIF."""
    raw_eeg(values).save(path, verbose="ERROR", overwrite=True)
    return path


def small_files(folder: Path) -> dict[str, Path]:
    """One good file of every kind, by the kind it must be told to be."""
    events, trials = folder / "events.tsv", folder / "trials.csv"
    events.write_text(EVENTS)
    trials.write_text(TRIALS)
    (folder / "stimuli.tsv").write_text("stimulus_id\tstim_file\na\ta.png\nb\tb.png\n")
    (folder / "other.csv").write_text("age,height\n1,2\n3,4\n")
    np.savez(folder / "layers.npz", stimulus_id=np.array(["a", "b"]), layer=noise(2, 3))
    np.save(folder / "array.npy", noise(2, 3))
    savemat(folder / "data.mat", {"rates": noise(3, 4)})
    with h5py.File(folder / "other.h5", "w") as file:
        file["x"] = noise(3)
    data = recording(
        noise(2, 3), stimulus_id=["a", "b"], unit_id=["u", "v", "w"], region="V1", system="m",
        kind="brain", stimulus_set="s", subject="1",
    )  # fmt: skip
    (folder / "notes.bin").write_bytes(b"\x01\x02\x03 not of any kind")
    return {
        "bold": nifti(folder / "run.nii.gz", noise(3, 3, 2, 10)),
        "mask": nifti(folder / "mask.nii", noise(3, 3, 2) > 0),
        "volume": nifti(folder / "map.nii.gz", noise(3, 3, 2)),
        "atlas": nifti(folder / "atlas.nii.gz", np.arange(18).reshape(3, 3, 2) % 4),
        "eeg": fif(folder / "a_raw.fif", 1e-6 * noise(3, 100)),
        "events": events,
        "behaviour": trials,
        "stimuli": folder / "stimuli.tsv",
        "table": folder / "other.csv",
        "activations": folder / "layers.npz",
        "array": folder / "array.npy",
        "matlab": folder / "data.mat",
        "hdf5": folder / "other.h5",
        "form": save(data, folder / "mine.nc"),
        "unknown": folder / "notes.bin",
    }


def test_every_kind_is_told(tmp_path: Path) -> None:
    """Kinds are those of the files, and nothing is wrong with them."""
    files = small_files(tmp_path)
    found = {kind: recognise(path) for kind, path in files.items()}
    assert {kind: one.kind for kind, one in found.items()} == {kind: kind for kind in files}
    assert all(one.usable for one in found.values())
    assert json.loads(json.dumps([one.as_dict() for one in found.values()]))


@pytest.mark.parametrize("kind", ["bold", "eeg", "activations", "matlab", "hdf5", "array"])
def test_the_content_decides_not_the_name(tmp_path: Path, kind: str) -> None:
    """A file is the same under another name, or its own reader says why not."""
    path = small_files(tmp_path)[kind]
    other = tmp_path / "renamed.dat"
    other.write_bytes(path.read_bytes())
    found = recognise(other)
    assert found.kind in (kind, "unreadable")
    assert found.kind == kind or found.wrong


def test_sizes_columns_and_candidates_are_found(tmp_path: Path) -> None:
    """What a draft is made of: dims, repetition time, columns and what they hold."""
    files = small_files(tmp_path)
    bold = recognise(files["bold"])
    assert bold.facts["tr"] == 2.0 and "10 scans of 3 × 3 × 2 voxels" in bold.found[0]
    assert recognise(files["atlas"]).facts["labels"] == [1, 2, 3]
    events = recognise(files["events"])
    assert events.facts["candidates"] == [["stim_file", 2], ["trial_type", 2]]
    trials = recognise(files["behaviour"])
    assert trials.facts["mapping"] == {
        "subject": "participant", "choice": "response", "truth": "category",
        "response_time": "RT", "stimulus_id": "image",
    }  # fmt: skip
    assert trials.facts["response_time_unit"] == "ms"
    assert trials.facts["options"] == ["cat", "dog"]
    eeg = recognise(files["eeg"])
    assert "channels: 3 eeg" in eeg.found[1] and eeg.facts["what"] == "raw"


def broken_bold(folder: Path) -> Path:
    """A run of zeros."""
    return nifti(folder / "zeros.nii.gz", np.zeros((3, 3, 2, 5)))


def cut_nifti(folder: Path) -> Path:
    """A run that ends in the middle."""
    whole = nifti(folder / "whole.nii", noise(6, 6, 6, 20)).read_bytes()
    path = folder / "cut.nii"
    path.write_bytes(whole[: len(whole) // 3])
    return path


def giant_nifti(folder: Path) -> Path:
    """A header that promises more than any memory holds."""
    header = bytearray(nifti(folder / "small.nii", noise(2, 2, 2, 2)).read_bytes())
    header[40:56] = np.array([4, 32767, 32767, 32767, 32767, 1, 1, 1], "<i2").tobytes()
    path = folder / "giant.nii"
    path.write_bytes(bytes(header))
    return path


def flat_channel(folder: Path) -> Path:
    """A channel that never varies."""
    return fif(folder / "b_raw.fif", 1e-6 * noise(3, 100) * [[1], [0], [1]])


def microvolts(folder: Path) -> Path:
    """Potentials of tens of volts."""
    return fif(folder / "c_raw.fif", 20 * noise(3, 100))


def no_ids(folder: Path) -> Path:
    """Activations that do not say of what."""
    np.savez(folder / "noids.npz", layer=noise(2, 3))
    return folder / "noids.npz"


def other_rows(folder: Path) -> Path:
    """A layer with another number of rows."""
    np.savez(folder / "rows.npz", stimulus_id=np.array(["a", "b"]), layer=noise(3, 3))
    return folder / "rows.npz"


def table_of(text: str) -> Callable[[Path], Path]:
    """Write a table."""

    def write(folder: Path) -> Path:
        path = folder / "table.tsv"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (broken_bold, "no voxel varies"),
        (cut_nifti, "cannot hold"),
        (giant_nifti, "its header promises"),
        (flat_channel, "1 channels never vary: E1"),
        (microvolts, "in microvolts or counts"),
        (no_ids, "no array stimulus_id"),
        (other_rows, "not one row for each of the 2 stimuli: layer"),
        (table_of("onset\tduration\n0\t1\n"), "no column says what was shown"),
        (table_of(EVENTS.replace("2\t1", "x\t-1")), "1 entries of 'onset' are no number"),
        (table_of(EVENTS.replace("2\t1", "2\t-1")), "1 durations are negative"),
        (table_of("onset\ttrial_type\n0\ta\n1\tb\n"), "lacks the column 'duration'"),
        (table_of("a\ta\n1\t2\n"), "twice in its header"),
        (table_of("a\tb\n1\n"), "fields on line 2"),
        (table_of("a\tb\n"), "a header and no row"),
        (table_of(""), "holds nothing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    """A fault forbids use, and its sentence names it."""
    found = recognise(make(tmp_path))
    assert not found.usable
    assert words in " ".join(found.wrong)


@pytest.mark.parametrize(
    "kind",
    [
        "bold",
        "mask",
        "eeg",
        "events",
        "behaviour",
        "activations",
        "array",
        "matlab",
        "hdf5",
        "form",
    ],
)
def test_damaged_files_are_told_and_never_crash(tmp_path: Path, kind: str) -> None:
    """Cut and flipped at random places: a finding, with a reason where it cannot be read."""
    whole = small_files(tmp_path)[kind]
    content, rng = whole.read_bytes(), np.random.default_rng(11)
    for number in range(N_MUTANTS):
        mutant = bytearray(content)
        if number % 2:
            del mutant[int(rng.integers(1, len(mutant))) :]
        else:
            for place in rng.integers(0, min(len(mutant), 600), size=8):
                mutant[place] = int(rng.integers(256))
        path = tmp_path / f"{number}{whole.name}"
        path.write_bytes(bytes(mutant))
        found = recognise(path)
        assert found.kind != "unreadable" or found.wrong[0]
        assert json.dumps(found.as_dict())


def test_events_are_checked_against_their_run(tmp_path: Path) -> None:
    """An onset beyond the last scan is counted, with the length of the run."""
    run = nifti(tmp_path / "sub-1_run-1_bold.nii.gz", noise(3, 3, 2, 10), tr=0.15)
    nifti(tmp_path / "sub-1_run-2_bold.nii.gz", noise(3, 3, 2, 10))
    for number in "12":
        (tmp_path / f"sub-1_run-{number}_events.tsv").write_text(EVENTS)
    first, *others = recognise_all([tmp_path])[0].parts
    assert first.path == run
    events = {one.path.name: one for one in others if one.kind == "events"}
    (wrong,) = events["sub-1_run-1_events.tsv"].wrong
    assert wrong.startswith("1 of 2 onsets lie outside of sub-1_run-1_bold.nii.gz")
    assert "lasts 1.5 s" in wrong
    assert events["sub-1_run-2_events.tsv"].usable


def test_a_mask_of_another_grid_is_noted(tmp_path: Path) -> None:
    """It would be left out."""
    run = nifti(tmp_path / "run.nii", noise(3, 3, 2, 10))
    mask = nifti(tmp_path / "mask.nii", noise(4, 3, 2) > 0)
    found = recognise_all([run, mask])[1]
    assert found.usable and "another grid than run.nii (3 × 3 × 2 voxels)" in found.odd[0]


def test_a_folder_of_images(tmp_path: Path) -> None:
    """Counted and opened; a broken one is named; a name in two folders is noted."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (5, 4)).save(tmp_path / folder / "one.png")
    Image.new("L", (5, 4)).save(tmp_path / "two.jpg")
    good = recognise(tmp_path)
    assert good.kind == "images" and good.usable and good.facts["n"] == 3
    assert "1 names occur in several folders" in good.odd[0]
    (tmp_path / "three.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    broken = recognise(tmp_path)
    assert "1 images cannot be read: three.png" in broken.wrong[0]


def test_a_folder_of_sounds_or_texts_holds_stimuli(tmp_path: Path) -> None:
    """Sounds anywhere, texts and arrays in a folder called stimuli; a broken one is named."""
    folder = tmp_path / "stimuli"
    folder.mkdir()
    wavfile.write(folder / "one.wav", 8000, np.zeros(80, dtype=np.int16))
    (folder / "two.txt").write_text("an oak")
    np.save(folder / "three.npy", np.ones(3))
    found = recognise(folder)
    assert found.kind == "images" and found.usable and found.title == "a folder of stimuli"
    assert found.found[0].startswith("3 stimuli (") and ".wav" in found.found[0]
    (folder / "two.txt").write_bytes(b"\xff\xfe")
    assert "1 stimuli cannot be read: two.txt" in recognise(folder).wrong[0]
    folder.rename(tmp_path / "other")
    assert recognise(tmp_path / "other").kind == "folder"


def test_a_folder_is_looked_into(tmp_path: Path) -> None:
    """Inner folders too; what is no data is counted; links are not followed."""
    (tmp_path / "inner" / "deeper").mkdir(parents=True)
    (tmp_path / "inner" / "deeper" / "events.tsv").write_text(EVENTS)
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "inner" / "loop").symlink_to(tmp_path)
    found = recognise(tmp_path)
    assert [one.kind for one in found.flat()] == ["events"]
    assert found.found[0] == "1 × events"


def test_results_and_settings_are_no_data(tmp_path: Path) -> None:
    """A folder of results and a .toml beside the data are left out."""
    (tmp_path / "events.tsv").write_text(EVENTS)
    (tmp_path / "pyproject.toml").write_text("[project]")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "provenance.json").write_text("{}")
    (tmp_path / "out" / "scores.csv").write_text("choice,value\na,1\n")
    found = recognise(tmp_path)
    assert [one.kind for one in found.flat()] == ["events"] and found.usable
    assert found.found[-1] == "2 other files, left out"


def test_an_empty_folder_says_what_is_read(tmp_path: Path) -> None:
    """Nothing is wrong with it, and nothing is in it."""
    found = recognise(tmp_path)
    assert found.usable and "no file that is read here" in found.odd[0] and "NWB" in found.do


def test_rasters_in_matlab_are_spikes(tmp_path: Path) -> None:
    """Labels, session and the time of the stimulus come from the structs."""
    site = {"session_ID": 1.0, "alignment_event_time": 4.0}
    labels = {"stimulus_ID": np.array(["a", "b", "a"], dtype=object)}
    content = {"raster_data": np.eye(3, 10), "raster_labels": labels, "raster_site_info": site}
    savemat(tmp_path / "unit.mat", content)
    found = recognise(tmp_path / "unit.mat")
    assert found.kind == "rasters" and found.usable
    assert found.facts["candidates"] == [["stimulus_ID", 2]]
    assert found.facts["zero"] == "alignment_event_time" and found.facts["session"] == "session_ID"
    assert found.facts["window"] == [0.0, 0.006]


def test_a_structure_of_other_rasters_is_refused(tmp_path: Path) -> None:
    """Without labels and the time of the stimulus there is nothing to count around."""
    content = {
        "raster_data": np.eye(3, 10),
        "raster_labels": {"x": 1},
        "raster_site_info": {"y": 1},
    }
    savemat(tmp_path / "unit.mat", content)
    said = " ".join(recognise(tmp_path / "unit.mat").wrong)
    assert "says what was shown" in said and "when the stimulus came on" in said


def test_epochs_have_their_metadata(tmp_path: Path) -> None:
    """Columns, and a covariance is no fault of the data."""
    epochs = mne.EpochsArray(
        1e-6 * noise(4, 2, 10),
        mne.create_info(["Cz", "Pz"], 100.0, "eeg"),
        metadata=pd.DataFrame({"word": list("abcd"), "kind": ["x", "x", "y", "y"]}),
        verbose="ERROR",
    )
    epochs.save(tmp_path / "a-epo.fif", verbose="ERROR")
    mne.make_ad_hoc_cov(epochs.info, verbose="ERROR").save(tmp_path / "a-cov.fif", verbose="ERROR")
    found = recognise(tmp_path / "a-epo.fif")
    assert found.facts["candidates"][0] == ["word", 4]
    assert found.facts["groups"] == {"kind": ["x", "y"]}
    other = recognise(tmp_path / "a-cov.fif")
    assert other.kind == "other" and other.usable and "cov" in other.title


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    """Also one that no system can have."""
    for path in (tmp_path / "none", "a\x00b", tmp_path / ("x" * 5000)):
        with pytest.raises(UsageError, match=r"There is no file|cannot be a path"):
            recognise(path)
    with pytest.raises(UsageError, match="No file was given"):
        recognise_all([])
