"""Dynamical distance recovers planted rotations, whatever the basis and the stimuli."""

import sys

import numpy as np
import pytest

from neuroai.analyses.algorithm.responses import responses
from neuroai.comparison import dynamics
from neuroai.comparison.dynamics import dynamical_distance, dynamical_similarity
from neuroai.errors import MissingExtra, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.systems.brain import Recorded
from neuroai.testing import readonly, toy_stimuli

N_STIMULI, N_TIMES = 8, 30
# A rotation is estimated from 30 times without noise: its angle is exact up to float32.
SAME = 1e-3


def turning(angle, *, seed, n_units=5, decay=0.97):
    """Trajectories that turn by an angle a step, in a random plane of the units."""
    rng = np.random.default_rng(seed)
    step = decay * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    states = [rng.standard_normal((N_STIMULI, 2))]
    for _ in range(N_TIMES - 1):
        states.append(states[-1] @ step.T)
    plane = np.linalg.qr(rng.standard_normal((n_units, n_units)))[0][:2]
    return readonly(np.stack(states, axis=1) @ plane)


def test_the_same_rule_in_another_basis_has_distance_zero():
    """Units, starts and numbers of units differ; the rule is the same."""
    a, b = turning(0.3, seed=0), turning(0.3, seed=1, n_units=7)
    assert dynamical_distance(a, b, rank=2) == pytest.approx(0, abs=SAME)


def test_the_distance_is_that_of_the_eigenvalues():
    """Two planar turns have eigenvalues r exp(+-i angle): the distance is between those."""
    a, b = turning(0.3, seed=0), turning(0.8, seed=1)
    apart = abs(0.97 * np.exp(0.3j) - 0.97 * np.exp(0.8j))
    assert dynamical_distance(a, b, rank=2) == pytest.approx(apart, abs=SAME)


def system(values, *, name, time_unit="s"):
    """Label trajectories as one region of a brain."""
    stimuli = toy_stimuli(N_STIMULI)
    activity = recording(
        values.transpose(0, 2, 1),
        stimulus_id=list(stimuli.ids),
        unit_id=[str(i) for i in range(values.shape[2])],
        region="M1", system=name, kind="brain", stimulus_set="toy", subject="s1",
        time=np.arange(N_TIMES) / 100, time_unit=time_unit,
    )  # fmt: skip
    data = SystemData(name=name, kind="brain", species="none", recordings=(activity,))
    return responses(Recorded(data=data, stimuli=stimuli))


def test_labelled_answers_keep_their_names_and_options():
    """Nearer rules are nearer, by subject and region of either side."""
    a, near, far = (
        system(turning(angle, seed=k), name=f"net{k}") for k, angle in enumerate((0.3, 0.35, 1.0))
    )
    grids = [dynamical_similarity(a, other, rank=2) for other in (near, far)]
    assert grids[0]["value"].item() < grids[1]["value"].item()
    assert grids[0]["value"].dims == dynamics.DIMS and grids[0].attrs["rank"] == 2
    assert grids[0]["region_to"].values.tolist() == ["M1"]


def test_unlike_times_need_a_stated_mapping():
    """Seconds against steps are refused, unless it is said what a step is."""
    a = system(turning(0.3, seed=0), name="brain")
    b = system(turning(0.3, seed=1), name="net", time_unit="step")
    with pytest.raises(UsageError, match="Time is in s in 'brain' and in step in 'net'"):
        dynamical_similarity(a, b)
    found = dynamical_similarity(a, b, rank=2, mapping="1 step = 10 ms")
    assert found.attrs["mapping"] == "1 step = 10 ms"


def test_what_has_no_time_is_not_measurable():
    """A layer is no time."""
    from neuroai.testing import toy_brain

    found = dynamical_similarity(responses(toy_brain()), responses(toy_brain()))
    assert isinstance(found, NotMeasurable) and "no time" in found.reason


def test_wrong_calls_say_what_to_do():
    """Two axes, too few times, too high a rank."""
    a = turning(0.3, seed=0)
    with pytest.raises(UsageError, match="stimuli x times x units with at least n_delays"):
        dynamical_distance(a[0], a)
    with pytest.raises(UsageError, match=r"got shape \(8, 2, 5\) and n_delays=1"):
        dynamical_distance(a[:, :2], a)
    with pytest.raises(UsageError, match=r"rank must lie in \[1, 5\]"):
        dynamical_distance(a, a, rank=9)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    """dsa-metric is optional: the message names it and the extra."""
    monkeypatch.setitem(sys.modules, "DSA", None)
    with pytest.raises(MissingExtra, match=r"'DSA'.*neuroai-compare\[dsa\]"):
        dynamical_distance(turning(0.3, seed=0), turning(0.3, seed=1))
