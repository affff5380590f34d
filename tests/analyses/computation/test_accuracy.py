"""Accuracy against plain means."""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation.accuracy import accuracy
from neuroai.cards import ChoiceTask
from neuroai.comparison.metrics.accuracy_difference import accuracy_difference
from neuroai.testing import EXACT

TASK = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)


def test_equals_the_share_of_right_choices(people, images):
    """Value and count are those of the answered trials of each person."""
    answer = accuracy(people, task=TASK)
    table = people.data.behaviour[0]
    for name in answer.subjects:
        mine = (table["subject"].values == name) & (table["choice"].values != "")
        truth = images.column("category", table["stimulus_id"].values[mine])
        here = answer.data.sel(subject=name, region="behaviour")
        expected = (table["choice"].values[mine] == truth).mean()
        np.testing.assert_allclose(here.value.item(), expected, atol=EXACT)
        assert here.n.item() == mine.sum()


def test_conditions_have_their_own_accuracy(people):
    """The conditions, equally many images, average to the whole."""
    data = accuracy(people, task=TASK).data.sel(subject="p2", region="behaviour")
    assert data.condition.values.tolist() == ["easy", "hard"]
    np.testing.assert_allclose(data.value_by_condition.mean(), data.value, atol=EXACT)
    assert data.n_by_condition.values.tolist() == [15, 15]


def test_a_stimulus_counts_once(brain_of):
    """A stimulus shown often weighs as one shown once."""
    brain = brain_of(
        subject=["p"] * 4,
        stimulus_id=["i00", "i00", "i00", "i01"],
        choice=["cat", "cat", "dog", "oven"],
    )
    data = accuracy(brain, task=TASK).data
    np.testing.assert_allclose(data.value.values, [[(2 / 3 + 0) / 2]], atol=EXACT)
    np.testing.assert_allclose(data.per_stimulus.values, [[[2 / 3, 0]]], atol=EXACT)


def test_the_metric_is_the_difference_of_values(people, network, images):
    """The metric on what is stored by stimulus is the difference of the two accuracies."""
    a = accuracy(people, task=TASK).data
    b = accuracy(network, task=TASK, stimuli=images).data
    found = accuracy_difference(a.per_stimulus.values[:, 0], b.per_stimulus.values[:, 0])
    expected = b.value.values.T - a.value.values
    np.testing.assert_allclose(found, expected, atol=EXACT)


def test_a_subject_without_a_judged_trial_is_counted(brain_of):
    """Accuracy without a trial is undefined and counted, never 0."""
    brain = brain_of(subject=["p", "q"], stimulus_id=["i00", "i00"], choice=["cat", ""])
    answer = accuracy(brain, task=TASK)
    assert np.isnan(answer.data.value.sel(subject="q").item())
    assert answer.undefined["subjects without a trial"] == 1
