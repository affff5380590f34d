"""Choices from outputs: what an option is worth, and what is said where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.computation.similarity import similarity
from neuroai.cards import ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.decisions import classes_of, decide, option_probabilities, softmax
from neuroai.systems.load import load_model

EXACT = 1e-12


def test_probability_of_an_option_is_the_mean_over_its_outputs():
    """Logits of log 1, log 2, log 5 are probabilities of 1/8, 2/8, 5/8."""
    outputs = np.log([[1.0, 2.0, 5.0]])
    np.testing.assert_allclose(softmax(outputs), [[1 / 8, 2 / 8, 5 / 8]], atol=EXACT)
    chances = option_probabilities(outputs, [(0, 2), (1,)])
    np.testing.assert_allclose(chances, [[3 / 8, 2 / 8]], atol=EXACT)


def test_an_option_without_outputs_is_named():
    """What is lacking is listed, with what to give."""
    assert classes_of(("cat", "dog"), {"dog": (1, 2)}, ("cat",)) == ((0,), (1, 2))
    found = classes_of(("cat", "oven"), {}, ("cat",))
    assert isinstance(found, NotMeasurable) and "option(s) oven" in found.reason


def test_a_task_without_options_is_no_choice():
    """A rating task has no options: no output of a network stands for an answer."""
    found = classes_of((), {}, ("cat", "dog"))
    assert isinstance(found, NotMeasurable) and "has no options" in found.reason


def test_probability_and_entropy_are_among_the_options():
    """Of 1/8, 2/8 and 5/8, two options with one output each have 1/3 and 2/3 to share."""
    shown = stimulus_set(pd.DataFrame({"stimulus_id": ["a"], "category": ["x"]}), name="toy")
    task = ChoiceTask(name="t", options=("x", "y"), truth="category")
    table = decide(
        {"seed": np.log([[1.0, 2.0, 5.0]])}, task=task, classes=[(0,), (1,)], stimuli=shown,
        system="net", attrs={},
    )  # fmt: skip
    assert table["choice"].values.tolist() == ["y"]
    np.testing.assert_allclose(table["confidence"], [2 / 8], atol=EXACT)
    np.testing.assert_allclose(table["probability"], [2 / 3], atol=EXACT)
    np.testing.assert_allclose(table["entropy"], [np.log2(3) - 2 / 3], atol=EXACT)


@pytest.mark.parametrize("options", [(), ("near", "far")])
def test_a_network_asked_for_ratings_answers_by_activity_or_in_words(options):
    """Judging similarity never fails in the middle of a network's choices."""
    rng = np.random.default_rng(0)
    pixels = {f"i{i}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(6)}
    table = pd.DataFrame({"stimulus_id": list(pixels), "category": list("ababab")})
    shown = stimulus_set(table, name="images", load=pixels.__getitem__)
    task = ChoiceTask(name="ratings", options=options, truth="category")
    answer = similarity(load_model("builtin:small_convnet?seeds=0"), task=task, stimuli=shown)
    assert isinstance(answer, Answer | NotMeasurable)
    if isinstance(answer, Answer):
        assert np.isfinite(answer.data["rdm"].values).all()
    else:
        assert len(answer.reason.split()) > 3
