"""A remembering system answers as the network does, and computes each readout once."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neuroai.experiment import remembered
from neuroai.experiment.demo_brain import TASK
from neuroai.experiment.remembered import Remembered
from neuroai.format.answers import NotMeasurable
from neuroai.testing import SINGLE


class Counting:
    """A network that counts how often it is asked."""

    def __init__(self, system):
        self.system, self.asked = system, []

    def __getattr__(self, name):
        return getattr(self.system, name)

    def recordings(self, stimuli=None, *, regions=None):
        """Count, then answer."""
        self.asked.append(regions)
        return self.system.recordings(stimuli, regions=regions)

    def choices(self, task, stimuli=None):
        """Count, then answer."""
        self.asked.append(task.name)
        return self.system.choices(task, stimuli)


@pytest.fixture
def counting(network):
    """The small network, counting."""
    return Counting(network)


def test_named_regions_are_computed_once(counting, network, simulation):
    """The second answer is the first one, and equals what the network says."""
    system = Remembered(counting)
    [expected] = network.recordings(simulation.stimuli, regions=["fc2"])
    for _ in range(2):
        [found] = system.recordings(simulation.stimuli, regions=["fc2"])
        xr.testing.assert_identical(found, expected)
    assert counting.asked == [["fc2"]]


def test_other_stimuli_are_asked_anew(counting, simulation):
    """What was answered on some stimuli does not stand for others."""
    system = Remembered(counting)
    half = simulation.stimuli.restrict(simulation.stimuli.ids[::2])
    sizes = [
        next(iter(system.recordings(s, regions=["fc2"]))).sizes["presentation"]
        for s in (simulation.stimuli, half)
    ]
    assert sizes == [40, 20] and len(counting.asked) == 2


def test_sweeps_over_all_layers_are_not_kept(counting, simulation):
    """Globs, and all layers, stream as before."""
    system = Remembered(counting)
    for regions in (None, ["relu*"]):
        for _ in range(2):
            assert len(list(system.recordings(simulation.stimuli, regions=regions))) > 1
    assert len(counting.asked) == 4


def test_what_is_large_is_not_kept(counting, simulation, monkeypatch):
    """Beyond the limit nothing is remembered, and the answer is whole all the same."""
    monkeypatch.setattr(remembered, "LARGEST_BYTES", 10)
    system = Remembered(counting)
    sizes = [len(list(system.recordings(simulation.stimuli, regions=["fc2"]))) for _ in range(2)]
    assert sizes == [1, 1] and len(counting.asked) == 2


def test_choices_are_made_once(counting, simulation):
    """Choices on a task are made once; those on fewer stimuli are a part of them."""
    system = Remembered(counting)
    first, second = (system.choices(TASK, simulation.stimuli) for _ in range(2))
    xr.testing.assert_identical(first, second)
    half = simulation.stimuli.restrict(simulation.stimuli.ids[::2])
    part = system.choices(TASK, half)
    assert counting.asked == ["digit"]
    alone = counting.system.choices(TASK, half)
    # Another number of images in a batch rounds otherwise in the last digit.
    xr.testing.assert_allclose(part, alone, rtol=SINGLE)
    assert (part["choice"].values == alone["choice"].values).all()


def test_the_rest_is_the_network(network, simulation):
    """Names, layers, hashes and benches come from the network; it cannot answer without stimuli."""
    system = Remembered(network)
    assert (system.name, system.kind, system.subjects) == ("net", "model", ("seed1",))
    assert system.regions == network.regions and system.stimuli is None
    assert system.weights_sha256() == network.weights_sha256()
    assert hasattr(system, "lesion_bench") and not hasattr(system, "no_such_thing")
    assert isinstance(system.recordings(None, regions=["fc2"]), NotMeasurable)
    assert system.published("rdm") == ()
    assert np.isfinite(next(iter(system.recordings(simulation.stimuli, regions=["fc2"])))).all()
