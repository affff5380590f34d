"""Confusions against scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix

from neuroai.analyses.computation.confusions import confusions
from neuroai.cards import ChoiceTask
from neuroai.numerics.confusion import pooled_confusions

TASK = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)


def test_equals_scikit_learn(people, images):
    """Each person's counts are scikit-learn's of the answered trials, in the task's order."""
    answer = confusions(people, task=TASK)
    table = people.data.behaviour[0]
    for name in answer.subjects:
        mine = (table["subject"].values == name) & (table["choice"].values != "")
        truth = images.column("category", table["stimulus_id"].values[mine])
        expected = confusion_matrix(
            truth.tolist(), table["choice"].values[mine].tolist(), labels=TASK.options
        )
        found = answer.data.confusion.sel(subject=name, region="behaviour")
        np.testing.assert_array_equal(found.values, expected)
    assert answer.data.truth.values.tolist() == list(TASK.options)
    assert answer.undefined["trials without a choice"] == 1


def test_stimuli_add_up(people):
    """What is stored by stimulus adds up to the matrices."""
    data = confusions(people, task=TASK).data
    found = pooled_confusions(data.choice_counts.values[:, 0], data.truth_code.values)
    np.testing.assert_array_equal(found, data.confusion.values[:, 0])


def test_every_trial_counts(brain_of):
    """Repeated trials all enter."""
    brain = brain_of(subject=["p"] * 3, stimulus_id=["i00"] * 3, choice=["cat", "dog", "dog"])
    answer = confusions(brain, task=TASK)
    expected = [[1, 2, 0], [0, 0, 0], [0, 0, 0]]
    assert answer.data.confusion.values[0, 0].tolist() == expected
    assert answer.undefined["options without a trial"] == 2
