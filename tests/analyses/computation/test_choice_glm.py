"""Choice GLM as a question: weights of simulated habits, gaps, and networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from neuroai.analyses.computation.choice_glm import choice_glm
from neuroai.cards import ChoiceTask
from neuroai.errors import UsageError
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.load import load_model
from neuroai.testing import STANDARD_ERRORS, chooser

TASK = ChoiceTask(name="task", options=("left", "right"), truth="truth")


def habit(seed: int, *, n: int = 1500, stay: float = 0.9, weight: float = 1.2) -> dict:
    """Simulate a person who repeats what was right, in three sessions."""
    rng = np.random.default_rng(seed)
    strength = rng.choice([0.5, 1.0, 2.0], n)
    sign = rng.choice([-1.0, 1.0], n)
    choice, session = np.zeros(n), np.repeat([0, 1, 2], n // 3)
    for i in range(n):
        before = 0.0
        if i and session[i] == session[i - 1]:
            right = (2 * choice[i - 1] - 1) == sign[i - 1]
            before = stay * (2 * choice[i - 1] - 1) * right
        choice[i] = rng.random() < expit(weight * sign[i] * strength[i] + before)
    names = np.array(["left", "right"])
    return {
        "truth": names[(sign > 0).astype(int)], "choice": names[choice.astype(int)],
        "strength": strength, "session": [f"s{i}" for i in session],
    }  # fmt: skip


def test_a_habit_is_found_beside_the_stimulus():
    """Weights of stimulus and last right choice lie within 4 errors of what was simulated."""
    columns = habit(0)
    answer = choice_glm(chooser(columns), task=TASK, level="strength", penalty=0.01)
    assert answer.parameters["n_back"] == 1 and answer.parameters["second"] == "right"
    here = answer.data.isel(subject=0, region=0)
    signed = columns["strength"] * np.where(columns["truth"] == "right", 1, -1)
    truth = {"bias": 0.0, "stimulus": 1.2 * signed.std(), "right choice 1 back": 0.9,
             "wrong choice 1 back": 0.0}  # fmt: skip
    for name, value in truth.items():
        found = here.sel(regressor=name)
        assert abs(found.value.item() - value) < STANDARD_ERRORS * found.error.item(), name
    assert here.gain.item() > 0.1
    # The first trial of each of three sessions has no history.
    assert here.n.item() == 1500 - 3


def test_without_a_habit_history_has_no_weight():
    """The p of history is not small, and the stimulus keeps its own."""
    answer = choice_glm(chooser(habit(1, stay=0.0)), task=TASK, level="strength")
    p = answer.data.p.isel(subject=0, region=0)
    assert p.sel(regressor="stimulus") < 1e-6
    assert (p.sel(regressor=["right choice 1 back", "wrong choice 1 back"]) > 0.001).all()


def test_history_does_not_reach_across_a_missed_trial():
    """A trial without a choice breaks the sequence for the next one."""
    columns = habit(2)
    choice = columns["choice"].astype(object)
    choice[10::100] = ""
    missed = 15
    answer = choice_glm(chooser({**columns, "choice": choice}), task=TASK, level="strength")
    assert answer.data.n.item() == 1500 - 3 - 2 * missed
    assert answer.undefined["trials without a choice"] == missed


def test_a_network_has_no_history(small_images):
    """Its answers to single stimuli have no order: history is refused, the stimulus is fitted."""
    rows = small_images.table.reset_index().assign(
        category=[str(i % 2) for i in range(30)], strength=[1.0 + i % 3 for i in range(30)]
    )
    pixels = {key: small_images.content(key) for key in small_images.ids}
    images = stimulus_set(pd.DataFrame(rows), name="images", load=pixels.__getitem__)
    network = load_model("builtin:small_convnet?seeds=0")
    task = ChoiceTask(name="digits", options=("0", "1"), truth="category")
    refused = choice_glm(network, task=task, stimuli=images, n_back=1)
    assert refused.reason.endswith("so that nothing went before; ask with n_back=0")
    answer = choice_glm(network, task=task, stimuli=images, level="strength")
    assert answer.data.regressor.values.tolist() == ["bias", "stimulus"]
    assert answer.parameters["n_back"] == 0 and answer.parameters["choice_by"] == "outputs"


def test_subjects_who_always_choose_alike_are_counted():
    """One choice has no odds: NaN, and counted."""
    person = chooser({"truth": ["left", "right"] * 30, "choice": ["left"] * 60})
    answer = choice_glm(person, task=TASK)
    assert np.isnan(answer.data.value).all()
    assert answer.undefined["subjects without enough trials"] == 1


def test_misuse_is_told_in_words(people):
    """Three options are no binary choice; history cannot be negative."""
    naming = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category")
    assert "has 3 options (cat, dog, oven)" in choice_glm(people, task=naming).reason
    with pytest.raises(UsageError, match="n_back must be 0 or more; got -1"):
        choice_glm(chooser(habit(3)), task=TASK, n_back=-1)
