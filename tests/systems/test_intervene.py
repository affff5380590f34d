"""Interventions applied to brains and networks give new systems and leave the old ones alone."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UnknownName, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.systems.catalogue import LESIONS
from neuroai.systems.intervene import intervene
from neuroai.systems.intervention import Intervention, measured
from neuroai.testing import contrast_brain, toy_brain

EXACT = 1e-10  # float64 algebra


def lesion(kind, targets=(0, 3), **options):
    """Make a virtual lesion of the region 'IT'."""
    return Intervention("IT", targets, kind, origin="virtual", **options)


@pytest.fixture(scope="module")
def brain():
    """A recording of 40 stimuli and 20 units in 'IT'."""
    found, _ = contrast_brain(n_stimuli=40, n_units=20)
    return found


def values(system):
    """Give the activity of IT, rows sorted by stimulus."""
    [recording] = system.recordings(regions=["IT"])
    return recording.sortby("stimulus_id")


def test_units_are_masked_and_the_brain_stays(brain):
    """The masked units are silent, others are the same, and the new recording says so."""
    before = values(brain)
    masked = intervene(brain, lesion("zero"))
    after = values(masked)
    assert not after.values[:, [0, 3]].any()
    assert np.array_equal(np.delete(after.values, [0, 3], 1), np.delete(before.values, [0, 3], 1))
    assert after.attrs["origin"] == "virtual"
    assert after.attrs["intervention"] == "zero lesion of 2 feature(s) of IT, strength 1"
    assert np.array_equal(values(brain).values, before.values)


def test_units_are_named_by_id_too(brain):
    """A unit's id and its number are the same target."""
    names = tuple(values(brain)["unit_id"].values[[0, 3]])
    by_id, by_number = (values(intervene(brain, lesion("zero", t))) for t in (names, (0, 3)))
    assert np.array_equal(by_id.values, by_number.values)


def test_means_are_those_of_the_reference(brain):
    """A mean lesion puts the mean over the reference stimuli, and over no others."""
    ids = sorted(brain.stimuli.ids)[:10]
    got = values(intervene(brain, lesion("mean"), reference=brain.stimuli.restrict(ids)))
    wanted = values(brain).values[:10, [0, 3]].mean(axis=0)
    assert np.abs(got.values[:, [0, 3]] - wanted).max() <= EXACT


def test_a_direction_is_a_target(brain):
    """Zero along a direction is that direction projected out, and the mean along it stays put."""
    vector = tuple(np.random.default_rng(0).normal(size=20))
    unit = np.array(vector) / np.linalg.norm(vector)
    whole = values(brain).values
    zero = values(intervene(brain, lesion("zero", (), of="direction", vector=vector))).values
    out = values(intervene(brain, lesion("project_out", (), of="layer", vector=vector))).values
    assert np.abs(zero @ unit).max() <= EXACT and np.abs(zero - out).max() <= EXACT
    mean = values(
        intervene(brain, lesion("mean", (), of="direction", vector=vector), reference=brain.stimuli)
    ).values
    assert np.abs(mean @ unit - (whole @ unit).mean()).max() <= EXACT


def test_a_layer_s_dose_is_a_random_share(brain):
    """A quarter of 20 units, by the seed."""
    masked = [
        values(intervene(brain, lesion("zero", (), of="layer", dose=0.25, seed=s))).values
        for s in (0, 0, 1)
    ]
    assert (masked[0] == 0).all(axis=0).sum() == 5
    assert np.array_equal(masked[0], masked[1]) and not np.array_equal(masked[0], masked[2])


def test_a_dose_takes_the_first_targets(brain):
    """Half of four targets: the two that stand first."""
    got = values(intervene(brain, lesion("zero", (7, 2, 5, 1), dose=0.5))).values
    assert np.flatnonzero((got == 0).all(axis=0)).tolist() == [2, 7]


def test_behaviour_falls_away_and_says_why(brain):
    """Choices of the intact brain are not those of the masked one."""
    masked = intervene(toy_brain(), Intervention("V1", (0,), "zero", origin="virtual"))
    assert masked.data.behaviour == () and "intact brain" in masked.data.missing["behaviour"]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (lesion("swap", pairs=(("a", "b"),)), "only in networks"),
        (lesion("zero", of="weights"), "no weights"),
        (lesion("zero", of="heads"), "has no heads"),
    ],
)
def test_what_only_networks_have_says_so(brain, one, said):
    """An answer with a reason, not an error."""
    answer = intervene(brain, one)
    assert isinstance(answer, NotMeasurable) and said in answer.reason


@pytest.mark.parametrize(
    ("one", "error", "said"),
    [
        (Intervention("IT", (0,), "zero"), UsageError, "origin='simulated' changes the pass"),
        (Intervention("TI", (0,), "zero", origin="virtual"), UnknownName, "There is: IT"),
        (lesion("zero", (20,)), UsageError, "has 20 units, such as .* there is no 20"),
        (lesion("zero", ("nobody",)), UsageError, "there is no nobody"),
        (lesion("mean"), UsageError, "needs reference="),
        (lesion("add", (), of="layer", vector=(1.0,)), UsageError, "20 units; the vector has 1"),
        (measured("lasre"), UnknownName, "measured intervention"),
    ],
)
def test_a_wrong_intervention_is_told_and_changes_nothing(brain, one, error, said):
    """Misspelt regions, units beyond, missing reference, vectors of another space."""
    before = values(brain).values.copy()
    with pytest.raises(error, match=said):
        intervene(brain, one)
    assert np.array_equal(values(brain).values, before)


def test_networks_take_the_same_object(model, stimuli):
    """A simulated lesion of a network is a new model; a virtual one is refused."""
    lesioned = intervene(model, Intervention("conv1", (2,), "zero"))
    maps = next(iter(lesioned.recordings(stimuli, regions=["conv1"]))).values
    assert not maps.reshape(len(maps), 16, -1)[:, 2].any() and not model.lesions
    with pytest.raises(UsageError, match="masks recordings"):
        intervene(model, Intervention("conv1", (2,), "zero", origin="virtual"))
    answer = intervene(model, measured("laser"))
    assert isinstance(answer, NotMeasurable) and "nothing was done" in answer.reason


def test_every_kind_is_described_apart():
    """What is written into attrs tells unlike interventions apart."""
    made = [
        lesion("zero"),
        lesion("zero", dose=0.5),
        lesion("scale", amount=2.0),
        lesion("scale", amount=3.0),
        lesion("add", (), of="layer", vector=(1.0, 2.0)),
        lesion("add", (), of="layer", vector=(1.0, 3.0)),
        lesion("swap", pairs=(("a", "b"),)),
        measured("laser"),
        measured("laser", dose=67),
    ]
    assert len({one.describe() for one in made}) == len(made)
    assert len(LESIONS.names()) >= 12
