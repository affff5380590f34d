"""Descriptions: what they may say, what they build, and paths that try to leave."""

from __future__ import annotations

import string
from pathlib import Path

import mne
import nibabel
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import wavfile

from neuroai.errors import AlignmentError, DataError, NeuroaiError, UsageError
from neuroai.format.build import recording
from neuroai.format.files import save
from neuroai.format.schema import STIMULUS_ID
from neuroai.sources.catalogue import load_dataset
from neuroai.sources.description import load_description
from neuroai.sources.description_schema import READERS, Description
from neuroai.sources.inside import existing, stays_inside

IDS = ("a", "b", "c", "d")
RECORDING = '[[recordings]]\nreader = "form"\nfiles = ["mine.nc"]\n'
TOP = 'name = "lab"\nsystem = "mouse"\n'
HOSTILE = (
    "../x", "../../x", "../../../../etc/passwd", "a/../../x", "./../x", "..", "../", "a/../..",
    "/etc/passwd", "/", "//etc/passwd", "/proc/self/environ", "~", "~/x", "~root/x",
    "..\\x", "..\\..\\x", "a\\..\\..\\x", "C:\\x", "C:/x", "c:x", "\\\\host\\share", "\\x",
    "images/../../x", "images/../../../x", "a/b/../../../x", "././../x", "x/./../../y",
    "out", "out/x", "out/../x", "link.png", "chain", "chain/secret.txt",
    "\x00", "a\x00b", "../\x00", "a\nb", "\r", "a\tb", "\x1b[2J",
    "", " ", "   ", "..//x", ".././x", "a//../../x", "../stimuli/x", "../stimuli",
    "/etc/../etc/passwd", "out/secret.txt",
)  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder with one recording of four stimuli, their images, and a secret beside it."""
    folder = tmp_path / "lab"
    (folder / "stimuli").mkdir(parents=True)
    values = np.random.default_rng(0).standard_normal((8, 6))
    activity = recording(
        values,
        stimulus_id=IDS * 2,
        unit_id=[f"V1-{i}" if i < 3 else f"IT-{i}" for i in range(6)],
        region="brain",
        system="anyone",
        kind="brain",
        stimulus_set="any",
        subject="m1",
        presentation={"category": ["x", "x", "y", "y"] * 2},
    )
    save(activity, folder / "mine.nc")
    for number, key in enumerate(IDS):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(folder / "stimuli" / f"{key}.png")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "stimuli" / "out").symlink_to(tmp_path)
    (folder / "stimuli" / "chain").symlink_to(folder / "stimuli" / "out")
    (folder / "stimuli" / "link.png").symlink_to(tmp_path / "secret.txt")
    return folder


def describe(folder: Path, text: str) -> Path:
    """Write a description."""
    path = folder / "mydata.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recording_its_stimuli_and_a_contrast(lab: Path) -> None:
    """Everything that the file says arrives: names, images by name, columns, contrast."""
    path = describe(
        lab,
        TOP + '[stimuli]\nfolder = "stimuli"\n' + RECORDING
        + '[contrasts.x]\ncolumn = "category"\npositive = ["x"]\n',
    )  # fmt: skip
    holdings = load_dataset(path)
    assert holdings.card.name == "lab" and holdings.stimuli.ids == IDS
    assert holdings.stimuli.available == IDS
    assert np.asarray(holdings.stimuli.content("c"))[0, 0].tolist() == [2, 0, 0]
    assert holdings.contrasts["x"].positive == ("x",)
    (mouse,) = holdings.systems
    assert mouse.name == "mouse" and mouse.recordings[0].attrs["stimulus_set"] == "lab"


def test_regions_are_named_by_pattern(lab: Path) -> None:
    """Units that no pattern names keep their region."""
    path = describe(lab, TOP + RECORDING + 'regions = { V1 = ["V1-*"], TE = ["IT-3"] }\n')
    regions = load_description(path).systems[0].recordings[0]["region"].values.tolist()
    assert regions == ["V1", "V1", "V1", "TE", "brain", "brain"]


def test_a_unit_in_two_regions_is_an_error(lab: Path) -> None:
    """The unit is named."""
    path = describe(lab, TOP + RECORDING + 'regions = { V1 = ["V1-*"], TE = ["V1-0"] }\n')
    with pytest.raises(DataError, match="V1-0 stand in two regions"):
        load_description(path)


def test_a_table_adds_columns_and_files(lab: Path) -> None:
    """Columns become those of the stimuli; files are found inside the folder of stimuli."""
    rows = "\n".join(f"{key}\t{key}.png\t{n}" for n, key in enumerate((*IDS, "never")))
    (lab / "stimuli" / "stimuli.tsv").write_text(f"stimulus_id\tstim_file\tsize\n{rows}\n")
    path = describe(
        lab,
        TOP + '[stimuli]\nfolder = "stimuli"\ntable = "stimuli/stimuli.tsv"\nfile = "stim_file"\n'
        + RECORDING,
    )  # fmt: skip
    stimuli = load_description(path).stimuli
    assert stimuli.ids == IDS and stimuli.available == IDS
    assert stimuli.column("size").tolist() == ["0", "1", "2", "3"]


def test_a_table_without_a_shown_stimulus_is_an_error(lab: Path) -> None:
    """The stimulus is named."""
    (lab / "stimuli.tsv").write_text("stimulus_id\tsize\na\t1\nb\t1\nc\t1\n")
    path = describe(lab, TOP + '[stimuli]\ntable = "stimuli.tsv"\n' + RECORDING)
    with pytest.raises(AlignmentError, match=r"lacks 1 of the 4 stimuli.*d"):
        load_description(path)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_path_in_metadata_stays_inside(lab: Path, hostile: str) -> None:
    """Whatever a table says, nothing outside of the stimuli's folder is named."""
    root = lab / "stimuli"
    with pytest.raises(DataError, match=r"leaves the folder|no path has|cannot be a path"):
        stays_inside(root, hostile)


