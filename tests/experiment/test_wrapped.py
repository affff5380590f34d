"""A system that stands in for another answers everything as it does."""

from __future__ import annotations

import pytest

from neuroai.experiment.wrapped import Wrapped
from neuroai.format.answers import NotMeasurable


def test_everything_is_passed_on(network, simulation):
    """Names, subjects, layers, choices and what no protocol names come from the network."""
    system = Wrapped(network)
    for name in ("name", "kind", "stimuli", "subjects", "regions", "modules", "untrained"):
        assert getattr(system, name) == getattr(network, name)
    assert system.published("rdm") == ()
    task = simulation.tasks[0]
    found, expected = (s.choices(task, simulation.stimuli) for s in (system, network))
    assert found.identical(expected)
    assert isinstance(system.recordings(None), NotMeasurable)


def test_what_nobody_has_is_told(network):
    """A misspelt attribute is an AttributeError, as on the network."""
    with pytest.raises(AttributeError, match="regoins"):
        _ = Wrapped(network).regoins
