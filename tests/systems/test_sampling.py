"""Choices drawn from a network's softmax."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.computation.accuracy import accuracy
from neuroai.analyses.computation.choices import choices
from neuroai.cards import ChoiceTask
from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.systems.base import System
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model
from neuroai.systems.sampling import by_sampling
from neuroai.testing import EXACT, STANDARD_ERRORS, toy_brain

TASK = ChoiceTask(name="digits", options=("0", "1", "2"), truth="category")


@pytest.fixture
def images() -> StimulusSet:
    """Twelve small images."""
    rng = np.random.default_rng(0)
    pixels = {f"i{i:02d}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(12)}
    rows = {"stimulus_id": list(pixels), "category": [str(i % 3) for i in range(12)]}
    return stimulus_set(
        pd.DataFrame(rows | {"condition": ["x", "y"] * 6}), name="i", load=pixels.__getitem__
    )


@pytest.fixture
def network():
    """Two seeds of a built-in network."""
    return load_model("builtin:small_convnet?seeds=0,1")


def test_draws_follow_the_softmax(network, images):
    """Of 2,000 draws each option has its share of the softmax within 4 binomial errors."""
    n = 2000
    table = by_sampling(network, n_samples=n).choices(TASK, images)
    for seed in network.subjects:
        outputs = network.outputs(images, subject=seed).astype(float)[:, :3]
        share = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        mine = table["choice"].values[table["subject"].values == seed].reshape(12, n)
        for place, option in enumerate(TASK.options):
            found = (mine == option).mean(axis=1)
            p = share[:, place]
            assert (np.abs(found - p) <= STANDARD_ERRORS * np.sqrt(p * (1 - p) / n) + 1e-9).all()
    assert table.attrs["choice_by"] == "sampling"
    assert table.sizes["trial"] == 2 * 12 * n


def test_the_seed_draws_the_same_whatever_the_order(network, images):
    """Another order of the table of stimuli changes nothing; another seed does."""
    sampled = by_sampling(network, n_samples=5, seed=3)
    turned = stimulus_set(images.table.iloc[::-1].reset_index(), name="i", load=images.load)
    one, other = sampled.choices(TASK, images), sampled.choices(TASK, turned)
    assert one["choice"].values.tolist() == other["choice"].values.tolist()
    again = by_sampling(network, n_samples=5, seed=4).choices(TASK, images)
    assert one["choice"].values.tolist() != again["choice"].values.tolist()


def test_answers_say_how_it_chose(network, images):
    """The parameter choice_by, the note and the number of trials; probabilities are the draws'."""
    answer = choices(by_sampling(network, n_samples=7), task=TASK, stimuli=images)
    assert answer.parameters["choice_by"] == "sampling"
    assert "7 choices drawn for every stimulus, seed 0" in answer.notes
    assert (answer.data.n_trials.values == 7).all()
    plain = choices(network, task=TASK, stimuli=images)
    assert plain.parameters["choice_by"] == "outputs"


def test_mean_accuracy_is_the_probability_of_the_truth(network, images):
    """Over many draws accuracy is the softmax of the right option, not 0 or 1."""
    found = accuracy(by_sampling(network, n_samples=3000), task=TASK, stimuli=images)
    outputs = network.outputs(images, subject=network.subjects[0]).astype(float)[:, :3]
    share = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    expected = share[np.arange(12), np.arange(12) % 3]
    error = np.sqrt(expected * (1 - expected) / 3000)
    difference = np.abs(found.data.per_stimulus.values[0, 0] - expected)
    assert (difference <= STANDARD_ERRORS * error + 1e-9).all()


def test_a_lesioned_network_is_sampled_as_it_is(network, images):
    """Sampling wraps any network; what else it answers is the network's."""
    lesion = Lesion(region=network.regions[0], targets=(0, 1), kind="zero")
    sampled = by_sampling(network.with_lesion(lesion), n_samples=2)
    table = sampled.choices(TASK, images)
    assert "intervention" in table.attrs and sampled.regions == network.regions
    assert (sampled.name, sampled.kind, sampled.subjects) == (
        network.name, "model", network.subjects,
    )  # fmt: skip
    one, other = (next(s.recordings(images)) for s in (sampled, sampled.model))
    np.testing.assert_allclose(one.values, other.values, atol=EXACT)
    assert sampled.published("rdm") == () and sampled.stimuli is None
    assert isinstance(sampled, System)


def test_what_cannot_be_sampled_says_why(network):
    """A brain's trials are as they are; options without outputs are not measurable."""
    with pytest.raises(UsageError, match="'toy' is a recorded system"):
        by_sampling(toy_brain())
    with pytest.raises(UsageError, match="n_samples must be at least 1; got 0"):
        by_sampling(network, n_samples=0)
    sampled = by_sampling(network)
    assert isinstance(sampled.choices(TASK), NotMeasurable)