def test_there_are_fifty_hostile_paths() -> None:
    """Each of the fifty is another one."""
    assert len(set(HOSTILE)) == len(HOSTILE) >= 50


@given(st.text(alphabet="./\\~:ab\x00 ", max_size=20))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_path_is_inside_or_refused(given_path: str) -> None:
    """Random joints of dots and slashes never leave the root."""
    root = Path("/usr/share").resolve()
    try:
        found = stays_inside(root, given_path)
    except DataError:
        return
    assert found.is_relative_to(root)


@pytest.mark.parametrize("hostile", ["../../secret.txt", "/etc/passwd", "link.png", "..\\x"])
def test_a_hostile_stim_file_is_refused_when_loading(lab: Path, hostile: str) -> None:
    """The whole way through the description, exit code 3."""
    rows = "\n".join(f"{key}\t{hostile}" for key in IDS)
    (lab / "stimuli.tsv").write_text(f"stimulus_id\tstim_file\n{rows}\n")
    path = describe(
        lab,
        TOP + '[stimuli]\nfolder = "stimuli"\ntable = "stimuli.tsv"\nfile = "stim_file"\n'
        + RECORDING,
    )  # fmt: skip
    with pytest.raises(DataError, match="leaves the folder") as caught:
        load_description(path)
    assert caught.value.exit_code == 3


