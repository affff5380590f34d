"""A BIDS folder with fMRIPrep's derivatives: files found by their entities, never by order."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from neuroai.cli import main
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.sources.bids import run_coords, sidecar
from neuroai.sources.description import load_description
from neuroai.sources.fmri import read_bold
from neuroai.sources.fmri_bids import find_bold, read_bold_bids
from neuroai.sources.fmri_maps import to_gifti, to_nifti

SHAPE, TR, N_SCANS = (3, 3, 2), 2.0, 60
MNI = np.diag([3.0, 3.0, 3.0, 1.0])
MNI[:3, 3] = (-4.0, 10.0, 20.0)
SPACE, MESH, N_VERTICES = "MNI152NLin2009cAsym", "fsaverage5", 7
WHO: dict[str, Any] = {"task": "look", "stimulus_set": "toy", "stimulus": "stim_id"}
RUNS = (("a", "1"), ("a", "2"), ("b", "1"))
EXACT = 1e-10  # float64 algebra of other shapes
SINGLE = 1e-4  # percent; images keep single precision


def write_image(path: Path, values: np.ndarray) -> None:
    """Write a volume, or a run with its repetition time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values, MNI)
    if values.ndim == 4:
        image.header.set_zooms((3, 3, 3, TR))
        image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)


def write_surface(path: Path, values: np.ndarray) -> None:
    """Write a functional GIFTI of one hemisphere, an array a scan."""
    arrays = [
        nibabel.gifti.GiftiDataArray(row.astype(np.float32), datatype="NIFTI_TYPE_FLOAT32")
        for row in values
    ]
    nibabel.save(nibabel.gifti.GiftiImage(darrays=arrays), path)


