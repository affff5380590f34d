"""fMRI into the labelled form: planted responses come back, and no wrong number gets through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from neuroai.errors import AlignmentError, DataError, FormatError, UsageError
from neuroai.sources.fmri import read_bold, read_bold_series
from neuroai.sources.fmri_audit import audit_signal
from neuroai.sources.fmri_glm import estimate
from neuroai.sources.fmri_maps import to_nifti

EXACT = 1e-8  # pseudo-inverse against QR, both float64
SHAPE, TR, N_SCANS = (4, 3, 2), 2.0, 120
AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3, 0, -60], [0, 0, 4, -20], [0, 0, 0, 1]])
COMMON: dict[str, Any] = {"subject": "1", "stimulus_set": "toy"}


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Twelve trials of three conditions, 18 s apart."""
    return pd.DataFrame(
        {
            "onset": 6.0 + 18.0 * np.arange(12),
            "duration": 1.0,
            "trial_type": np.tile(["a", "b", "c"], 4),
            "image": [f"i{number}" for number in range(12)],
        }
    )


@pytest.fixture(scope="module")
def planted(events: pd.DataFrame) -> tuple[nibabel.Nifti1Image, np.ndarray]:
    """A run whose voxels respond to each trial by a known percentage, on a drift, without noise."""
    from nilearn.glm.first_level import make_first_level_design_matrix

    rng = np.random.default_rng(0)
    responses = rng.normal(size=(12, int(np.prod(SHAPE))))
    trials = events.assign(trial_type=[f"t{number:02d}" for number in range(12)])
    design = make_first_level_design_matrix(
        np.arange(N_SCANS) * TR, trials[["onset", "duration", "trial_type"]], drift_model=None
    )
    percent = design.to_numpy()[:, :12] @ responses
    percent = percent - percent.mean(axis=0)
    values = rng.uniform(500, 1500, responses.shape[1]) * (1 + percent / 100)
    return image(values), responses


def image(values: np.ndarray) -> nibabel.Nifti1Image:
    """Lay samples (scan, voxel) on the grid."""
    found = nibabel.Nifti1Image(values.T.reshape(*SHAPE, -1), AFFINE)
    found.header.set_zooms((3, 3, 4, TR))
    found.header.set_xyzt_units("mm", "sec")
    return found


def volume(values: np.ndarray, affine: np.ndarray = AFFINE) -> nibabel.Nifti1Image:
    """Lay one number a voxel on the grid."""
    return nibabel.Nifti1Image(np.asarray(values, dtype=np.int16).reshape(SHAPE), affine)


def samples(found: nibabel.Nifti1Image) -> np.ndarray:
    """Give samples (scan, voxel) of an image."""
    return found.get_fdata().reshape(-1, found.shape[3]).T.copy()


def test_planted_responses_come_back(planted: Any, events: pd.DataFrame) -> None:
    """LSA gives each trial's response in percent; stimuli, conditions and places are labelled."""
    bold, responses = planted
    got = read_bold(bold, events=events, stimulus="image", model="lsa", high_pass=0, **COMMON)
    np.testing.assert_allclose(got.values, responses, atol=EXACT)
    assert got["stimulus_id"].values.tolist() == list(events["image"])
    assert got["condition"].values.tolist() == list(events["trial_type"])
    np.testing.assert_array_equal(got["onset"], events["onset"])
    assert got.attrs["physical_unit"] == "percent"
    last = got.isel(unit=-1)
    assert str(last["unit_id"].values) == "v003-002-001"
    assert [float(last[axis]) for axis in "xyz"] == [21, -54, -16]