def test_paths_of_the_description_stay_inside_or_are_absolute(lab: Path) -> None:
    """A relative path may not climb; an absolute one must exist."""
    (lab / "inner").mkdir()
    outer = RECORDING.replace("mine.nc", "../mine.nc")
    with pytest.raises(UsageError, match=r"leaves the folder.*absolute path"):
        load_description(describe(lab / "inner", TOP + outer))
    whole = RECORDING.replace("mine.nc", str(lab / "mine.nc"))
    assert load_description(describe(lab / "inner", TOP + whole)).stimuli.ids == IDS
    with pytest.raises(UsageError, match=r"there is no .*mina.nc. Did you mean 'mine.nc'"):
        existing(lab, "mina.nc", where="here")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "is not TOML"),
        (TOP, "names no data"),
        (TOP + "sistem = 1\n" + RECORDING, "no key 'sistem'. Did you mean 'system'"),
        (TOP + RECORDING + "regoin = 'V1'\n", r"number 1: there is no key 'regoin'.*'region'"),
        (TOP + RECORDING.replace('"form"', '"frmi"'), "Did you mean 'form' or 'fmri'"),
        (TOP + '[[recordings]]\nfiles = ["mine.nc"]\n', "say reader = one of fmri, eeg"),
        (TOP + '[[recordings]]\nreader = "form"\n', "the key 'files' is missing"),
        (TOP + RECORDING + "region = 3\n", "'region': input should be a valid string; got 3"),
        (TOP + "[stimuli]\nfoldr = 'x'\n" + RECORDING, "no key 'foldr'. Did you mean 'folder'"),
        (TOP + "[stimuli]\nfolder = 'mine.nc'\n" + RECORDING, "is a file. Give the folder"),
        (TOP + RECORDING + RECORDING, "subject m1 of mouse"),
        (
            TOP + RECORDING + "[contrasts.x]\ncolumn = 'categry'\npositive = ['x']\n",
            "Did you mean 'category'",
        ),
        (
            TOP + RECORDING + "[contrasts.x]\ncolumn = 'category'\npositive = ['z']\n",
            r"No value of 'category'.*There is: x, y",
        ),
        (
            TOP + RECORDING + "[[tasks]]\nname='t'\noptions=['x','y']\ntruth='categry'\n",
            "Did you mean 'category'",
        ),
    ],
)
def test_what_is_wrong_is_said(lab: Path, text: str, words: str) -> None:
    """Every message names the place, what came and what to do."""
    with pytest.raises(NeuroaiError, match=words):
        load_description(describe(lab, text))


KEYS = st.sampled_from([*Description.model_fields, "nam", "reader", "files", "x"])
VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.sampled_from([*READERS, "mine.nc", "", "../x"])),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.text(string.printable, max_size=12))
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_malformed_description_is_explained(
    tmp_path: Path, content: dict[str, object], noise: str
) -> None:
    """No error but neuroai's own, which the command line tells in a sentence."""
    lines = [f"{key} = {str(value).lower()}" for key, value in content.items()]
    path = describe(tmp_path, "\n".join([*lines, noise]))
    with pytest.raises(NeuroaiError):
        load_description(path)


def test_masks_become_regions_and_events_without_stimulus_are_dropped(tmp_path: Path) -> None:
    """fMRI through the description: two masks, a fixation event, columns of the events."""
    rng = np.random.default_rng(4)
    values = 100 + rng.standard_normal((3, 2, 1, 40))
    image = nibabel.Nifti1Image(values.astype(np.float32), np.eye(4))
    image.header.set_zooms((1, 1, 1, 2.0))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "run.nii.gz")
    for name, row in (("V1", 0), ("IT", 1)):
        inside = np.zeros((3, 2, 1), dtype=np.uint8)
        inside[row] = 1
        nibabel.save(nibabel.Nifti1Image(inside, np.eye(4)), tmp_path / f"{name}.nii.gz")
    (tmp_path / "events.tsv").write_text(
        "onset\tduration\tpicture\tkind\n4\t1\ta\tx\n16\t1\tn/a\tn/a\n28\t1\tb\tx\n40\t1\tc\ty\n"
    )
    text = TOP + (
        '[[recordings]]\nreader = "fmri"\nsubject = "01"\nfiles = ["run.nii.gz"]\n'
        'events = ["events.tsv"]\nstimulus_id = "picture"\n'
        'masks = { V1 = "V1.nii.gz", IT = "IT.nii.gz" }\nmodel = "lsa"\n'
    )
    with pytest.raises(DataError, match=r"1 of 4 events .* line 3.*without_stimulus"):
        load_description(describe(tmp_path, text))
    holdings = load_description(describe(tmp_path, text + 'without_stimulus = "drop"\n'))
    (found,) = holdings.systems[0].recordings
    assert found["region"].values.tolist() == ["V1", "V1", "IT", "IT"]
    assert found[STIMULUS_ID].values.tolist() == ["a", "b", "c"]
    assert "1 events without 'picture' were left out" in found.attrs["note"]
    assert holdings.stimuli.column("kind").tolist() == ["x", "x", "y"]


