"""What makes a system: a brain and a network are ones, a bare module is not."""

from __future__ import annotations

import inspect

from neuroai.systems.base import System
from neuroai.systems.brain import Recorded
from neuroai.systems.model import Model
from neuroai.testing import toy_brain

QUESTIONS = ("recordings", "choices", "published")


def test_brain_and_network_are_systems(model) -> None:
    """Both kinds have everything that an analysis may ask for."""
    assert isinstance(toy_brain(), System) and isinstance(model, System)


def test_a_bare_module_is_no_system(net) -> None:
    """A network that was not wrapped is not mistaken for a system."""
    assert not isinstance(net, System) and not isinstance(toy_brain().data, System)


def test_both_kinds_take_the_same_options() -> None:
    """The questions have one signature for brains and networks."""
    for name in QUESTIONS:
        wanted = list(inspect.signature(getattr(System, name)).parameters.values())
        for kind in (Recorded, Model):
            found = inspect.signature(getattr(kind, name)).parameters.values()
            assert [(p.name, p.kind, p.default) for p in found] == [
                (p.name, p.kind, p.default) for p in wanted
            ]


def test_a_brain_knows_its_stimuli_and_a_network_meets_any(model) -> None:
    """Only what was recorded is tied to stimuli."""
    assert toy_brain().stimuli.ids == ("a", "b", "c") and model.stimuli is None
    assert (toy_brain().kind, model.kind) == ("brain", "model")
