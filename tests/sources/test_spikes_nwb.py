"""NWB files written for the purpose: units and calcium, and what must be refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.file import Subject
from pynwb.ophys import Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries

from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.format.files import open_form, save
from neuroai.sources.rois_nwb import read_nwb_rois
from neuroai.sources.spikes_nwb import read_nwb_units

EXACT = 1e-10  # float64 algebra in another order
ONSETS = (1.0, 3.0, 5.0, 7.0)
WHO: dict[str, Any] = {"system": "mouse", "stimulus_set": "toy"}
WINDOW: dict[str, Any] = {"window": (0.0, 0.4)}


def empty_file(subject: str = "m1") -> NWBFile:
    """A file without data."""
    person = Subject(subject_id=subject, species="Mus musculus", sex="U", age="P90D")
    return NWBFile(
        session_description="made for a test", identifier="x", subject=person if subject else None,
        session_start_time=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def add_trials(nwb: NWBFile, onsets: tuple[float, ...] = ONSETS, **columns: list[Any]) -> None:
    """Fill the interval table `trials`."""
    given = {"stimulus_id": ["a", "b", "a", "b"], "laser": [False, True, True, False], **columns}
    for name in given:
        nwb.add_trial_column(name, f"{name} of the trial")
    for row, onset in enumerate(onsets):
        values = {name: column[row] for name, column in given.items()}
        nwb.add_trial(start_time=onset, stop_time=onset + 1.0, **values)


def trains() -> list[np.ndarray]:
    """Two spike trains with known counts: unit 0 fires n times after the n-th onset."""
    one = np.concatenate([onset + 0.05 * np.arange(1, n + 2) for n, onset in enumerate(ONSETS)])
    return [one, np.array([1.3, 7.35])]


def units_file(path: Path, **options: Any) -> Path:
    """Write two units with quality columns, a region and trials."""
    nwb = empty_file(options.pop("subject", "m1"))
    scale = options.pop("scale", 1.0)
    observed = options.pop("observed", None)
    region = options.pop("region", True)
    add_trials(nwb, **options)
    nwb.add_unit_column("snr", "quality")
    nwb.add_unit_column("label", "sorted by")
    if region:
        nwb.add_unit_column("location", "where")
    for row, times in enumerate(trains()):
        where = {"location": ["V1", "SC"][row]} if region else {}
        seen = {} if observed is None else {"obs_intervals": observed[row]}
        nwb.add_unit(spike_times=times * scale, snr=2.5 + row, label="good", **where, **seen)
    with NWBHDF5IO(path, "w") as target:
        target.write(nwb)
    return path


def test_units_are_counted_around_trials(tmp_path: Path) -> None:
    """Counts by hand, columns of both tables as coordinates, and a file round trip."""
    path = units_file(tmp_path / "u.nwb")
    found = read_nwb_units(path, intervention="laser", **WHO, **WINDOW)
    np.testing.assert_array_equal(found.values, [[1, 1], [2, 0], [3, 0], [4, 1]])
    assert found["stimulus_id"].values.tolist() == ["a", "b", "a", "b"]
    assert found["intervention"].values.tolist() == ["none", "laser", "laser", "none"]
    assert found["onset"].values.tolist() == list(ONSETS)
    assert found["region"].values.tolist() == ["V1", "SC"]
    assert found["snr"].values.tolist() == [2.5, 3.5]
    assert found["label"].values.tolist() == ["good", "good"]
    assert (found.attrs["subject"], found.attrs["physical_unit"]) == ("m1", "spikes")
    assert found.attrs["simultaneous"] == 1
    save(found, tmp_path / "r.nc")
    assert open_form(tmp_path / "r.nc").identical(found)


def test_bins_make_a_time_axis_and_rates(tmp_path: Path) -> None:
    """Bins of 0.2 s: twice the same spikes, five times as many a second."""
    path = units_file(tmp_path / "u.nwb")
    found = read_nwb_units(path, bin_width=0.2, measure="rates", **WHO, **WINDOW)
    np.testing.assert_allclose(found["time"].values, [0.1, 0.3], atol=EXACT)
    np.testing.assert_allclose(found.values[3, 0], [15.0, 5.0])
    assert found.attrs["physical_unit"] == "spikes/s"
    later = read_nwb_units(path, align="stop_time", window=(-1.0, -0.6), **WHO)
    np.testing.assert_array_equal(later.values, [[1, 1], [2, 0], [3, 0], [4, 1]])


def test_unobserved_trials_are_missing_not_silent(tmp_path: Path) -> None:
    """A unit that was held for the first 4 s only has no counts afterwards."""
    path = units_file(tmp_path / "u.nwb", observed=[[[0.0, 10.0]], [[0.0, 4.0]]])
    found = read_nwb_units(path, **WHO, **WINDOW)
    assert found.values[:, 0].tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(found.values[:, 1], [1, 0, np.nan, np.nan])


def test_unknown_tables_and_columns_get_a_near_miss(tmp_path: Path) -> None:
    """Each name that does not exist is answered by the nearest that does."""
    path = units_file(tmp_path / "u.nwb")
    for options, near in (
        ({"interval_table": "trial"}, "interval table is called 'trial'. Did you mean 'trials'"),
        ({"align": "start"}, "column of the interval table 'trials'.*Did you mean 'start_time'"),
        ({"stimulus_id": "stimulus"}, "Did you mean 'stimulus_id'"),
        ({"intervention": "lazer"}, "Did you mean 'laser'"),
    ):
        with pytest.raises(UnknownName, match=near):
            read_nwb_units(path, **options, **WHO, **WINDOW)
    with pytest.raises(UsageError, match="There is no file"):
        read_nwb_units(tmp_path / "none.nwb", **WHO, **WINDOW)
    (tmp_path / "no.nwb").write_bytes(b"text")
    with pytest.raises(DataError, match="cannot be read as NWB"):
        read_nwb_units(tmp_path / "no.nwb", **WHO, **WINDOW)


@pytest.mark.parametrize("shift", [1.6e9, -500.0, 500.0])
def test_other_clocks_are_refused(shift: float, tmp_path: Path) -> None:
    """Onsets in Unix time, or minutes away from every spike."""
    path = units_file(tmp_path / "u.nwb", onsets=tuple(onset + shift for onset in ONSETS))
    with pytest.raises(DataError, match="not on one clock, or not both in seconds"):
        read_nwb_units(path, **WHO, **WINDOW)


def test_milliseconds_are_refused(tmp_path: Path) -> None:
    """Spikes in milliseconds would fall into few windows, and count as silence."""
    onsets = tuple(np.linspace(1.0, 7.0, 20))
    path = units_file(
        tmp_path / "u.nwb", scale=1000.0, onsets=onsets, stimulus_id=["a"] * 20, laser=[0] * 20
    )
    with pytest.raises(DataError, match="not both in seconds"):
        read_nwb_units(path, **WHO, **WINDOW)


def test_missing_onsets_ids_regions_and_subjects_are_said(tmp_path: Path) -> None:
    """Nothing is filled in: each gap is an error that says what to pass."""
    path = units_file(tmp_path / "u.nwb", go=[1.0, np.nan, 5.0, 7.0])
    with pytest.raises(DataError, match="1 rows of 'trials' have no 'go': rows 1"):
        read_nwb_units(path, align="go", **WHO, **WINDOW)
    found = read_nwb_units(path, align="go", undefined="drop", **WHO, **WINDOW)
    assert found["onset"].values.tolist() == [1.0, 5.0, 7.0]
    assert found.attrs["note"] == "1 rows without 'go' were left out"
    with pytest.raises(DataError, match="4 presentations and 3 ids"):
        read_nwb_units(path, stimulus_id=["a", "b", "c"], **WHO, **WINDOW)
    bare = units_file(tmp_path / "bare.nwb", region=False, subject="")
    with pytest.raises(UsageError, match="states no region.*Pass region="):
        read_nwb_units(bare, **WHO, **WINDOW)
    with pytest.raises(UsageError, match="names no subject"):
        read_nwb_units(bare, region="SC", **WHO, **WINDOW)
    named = read_nwb_units(bare, region="SC", subject="m9", **WHO, **WINDOW)
    assert (named["region"].values.tolist(), named.attrs["subject"]) == (["SC", "SC"], "m9")


def test_files_without_units_are_refused(tmp_path: Path) -> None:
    """A file that holds trials alone."""
    nwb = empty_file()
    add_trials(nwb)
    with NWBHDF5IO(tmp_path / "t.nwb", "w") as target:
        target.write(nwb)
    with pytest.raises(DataError, match="no units with spike times"):
        read_nwb_units(tmp_path / "t.nwb", **WHO, **WINDOW)
    with pytest.raises(DataError, match="no RoiResponseSeries"):
        read_nwb_rois(tmp_path / "t.nwb", region="V1", **WHO, **WINDOW)


def calcium_file(path: Path, times: np.ndarray, values: np.ndarray, **options: Any) -> Path:
    """Write a RoiResponseSeries of all ROIs of one plane."""
    nwb = empty_file()
    add_trials(nwb, **options)
    device = nwb.create_device("microscope")
    channel = OpticalChannel(name="green", description="GCaMP", emission_lambda=520.0)
    plane = nwb.create_imaging_plane(
        name="plane", optical_channel=channel, description="x", device=device,
        excitation_lambda=920.0, indicator="GCaMP6s", location="V1",
    )  # fmt: skip
    segments = ImageSegmentation()
    rois = segments.create_plane_segmentation(name="cells", description="x", imaging_plane=plane)
    rois.add_column("quality", "of the cell")
    for row in range(values.shape[1]):
        rois.add_roi(pixel_mask=[(row, row, 1.0)], quality=0.5 + row)
    region = rois.create_roi_table_region("all", region=list(range(values.shape[1])))
    series = RoiResponseSeries(name="dff", data=values, rois=region, unit="dF/F", timestamps=times)
    module = nwb.create_processing_module("ophys", "x")
    module.add(segments)
    with warnings.catch_warnings():
        # Of the order in which the parts are joined; the file is whole.
        warnings.filterwarnings("ignore", message="The linked table")
        module.add(Fluorescence(roi_response_series=series))
    with NWBHDF5IO(path, "w") as target:
        target.write(nwb)
    return path


def frames() -> tuple[np.ndarray, np.ndarray]:
    """Frames of 10 Hz for 10 s whose values are their own number."""
    times = np.round(np.arange(100) * 0.1, 12)
    values = np.column_stack([np.arange(100.0), 1000 + np.arange(100.0), -np.arange(100.0)])
    return times, values


def test_calcium_is_cut_at_the_nearest_frames(tmp_path: Path) -> None:
    """The onset 3.0 s begins with frame 30, 3.04 s too; columns of ROIs are coordinates."""
    path = calcium_file(tmp_path / "c.nwb", *frames(), onsets=(1.0, 3.0, 3.04, 7.0))
    found = read_nwb_rois(path, region="V1", window=(-0.1, 0.3), intervention="laser", **WHO)
    assert found.values[:, 0].tolist() == [
        [9, 10, 11, 12, 13], [29, 30, 31, 32, 33], [29, 30, 31, 32, 33], [69, 70, 71, 72, 73],
    ]  # fmt: skip
    np.testing.assert_allclose(found["time"].values, [-0.1, 0, 0.1, 0.2, 0.3], atol=EXACT)
    assert found["quality"].values.tolist() == [0.5, 1.5, 2.5]
    assert (found.attrs["physical_unit"], found.attrs["modality"]) == ("dF/F", "calcium imaging")
    assert found["region"].values.tolist() == ["V1"] * 3
    with pytest.raises(UnknownName, match="Did you mean 'dff'"):
        read_nwb_rois(path, region="V1", series="df", **WHO, **WINDOW)


def test_lost_frames_ends_and_clocks_of_calcium_are_refused(tmp_path: Path) -> None:
    """A gap within a window, a window beyond the last frame, and another clock."""
    times, values = frames()
    kept = (times < 5.05) | (times > 5.35)
    path = calcium_file(tmp_path / "gap.nwb", times[kept], values[kept])
    with pytest.raises(DataError, match=r"Frames are missing within the window of 1 row\(s\): 2"):
        read_nwb_rois(path, region="V1", **WHO, **WINDOW)
    path = calcium_file(tmp_path / "end.nwb", times, values, onsets=(1.0, 3.0, 5.0, 9.8))
    with pytest.raises(DataError, match=r"beyond the frames for 1 row\(s\): 3"):
        read_nwb_rois(path, region="V1", **WHO, **WINDOW)
    found = read_nwb_rois(path, region="V1", incomplete="drop", **WHO, **WINDOW)
    assert found.sizes["presentation"] == 3
    assert found.attrs["note"] == "1 rows beyond the frames were left out"
    path = calcium_file(tmp_path / "clock.nwb", times + 1e6, values)
    with pytest.raises(DataError, match="not on one clock"):
        read_nwb_rois(path, region="V1", **WHO, **WINDOW)


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    """The file is closed after each reading and may be read again."""
    path = units_file(tmp_path / "u.nwb")
    read: Callable[..., Any] = read_nwb_units
    assert read(path, **WHO, **WINDOW).identical(read(path, **WHO, **WINDOW))
