"""Responses are the checked recordings themselves, repeats kept, oddities counted."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neuroai.analyses.algorithm.responses import responses
from neuroai.errors import DataError
from neuroai.format.answers import NotMeasurable, part_of
from neuroai.format.holdings import SystemData
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model
from neuroai.testing import random_recording, toy_brain, toy_stimuli


def brain(*recordings: xr.DataArray) -> Recorded:
    """Make a brain of these recordings."""
    data = SystemData("noise", "brain", "none", recordings=recordings)
    return Recorded(data=data, stimuli=None)


def test_recordings_are_given_as_they_are() -> None:
    """Values, repeats and labels are those that were recorded."""
    shown = random_recording(n_stimuli=6, n_units=3, n_repeats=2)
    answer = responses(brain(shown))
    (given,) = answer.responses
    np.testing.assert_array_equal(given.values, shown.values)
    assert given.stimulus_id.values.tolist() == shown.stimulus_id.values.tolist()
    assert given["repeat"].values.tolist() == shown["repeat"].values.tolist()
    assert answer.form == "responses" and len(answer.stimuli) == 6


def test_units_are_counted_by_subject_and_region() -> None:
    """The table of units has 0 where nothing was recorded."""
    one = random_recording(n_units=3, subject="p2", region="V1")
    other = random_recording(n_units=5, subject="p1", region="IT")
    answer = responses(brain(one, other))
    assert answer.subjects == ("p2", "p1") and answer.regions == ("V1", "IT")
    assert answer.data.n_units.values.tolist() == [[3, 0], [0, 5]]
    assert [part_of(r) for r in answer.responses] == [("p2", "V1"), ("p1", "IT")]


def test_nan_units_are_refused_then_dropped_and_counted() -> None:
    """NaN raises by default; dropped units are counted and named."""
    values = random_recording(n_stimuli=4, n_units=3)
    values[1, 2] = np.nan
    with pytest.raises(DataError, match="1 of 3 units of 'noise' hold NaN .*: R1/2"):
        responses(brain(values))
    answer = responses(brain(values), undefined="drop")
    assert answer.undefined == {"units": 1} and answer.data.n_units.item() == 2
    assert answer.notes == ("R1: 1 of 3 units hold NaN or infinite values: R1/2",)
    np.testing.assert_array_equal(answer.responses[0].values, values.values[:, :2])


def test_what_cannot_be_measured_has_a_reason() -> None:
    """No recording, no showing of the stimuli, or nothing to show a network."""
    assert responses(brain()) == NotMeasurable("no activity was recorded")
    unseen = responses(brain(random_recording()), stimuli=toy_stimuli())
    assert unseen == NotMeasurable("'noise' has no recording of these regions and stimuli")
    assert isinstance(responses(load_model("builtin:small_convnet")), NotMeasurable)


def test_stimuli_and_regions_are_cut() -> None:
    """Only the named stimuli and regions are given."""
    answer = responses(toy_brain(), stimuli=toy_stimuli().restrict(["a", "c"]), regions=["V*"])
    assert answer.stimuli == ("a", "c") and answer.stimulus_set == "toy"
    assert answer.responses[0].values.tolist() == [[0, 0], [2, 0]]
