"""Choices: recorded, of outputs, and read out."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.computation.choices import choices
from neuroai.cards import ChoiceTask
from neuroai.comparison.metrics.error_consistency import error_consistency
from neuroai.errors import DataError, UnknownName
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import behaviour
from neuroai.format.stimuli import stimulus_set

TASK = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)
PRINTED = 5e-4  # published numbers are printed with three decimals


def test_recorded_choices_are_labelled_and_judged(people, images):
    """Choices stand by subject and image; correct says where they equal the truth."""
    answer = choices(people, task=TASK)
    assert answer.form == "choices" and answer.parameters["choice_by"] == "recorded"
    assert answer.subjects == ("p1", "p2", "p3") and answer.regions == ("behaviour",)
    assert answer.stimuli == images.ids
    data = answer.data.sel(region="behaviour")
    truth = images.column("category")
    assert data.truth.values.tolist() == truth.tolist()
    right = (data.choice.values == truth).astype(float)
    right[data.choice.values == ""] = np.nan
    np.testing.assert_array_equal(data.correct.values, right)


def test_a_missed_trial_is_missing_and_counted(people):
    """A trial without a choice is NaN, not wrong, and is counted by name."""
    answer = choices(people, task=TASK)
    missed = answer.data.sel(subject="p1", region="behaviour", stimulus="i04")
    assert missed.choice.item() == "" and np.isnan(missed.correct.item())
    assert missed.n_trials.item() == 0
    assert answer.undefined == {"trials without a choice": 1}


def test_the_table_says_what_is_right(brain_of):
    """A column `correct` wins over the comparison: a late answer may count as an error."""
    brain = brain_of(
        subject=["p"] * 2, stimulus_id=["i00", "i01"], choice=["", "cat"], correct=[0, 1]
    )
    data = choices(brain, task=TASK).data
    assert data.correct.values.ravel().tolist() == [0.0, 1.0]
    assert data.n_trials.values.ravel().tolist() == [1, 1]


def test_the_first_trial_is_kept(brain_of):
    """Of repeated trials the first in time counts, wherever its row stands; all enter accuracy."""
    columns = {
        "subject": ["p"] * 4,
        "stimulus_id": ["i00", "i00", "i00", "i01"],
        "choice": ["dog", "cat", "dog", "dog"],
        "session": ["10", "2", "11", "2"],
    }
    answer = choices(brain_of(**columns), task=TASK)
    data = answer.data.sel(subject="p", region="behaviour")
    assert data.choice.values.tolist() == ["cat", "dog"]
    assert data.correct.values.tolist() == [1.0, 1.0]
    np.testing.assert_allclose(data.accuracy.values, [1 / 3, 1])
    assert data.n_trials.values.tolist() == [3, 1]
    assert any("1 stimuli were met more than once" in note for note in answer.notes)


def test_order_of_rows_changes_nothing(people, images, brain_of):
    """A shuffled table gives the same answer."""
    table = people.data.behaviour[0]
    order = np.random.default_rng(0).permutation(90)
    shuffled = brain_of(
        subject=table["subject"].values[order],
        stimulus_id=table["stimulus_id"].values[order],
        choice=table["choice"].values[order],
    )
    assert choices(shuffled, task=TASK).data.identical(choices(people, task=TASK).data)


def test_an_unknown_choice_is_an_error(brain_of):
    """A choice outside the options is named, with the near miss."""
    brain = brain_of(subject=["p"], stimulus_id=["i00"], choice=["ovn"])
    with pytest.raises(UnknownName, match="No option is called 'ovn'. Did you mean 'oven'"):
        choices(brain, task=TASK)


def test_a_stimulus_without_a_truth_cannot_be_right(brain_of):
    """Where no truth is known, however the gap is written, a choice is neither right nor wrong."""
    table = pd.DataFrame({"stimulus_id": ["a", "b"], "category": ["cat", None]})
    images = stimulus_set(table, name="gaps")
    brain = brain_of(images, subject=["p"] * 2, stimulus_id=["a", "b"], choice=["cat", "cat"])
    answer = choices(brain, task=TASK)
    np.testing.assert_array_equal(answer.data.correct.values, [[[1, np.nan]]])
    assert answer.undefined == {"trials without a truth": 1}


def test_only_the_stimuli_of_the_task_count(people, images):
    """The task's own stimuli, and those asked for, are kept."""
    task = dataclasses.replace(TASK, where=("condition", "hard"))
    hard = choices(people, task=task)
    assert hard.stimuli == images.where("condition", "hard").ids
    assert choices(people, task=TASK, stimuli=images.restrict(["i03"])).stimuli == ("i03",)


