"""RDMs over time of brains and recurrent networks, against the question rdm put time by time."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.analyses.algorithm.rdm_over_time import rdm_over_time
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model
from neuroai.testing import EXACT, SINGLE, readonly, toy_stimuli

N_STIMULI, N_UNITS, N_TIMES, N_RUNS = 5, 4, 6, 3


def _recording(subject="s1", region="V1", *, seed=0, times=N_TIMES, start=0.0, positive=False):
    rng = np.random.default_rng(seed)
    ids = list(toy_stimuli(N_STIMULI).ids) * N_RUNS
    values = rng.standard_normal((len(ids), N_UNITS, times)) + 3
    return recording(
        readonly(np.abs(values) if positive else values),
        stimulus_id=ids,
        unit_id=[f"{region}/{i}" for i in range(N_UNITS)],
        region=region,
        system="toy",
        kind="brain",
        stimulus_set="toy",
        subject=subject,
        time=start + np.arange(times) / 100,
        time_unit="s",
        presentation={"run": np.repeat(np.arange(N_RUNS), N_STIMULI)},
    )


def _brain(*recordings):
    data = SystemData(name="toy", kind="brain", species="none", recordings=recordings)
    return Recorded(data=data, stimuli=toy_stimuli(N_STIMULI))


@pytest.mark.parametrize(
    "distance", ["correlation", "squared-euclidean", "mahalanobis", "crossnobis", "poisson-kl"]
)
@pytest.mark.parametrize("width", [1, 3])
def test_each_time_is_the_question_rdm_of_that_time(distance, width):
    """Every distance at every time, and in windows of 0.03 s, is that of the times alone."""
    whole = _recording(positive=True)
    found = rdm_over_time(
        _brain(whole), distance=distance, window=None if width == 1 else width / 100
    )
    assert found.parameters["time_unit"] == "s" and found.data.sizes["time"] == N_TIMES - width + 1
    for place, time in enumerate(found.data["time"].values):
        part = whole.isel(time=slice(place, place + width))
        assert time == pytest.approx(part["time"].values.mean(), abs=EXACT)
        expected = rdm(_brain(part), distance=distance).data["rdm"]
        own = found.data["rdm"].sel(time=time).transpose(*expected.dims)
        np.testing.assert_allclose(own.values, expected.values, atol=SINGLE * 1e-3)


def test_a_recurrent_network_has_steps_for_its_time():
    """The steps of a recurrent layer are a time with a unit of its own; a readout has none."""
    model = load_model("builtin:small_recurrent")
    found = rdm_over_time(model, stimuli=toy_stimuli(N_STIMULI), regions=["gru"])
    assert found.parameters["time_unit"] == "step"
    activity = next(model.recordings(toy_stimuli(N_STIMULI), regions=["gru"]))
    last = activity.isel(time=-1).sortby("stimulus_id").values.astype(float)
    expected = 1 - np.corrcoef(last)
    own = found.data["rdm"].isel(time=-1).squeeze().values
    np.testing.assert_allclose(own, expected, atol=SINGLE)


def test_a_layer_is_never_a_time():
    """A network without recurrence says that it has one RDM a layer."""
    model = load_model("builtin:small_convnet")
    found = rdm_over_time(model, stimuli=toy_stimuli(N_STIMULI), regions=["conv1"])
    assert isinstance(found, NotMeasurable)
    assert found.reason.startswith("conv1 has no time, and so one RDM")


def test_constant_patterns_are_counted():
    """A pattern that is constant at one time leaves its pairs of that time undefined, counted."""
    whole = _recording()
    values = np.array(whole.values)
    values[np.array(whole["stimulus_id"]) == "a", :, 2] = 7.0
    found = rdm_over_time(_brain(whole.copy(data=values)))
    assert found.undefined["pairs of stimuli at a time"] == N_STIMULI - 1
    assert np.isfinite(found.data["value"].values).all()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (_recording(region="V2", start=0.5), "The times of V2 differ from those of V1"),
        (_recording(region="V2", times=4), "The times of V2 differ from those of V1"),
    ],
)
def test_unlike_times_are_refused(other, said):
    """Regions with other times do not stand in one table."""
    with pytest.raises(AlignmentError, match=said):
        rdm_over_time(_brain(_recording(), other))


@pytest.mark.parametrize("window", [0.001, 0.2])
def test_a_window_must_hold_times(window):
    """A window shorter than a step, or longer than the recording, is refused with both."""
    with pytest.raises(UsageError, match="of 6 times, which are 0.01 apart"):
        rdm_over_time(_brain(_recording()), window=window)
