"""The same in Python: load, ask, compare; wrong names are told with the nearest."""

from __future__ import annotations

import pytest

from neuroai.errors import UnknownName, UsageError
from neuroai.experiment import api
from neuroai.experiment.api import ask, compare, load_brain
from neuroai.format.answers import Answer
from neuroai.format.scores import score_table
from neuroai.systems.brain import brains_of
from neuroai.testing import toy_brain

SMALL = {"n_bootstrap": 60, "n_null": 19, "lesions": "none", "layers": ["relu3", "fc2"]}


def test_a_brain_is_loaded_by_name(dataset_of):
    """The first brain by default, another by name, a misspelt one with the nearest."""
    dataset_of("kriegeskorte2008")
    assert load_brain("kriegeskorte2008").name == "human"
    assert load_brain("kriegeskorte2008", system="monkey").name == "monkey"
    with pytest.raises(UnknownName, match="monkey"):
        load_brain("kriegeskorte2008", system="monky")


def test_an_unknown_data_set_gets_the_near_miss():
    """A misspelt data set lists the nearest."""
    with pytest.raises(UnknownName, match="kriegeskorte2008"):
        load_brain("kriegeskort2008")


def test_brain_and_network_are_asked_alike(simulation, network):
    """The same name and options put the question to either side."""
    brain = brains_of(simulation)[0]
    options = {"stimuli": simulation.stimuli, "distance": "squared-euclidean"}
    for system in (brain, network):
        answer = ask(system, "rdm", options=options)
        assert isinstance(answer, Answer) and answer.form == "rdm"
        assert answer.kind == system.kind and answer.stimuli == simulation.stimuli.ids


def test_unknown_questions_and_options_get_the_near_miss():
    """A misspelt analysis or option lists the nearest."""
    with pytest.raises(UnknownName, match="accuracy"):
        ask(toy_brain(), "acuracy")
    with pytest.raises(UnknownName, match="distance"):
        ask(toy_brain(), "rdm", options={"distanze": "correlation"})


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"metric": "rdm-speerman"}, UnknownName),
        ({"lesions": "some"}, UsageError),
        ({"distance": "euclid"}, UsageError),
    ],
)
def test_wrong_options_cost_nothing(wrong, error, monkeypatch):
    """Options are checked before a data set or a network is loaded."""

    def never(*args, **kwargs):
        pytest.fail("something was loaded")

    monkeypatch.setattr(api, "load_dataset", never)
    monkeypatch.setattr(api, "load_model", never)
    with pytest.raises(error):
        compare("kriegeskorte2008", "builtin:small_convnet", **wrong)


def test_networks_by_name_and_by_hand_are_one(simulation):
    """A network given by name and one that was loaded have the same scores."""
    name = "builtin:small_convnet?init=random&seeds=0"
    by_name = compare(simulation, name, **SMALL)
    by_hand = compare(simulation, [api.load_model(name)], **SMALL)
    assert score_table(by_name.scores).equals(score_table(by_hand.scores))


def test_a_loaded_brain_comes_first(simulation, network):
    """A brain stands for its data set."""
    brain = brains_of(simulation)[0]
    found = compare(brain, network, **SMALL)
    expected = compare(simulation, network, **SMALL)
    assert score_table(found.scores).equals(score_table(expected.scores))
