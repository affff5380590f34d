"""Showings laid out in time: every value in its place, nothing reaching into the next."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.format import build
from neuroai.format.laid_out import laid_out
from neuroai.testing import random_recording, readonly

IDS = ["b", "a", "b"]
TIMES = [-0.1, 0.0, 0.1, 0.2]


def _shown(*, time_unit="s", **options):
    values = readonly(np.random.default_rng(0).standard_normal((3, 2, 4)))
    return build.recording(
        values, stimulus_id=IDS, unit_id=["u", "v"], region=["V1", "V4"], time=TIMES,
        time_unit=time_unit, system="mouse", kind="brain", stimulus_set="two",
        physical_unit="spikes", **{"subject": "s1", "unit": {"depth": [1.0, 2.0]}, **options},
    )  # fmt: skip


@pytest.mark.parametrize(
    "order", [("presentation", "unit", "time"), ("time", "unit", "presentation")]
)
def test_every_value_keeps_its_labels(order):
    """Whatever the order of the dimensions: showing by showing, time within it."""
    shown = _shown()
    long = laid_out(shown.transpose(*order))
    assert (long.dims, long.attrs["format"], long.attrs["physical_unit"]) == (
        ("sample", "unit"), "continuous", "spikes",
    )  # fmt: skip
    for place in range(12):
        row = long.isel(sample=place)
        showing = shown.isel(presentation=int(row["run"].item()))
        assert row["stimulus_id"].item() == showing["stimulus_id"].item()
        np.testing.assert_array_equal(row.values, showing.sel(time=row["time"].item()).values)
    assert long["region"].values.tolist() == ["V1", "V4"] and long["depth"].values[1] == 2


def test_runs_sort_as_they_came():
    """Numbers of one length, so that text sorts as numbers do."""
    shown = _shown().isel(presentation=[0] * 11)
    assert laid_out(shown)["run"].values[::4].tolist() == [f"{i:02d}" for i in range(11)]


def test_what_cannot_be_laid_out_is_told():
    """Without time, in other units of time, of several subjects."""
    with pytest.raises(UsageError, match=r"needs a recording with 'presentation' and 'time'"):
        laid_out(random_recording())
    with pytest.raises(UsageError, match="needs seconds; these are 'token'"):
        laid_out(_shown(time_unit="token"))
    two = _shown(subject=None, unit={"subject": ["s1", "s2"]})
    with pytest.raises(UsageError, match="one subject at a time; got 2"):
        laid_out(two)
    one = _shown(subject=None, unit={"subject": ["s1", "s1"]})
    assert laid_out(one).attrs["subject"] == "s1"