def test_texts_are_a_column_or_the_ids(lab: Path) -> None:
    """A language model reads the column that is named, or the ids; an empty text is not at hand."""
    (lab / "words.tsv").write_text("stimulus_id\tsentence\na\tan oak\nb\tn/a\nc\tx y\nd\tz\n")
    text = TOP + '[stimuli]\ntable = "words.tsv"\ntext = "{}"\n' + RECORDING
    stimuli = load_description(describe(lab, text.format("sentence"))).stimuli
    assert stimuli.available == ("a", "c", "d") and stimuli.content("a") == "an oak"
    own = load_description(describe(lab, text.format("stimulus_id"))).stimuli
    assert [own.content(key) for key in own.ids] == list(IDS)
    with pytest.raises(NeuroaiError, match="called 'sentance'. Did you mean 'sentence'"):
        load_description(describe(lab, text.format("sentance")))
    both = text.format("sentence").replace("text =", 'folder = "stimuli"\ntext =')
    with pytest.raises(UsageError, match="give text, or folder and file, not both"):
        load_description(describe(lab, both))


def test_sounds_arrays_and_texts_are_found_by_name(lab: Path) -> None:
    """Each file is read by its ending."""
    folder = lab / "stimuli"
    (folder / "a.png").rename(folder / "a.old")
    wavfile.write(folder / "a.wav", 8000, np.arange(80, dtype=np.int16))
    (folder / "b.png").rename(folder / "b.old")
    (folder / "b.txt").write_text("an oak\n")
    (folder / "c.png").rename(folder / "c.old")
    np.save(folder / "c.npy", np.ones((3, 8, 8)))
    stimuli = load_description(
        describe(lab, TOP + '[stimuli]\nfolder = "stimuli"\n' + RECORDING)
    ).stimuli
    assert stimuli.available == IDS
    assert stimuli.content("a").rate == 8000 and stimuli.content("b") == "an oak"
    assert stimuli.content("c").shape == (3, 8, 8) and stimuli.content("d").mode == "RGB"


def test_two_runs_of_eeg_are_one_recording(tmp_path: Path) -> None:
    """Runs lie one below the other, each with its number; other channels are refused."""
    for run, names in ((1, ["Cz", "Pz"]), (2, ["Cz", "Pz"]), (3, ["Cz", "Oz"])):
        info = mne.create_info(names, 100.0, "eeg")
        data = 1e-6 * np.random.default_rng(run).standard_normal((3, 2, 10))
        metadata = pd.DataFrame({"word": ["a", "b", "c"]})
        epochs = mne.EpochsArray(data, info, metadata=metadata, verbose="ERROR")
        epochs.save(tmp_path / f"{run}-epo.fif", verbose="ERROR")
    text = TOP + '[[recordings]]\nreader = "eeg"\nsubject = "1"\nstimulus_id = "word"\nfiles = '
    path = describe(tmp_path, text + '["1-epo.fif", "2-epo.fif"]\n')
    (found,) = load_description(path).systems[0].recordings
    assert found.sizes["presentation"] == 6
    assert found["run"].values.tolist() == ["01"] * 3 + ["02"] * 3
    with pytest.raises(AlignmentError, match="3-epo.fif has other channels"):
        load_description(describe(tmp_path, text + '["1-epo.fif", "3-epo.fif"]\n'))


def test_behaviour_and_its_task(tmp_path: Path) -> None:
    """Columns are mapped; the truth becomes a column of the stimuli."""
    rows = "\n".join(f"p1,{key},cat,{kind},450" for key, kind in (("a", "cat"), ("b", "dog")))
    (tmp_path / "trials.csv").write_text(f"who,picture,said,is,rt\n{rows}\n")
    text = TOP + (
        '[[behaviour]]\nfiles = ["trials.csv"]\ntask = "naming"\noptions = ["cat", "dog"]\n'
        'response_time_unit = "ms"\n[behaviour.columns]\nsubject = "who"\nstimulus_id = "picture"\n'
        'choice = "said"\ntruth = "is"\nresponse_time = "rt"\n'
        '[[tasks]]\nname = "naming"\noptions = ["cat", "dog"]\ntruth = "truth"\n'
    )
    holdings = load_description(describe(tmp_path, text))
    (table,) = holdings.systems[0].behaviour
    assert table["correct"].values.tolist() == [1.0, 0.0]
    assert table["response_time"].values.tolist() == [0.45, 0.45]
    assert holdings.stimuli.column("truth").tolist() == ["cat", "dog"]
    assert holdings.tasks[0].name == "naming"