def test_lss_is_near_lsa_and_as_an_explicit_design(planted: Any, events: pd.DataFrame) -> None:
    """LSS of one trial equals the design built by hand: this trial, the others by condition."""
    from nilearn.glm.first_level import make_first_level_design_matrix

    bold, responses = planted
    got, _ = estimate(samples(bold), events, tr=TR, model="lss", high_pass=0.01)
    for trial in (0, 7):
        labels = events["trial_type"].where(events.index != trial, "this one")
        design = make_first_level_design_matrix(
            np.arange(N_SCANS) * TR,
            events.assign(trial_type=labels)[["onset", "duration", "trial_type"]],
        )
        betas = np.linalg.lstsq(design.to_numpy(), samples(bold), rcond=None)[0]
        expected = betas[list(design.columns).index("this one")]
        np.testing.assert_allclose(got[trial], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("noise", ["ols", "ar1"])
def test_conditions_equal_the_first_level_model(
    noise: str, planted: Any, events: pd.DataFrame
) -> None:
    """Condition estimates equal those of nilearn's FirstLevelModel, with noise and confounds."""
    from nilearn.glm.first_level import FirstLevelModel
    from nilearn.maskers import NiftiMasker

    rng = np.random.default_rng(1)
    confounds = rng.normal(size=(N_SCANS, 2))
    bold = image(samples(planted[0]) + rng.normal(0, 5, (N_SCANS, int(np.prod(SHAPE)))))
    got = read_bold(
        bold, events=events, model="condition", confounds=confounds, noise=noise, scale="none",
        **COMMON,
    )  # fmt: skip
    masker = NiftiMasker(mask_img=volume(np.ones(SHAPE)), standardize=None).fit()
    model = FirstLevelModel(
        t_r=TR, noise_model=noise, mask_img=masker, signal_scaling=False, minimize_memory=False
    )
    model.fit(
        bold,
        events=events[["onset", "duration", "trial_type"]],
        confounds=pd.DataFrame(confounds, columns=["x", "y"]),
    )
    for condition in ("a", "b", "c"):
        expected = model.compute_contrast(condition, output_type="effect_size").get_fdata().ravel()
        row = got.values[got["condition"].values == condition][0]
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-4)
    assert got["n_repeats"].values.tolist() == [4, 4, 4]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_is_named_and_never_zero(value: float, planted: Any, events: pd.DataFrame) -> None:
    """One sample of one voxel: an error that names it, or the voxel is dropped and counted."""
    broken = samples(planted[0])
    broken[5, 4] = value
    for read in (read_bold, read_bold_series):
        with pytest.raises(DataError, match=r"1 of 24 voxels .* NaN or infinite .*v000-002-000"):
            read(image(broken), events=events, **COMMON)
        got = read(image(broken), events=events, undefined="drop", **COMMON)
        assert got.sizes["unit"] == 23
        assert "v000-002-000" not in got["unit_id"].values
        assert "1 of 24 voxels with NaN" in got.attrs["note"]
        assert np.isfinite(got.values).all()


def test_voxels_that_never_vary_are_counted(planted: Any, events: pd.DataFrame) -> None:
    """A constant voxel has no estimate; it is left out by name."""
    flat = samples(planted[0])
    flat[:, 3] = 7
    got = read_bold(image(flat), events=events, **COMMON)
    assert got.sizes["unit"] == 23
    assert "1 of 24 voxels that never vary were left out: v000-001-001" in got.attrs["note"]


def test_audit_by_hand() -> None:
    """A voxel with NaN is not counted as constant too."""
    values = np.array([[1, 2, np.nan, np.inf], [1, 3, np.nan, 1]])
    found = audit_signal(values, np.array(list("abcd")))
    assert (found.not_finite, found.constant, found.n_voxels) == (("c", "d"), ("a",), 4)


@pytest.mark.parametrize("seed", range(50))
def test_fifty_wrong_masks_are_refused(seed: int, planted: Any, events: pd.DataFrame) -> None:
    """A moved, turned, scaled or cut mask never passes, however its shape fits."""
    rng = np.random.default_rng(seed)
    affine = AFFINE.copy()
    kind = seed % 4
    if kind == 0:
        affine[rng.integers(3), 3] += rng.choice([-1, 1]) * rng.uniform(0.5, 20)
    elif kind == 1:
        affine[:, rng.integers(3)] *= -1
    elif kind == 2:
        affine[:3, :3] *= rng.uniform(1.05, 2)
    mask = volume(np.ones(SHAPE), affine)
    if kind == 3:
        mask = nibabel.Nifti1Image(np.ones((4, 3, 1 + seed % 3 * 2), dtype=np.int16), AFFINE)
    with pytest.raises(AlignmentError, match="Resample it"):
        read_bold(planted[0], events=events, mask=mask, **COMMON)


def test_a_mask_beside_the_brain_is_refused(planted: Any, events: pd.DataFrame) -> None:
    """The grid fits, but most of the mask carries no signal."""
    outside = samples(planted[0])
    outside[:, :14] = 0
    mask = np.zeros(24)
    mask[:16] = 1
    with pytest.raises(AlignmentError, match="Only 12% of the 16 voxels of the mask"):
        read_bold(image(outside), events=events, mask=volume(mask), **COMMON)
    with pytest.raises(AlignmentError, match="leaves no voxel"):
        read_bold(planted[0], events=events, mask=volume(np.zeros(24)), **COMMON)


