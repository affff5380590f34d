"""Spike times and rasters in bins: against numpy's histogram, and what must be refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.sources.spikes import as_measure, bin_edges, bin_rasters, bin_spikes

FASTER = 20  # than a loop over trials with numpy's histogram


def trains(n_units: int, n_spikes: int, seconds: float, seed: int = 0) -> list[np.ndarray]:
    """Sorted random spike times."""
    rng = np.random.default_rng(seed)
    found = [np.sort(rng.uniform(0, seconds, n_spikes)) for _ in range(n_units)]
    for times in found:
        times.setflags(write=False)
    return found


def loop(spikes: list[np.ndarray], starts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count trial by trial with numpy's histogram, whose last bin alone is closed."""
    counts = np.zeros((len(starts), len(spikes), len(edges) - 1))
    for i, start in enumerate(starts):
        for j, times in enumerate(spikes):
            since = times - start
            counts[i, j] = np.histogram(since[since < edges[-1]], bins=edges)[0]
    return counts


@pytest.mark.parametrize("window", [(-0.2, 0.8), (0.0, 0.5), (-3.0, 5.0)])
def test_counts_are_those_of_a_loop(window: tuple[float, float]) -> None:
    """Unsorted onsets, overlapping windows and onsets near the ends."""
    spikes = trains(5, 400, 60.0)
    starts = np.random.default_rng(1).uniform(-1, 61, 40)
    edges = bin_edges(window, bin_width=0.1)
    got = bin_spikes(spikes, starts, edges=edges)
    np.testing.assert_array_equal(got, loop(spikes, starts, edges))
    assert got.dtype == np.float32


def test_uneven_bins_and_empty_units() -> None:
    """Bins of any width; a unit without spikes counts 0, no trials give no rows."""
    edges = np.array([-0.5, 0.0, 0.05, 2.0])
    spikes = [*trains(2, 300, 20.0), np.array([])]
    starts = np.arange(1.0, 18.0)
    got = bin_spikes(spikes, starts, edges=edges)
    np.testing.assert_array_equal(got, loop(spikes, starts, edges))
    assert got[:, 2].sum() == 0
    assert bin_spikes(spikes, np.array([]), edges=edges).shape == (0, 3, 3)


def test_a_spike_on_an_edge_counts_once() -> None:
    """Bins hold their start and not their end."""
    times = np.array([1.0, 1.25, 1.5])
    got = bin_spikes([times], np.array([1.0]), edges=np.array([0.0, 0.25, 0.5]))
    assert got[0, 0].tolist() == [1, 1]


def test_edges_divide_the_window() -> None:
    """0.3 is the edge 0.3, not the sum of three tenths; leftovers are refused."""
    assert bin_edges((0.0, 0.5), bin_width=0.1)[3] == 0.3
    assert bin_edges((-0.1, 0.4)).tolist() == [-0.1, 0.4]
    with pytest.raises(UsageError, match="does not divide the window of 0.5 s: that is 1.66667"):
        bin_edges((0.0, 0.5), bin_width=0.3)
    with pytest.raises(UsageError, match="start < end"):
        bin_edges((0.5, 0.0))
    with pytest.raises(UsageError, match="more than 0 s"):
        bin_edges((0.0, 0.5), bin_width=-0.1)


def test_what_is_no_spike_train_is_refused() -> None:
    """Unsorted and NaN times would be counted wrongly by a search."""
    edges = np.array([0.0, 1.0])
    for wrong in (np.array([2.0, 1.0]), np.array([1.0, np.nan])):
        with pytest.raises(DataError, match="unit 1 are not finite and sorted"):
            bin_spikes([np.array([1.0]), wrong], np.array([0.0]), edges=edges)
    with pytest.raises(DataError, match="Onsets are one finite time"):
        bin_spikes([np.array([1.0])], np.array([np.nan]), edges=edges)
    with pytest.raises(UsageError, match="increasing"):
        bin_spikes([np.array([1.0])], np.array([0.0]), edges=np.array([1.0, 1.0]))


def test_rates_are_counts_a_second() -> None:
    """Each bin by its own width."""
    got = as_measure(np.array([[2.0, 3.0]]), measure="rates", edges=np.array([0.0, 0.5, 2.0]))
    np.testing.assert_array_equal(got, [[4.0, 2.0]])
    with pytest.raises(UsageError, match="Did you mean 'rates'"):
        as_measure(np.zeros((1, 1)), measure="rate", edges=np.array([0.0, 1.0]))


def test_rasters_are_summed_from_the_onset(random_array: Callable[..., np.ndarray]) -> None:
    """Bins of 20 ms around column 50, by hand; more than one spike a sample counts."""
    raster = (random_array(3, 100, seed=4) > 1).astype(np.uint8) * 2
    got = bin_rasters(raster, zero=50, window=(-0.02, 0.04), bin_width=0.02)
    by_hand = [raster[:, a : a + 20].sum(axis=1) for a in (30, 50, 70)]
    np.testing.assert_array_equal(got, np.column_stack(by_hand))
    with pytest.raises(DataError, match=r"runs from -0.05 to 0.05 s"):
        bin_rasters(raster, zero=50, window=(0.0, 0.06))
    with pytest.raises(UsageError, match="must fall on samples"):
        bin_rasters(raster, zero=50, window=(0.0, 0.0105))


def test_it_is_faster_than_a_loop_over_trials() -> None:
    """24 units and 400 trials in 10-ms bins: at least 20 times numpy's histogram in a loop."""
    spikes, starts = trains(24, 8000, 800.0), np.arange(400) * 2.0
    edges = bin_edges((0.0, 1.0), bin_width=0.01)

    def seconds(function: Callable[..., Any], *given: Any, **options: Any) -> float:
        begin = time.perf_counter()
        function(*given, **options)
        return time.perf_counter() - begin

    ours = min(seconds(bin_spikes, spikes, starts, edges=edges) for _ in range(3))
    few = seconds(loop, spikes[:2], starts, edges) * 12
    assert few > FASTER * ours