def signal(seed: int, n: int) -> np.ndarray:
    """Series (scan, voxel) around 1,000."""
    return 1000 + np.random.default_rng(seed).normal(size=(N_SCANS, n)) * 10


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two subjects, three runs in two sessions, raw and preprocessed in two spaces."""
    root = tmp_path / "study"
    prep = root / "derivatives" / "fmriprep"
    for folder, name in ((root, "raw"), (prep, "fMRIPrep")):
        folder.mkdir(parents=True)
        about = {"Name": name, "BIDSVersion": "1.9.0"}
        (folder / "dataset_description.json").write_text(json.dumps(about))
    (root / "task-look_bold.json").write_text(json.dumps({"RepetitionTime": TR}))
    for subject in ("01", "02"):
        for number, (session, run) in enumerate(RUNS):
            write_run(root, prep, subject, session, run, seed=10 * int(subject) + number)
    return root


def write_run(root: Path, prep: Path, subject: str, session: str, run: str, *, seed: int) -> None:
    """Write all files of one run; the raw image is another, in another grid."""
    raw = root / f"sub-{subject}" / f"ses-{session}" / "func"
    derived = prep / f"sub-{subject}" / f"ses-{session}" / "func"
    for folder in (raw, derived):
        folder.mkdir(parents=True, exist_ok=True)
    stem = f"sub-{subject}_ses-{session}_task-look_run-{run}"
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2, 4), np.int16), MNI),
                 raw / f"{stem}_bold.nii.gz")  # fmt: skip
    onsets = 4.0 + 12 * np.arange(8) + seed % 3
    shown = [(i + seed) % 8 for i in range(8)]
    rows = [f"{o:g}\t1\tkind{i % 2}\timg{i}" for i, o in zip(shown, onsets, strict=True)]
    (raw / f"{stem}_events.tsv").write_text(
        "\n".join(["onset\tduration\ttrial_type\tstim_id", *rows]) + "\n"
    )
    values = signal(seed, 18).T.reshape(*SHAPE, N_SCANS)
    there = np.ones(SHAPE, np.uint8)
    there.flat[int(run)] = 0
    for space in (SPACE, "T1w"):
        tail = f"{stem}_space-{space}"
        shift = 0 if space == SPACE else 5
        write_image(derived / f"{tail}_desc-preproc_bold.nii.gz", (values + shift).astype("f4"))
        write_image(derived / f"{tail}_desc-brain_mask.nii.gz", there)
        about = {"RepetitionTime": TR, "StartTime": TR / 2}
        (derived / f"{tail}_desc-preproc_bold.json").write_text(json.dumps(about))
    for side in "LR":
        path = derived / f"{stem}_hemi-{side}_space-{MESH}_bold.func.gii"
        write_surface(path, signal(seed + ord(side), N_VERTICES))
        path.with_name(path.name.replace(".func.gii", ".json")).write_text(
            json.dumps({"RepetitionTime": TR})
        )
    moved = np.random.default_rng(seed).normal(size=(N_SCANS, 2))
    table = pd.DataFrame(moved, columns=["trans_x", "rot_z"])
    table.loc[0, "rot_z"] = np.nan
    table.to_csv(derived / f"{stem}_desc-confounds_timeseries.tsv", sep="\t", index=False,
                 na_rep="n/a")  # fmt: skip


def by_hand(root: Path, subject: str) -> Any:
    """The same three runs with every file named."""
    prep = root / "derivatives" / "fmriprep"
    stems = [(f"sub-{subject}/ses-{s}/func", f"sub-{subject}_ses-{s}_task-look_run-{r}")
             for s, r in RUNS]  # fmt: skip
    return read_bold(
        [prep / f / f"{s}_space-{SPACE}_desc-preproc_bold.nii.gz" for f, s in stems],
        events=[root / f / f"{s}_events.tsv" for f, s in stems],
        mask=[prep / f / f"{s}_space-{SPACE}_desc-brain_mask.nii.gz" for f, s in stems],
        confounds=[prep / f / f"{s}_desc-confounds_timeseries.tsv" for f, s in stems],
        confound_columns=["trans_x", "rot_z"],
        slice_time_ref=0.5,
        subject=subject,
        stimulus_set="toy",
        stimulus="stim_id",
    )


@pytest.mark.parametrize("subject", ["01", "sub-01"])
def test_runs_are_found_with_what_belongs_to_them(study: Path, subject: str) -> None:
    """Every value is that of the files named by hand; entities are coordinates, with or without
    their key."""
    got = read_bold_bids(
        study, subject=subject, space=SPACE, confound_columns=["trans_x", "rot_z"], **WHO
    )
    wanted = by_hand(study, "01")
    np.testing.assert_array_equal(got.values, wanted.values)
    assert got.sizes == {"presentation": 24, "unit": 16}
    assert got.attrs["subject"] == "01" and got.attrs["space"] == SPACE
    assert got["session"].values.tolist() == ["a"] * 16 + ["b"] * 8
    assert got["run"].values.tolist()[::8] == ["a-1", "a-2", "b-1"]
    assert set(got["task"].values) == {"look"}
    voxel = got.sel(unit=got["unit_id"].values == "v002-001-001")
    assert [float(voxel[axis].item()) for axis in "xyz"] == [2.0, 13.0, 23.0]


def test_sessions_and_runs_are_chosen(study: Path) -> None:
    """By entity, and by the order of numbers."""
    runs = find_bold(study, subject="sub-02", task="task-look", session="ses-a", space=SPACE)
    assert [one.entities["run"] for one in runs] == ["1", "2"]
    one = read_bold_bids(study, subject="02", session="b", space="T1w", **WHO)
    assert one.sizes["presentation"] == 8 and one["run"].values[0] == "1"


def test_the_mask_and_the_moment_are_of_the_derivatives(study: Path) -> None:
    """A voxel lies in the masks of all runs; scans are taken in their middle, as the sidecar
    says."""
    whole = read_bold_bids(study, subject="01", space=SPACE, mask="none", **WHO)
    masked = read_bold_bids(study, subject="01", space=SPACE, **WHO)
    assert whole.sizes["unit"] - masked.sizes["unit"] == 2
    early = read_bold_bids(study, subject="01", space=SPACE, slice_time_ref=0.0, **WHO)
    assert np.abs(early.values - masked.values).max() > SINGLE


def test_maps_go_back_into_the_space(study: Path, tmp_path: Path) -> None:
    """A map written from the recording lies where the preprocessed image lies."""
    got = read_bold_bids(study, subject="01", space=SPACE, **WHO)
    to_nifti(np.arange(16.0), got, path=tmp_path / "map.nii.gz")
    image = nibabel.load(tmp_path / "map.nii.gz")
    assert image.shape == SHAPE
    np.testing.assert_array_equal(image.affine, MNI)


def test_hemispheres_are_one_run(study: Path, tmp_path: Path) -> None:
    """14 vertices of two hemispheres; values are those of each alone; maps go back to GIFTI."""
    got = read_bold_bids(study, subject="01", space=MESH, **WHO)
    assert got.sizes == {"presentation": 24, "unit": 14} and got.attrs["space"] == MESH
    assert got["hemisphere"].values.tolist() == ["L"] * 7 + ["R"] * 7
    func = study / "derivatives" / "fmriprep" / "sub-01" / "ses-b" / "func"
    right = read_bold(
        func / f"sub-01_ses-b_task-look_run-1_hemi-R_space-{MESH}_bold.func.gii",
        events=study / "sub-01/ses-b/func/sub-01_ses-b_task-look_run-1_events.tsv",
        subject="01", stimulus_set="toy", stimulus="stim_id",
    )  # fmt: skip
    np.testing.assert_allclose(got.values[16:, 7:], right.values, atol=EXACT)
    numbers = np.arange(14.0)
    kept = got.isel(unit=[0, 2, 9])
    path = tmp_path / "map_hemi-R.func.gii"
    to_gifti(numbers, got, hemisphere="R", path=path)
    np.testing.assert_array_equal(nibabel.load(path).darrays[0].data, numbers[7:])
    [array] = to_gifti(numbers[:3], kept, hemisphere="L").darrays
    np.testing.assert_array_equal(array.data, [0, np.nan, 1, *[np.nan] * 4])
    with pytest.raises(UsageError, match="hemisphere must be one of 'L', 'R'"):
        to_gifti(numbers, got)


def test_masks_and_labels_of_hemispheres_are_told_by_name(study: Path, tmp_path: Path) -> None:
    """The right mask never lies on the left; an atlas names regions."""
    for side, inside in (("L", [1, 0, 0, 2, 0, 0, 0]), ("R", [0, 0, 0, 0, 0, 2, 1])):
        array = nibabel.gifti.GiftiDataArray(
            np.array(inside, np.int32), datatype="NIFTI_TYPE_INT32"
        )
        nibabel.save(
            nibabel.gifti.GiftiImage(darrays=[array]), tmp_path / f"{side.lower()}h.label.gii"
        )
    atlas = [tmp_path / "rh.label.gii", tmp_path / "lh.label.gii"]
    names = {1: "V1", 2: "V2"}
    got = read_bold_bids(study, subject="01", space=MESH, labels=atlas, label_names=names, **WHO)
    assert got["unit_id"].values.tolist() == ["L-000000", "L-000003", "R-000005", "R-000006"]
    assert got["region"].values.tolist() == ["V1", "V2", "V2", "V1"]
    with pytest.raises(UsageError, match="atlas of hemisphere L must be one file"):
        read_bold_bids(study, subject="01", space=MESH, labels=atlas[:1], **WHO)


def without_events(root: Path) -> None:
    """Remove the events of one run."""
    (root / "sub-01/ses-a/func/sub-01_ses-a_task-look_run-2_events.tsv").unlink()


def other_tr(root: Path) -> None:
    """Let a sidecar contradict the header."""
    func = root / "derivatives/fmriprep/sub-01/ses-a/func"
    path = func / f"sub-01_ses-a_task-look_run-1_space-{SPACE}_desc-preproc_bold.json"
    path.write_text(json.dumps({"RepetitionTime": 2.5, "StartTime": 1.25}))


def broken_sidecar(root: Path) -> None:
    """Write half a sidecar."""
    func = root / "derivatives/fmriprep/sub-01/ses-a/func"
    path = func / f"sub-01_ses-a_task-look_run-1_space-{SPACE}_desc-preproc_bold.json"
    path.write_text('{"RepetitionTime": 2')


def same_run_twice(root: Path) -> None:
    """Leave the derivatives of two pipelines."""
    func = root / "derivatives/fmriprep/sub-01/ses-a/func"
    name = f"sub-01_ses-a_task-look_run-1_space-{SPACE}_desc-preproc_bold.nii.gz"
    other = root / "derivatives" / "other"
    other.mkdir()
    (other / name).write_bytes((func / name).read_bytes())


def moved_mask(root: Path) -> None:
    """Let the mask of one run lie elsewhere."""
    func = root / "derivatives/fmriprep/sub-01/ses-a/func"
    path = func / f"sub-01_ses-a_task-look_run-1_space-{SPACE}_desc-brain_mask.nii.gz"
    affine = MNI.copy()
    affine[0, 3] += 3
    nibabel.save(nibabel.Nifti1Image(np.ones(SHAPE, np.uint8), affine), path)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (without_events, UsageError, "No events belong to sub-01_ses-a_task-look_run-2"),
        (other_tr, DataError, "stands in the sidecar, but the header"),
        (broken_sidecar, DataError, "is not JSON"),
        (same_run_twice, DataError, "are one run twice"),
        (moved_mask, AlignmentError, "lies up to 3.0 mm away"),
    ],
)
def test_what_does_not_fit_is_named(
    study: Path, change: Callable[[Path], None], error: type[Exception], words: str
) -> None:
    """Nothing is guessed: a file that lacks, contradicts or competes is an error."""
    change(study)
    with pytest.raises(error, match=words):
        read_bold_bids(study, subject="01", space=SPACE, **WHO)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"subject": "1"}, "holds no sub-1. .*sub-01, sub-02"),
        ({"subject": "01", "task": "lok"}, "no task-lok. Did you mean 'look'"),
        ({"subject": "01", "session": "b", "run": "2"}, "holds no run sub-01_task-look_ses-b"),
        ({"subject": "01"}, f"several spaces: {SPACE}, T1w, {MESH}"),
        ({"subject": "01", "space": "MNI"}, "space must be one of"),
        ({"subject": "01", "derivatives": "nowhere"}, "There is no folder nowhere"),
    ],
)
def test_what_is_not_there_is_answered_by_what_is(
    study: Path, asked: dict[str, Any], words: str
) -> None:
    """Subjects, tasks, runs and spaces."""
    with pytest.raises(UsageError, match=words):
        find_bold(study, **{"task": "look", **asked})


def test_derivatives_may_lie_elsewhere(study: Path, tmp_path: Path) -> None:
    """Raw tables in one folder, images in another."""
    inside = read_bold_bids(study, subject="02", space=SPACE, **WHO)
    (study / "derivatives" / "fmriprep").rename(tmp_path / "prep")
    outside = read_bold_bids(study, subject="02", space=SPACE, derivatives=tmp_path / "prep", **WHO)
    np.testing.assert_array_equal(inside.values, outside.values)
    with pytest.raises(UsageError, match="raw images alone, which have no space-"):
        find_bold(study, subject="02", task="look", space=SPACE)
    assert len(find_bold(study, subject="02", task="look")) == 3


def test_sidecars_are_inherited(study: Path) -> None:
    """A file at the root serves runs of its task; one nearer wins; other data sets do not count."""
    raw = study / "sub-01/ses-a/func/sub-01_ses-a_task-look_run-1_bold.nii.gz"
    assert sidecar(raw) == {"RepetitionTime": TR}
    raw.with_name("sub-01_ses-a_task-look_run-1_bold.json").write_text('{"RepetitionTime": 3}')
    assert sidecar(raw) == {"RepetitionTime": 3}
    derived = study / "derivatives/fmriprep/sub-02/ses-b/func"
    [gifti] = derived.glob("*hemi-L*.json")
    gifti.unlink()
    assert sidecar(next(derived.glob("*hemi-L*.gii"))) == {}


def test_runs_are_told_apart_over_sessions() -> None:
    """Runs of one number in two sessions are two; names that say nothing are numbered."""
    names = [Path(f"sub-1_ses-{s}_task-x_run-{r}_bold.nii.gz") for s, r in RUNS]
    assert [found["run"] for found in run_coords(names)] == ["a-1", "a-2", "b-1"]
    assert [found["run"] for found in run_coords(names[:2])] == ["1", "2"]
    assert [found["run"] for found in run_coords(["x.nii", "y.nii"])] == ["01", "02"]
    assert run_coords([object()]) == [{"run": "01"}]


def test_the_folder_is_described_and_loads(
    study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`neuroai check FOLDER --write` names preprocessed runs in MNI space, their masks and
    confounds; what loads is what is read by hand."""
    monkeypatch.chdir(tmp_path)
    assert main(["check", "study", "--write", "mydata.toml"]) == 0
    described = tomllib.loads((tmp_path / "mydata.toml").read_text())
    first, second = described["recordings"]
    assert (first["subject"], second["subject"]) == ("01", "02")
    assert all(SPACE in name for name in [*first["files"], *first["mask"]])
    assert len(first["mask"]) == 3 and first["slice_time_ref"] == 0.5
    assert first["confound_columns"] == ["trans_x", "rot_z"]
    recordings = load_description(tmp_path / "mydata.toml").systems[0].recordings
    assert recordings[0]["session"].values.tolist() == ["a"] * 16 + ["b"] * 8
    np.testing.assert_allclose(recordings[0].values, by_hand(study, "01").values, atol=SINGLE)
