"""Reaction times of persons, and proxies of networks that are named as such."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.analyses.computation.reaction_time import reaction_time
from neuroai.cards import ChoiceTask
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model
from neuroai.testing import EXACT, chooser

TASK = ChoiceTask(name="task", options=("a", "b"), truth="truth")
DIGITS = ChoiceTask(name="digits", options=("0", "1", "2"), truth="category")


def test_medians_by_stimulus_condition_and_outcome():
    """Each median is over its own trials; what has none is NaN and counted."""
    person = chooser({
        "stimulus_id": ["i", "i", "j", "j"], "truth": ["a"] * 4, "choice": ["a", "a", "a", ""],
        "condition": ["easy", "easy", "hard", "hard"], "response_time": [0.2, 0.6, 0.9, np.nan],
    })  # fmt: skip
    answer = reaction_time(person, task=TASK)
    here = answer.data.isel(subject=0, region=0)
    assert here.value.item() == pytest.approx(0.6, abs=EXACT)
    np.testing.assert_allclose(here.per_stimulus, [0.4, 0.9], atol=EXACT)
    np.testing.assert_allclose(here.value_by_condition, [0.4, 0.9], atol=EXACT)
    np.testing.assert_allclose(here.value_by_outcome, [0.6, np.nan], atol=EXACT)
    assert here.n.item() == 3 and answer.parameters["unit"] == "s"
    assert answer.undefined["trials without a time"] == 1
    assert answer.undefined["value_by_outcome without a trial"] == 1


def test_a_network_takes_no_time(small_images):
    """Without a proxy that is asked for there is no number, and the reason says what to ask."""
    network = load_model("builtin:small_convnet?seeds=0")
    answer = reaction_time(network, task=DIGITS, stimuli=small_images)
    assert isinstance(answer, NotMeasurable)
    assert answer.reason.endswith("ask for a proxy: proxy='entropy' or 'steps'")


def test_entropy_is_that_of_the_outputs(small_images):
    """In bits, of the probabilities of the options; the answer names the proxy."""
    network = load_model("builtin:small_convnet?seeds=0")
    answer = reaction_time(network, task=DIGITS, stimuli=small_images, proxy="entropy")
    outputs = network.outputs(small_images).astype(float)
    chance = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    share = chance[:, :3] / chance[:, :3].sum(axis=1, keepdims=True)
    expected = -(share * np.log2(share)).sum(axis=1)
    np.testing.assert_allclose(answer.data.per_stimulus.values[0, 0], expected, atol=EXACT)
    assert answer.parameters["proxy"] == "entropy" and answer.parameters["unit"] == "bit"


def test_steps_are_when_a_readout_becomes_sure():
    """Activity that knows the class from the third time on is read out from then."""
    rng = np.random.default_rng(0)
    ids, truth = [f"s{i:02d}" for i in range(24)], np.tile(["a", "b"], 12)
    values = rng.normal(size=(24, 8, 5))
    values[:, :2, 2:] += 9 * (truth == "a")[:, None, None]
    times = np.arange(5) / 10
    cells = recording(
        values, stimulus_id=ids, unit_id=[f"u{i}" for i in range(8)], region="IT", system="m",
        kind="brain", stimulus_set="toy", subject="m1", time=times, time_unit="s",
    )  # fmt: skip
    shown = chooser({"choice": ["a"] * 24}, table={"truth": truth}).stimuli
    monkey = Recorded(data=SystemData("m", "brain", "none", recordings=(cells,)), stimuli=shown)
    task = ChoiceTask(name="task", options=("a", "b"), truth="truth", readout=True)
    answer = reaction_time(monkey, task=task, proxy="steps", confidence=0.999)
    assert answer.parameters["unit"] == "s"
    assert answer.data.value.item() == pytest.approx(0.2, abs=EXACT)
    assert (answer.data.per_stimulus.values[0, 0] >= 0.2).mean() > 0.9


def test_activity_without_steps_has_none(network, images):
    """A feed-forward layer is there at once."""
    task = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)
    answer = reaction_time(network, task=task, stimuli=images, proxy="steps")
    assert answer == NotMeasurable("the activity of 'layer2' has no steps: it is there at once")


def test_misspelt_proxies_get_the_near_miss():
    """Only proxies that are defined can be asked for."""
    with pytest.raises(UsageError, match="Did you mean 'entropy'"):
        reaction_time(chooser({"choice": ["a"]}), task=TASK, proxy="entropie")
    with pytest.raises(UsageError, match="goes with proxy='steps' alone"):
        reaction_time(chooser({"choice": ["a"]}), task=TASK, readout_region="IT")