@pytest.mark.parametrize("shift", [-7.0, 36.1, 240.0, 1e4])
def test_onsets_outside_the_run_are_named(shift: float, planted: Any, events: pd.DataFrame) -> None:
    """One onset before the first scan or after the last is enough."""
    moved = events.assign(onset=events["onset"] + shift)
    with pytest.raises(DataError, match=r"onsets of the events lie outside the run.*240 s \(120"):
        read_bold(planted[0], events=moved, **COMMON)


def test_milliseconds_are_suspected(planted: Any, events: pd.DataFrame) -> None:
    """Onsets a thousand times too late get the hint."""
    with pytest.raises(DataError, match="Are they in milliseconds"):
        read_bold(planted[0], events=events.assign(onset=events["onset"] * 1e3), **COMMON)


def test_repetition_times_must_agree(planted: Any, events: pd.DataFrame) -> None:
    """A time that contradicts the header, and a header without one, are errors."""
    with pytest.raises(DataError, match="tr=2.5 s was given, .* but the header of .* states 2 s"):
        read_bold(planted[0], events=events, tr=2.5, **COMMON)
    silent = nibabel.Nifti1Image(planted[0].get_fdata(), AFFINE)
    silent.header.set_zooms((3, 3, 4, 0))
    with pytest.raises(DataError, match="states no repetition time"):
        read_bold(silent, events=events, **COMMON)


def test_two_events_at_one_time_cannot_be_told_apart(planted: Any, events: pd.DataFrame) -> None:
    """The singular design is refused with the names of its columns."""
    twice = pd.concat([events, events.iloc[[2]]], ignore_index=True)
    with pytest.raises(DataError, match="trial 2, trial 3 of the design cannot be told apart"):
        read_bold(planted[0], events=twice, model="lsa", **COMMON)


def test_demeaned_data_have_no_percent(planted: Any, events: pd.DataFrame) -> None:
    """Images without a mean are refused unless they are taken as they are."""
    centred = samples(planted[0]) - samples(planted[0]).mean(axis=0)
    with pytest.raises(DataError, match="Say scale='none'"):
        read_bold(image(centred), events=events, **COMMON)
    assert read_bold(image(centred), events=events, scale="none", **COMMON).sizes["unit"] == 24


def test_runs_are_kept_apart_and_counted(planted: Any, events: pd.DataFrame) -> None:
    """Two runs: repeats are counted over them; another grid and a missing table are errors."""
    bold = planted[0]
    got = read_bold([bold, bold], events=[events, events], stimulus="image", **COMMON)
    assert got["run"].values.tolist() == ["01"] * 12 + ["02"] * 12
    assert got["repeat"].values.tolist() == [0] * 12 + [1] * 12
    with pytest.raises(UsageError, match=r"2 run\(s\) need 2 events; got 1"):
        read_bold([bold, bold], events=events, **COMMON)
    other = nibabel.Nifti1Image(bold.get_fdata(), AFFINE + np.eye(4))
    other.header.set_zooms((4, 4, 5, TR))
    with pytest.raises(AlignmentError, match="has another grid"):
        read_bold([bold, other], events=[events, events], **COMMON)


def test_atlas_names_regions(planted: Any, events: pd.DataFrame) -> None:
    """Labels other than 0 are kept under their names; a label without a name is an error."""
    numbers = np.repeat([0, 1, 2, 2], 6)
    got = read_bold(
        planted[0], events=events, labels=volume(numbers), label_names={1: "V1", 2: "FFA"}, **COMMON
    )
    assert got["region"].values.tolist() == ["V1"] * 6 + ["FFA"] * 12
    with pytest.raises(DataError, match="labels without a name: 2"):
        read_bold(
            planted[0], events=events, labels=volume(numbers), label_names={1: "V1"}, **COMMON
        )


