"""Rasters in MATLAB files: the onset counted from 1, and units that were not together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from neuroai.errors import DataError, UnknownName
from neuroai.sources.rasters import read_rasters

WHO: dict[str, Any] = {
    "system": "monkey", "stimulus_set": "toy", "subject": "m", "region": "IT",
    "stimulus_id": "what", "window": (0.0, 0.004),
}  # fmt: skip


def write(path: Path, shown: list[str], session: int, *, rows: np.ndarray | None = None) -> Path:
    """Write a unit whose trial i has i + 1 spikes from the onset at column 4 (from 1) on."""
    raster = np.zeros((len(shown), 8), dtype=np.uint8)
    for trial in range(len(shown)):
        raster[trial, 3] = trial + 1
    content = {
        "raster_data": raster if rows is None else rows,
        "raster_labels": {"what": np.array(shown, dtype=object)},
        "raster_site_info": {
            "session_ID": session, "alignment_event_time": 4, "unit": "A", "recording_channel": 2,
        },
    }  # fmt: skip
    savemat(path, content)
    return path


def test_trials_are_paired_by_stimulus(tmp_path: Path) -> None:
    """By hand: the k-th trial of each stimulus, as many as the poorer unit has."""
    paths = [
        write(tmp_path / "u1.mat", ["b", "a", "a", "b"], 1),
        write(tmp_path / "u2.mat", ["a", "b", "b"], 2),
    ]
    found = read_rasters(paths, **WHO)
    assert found["stimulus_id"].values.tolist() == ["a", "b", "b"]
    assert found["repeat"].values.tolist() == [1, 1, 2]
    assert found.values.tolist() == [[2, 1], [1, 2], [4, 3]]
    assert found["session"].dims == ("unit",)
    assert found["session"].values.tolist() == ["1", "2"]
    assert found["site_unit"].values.tolist() == ["A", "A"]
    assert found.attrs["simultaneous"] == 0
    assert found.attrs["note"] == "1 trials beyond the fewest of a stimulus (1 to 2) were left out"
    assert read_rasters(paths[:1], **WHO).attrs["simultaneous"] == 1


def test_the_onset_is_counted_from_one(tmp_path: Path) -> None:
    """A spike in column 4 lies in the first millisecond after the onset, not the second."""
    path = write(tmp_path / "u.mat", ["a", "b"], 1)
    found = read_rasters({"cell": path}, **{**WHO, "window": (-0.002, 0.002)}, bin_width=0.001)
    assert found.values[0, 0].tolist() == [0, 0, 1, 0]
    assert found["unit_id"].values.tolist() == ["cell"]
    rates = read_rasters([path], **{**WHO, "window": (0.0, 0.002)}, measure="rates")
    assert rates.values[1, 0] == 1000
    assert rates.attrs["physical_unit"] == "spikes/s"


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    """Unseen stimuli, lengths and names; nothing is filled with zeros."""
    paths = [write(tmp_path / "u1.mat", ["a", "b"], 1), write(tmp_path / "u2.mat", ["a", "c"], 1)]
    with pytest.raises(DataError, match=r"2 pair\(s\).*u1 never saw c, u2 never saw b"):
        read_rasters(paths, **WHO)
    with pytest.raises(UnknownName, match="field of the labels of u1.mat.*Did you mean 'what'"):
        read_rasters(paths[:1], **{**WHO, "stimulus_id": "whats"})
    with pytest.raises(UnknownName, match="variable of u1.mat.*Did you mean 'raster_data'"):
        read_rasters(paths[:1], raster="raster_date", **WHO)
    bad = write(tmp_path / "u3.mat", ["a", "b"], 1, rows=np.zeros((3, 8)))
    with pytest.raises(DataError, match=r"raster of shape \(3, 8\) and 2 labels"):
        read_rasters([bad], **WHO)
    with pytest.raises(DataError, match="is not within it"):
        read_rasters(paths[:1], **{**WHO, "window": (0.0, 0.006)})
