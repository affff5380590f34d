"""A network with a cache answers bit for bit as without."""

from __future__ import annotations

import xarray as xr

from neuroai.experiment.cache import ActivationCache
from neuroai.experiment.cached import Cached, cached
from neuroai.experiment.run import compare_holdings
from neuroai.format.answers import NotMeasurable
from neuroai.systems.activations import load_activations


def test_recordings_are_those_of_the_network(network, simulation, tmp_path):
    """First computed, then read: values and labels are the network's own."""
    system = Cached(network, ActivationCache(tmp_path))
    for _ in range(2):
        pairs = zip(
            system.recordings(simulation.stimuli),
            network.recordings(simulation.stimuli),
            strict=True,
        )
        for found, expected in pairs:
            xr.testing.assert_equal(found, expected)
            assert {k: found.attrs[k] for k in expected.attrs} == expected.attrs


def test_without_stimuli_the_network_says_why(network, tmp_path):
    """Nothing is kept of what cannot be measured."""
    answer = Cached(network, ActivationCache(tmp_path)).recordings(None)
    assert isinstance(answer, NotMeasurable) and not list(tmp_path.iterdir())


def test_a_comparison_gives_the_same_scores(
    results, simulation, network, untrained, quick, tmp_path
):
    """All three levels, with the cache empty and then full, score as without a cache."""
    kept = [cached(n, ActivationCache(tmp_path)) for n in (network, untrained)]
    for _ in range(2):
        found = compare_holdings(simulation, kept, options=quick)
        assert [score.value for score in found.scores] == [s.value for s in results.scores]
    assert len(ActivationCache(tmp_path).entries()) >= 2


def test_what_is_no_network_stays_as_it_is(network, simulation, tmp_path):
    """Activations on disk need no cache."""
    system = Cached(network, ActivationCache(tmp_path / "kept"))
    next(iter(system.recordings(simulation.stimuli)))
    [entry] = system.cache.entries()
    on_disk = load_activations(entry.store)
    assert cached(on_disk) is on_disk