def test_series_is_free_of_nuisance(planted: Any, events: pd.DataFrame) -> None:
    """What is left is orthogonal to mean, line and confounds; scans carry what was shown."""
    rng = np.random.default_rng(2)
    confounds = pd.DataFrame({"x": rng.normal(size=N_SCANS), "y": rng.normal(size=N_SCANS)})
    got = read_bold_series(
        planted[0], events=events, stimulus="image", confounds=confounds, **COMMON
    )
    assert got.sizes == {"sample": N_SCANS, "unit": 24}
    line = np.arange(N_SCANS) - (N_SCANS - 1) / 2
    for column in (np.ones(N_SCANS), line, *confounds.to_numpy().T):
        np.testing.assert_allclose(column @ got.values, 0, atol=1e-6)
    np.testing.assert_array_equal(got["time"], np.arange(N_SCANS) * TR)
    assert got["stimulus_id"].values[[2, 3, 4, 12]].tolist() == ["", "i0", "", "i1"]


def test_confounds_must_fit(planted: Any, events: pd.DataFrame) -> None:
    """As many rows as scans; only the first may lack a value, which then changes nothing."""
    with pytest.raises(DataError, match="119 rows, the run has 120 scans"):
        read_bold(planted[0], events=events, confounds=np.ones((119, 1)), **COMMON)
    series = np.random.default_rng(3).normal(size=(N_SCANS, 1))
    series[7] = np.nan
    with pytest.raises(DataError, match="Confounds without a value after the first scan: 0"):
        read_bold(planted[0], events=events, confounds=series, **COMMON)


def test_maps_go_back_to_their_place(planted: Any, events: pd.DataFrame, tmp_path: Path) -> None:
    """A map written and read again holds each number at its voxel, NaN where nothing was."""
    mask = np.arange(24) % 5 != 0
    got = read_bold(planted[0], events=events, mask=volume(mask), **COMMON)
    numbers = np.arange(got.sizes["unit"], dtype=float)
    to_nifti(numbers, got, path=tmp_path / "map.nii.gz")
    again = nibabel.load(tmp_path / "map.nii.gz")
    np.testing.assert_array_equal(again.affine, AFFINE)
    flat = again.get_fdata().ravel()
    np.testing.assert_array_equal(flat[mask], numbers)
    assert np.isnan(flat[~mask]).all()
    shuffled = got.mean("presentation").isel(unit=slice(None, None, -1))
    laid = to_nifti(shuffled, got).get_fdata().ravel()
    np.testing.assert_allclose(laid[mask], got.mean("presentation").values, rtol=1e-6)


def test_maps_need_a_volume_and_every_unit(planted: Any, events: pd.DataFrame) -> None:
    """Too few numbers, unknown units and recordings of other kinds are errors."""
    got = read_bold(planted[0], events=events, **COMMON)
    with pytest.raises(UsageError, match="needs 24 numbers; got the shape"):
        to_nifti(np.zeros(3), got)
    other = got.isel(presentation=0).assign_coords(unit_id=("unit", [f"n{i}" for i in range(24)]))
    with pytest.raises(UsageError, match="no units called n0"):
        to_nifti(other, got)
    with pytest.raises(FormatError, match="no volume to lay a map on"):
        to_nifti(np.zeros(24), got.assign_attrs(grid="{}"))


def test_surfaces(planted: Any, events: pd.DataFrame, tmp_path: Path) -> None:
    """A functional GIFTI of the right hemisphere: vertices instead of voxels, same estimates."""
    arrays = [
        nibabel.gifti.GiftiDataArray(row.astype(np.float32), datatype="NIFTI_TYPE_FLOAT32")
        for row in samples(planted[0])
    ]
    path = tmp_path / "sub-1_hemi-R_bold.func.gii"
    nibabel.save(nibabel.gifti.GiftiImage(darrays=arrays), path)
    got = read_bold(path, events=events, model="lsa", high_pass=0, tr=TR, **COMMON)
    np.testing.assert_allclose(got.values, planted[1], atol=1e-3)
    assert got["unit_id"].values[:2].tolist() == ["R-000000", "R-000001"]
    assert got.attrs["space"] == "surface"
    with pytest.raises(DataError, match="states no repetition time"):
        read_bold(path, events=events, **COMMON)


def test_what_is_no_run_is_refused(planted: Any, events: pd.DataFrame, tmp_path: Path) -> None:
    """A 3-D image, a broken file and an absent one."""
    with pytest.raises(DataError, match="a run is 4-D"):
        read_bold(volume(np.ones(24)), events=events, **COMMON)
    (tmp_path / "a.nii.gz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read as an image"):
        read_bold(tmp_path / "a.nii.gz", events=events, **COMMON)
    with pytest.raises(UsageError, match="There is no file"):
        read_bold(tmp_path / "b.nii.gz", events=events, **COMMON)