def test_outputs_of_a_network(network, images):
    """A network's own choices are used as they are, with the way they came about."""
    table = behaviour(
        {"subject": ["seed0"] * 30, "stimulus_id": images.ids, "choice": ["cat"] * 30},
        system="network",
        kind="model",
        stimulus_set="images",
        attrs={"choice_by": "outputs"},
    )
    answer = choices(dataclasses.replace(network, table=table), task=TASK)
    assert answer.parameters["choice_by"] == "outputs"
    assert answer.data.correct.values.mean() == pytest.approx(1 / 3)


def test_readout_finds_what_a_layer_knows(network, images):
    """Without outputs the last layer is read out; the layer of noise stays at chance."""
    answer = choices(network, task=TASK, stimuli=images)
    assert answer.regions == ("layer2",) and answer.parameters["choice_by"] == "readout"
    assert answer.subjects == ("seed0", "seed1")
    assert answer.data.correct.values.mean() > 0.95
    noise = choices(network, task=TASK, stimuli=images, readout_region="layer1")
    chance_error = np.sqrt((1 / 3) * (2 / 3) / 60)
    assert abs(noise.data.correct.values.mean() - 1 / 3) < 4 * chance_error


def test_readout_only_where_the_task_allows_it(network, images):
    """A task without readout says why nothing can be asked."""
    task = dataclasses.replace(TASK, readout=False)
    refused = choices(network, task=task, stimuli=images)
    assert isinstance(refused, NotMeasurable) and "no outputs" in refused.reason
    stated = choices(network, task=task, stimuli=images, readout_region="layer1")
    assert stated == NotMeasurable("the task 'naming' allows no readout")


def test_readout_needs_two_stimuli_of_each_option(network, images):
    """One image of an option cannot be both learnt and tested."""
    few = images.restrict(["i00", "i03", "i01", "i04", "i02"])
    answer = choices(network, task=TASK, stimuli=few)
    assert isinstance(answer, NotMeasurable) and "there is one of oven" in answer.reason


def test_readout_refuses_or_drops_units_with_gaps(network, images):
    """Units with NaN stop the readout unless they are to be dropped, which is noted."""
    part = network.activity[1].copy()
    part[3, 7] = np.nan
    gappy = dataclasses.replace(network, activity=(part,))
    with pytest.raises(DataError, match="1 of 20 units"):
        choices(gappy, task=TASK, stimuli=images)
    answer = choices(gappy, task=TASK, stimuli=images, undefined="drop")
    assert any("1 of 20 units hold NaN" in note for note in answer.notes)


def test_no_stimulus_of_the_task(people):
    """A task of other stimuli is not measurable, in words."""
    task = dataclasses.replace(TASK, where=("condition", "absent"))
    assert choices(people, task=task) == NotMeasurable("no stimulus belongs to the task 'naming'")


def test_published_error_consistency_of_the_data_set():
    """The data set's own trials give the published kappa: 0.331 and 0.068 on cue conflict."""
    root = os.environ.get("NEUROAI_DATA", "")
    if not root or not (Path(root) / "geirhos_cue_conflict" / "decisions").is_dir():
        pytest.skip("the decisions are not at hand; set NEUROAI_DATA")
    from neuroai.sources.catalogue import DATASETS
    from neuroai.systems.brain import Recorded

    holdings = DATASETS.get("geirhos2019").function(offline=True)
    task = next(task for task in holdings.tasks if task.name == "cue-conflict")
    systems = {data.name: Recorded(data, holdings.stimuli) for data in holdings.systems}
    people, network = (choices(systems[name], task=task) for name in ("human", "resnet50"))
    humans = people.data.correct.sel(region="behaviour").values
    assert humans.shape == (10, 1280)
    among = error_consistency(humans, humans)[np.triu_indices(10, k=1)]
    np.testing.assert_allclose(among.mean(), 0.331, atol=PRINTED)
    assert people.stimuli == network.stimuli
    other = network.data.correct.sel(region="behaviour").values
    np.testing.assert_allclose(error_consistency(humans, other).mean(), 0.068, atol=PRINTED)
