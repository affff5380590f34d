"""Measures of graphs equal to networkx, and to what is known of rings, stars and cliques."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.graph import (
    as_graph,
    clustering,
    degrees,
    efficiency,
    modules,
    rich_club,
    strongest,
)

EXACT = 1e-12  # the same sums in float64


def random_weights(seed, *, n=25, share=0.2, directed=True):
    """Draw weights of a random graph."""
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)) * (rng.random((n, n)) < share)
    if not directed:
        weights = np.triu(weights, 1) + np.triu(weights, 1).T
    np.fill_diagonal(weights, 0)
    return weights


def as_networkx(weights, *, directed=True):
    """Give the same graph to networkx."""
    return nx.from_numpy_array(weights, create_using=nx.DiGraph if directed else nx.Graph)


@pytest.mark.parametrize("seed", range(10))
def test_degrees_and_clustering_are_networkx_s(seed):
    """In and out degrees; triangles with directions left out."""
    weights = random_weights(seed)
    out, into = degrees(as_graph(weights))
    theirs = as_networkx(weights)
    assert out.tolist() == [d for _, d in theirs.out_degree()]
    assert into.tolist() == [d for _, d in theirs.in_degree()]
    wanted = nx.average_clustering(theirs.to_undirected())
    assert clustering(as_graph(weights)) == pytest.approx(wanted, abs=EXACT)


@pytest.mark.parametrize("seed", range(10))
def test_efficiency_is_networkx_s(seed):
    """Undirected graphs, also in pieces; directed ones by their shortest paths."""
    weights = random_weights(seed, share=0.08, directed=False)
    wanted = nx.global_efficiency(as_networkx(weights, directed=False))
    assert efficiency(as_graph(weights)) == pytest.approx(wanted, abs=EXACT)
    weights = random_weights(seed)
    paths = dict(nx.all_pairs_shortest_path_length(as_networkx(weights)))
    total = sum(1 / d for a, ends in paths.items() for b, d in ends.items() if a != b)
    assert efficiency(as_graph(weights)) == pytest.approx(total / (25 * 24), abs=EXACT)


def test_efficiency_from_some_nodes_is_near_that_from_all():
    """Half of the nodes as starts, within a tenth."""
    graph = as_graph(random_weights(0, n=100))
    assert efficiency(graph, n_sources=50) == pytest.approx(efficiency(graph), rel=0.1)


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_modularity_is_networkx_s_of_the_same_modules(seed, directed):
    """Q of the partition that is given back, with weights and directions."""
    weights = random_weights(seed, directed=directed)
    q, module = modules(as_graph(weights), directed=directed)
    parts = [set(np.flatnonzero(module == m).tolist()) for m in np.unique(module)]
    wanted = nx.community.modularity(as_networkx(weights, directed=directed), parts)
    assert q == pytest.approx(wanted, abs=EXACT)
    sizes = np.bincount(module)
    assert (np.diff(sizes) <= 0).all()


def test_planted_modules_are_found():
    """Four cliques joined in a ring are four modules, whatever the seed."""
    weights = np.kron(np.eye(4), np.ones((6, 6)))
    for block in range(4):
        weights[6 * block, (6 * block + 6) % 24] = weights[(6 * block + 6) % 24, 6 * block] = 1
    np.fill_diagonal(weights, 0)
    for seed in range(5):
        _, module = modules(as_graph(weights), directed=False, seed=seed)
        assert len({tuple(module[6 * b : 6 * b + 6]) for b in range(4)}) == 4
        assert all(len(set(module[6 * b : 6 * b + 6])) == 1 for b in range(4))


@pytest.mark.parametrize("seed", range(10))
def test_rich_club_is_networkx_s_coefficient(seed):
    """phi(k) of undirected graphs at the degree of the quantile."""
    weights = random_weights(seed, share=0.3, directed=False)
    both = np.add(*degrees(as_graph(weights)))
    k = int(np.quantile(both, 0.8, method="lower")) // 2
    wanted = nx.rich_club_coefficient(as_networkx(weights, directed=False), normalized=False)
    got = rich_club(as_graph(weights))
    assert got == pytest.approx(wanted[k], abs=EXACT) if k in wanted else np.isnan(got)


def test_known_graphs():
    """A ring has no triangle; a star's centre is no club; a clique is perfect."""
    ring = as_graph(np.roll(np.eye(6), 1, 1) + np.roll(np.eye(6), -1, 1))
    assert clustering(ring) == 0 and efficiency(ring) == pytest.approx((2 + 1 + 1 / 3) / 5)
    star = np.zeros((6, 6))
    star[0, 1:] = star[1:, 0] = 1
    assert np.isnan(rich_club(as_graph(star)))
    clique = as_graph(1 - np.eye(5))
    assert (efficiency(clique), clustering(clique)) == (1, 1)


def test_strongest_keeps_a_share_and_the_order_of_equals():
    """A quarter of eight weights; equal ones by their place."""
    weights = np.array([[1.0, 3.0, 2.0, 3.0], [0.0, 3.0, 1.0, 1.0]])
    assert strongest(weights, density=0.25).tolist() == [[0, 3, 0, 3], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (lambda: as_graph(np.ones((2, 3))), DataError, r"square matrix of weights; got \(2, 3\)"),
        (lambda: as_graph(np.array([[0, -1], [np.nan, 0]])), DataError, "2 weights are negative"),
        (lambda: modules(as_graph(np.zeros((3, 3))), directed=True), DataError, "no modules"),
        (lambda: efficiency(as_graph(np.zeros((1, 1)))), UsageError, "two nodes or more"),
        (lambda: strongest(np.ones((2, 2)), density=0.0), UsageError, "density must lie in"),
    ],
)
def test_what_is_no_graph_is_told(act, error, said):
    """Shapes, negative weights, graphs without edges, single nodes."""
    with pytest.raises(error, match=said):
        act()
