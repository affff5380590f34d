"""Patching: own activity changes no bit; all of another stimulus's gives that one's output."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.experiment.patching import patching_effects
from neuroai.format.answers import NotMeasurable
from neuroai.systems.intervention import Intervention
from neuroai.systems.load import load_model
from neuroai.testing import toy_brain

SINGLE = 1e-5  # relative; float32 sums in another order


@pytest.fixture(scope="module")
def digits(simulation):
    """Ten digits, each beside the next one."""
    stimuli, task = simulation.stimuli, simulation.tasks[0]
    truth = stimuli.column(task.truth).astype(str)
    ids = list(stimuli.ids)
    pairs = {}
    for row, key in enumerate(ids):
        other = next(k for k in ids[row + 1 :] + ids if truth[ids.index(k)] != truth[row])
        pairs[key] = other
    return stimuli, task, pairs


@pytest.mark.parametrize("name", ["small_convnet", "small_recurrent", "small_transformer"])
def test_own_activity_leaves_the_output_bitwise_equal(digits, name):
    """At every layer, with hooks in a full pass and from a bench."""
    stimuli, _, _ = digits
    model = load_model(f"builtin:{name}")
    intact = model.outputs(stimuli)
    same = tuple((key, key) for key in stimuli.ids)
    for region in model.regions:
        lesion = Intervention(region, (), "swap", of="layer", pairs=same)
        assert np.array_equal(model.with_lesion(lesion, stimuli).outputs(stimuli), intact)
        bench = model.lesion_bench(region, stimuli, reference=stimuli)
        assert np.array_equal(bench.run(lesion)[0], bench.run()[0])


def test_everything_from_the_other_stimulus_is_its_output(network, digits):
    """A layer that all passes through, swapped whole, gives the other stimulus's output."""
    stimuli, _, pairs = digits
    intact = network.outputs(stimuli)
    lesion = Intervention("fc1", (), "swap", of="layer", pairs=tuple(pairs.items()))
    got = network.with_lesion(lesion, stimuli).outputs(stimuli)
    place = {key: row for row, key in enumerate(stimuli.ids)}
    wanted = intact[[place[pairs[key]] for key in stimuli.ids]]
    assert np.abs(got - wanted).max() <= SINGLE * np.abs(wanted).max()


def test_effects_are_one_in_a_bottleneck_and_small_in_single_features(network, digits):
    """Whole layers carry the choice over, random stimuli do so less, and one feature hardly."""
    stimuli, task, pairs = digits
    some = dict(list(pairs.items())[:20])
    found = patching_effects(network, stimuli, task, some, regions=["fc1", "fc2"], n_null=39)
    assert [one.region for one in found] == ["fc1", "fc2"]
    for one in found:
        assert np.nanmax(np.abs(one.effect - 1)) < 1e-3 and one.interchange == 1
        assert one.p == pytest.approx(1 / 40) and one.null.mean() < 0.9
    [few] = patching_effects(network, stimuli, task, some, regions=["fc1"], targets=[0], n_null=1)
    assert np.abs(np.nanmean(few.effect)) < 0.5


def test_features_that_carry_the_choice_stand_out_from_other_sites(network, digits):
    """The features that read most of the odds beat as many others; whole layers have none."""
    stimuli, task, pairs = digits
    some = dict(list(pairs.items())[:20])
    [recording] = network.recordings(stimuli, regions=["fc1"])
    truth = stimuli.column(task.truth).astype(str)
    values = recording.values.reshape(len(truth), -1)
    means = np.array([values[truth == t].mean(axis=0) for t in np.unique(truth)])
    best = np.argsort(-means.var(axis=0))[:8].tolist()
    [found] = patching_effects(
        network, stimuli, task, some, regions=["fc1"], targets=best, n_null=100
    )
    assert found.site_null.shape == (100,) and found.site_note == ""
    assert found.site_p == (1 + (found.site_null >= np.nanmean(found.effect)).sum()) / 101
    assert found.site_p < 0.05
    [whole] = patching_effects(network, stimuli, task, some, regions=["fc1"], n_null=1)
    assert np.isnan(whole.site_p) and "whole layers have no other site" in whole.site_note


def test_what_cannot_be_patched_is_told(network, digits):
    """Brains have no later pass; pairs need two options, and stimuli that are at hand."""
    stimuli, task, pairs = digits
    brain = patching_effects(toy_brain(), stimuli, task, pairs)
    assert isinstance(brain, NotMeasurable) and "only in networks" in brain.reason
    unnamed = dataclasses.replace(task, options=("x", "y"))
    assert isinstance(patching_effects(network, stimuli, unnamed, pairs), NotMeasurable)
    one = stimuli.ids[0]
    with pytest.raises(UsageError, match="pair must differ in"):
        patching_effects(network, stimuli, task, {one: one})
    with pytest.raises(UsageError, match="not at hand: nothing"):
        patching_effects(network, stimuli, task, {one: "nothing"})
    with pytest.raises(UsageError, match="got 1, 0 and 100"):
        patching_effects(network, stimuli, task, {})
    lesion = Intervention("fc1", (), "swap", of="layer", pairs=((one, stimuli.ids[1]),))
    with pytest.raises(UsageError, match="for every stimulus, a pair"):
        network.with_lesion(lesion, stimuli).outputs(stimuli)
