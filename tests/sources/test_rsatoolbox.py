"""rsatoolbox Datasets and RDMs, there and back, with every descriptor."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import RDMs, calc_rdm

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.errors import AlignmentError, FormatError, UnknownName
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.sources.rsatoolbox import from_dataset, from_rdms, to_dataset, to_rdms
from neuroai.systems.brain import Recorded
from neuroai.testing import EXACT, toy_brain, toy_stimuli

LABELS = {"system": "mouse", "kind": "brain", "subject": "m1", "stimulus_set": "toy"}


def _recording(*, times: bool) -> xr.DataArray:
    shape = (4, 3, 2) if times else (4, 3)
    return recording(
        np.random.default_rng(0).standard_normal(shape),
        stimulus_id=["a", "b", "a", "b"],
        unit_id=["u0", "u1", "u2"],
        region=["V1", "V1", "IT"],
        time=[0.1, 0.2] if times else None,
        time_unit="s" if times else "",
        presentation={"run": ["1", "1", "2", "2"], "repeat": [0, 0, 1, 1]},
        unit={"x": [1.0, 2.0, 3.0], "quality": ["good", "", "mua"]},
        physical_unit="spikes",
        **LABELS,
    )


@pytest.mark.parametrize("times", [False, True])
def test_a_recording_comes_back_identical(times: bool) -> None:
    """Values, columns and attrs survive the way there and back."""
    data = _recording(times=times)
    back = from_dataset(to_dataset(data), **LABELS)
    xr.testing.assert_identical(back, data)


def test_a_lab_dataset_is_read_by_the_names_of_its_descriptors() -> None:
    """Descriptors of other names are mapped; the rest is kept."""
    theirs = Dataset(
        np.eye(2),
        obs_descriptors={"conds": ["face", "house"], "session": ["1", "1"]},
        channel_descriptors={"voxel": ["v7", "v9"]},
    )
    data = from_dataset(theirs, stimulus_id="conds", unit_id="voxel", region="FFA", **LABELS)
    assert data.stimulus_id.values.tolist() == ["face", "house"]
    assert data.region.values.tolist() == ["FFA", "FFA"]
    assert data.session.values.tolist() == ["1", "1"]


def test_a_missing_descriptor_lists_the_nearest() -> None:
    """The error names what there is."""
    theirs = Dataset(np.eye(2), obs_descriptors={"stimulus": ["a", "b"]})
    with pytest.raises(UnknownName, match="stimulus"):
        from_dataset(theirs, stimulus_id="stimulu", **LABELS)


def test_our_rdms_are_those_that_rsatoolbox_computes() -> None:
    """Labels are checked on the way: rsatoolbox computes the same from the same recording."""
    brain = toy_brain()
    ours = to_rdms(rdm(brain, distance="squared-euclidean"))
    theirs = calc_rdm(
        to_dataset(brain.data.recordings[0]), method="euclidean", descriptor="stimulus_id"
    )
    np.testing.assert_allclose(ours.dissimilarities, theirs.dissimilarities, atol=EXACT)
    assert ours.pattern_descriptors["stimulus_id"] == ["a", "b", "c"]
    assert ours.dissimilarity_measure == theirs.dissimilarity_measure


def test_rdms_come_back_identical_and_serve_as_published_answers() -> None:
    """A brain made of RDMs answers the question they answer, and no other."""
    answer = rdm(toy_brain(), distance="squared-euclidean")
    back = from_rdms(to_rdms(answer), system="toy", kind="brain", stimulus_set="toy")
    xr.testing.assert_identical(back.data, answer.data)
    data = SystemData(name="toy", kind="brain", species="none", published=(back,))
    again = rdm(Recorded(data=data, stimuli=toy_stimuli()), distance="squared-euclidean")
    xr.testing.assert_identical(again.data, answer.data)


def test_two_rdms_of_one_subject_and_region_are_refused() -> None:
    """Nothing is averaged or overwritten in silence."""
    twice = RDMs(np.ones((2, 3)), pattern_descriptors={"stimulus_id": ["a", "b", "c"]})
    with pytest.raises(AlignmentError, match="2 RDMs have only 1 different"):
        from_rdms(twice, system="toy", kind="brain", stimulus_set="toy")


def test_answers_without_rdms_are_refused() -> None:
    """Only RDM answers become RDMs."""
    from neuroai.analyses.algorithm.responses import responses

    with pytest.raises(FormatError, match="form 'rdm'; got 'responses'"):
        to_rdms(responses(toy_brain()))
