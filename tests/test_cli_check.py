"""From a lab's own files to the page, by two commands and without Python."""

from __future__ import annotations

import json
import pickle
import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import mne
import nibabel
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pynwb import NWBHDF5IO, NWBFile
from pynwb.file import Subject
from tiny_networks import save_gpt

from neuroai.cli import main
from neuroai.sources.catalogue import load_dataset

N_STIMULI = 12
IDS = [f"face{i}" if i < N_STIMULI // 2 else f"house{i}" for i in range(N_STIMULI)]
KIND = ["face" if key.startswith("face") else "house" for key in IDS]
TR, N_SCANS, STEP = 2.0, 70, 10.0
MICROVOLT = 1e-6


def features() -> np.ndarray:
    """What the network and every brain of these tests share, one row a stimulus."""
    return np.random.default_rng(7).standard_normal((N_STIMULI, 8))


def write_activations(folder: Path) -> Path:
    """Two layers: what the brain was made of, and noise."""
    noise = np.random.default_rng(8).standard_normal((N_STIMULI, 8))
    order = np.random.default_rng(9).permutation(N_STIMULI)
    path = folder / "layers.npz"
    np.savez(path, stimulus_id=np.array(IDS)[order], source=features()[order], noise=noise)
    return path


def write_bids(folder: Path) -> None:
    """A BIDS folder: one subject, two runs of 4 × 4 × 2 voxels, events and images."""
    (folder / "dataset_description.json").write_text('{"Name": "tiny", "BIDSVersion": "1.9.0"}')
    functional = folder / "sub-01" / "func"
    functional.mkdir(parents=True)
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((8, 32))
    for run in ("1", "2"):
        order = rng.permutation(N_STIMULI)
        onsets = 4.0 + STEP * np.arange(N_STIMULI)
        bold = 100 + 0.1 * rng.standard_normal((N_SCANS, 32))
        for place, onset in zip(order, onsets, strict=True):
            after = np.arange(N_SCANS) * TR - onset
            response = np.where(after > 0, (after / 5.0) ** 2 * np.exp(2 - 2 * after / 5.0), 0.0)
            bold += np.outer(response, features()[place] @ mixing)
        image = nibabel.Nifti1Image(
            np.moveaxis(bold.reshape(N_SCANS, 4, 4, 2), 0, -1).astype(np.float32), np.eye(4)
        )
        image.header.set_zooms((1, 1, 1, TR))
        image.header.set_xyzt_units("mm", "sec")
        stem = f"sub-01_task-look_run-{run}"
        nibabel.save(image, functional / f"{stem}_bold.nii.gz")
        rows = [f"{o:g}\t1\t{KIND[i]}\t{IDS[i]}" for i, o in zip(order, onsets, strict=True)]
        table = "\n".join(["onset\tduration\ttrial_type\tstimulus_id", *rows])
        (functional / f"{stem}_events.tsv").write_text(table + "\n")
    images = folder / "stimuli"
    images.mkdir()
    for number, key in enumerate(IDS):
        Image.new("RGB", (8, 8), (20 * number, 0, 0)).save(images / f"{key}.png")


def write_fif(folder: Path) -> Path:
    """Epochs of 24 channels whose metadata say what was shown."""
    rng = np.random.default_rng(2)
    shown = np.tile(np.arange(N_STIMULI), 2)
    pattern = features()[shown] @ rng.standard_normal((8, 24))
    data = pattern[:, :, np.newaxis] * np.ones(20) + 0.2 * rng.standard_normal((24, 24, 20))
    info = mne.create_info([f"E{i}" for i in range(24)], 100.0, "eeg")
    events = np.column_stack([np.arange(24) * 50, np.zeros(24, int), np.ones(24, int)])
    metadata = pd.DataFrame(
        {"word": [IDS[i] for i in shown], "category": [KIND[i] for i in shown], "trial": range(24)}
    )
    epochs = mne.EpochsArray(
        MICROVOLT * data, info, events, tmin=-0.05, event_id={"word": 1}, metadata=metadata,
        verbose="ERROR",
    )  # fmt: skip
    path = folder / "subject04-epo.fif"
    epochs.save(path, verbose="ERROR")
    return path


def write_nwb(folder: Path) -> Path:
    """Ten units whose rates follow the stimuli, in trials of half a second."""
    rng = np.random.default_rng(3)
    nwb = NWBFile(
        session_description="made for a test", identifier="x",
        session_start_time=datetime(2020, 1, 1, tzinfo=UTC),
        subject=Subject(subject_id="m1", species="Mus musculus", sex="U", age="P90D"),
    )  # fmt: skip
    shown = np.tile(np.arange(N_STIMULI), 4)
    onsets = 1.0 + np.arange(len(shown))
    nwb.add_trial_column("image", "what was shown")
    nwb.add_trial_column("category", "what it is")
    for onset, place in zip(onsets, shown, strict=True):
        nwb.add_trial(
            start_time=onset, stop_time=onset + 0.5, image=IDS[place], category=KIND[place]
        )
    nwb.add_unit_column("location", "where")
    rates = np.exp(2.0 + 0.5 * features()[shown] @ rng.standard_normal((8, 10)))
    for unit in range(10):
        counts = rng.poisson(np.minimum(rates[:, unit], 200) * 0.5)
        times = [o + 0.5 * rng.random(n) for o, n in zip(onsets, counts, strict=True)]
        nwb.add_unit(spike_times=np.sort(np.concatenate(times)), location="V1")
    path = folder / "mouse.nwb"
    with NWBHDF5IO(path, "w") as target:
        target.write(nwb)
    return path


def compared(folder: Path) -> pd.DataFrame:
    """Run the second command, and give its table of scores."""
    acts = write_activations(folder)
    words = ["compare", "mydata.toml", "--model", f"acts:{acts.name}", "--n-null", "99", "-q"]
    assert main([*words, "--out", "out"]) == 0
    assert (folder / "out" / "report.html").stat().st_size > 1000
    table = pd.read_csv(folder / "out" / "scores.csv")
    chosen = (table.analysis == "rdm") & (table.metric == "rdm-spearman") & ~table.selected
    return table[chosen & (table.status == "ok")].set_index("model_region")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_from_bids_to_the_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two commands; the layer that the runs were made of beats noise."""
    write_bids(here)
    assert main(["check", ".", "--write", "mydata.toml"]) == 0
    printed = capsys.readouterr()
    assert "a BIDS folder" in printed.out and "2 × fMRI run" in printed.out
    assert "neuroai compare mydata.toml" in printed.err
    described = tomllib.loads((here / "mydata.toml").read_text())
    (recording,) = described["recordings"]
    assert recording["stimulus_id"] == "stimulus_id" and len(recording["events"]) == 2
    assert described["stimuli"]["folder"] == "stimuli"
    assert described["contrasts"]["face"]["negative"] == ["house"]
    scores = compared(here)
    assert scores.value["source"] > scores.value["noise"]
    assert scores.p["source"] <= 0.05


def test_from_derivatives_to_the_page(here: Path) -> None:
    """fMRIPrep's images and masks with the raw folder's events: the same two commands."""
    write_bids(here)
    derived = here / "derivatives" / "fmriprep" / "sub-01" / "func"
    derived.mkdir(parents=True)
    for run in ("1", "2"):
        stem = f"sub-01_task-look_run-{run}"
        tail = f"{stem}_space-MNI152NLin2009cAsym_desc"
        raw = here / "sub-01" / "func" / f"{stem}_bold.nii.gz"
        shutil.copy(raw, derived / f"{tail}-preproc_bold.nii.gz")
        mask = nibabel.Nifti1Image(np.ones((4, 4, 2), np.uint8), np.eye(4))
        nibabel.save(mask, derived / f"{tail}-brain_mask.nii.gz")
        nibabel.save(nibabel.Nifti1Image(np.ones((2, 2, 2, 9), "f4"), np.eye(4)), raw)
    assert main(["check", ".", "--write", "mydata.toml"]) == 0
    (recording,) = tomllib.loads((here / "mydata.toml").read_text())["recordings"]
    assert all("desc-preproc" in name for name in recording["files"])
    assert len(recording["mask"]) == 2 and len(recording["events"]) == 2
    scores = compared(here)
    assert scores.value["source"] > scores.value["noise"]


def test_from_a_fif_with_metadata_to_the_page(here: Path) -> None:
    """The metadata's column names the stimuli; categories become the contrast."""
    write_fif(here)
    assert main(["check", "subject04-epo.fif", "--write", "mydata.toml"]) == 0
    text = (here / "mydata.toml").read_text()
    assert 'stimulus_id = "word"' in text and "category (2 values)" in text
    assert compared(here).value["source"] > 0.3


def test_words_are_read_by_a_language_model(here: Path) -> None:
    """One line of the draft says that the words are the stimuli; the network reads them itself."""
    write_fif(here)
    save_gpt(here / "gpt")
    assert main(["check", "subject04-epo.fif", "--write", "mydata.toml"]) == 0
    drafted = (here / "mydata.toml").read_text()
    line = next(one for one in drafted.splitlines() if one.startswith('# text = "word"'))
    (here / "mydata.toml").write_text(drafted.replace(line, 'text = "stimulus_id"'))
    words = ["compare", "mydata.toml", "--model", "hf:gpt", "--n-null", "99", "-q", "--out", "out"]
    assert main(words) == 0
    table = pd.read_csv(here / "out" / "scores.csv")
    chosen = (table.analysis == "rdm") & (table.model_region == "lm_head")
    assert set(table[chosen].status) == {"ok"} and (here / "out" / "report.html").exists()


def test_from_nwb_to_the_page(here: Path) -> None:
    """Units, trials, window and region are found in the file."""
    write_nwb(here)
    assert main(["check", "mouse.nwb", "--write", "mydata.toml"]) == 0
    described = tomllib.loads((here / "mydata.toml").read_text())
    (recording,) = described["recordings"]
    assert recording["stimulus_id"] == "image" and recording["window"] == [0.0, 0.5]
    assert recording["region"] == "location" and described["system"] == "mouse"
    scores = compared(here)
    assert scores.value["source"] > scores.value["noise"]
    assert scores.brain_region["source"] == "mouse V1"


def test_a_pickle_is_refused_and_never_opened(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3; what the pickle would run does not run; nothing is written."""
    marker = here / "ran"
    (here / "trials.csv").write_bytes(pickle.dumps(_Payload(str(marker))))
    assert main(["check", "trials.csv", "--write", "mydata.toml"]) == 3
    printed = capsys.readouterr()
    assert "pickles run code when they are opened" in printed.out
    assert "mydata.toml was not written" in printed.err
    assert not marker.exists() and not (here / "mydata.toml").exists()


class _Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (self.path, "w"))


def test_json_says_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads kinds, faults and columns."""
    write_nwb(here)
    assert main(["check", "mouse.nwb", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["kind"] == "nwb" and found["usable"]
    assert found["facts"]["candidates"][0] == ["image", N_STIMULI]


def test_a_written_description_is_checked_too(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check mydata.toml` loads what it names, and says what is there."""
    write_fif(here)
    main(["check", "subject04-epo.fif", "--write", "mydata.toml"])
    capsys.readouterr()
    assert main(["check", "mydata.toml"]) == 0
    assert "24 presentation × 24 unit × 20 time" in capsys.readouterr().out


def test_an_onset_beyond_the_run_forbids_use(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events in milliseconds are named with the run's length."""
    write_bids(here)
    folder = here / "sub-01" / "func"
    events = folder / "sub-01_task-look_run-1_events.tsv"
    table = pd.read_csv(events, sep="\t").assign(onset=lambda t: 1000 * t.onset)
    table.to_csv(events, sep="\t", index=False)
    assert main(["check", "."]) == 3
    printed = capsys.readouterr().out
    assert "12 of 12 onsets lie outside of sub-01_task-look_run-1_bold.nii.gz" in printed
    assert "lasts 140 s" in printed and "milliseconds" in printed


def test_runs_without_events_cannot_be_described(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the run and what to give."""
    write_bids(here)
    run = here / "sub-01" / "func" / "sub-01_task-look_run-1_bold.nii.gz"
    assert main(["check", str(run), "--write", "mydata.toml"]) == 2
    message = capsys.readouterr().err
    assert "No events belong to sub-01_task-look_run-1_bold.nii.gz" in message
    assert "events.tsv" in message


@pytest.mark.parametrize(
    ("target", "words"),
    [("mine.txt", "ends in .toml"), ("there.toml", "already"), ("no/mine.toml", "no folder")],
)
def test_a_target_that_cannot_be_is_refused_first(
    here: Path, capsys: pytest.CaptureFixture[str], target: str, words: str
) -> None:
    """Nothing is overwritten, and nothing is read in vain."""
    (here / "there.toml").write_text("mine")
    write_nwb(here)
    assert main(["check", "mouse.nwb", "--write", target]) == 2
    assert words in capsys.readouterr().err
    assert (here / "there.toml").read_text() == "mine"


def test_activations_alone_are_no_data(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are a network's, and are said to be."""
    write_activations(here)
    assert main(["check", "layers.npz"]) == 0
    assert "--model acts:layers.npz" in capsys.readouterr().out
    assert main(["check", "layers.npz", "--write", "mydata.toml"]) == 2
    assert "no recording and no behaviour" in capsys.readouterr().err


def write_bids_eeg(folder: Path) -> None:
    """Two tasks of EEG; events of which one names no stimulus; a table of stimuli."""
    rng = np.random.default_rng(4)
    eeg = folder / "sub-01" / "eeg"
    eeg.mkdir(parents=True)
    for task, runs in (("see", "12"), ("rest", "1")):
        for run in runs:
            info = mne.create_info([f"E{i}" for i in range(4)], 100.0, "eeg")
            raw = mne.io.RawArray(MICROVOLT * rng.standard_normal((4, 3000)), info, verbose="ERROR")
            stem = f"sub-01_task-{task}_run-{run}"
            raw.save(eeg / f"{stem}_eeg.fif", verbose="ERROR")
            rows = [f"{1 + 2 * i}\t0.5\t{key}" for i, key in enumerate([*IDS, "n/a"])]
            table = "\n".join(["onset\tduration\tstim_id", *rows])
            (eeg / f"{stem}_events.tsv").write_text(table + "\n")
    rows = [f"{i}\t{key}\t{kind}" for i, (key, kind) in enumerate(zip(IDS, KIND, strict=True))]
    (folder / "stimuli.tsv").write_text("\n".join(["stimulus_id\tstim_id\tkind", *rows]) + "\n")


@pytest.mark.filterwarnings("ignore:This filename:RuntimeWarning")
def test_a_bids_folder_of_eeg_is_described(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs join, the other task is named, the table's ids are those of the events."""
    write_bids_eeg(here)
    assert main(["check", ".", "--write", "mydata.toml"]) == 0
    text = (here / "mydata.toml").read_text()
    described = tomllib.loads(text)
    (recording,) = described["recordings"]
    assert [Path(one).name for one in recording["events"]] == [
        "sub-01_task-see_run-1_events.tsv",
        "sub-01_task-see_run-2_events.tsv",
    ]
    assert recording["without_stimulus"] == "drop" and "left out: rest" in text
    assert described["stimuli"] == {"table": "stimuli.tsv", "id": "stim_id"}
    capsys.readouterr()
    assert main(["check", "mydata.toml"]) == 0
    printed = capsys.readouterr().out
    assert "24 presentation × 4 unit × 101 time" in printed
    assert "2 events without 'stim_id' were left out" in printed


def test_behaviour_is_described_with_its_task(here: Path) -> None:
    """Columns, options, unit of time and the task; the description loads."""
    rows = [
        f"p1,{k},{kind},{kind},{500 + i}" for i, (k, kind) in enumerate(zip(IDS, KIND, strict=True))
    ]
    (here / "naming.csv").write_text("\n".join(["participant,image,response,category,RT", *rows]))
    assert main(["check", "naming.csv", "--write", "mydata.toml"]) == 0
    described = tomllib.loads((here / "mydata.toml").read_text())
    (part,) = described["behaviour"]
    assert part["options"] == ["face", "house"] and part["response_time_unit"] == "ms"
    assert part["columns"]["truth"] == "category" and described["tasks"][0]["name"] == "naming"
    (table,) = load_dataset(here / "mydata.toml").systems[0].behaviour
    assert float(table["response_time"][0]) == 0.5 and float(table["correct"].mean()) == 1.0


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a'b", "ünï", "a b", "a#b", "\x7f", "a\nb = 1"])
def test_any_name_of_a_file_can_be_written(here: Path, name: str) -> None:
    """The name is quoted; nothing in it becomes a key of the description."""
    path = write_nwb(here).rename(here / f"{name}.nwb")
    assert main(["check", str(path), "--write", "mydata.toml"]) == 0
    described = tomllib.loads((here / "mydata.toml").read_text())
    assert described["recordings"][0]["files"] == [f"{name}.nwb"]
    assert set(described) == {"name", "system", "species", "stimuli", "recordings", "contrasts"}


def test_a_moved_folder_still_loads(here: Path) -> None:
    """The drafted paths are relative to the description."""
    lab = here / "lab"
    lab.mkdir()
    write_fif(lab)
    assert main(["check", "lab", "--write", "lab/mydata.toml"]) == 0
    shutil.move(lab, here / "elsewhere")
    assert main(["check", "elsewhere/mydata.toml"]) == 0
