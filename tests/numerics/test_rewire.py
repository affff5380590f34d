"""Rewired graphs keep every degree, stay within layers, and are what measures stand beside."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.graph import as_graph, degrees
from neuroai.numerics.rewire import MEASURES, rewired, wiring_measures

EXACT = 1e-12  # the same sums in float64


def layered(seed, *, sizes=(8, 12, 10), share=0.3):
    """Draw weights between successive layers."""
    rng = np.random.default_rng(seed)
    layer = np.repeat(np.arange(len(sizes)), sizes)
    allowed = layer[:, None] + 1 == layer[None]
    return rng.random(allowed.shape) * (allowed & (rng.random(allowed.shape) < share)), layer


@pytest.mark.parametrize("seed", range(10))
def test_directed_degrees_and_weights_stay(seed):
    """In and out degrees of every node and the weights that leave it; most edges move."""
    rng = np.random.default_rng(seed)
    weights = rng.random((30, 30)) * (rng.random((30, 30)) < 0.15)
    graph = as_graph(weights)
    other = rewired(graph, directed=True, seed=seed)
    for mine, theirs in zip(degrees(graph), degrees(other), strict=True):
        assert mine.tolist() == theirs.tolist()
    for row in range(30):
        assert np.sort(other[[row]].data).tolist() == np.sort(graph[[row]].data).tolist()
    assert other.diagonal().max() == 0
    shared = graph.astype(bool).multiply(other.astype(bool)).nnz
    assert shared < 0.6 * graph.nnz


@pytest.mark.parametrize("seed", range(10))
def test_undirected_graphs_stay_symmetric(seed):
    """Degrees stay, weights are those of before, both directions agree."""
    theirs = nx.gnm_random_graph(30, 80, seed=seed)
    graph = as_graph(nx.to_numpy_array(theirs))
    other = rewired(graph, directed=False, seed=seed)
    assert abs(other - other.T).max() == 0
    assert degrees(other)[0].tolist() == [d for _, d in theirs.degree()]


@pytest.mark.parametrize("seed", range(10))
def test_layers_stay_apart(seed):
    """Edges between two layers are exchanged among themselves, and every degree there stays."""
    weights, layer = layered(seed)
    other = rewired(as_graph(weights), directed=True, layer=layer, seed=seed).toarray()
    for one in range(3):
        for next_one in range(3):
            block = np.ix_(layer == one, layer == next_one)
            assert (other[block] > 0).sum() == (weights[block] > 0).sum()
            assert ((other[block] > 0).sum(0) == (weights[block] > 0).sum(0)).all()
            assert ((other[block] > 0).sum(1) == (weights[block] > 0).sum(1)).all()


def test_small_world_is_told_from_a_random_graph():
    """Watts and Strogatz' ring: sigma above 1; a random graph of its degrees near 1, p uniform."""
    ring = nx.watts_strogatz_graph(60, 6, 0.05, seed=1)
    found = wiring_measures(as_graph(nx.to_numpy_array(ring)), directed=False, n_nulls=39)
    at = {name: place for place, name in enumerate(MEASURES)}
    assert found.observed[at["small_world"]] > 2
    assert found.p[at["clustering"]] == found.p[at["modularity"]] == pytest.approx(2 / 40)
    c, path = found.observed[at["clustering"]], 1 / found.observed[at["efficiency"]]
    null_c = found.null[:, at["clustering"]].mean()
    null_path = 1 / found.null[:, at["efficiency"]].mean()
    wanted = (c / null_c) / (path / null_path)
    assert found.observed[at["small_world"]] == pytest.approx(wanted, abs=EXACT)
    assert 0.5 < found.changed <= 1


def test_random_graphs_are_not_special():
    """Over 40 random graphs p is below .1 in a tenth, within four binomial errors."""
    p = []
    for seed in range(40):
        graph = as_graph(nx.to_numpy_array(nx.gnm_random_graph(24, 70, seed=seed)))
        found = wiring_measures(graph, directed=False, n_nulls=19, seed=1000 * seed)
        p.append(found.p[MEASURES.index("clustering")])
    assert np.mean(np.array(p) <= 0.1) <= 0.1 + 4 * np.sqrt(0.1 * 0.9 / 40)


def test_layers_without_shortcuts_have_no_triangle():
    """Small-worldness is not defined there, and is no number."""
    weights, layer = layered(0)
    found = wiring_measures(as_graph(weights), directed=True, layer=layer, n_nulls=5)
    assert np.isnan(found.observed[MEASURES.index("small_world")])
    assert np.isnan(found.z[MEASURES.index("clustering")])


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (lambda: rewired(as_graph(np.eye(3, k=1)), directed=True, n_swaps=0), UsageError, "got 0"),
        (lambda: rewired(as_graph(np.eye(3, k=1)), directed=False), DataError, "symmetric"),
        (
            lambda: wiring_measures(as_graph(1 - np.eye(5)), directed=False, n_nulls=2),
            DataError,
            "moves 0.0% of the edges",
        ),
        (
            lambda: wiring_measures(as_graph(1 - np.eye(5)), directed=False, n_nulls=1),
            UsageError,
            "n_nulls must be 2 or more; got 1",
        ),
    ],
)
def test_what_cannot_be_rewired_is_told(act, error, said):
    """No swaps, asymmetric graphs, cliques, a single null."""
    with pytest.raises(error, match=said):
        act()
