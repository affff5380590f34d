"""Brain-Score assemblies, there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from neuroai.errors import FormatError, UsageError
from neuroai.format.build import recording
from neuroai.sources.brainscore import read_assembly, write_assembly


def _assembly(path: Path, *, bins: int, subject: bool = True) -> Path:
    """Write a file as Brain-Score does: flat columns along presentation, neuroid and time_bin."""
    coords = {
        "stimulus_id": ("presentation", ["im2", "im1", "im2"]),
        "repetition": ("presentation", [0, 0, 1]),
        "neuroid_id": ("neuroid", ["n1", "n2"]),
        "region": ("neuroid", ["V4", "IT"]),
        "time_bin_start": ("time_bin", np.arange(bins) * 10 + 70),
        "time_bin_end": ("time_bin", np.arange(bins) * 10 + 80),
    }
    if subject:
        coords["animal"] = ("neuroid", ["nano", "magneto"])
    values = np.arange(3 * 2 * bins, dtype=float).reshape(3, 2, bins)
    data = xr.DataArray(values, dims=("presentation", "neuroid", "time_bin"), coords=coords)
    data.attrs["stimulus_set_identifier"] = "hvm"
    data.rename("data").to_dataset().to_netcdf(path, engine="h5netcdf")
    return path


def test_an_assembly_becomes_a_recording(tmp_path: Path) -> None:
    """Dims and columns are renamed, times are the middles of bins in seconds."""
    data = read_assembly(_assembly(tmp_path / "a.nc", bins=2), system="monkey")
    assert data.dims == ("presentation", "unit", "time")
    assert data.time.values.tolist() == [0.075, 0.085]
    assert data.stimulus_id.values.tolist() == ["im2", "im1", "im2"]
    assert data["repeat"].values.tolist() == [0, 0, 1]
    assert data.region.values.tolist() == ["V4", "IT"]
    assert data.subject.values.tolist() == ["nano", "magneto"]
    assert data.attrs["stimulus_set"] == "hvm"
    assert data.sel(time=0.085).values[1].tolist() == [5.0, 7.0]


def test_a_single_time_bin_is_no_time_axis(tmp_path: Path) -> None:
    """The usual 70-170 ms assembly has patterns, not time courses."""
    data = read_assembly(_assembly(tmp_path / "a.nc", bins=1), system="monkey")
    assert data.dims == ("presentation", "unit")


def test_a_file_without_subject_asks_for_one(tmp_path: Path) -> None:
    """Nobody is made up."""
    path = _assembly(tmp_path / "a.nc", bins=1, subject=False)
    with pytest.raises(UsageError, match="names no subject. Give subject="):
        read_assembly(path, system="monkey")
    assert read_assembly(path, system="monkey", subject="nano").attrs["subject"] == "nano"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The dims that are there are named."""
    path = tmp_path / "other.nc"
    xr.Dataset({"data": ("row", np.zeros(3))}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(
        FormatError, match=r"dims presentation and neuroid; 'other.nc' has \('row',\)"
    ):
        read_assembly(path, system="monkey")


@pytest.mark.parametrize("times", [None, [0.075, 0.085, 0.095]])
def test_a_recording_comes_back_identical(tmp_path: Path, times: list[float] | None) -> None:
    """What was written as an assembly reads as the same recording."""
    shape = (3, 2) if times is None else (3, 2, 3)
    data = recording(
        np.random.default_rng(1).standard_normal(shape),
        stimulus_id=["a", "b", "a"],
        unit_id=["u0", "u1"],
        region=["V4", "IT"],
        system="monkey",
        kind="brain",
        stimulus_set="hvm",
        subject="nano",
        time=times,
        time_unit="s" if times else "",
        presentation={"repeat": [0, 0, 1]},
    )
    path = write_assembly(data, tmp_path / "out.nc")
    back = read_assembly(path, system="monkey", subject="nano")
    xr.testing.assert_identical(back, data)
