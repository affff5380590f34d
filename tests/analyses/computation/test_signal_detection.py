"""Signal detection as a question: counts by hand, conditions, designs and readouts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from neuroai.analyses.computation.signal_detection import signal_detection
from neuroai.cards import ChoiceTask
from neuroai.errors import UnknownName, UsageError
from neuroai.numerics.mafc import mafc_accuracy
from neuroai.testing import EXACT, chooser

YES_NO = ChoiceTask(name="task", options=("no", "yes"), truth="truth")
TRUTH = ["yes"] * 12 + ["no"] * 8
CHOICE = ["yes"] * 9 + ["no"] * 3 + ["yes"] * 2 + ["no"] * 5 + [""]


def z(yes: int, no: int) -> float:
    """Normal quantile of the corrected rate."""
    return float(norm.ppf((yes + 0.5) / (yes + no + 1)))


def test_yes_no_by_hand():
    """Nine hits of twelve and two false alarms of seven; the silent trial is no rejection."""
    answer = signal_detection(chooser({"truth": TRUTH, "choice": CHOICE}), task=YES_NO)
    here = answer.data.isel(subject=0, region=0)
    names = ("hits", "misses", "false_alarms", "correct_rejections", "n")
    assert [here[name].item() for name in names] == [9, 3, 2, 5, 19]
    assert here.value.item() == pytest.approx(z(9, 3) - z(2, 5), abs=EXACT)
    assert here.criterion.item() == pytest.approx(-(z(9, 3) + z(2, 5)) / 2, abs=EXACT)
    assert answer.parameters["design"] == "yes-no" and answer.parameters["signal"] == "yes"
    assert answer.undefined["trials without a choice"] == 1


def test_the_other_signal_turns_the_criterion():
    """With the other option as signal d' stays and the bias changes its sign."""
    person = chooser({"truth": TRUTH, "choice": CHOICE})
    one, other = (signal_detection(person, task=YES_NO, signal=s).data for s in ("yes", "no"))
    np.testing.assert_allclose(one.value, other.value, atol=EXACT)
    np.testing.assert_allclose(one.criterion, -other.criterion, atol=EXACT)


def test_conditions_have_their_own(people):
    """Each condition's d' is that of its own trials, among three options by integration."""
    task = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category")
    answer = signal_detection(people, task=task)
    table = people.data.behaviour[0].to_dataframe()
    mine = table[(table["subject"] == "p2") & table["choice"].ne("")]
    hard = np.array([int(key[1:]) % 2 == 1 for key in mine["stimulus_id"]])
    truth = people.stimuli.column("category", list(mine["stimulus_id"]))
    right = (mine["choice"].to_numpy() == truth)[hard]
    d = answer.data.value_by_condition.sel(subject="p2", condition="hard").item()
    expected = (right.sum() + 1 / 3) / (len(right) + 1)
    assert mafc_accuracy(d, n_alternatives=3) == pytest.approx(expected, abs=1e-9)
    assert answer.parameters["design"] == "mafc"


def test_a_readout_and_a_person_are_asked_alike(network, images):
    """A network's layer that knows the category is sensitive, one of noise is not."""
    task = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)
    good, bad = (
        signal_detection(network, task=task, stimuli=images, readout_region=layer)
        for layer in ("layer2", "layer1")
    )
    assert good.parameters["choice_by"] == "readout"
    assert (good.data.value.values > 2).all() and (np.abs(bad.data.value.values) < 1).all()


def test_subjects_without_noise_trials_are_counted():
    """A person who met only signals has no d'."""
    answer = signal_detection(chooser({"truth": ["yes"], "choice": ["yes"]}), task=YES_NO)
    assert np.isnan(answer.data.value.item())
    assert answer.undefined["subjects without a d'"] == 1


def test_misuse_is_told_in_words(people):
    """yes-no needs two options, and a signal is one of them."""
    task = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category")
    with pytest.raises(UsageError, match="needs a task of two options; 'naming' has 3"):
        signal_detection(people, task=task, design="yes-no")
    with pytest.raises(UnknownName, match="Did you mean 'cat'"):
        signal_detection(people, task=task, signal="cad")
    with pytest.raises(UsageError, match="among m options none is it"):
        signal_detection(people, task=task, signal="cat")
