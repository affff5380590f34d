"""Measures of a graph of nodes and weighted edges: modules, paths, triangles, rich club."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from neuroai.checks import in_range
from neuroai.errors import DataError, UsageError

MOST_SOURCES = 512
RICH_QUANTILE = 0.8


def as_graph(weights: np.ndarray | sparse.sparray) -> sparse.csr_array:
    """Check a matrix of weights, from row to column; self-connections are left out.

    Raises
    ------
    DataError
        The matrix is not square, or a weight is negative or not finite.

    Examples
    --------
    >>> as_graph(np.array([[5.0, 1.0], [0.0, 0.0]])).toarray().tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    graph = sparse.csr_array(weights, dtype=np.float64).copy()
    if graph.ndim != 2 or graph.shape[0] != graph.shape[1]:
        raise DataError(f"A graph needs a square matrix of weights; got {graph.shape}.")
    if not np.isfinite(graph.data).all() or (graph.data < 0).any():
        bad = int((~np.isfinite(graph.data) | (graph.data < 0)).sum())
        raise DataError(f"{bad} weights are negative or not finite; measures need weights from 0.")
    graph.setdiag(0)
    graph.eliminate_zeros()
    return graph


def strongest(weights: np.ndarray, *, density: float) -> np.ndarray:
    """Keep the strongest share of the possible edges of a block; equal weights keep their order.

    Parameters
    ----------
    weights : array, shape (n_from, n_to)
        Of at least 0.
    density : float
        Share of all pairs to keep, in (0, 1].

    Returns
    -------
    array, shape (n_from, n_to)
        The kept weights; 0 elsewhere.

    Examples
    --------
    >>> strongest(np.array([[3.0, 1.0], [2.0, 0.0]]), density=0.5).tolist()
    [[3.0, 0.0], [2.0, 0.0]]
    """
    in_range(density, option="density", low=0, high=1, low_open=True)
    flat = np.asarray(weights, dtype=np.float64).ravel()
    kept = np.argsort(-flat, kind="stable")[: max(1, round(density * flat.size))]
    out = np.zeros_like(flat)
    out[kept] = flat[kept]
    return out.reshape(np.shape(weights))


def efficiency(graph: sparse.csr_array, *, n_sources: int = MOST_SOURCES, seed: int = 0) -> float:
    r"""Global efficiency: the mean of one over the number of steps from node to node.

    .. math:: E = \frac{1}{n (n - 1)} \sum_{i \ne j} \frac{1}{d_{ij}}, \qquad 1 / \infty = 0

    Parameters
    ----------
    graph : sparse array, shape (n_nodes, n_nodes)
        From `as_graph`; weights are ignored, directions are not.
    n_sources : int
        In larger graphs paths start from so many random nodes.
    seed : int
        Seed of their choice.

    Returns
    -------
    float
        In [0, 1].

    References
    ----------
    Latora & Marchiori 2001, doi:10.1103/PhysRevLett.87.198701

    Examples
    --------
    >>> float(efficiency(as_graph(1.0 - np.eye(3))))
    1.0
    """
    n = graph.shape[0]
    if n < 2:
        raise UsageError("Efficiency needs two nodes or more.")
    sources = np.arange(n)
    if n > n_sources:
        sources = np.random.default_rng(seed).choice(n, n_sources, replace=False)
    steps = shortest_path(graph, directed=True, unweighted=True, indices=sources)
    steps[np.arange(len(sources)), sources] = np.inf
    return float((1 / steps).sum() / (len(sources) * (n - 1)))


def clustering(graph: sparse.csr_array) -> float:
    r"""Mean share of a node's pairs of neighbours that are connected, directions left out.

    .. math:: C = \frac{1}{n} \sum_i \frac{2 t_i}{k_i (k_i - 1)}

    Returns
    -------
    float
        In [0, 1]; nodes with fewer than two neighbours count as 0.

    References
    ----------
    Watts & Strogatz 1998, doi:10.1038/30918

    Examples
    --------
    >>> clustering(as_graph(1.0 - np.eye(4)))
    1.0
    """
    either = _either_way(graph)
    triangles = np.asarray((either @ either).multiply(either).sum(axis=1)).ravel() / 2
    degree = np.asarray(either.sum(axis=1)).ravel()
    pairs = degree * (degree - 1) / 2
    return float(np.divide(triangles, pairs, out=np.zeros(len(pairs)), where=pairs > 0).mean())


def _either_way(graph: sparse.csr_array) -> sparse.csr_array:
    pattern = sparse.csr_array((np.ones(len(graph.data)), graph.indices, graph.indptr), graph.shape)
    both = sparse.csr_array(pattern + pattern.T)
    both.data[:] = 1
    return both


def degrees(graph: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Give how many edges leave and reach each node.

    Examples
    --------
    >>> out, into = degrees(as_graph(np.array([[0.0, 2.0], [0.0, 0.0]])))
    >>> out.tolist(), into.tolist()
    ([1, 0], [0, 1])
    """
    n = graph.shape[0]
    return np.diff(graph.indptr), np.bincount(graph.indices, minlength=n)


def rich_club(graph: sparse.csr_array, *, quantile: float = RICH_QUANTILE) -> float:
    r"""Density of the connections among the nodes of highest degree.

    .. math:: \phi(k) = \frac{E_{>k}}{N_{>k} (N_{>k} - 1)}

    with k the quantile of the degree (both directions together).

    Returns
    -------
    float
        In [0, 1]; NaN where fewer than two nodes exceed the quantile.

    References
    ----------
    Colizza et al. 2006, doi:10.1038/nphys209; van den Heuvel & Sporns 2011,
    doi:10.1523/JNEUROSCI.3539-11.2011

    Examples
    --------
    A triangle with a tail on each corner: its corners are the club.

    >>> edges = np.zeros((6, 6))
    >>> for a, b in [(0, 1), (1, 2), (2, 0), (0, 3), (1, 4), (2, 5)]:
    ...     edges[a, b] = edges[b, a] = 1
    >>> rich_club(as_graph(edges), quantile=0.4)
    1.0
    """
    in_range(quantile, option="quantile", low=0, high=1)
    degree = np.add(*degrees(graph))
    rich = np.flatnonzero(degree > np.quantile(degree, quantile, method="lower"))
    if len(rich) < 2:
        return float("nan")
    return float(graph[rich][:, rich].nnz / (len(rich) * (len(rich) - 1)))


def modules(graph: sparse.csr_array, *, directed: bool, seed: int = 0) -> tuple[float, np.ndarray]:
    r"""Modularity of the best partition that Louvain's method finds, with weights.

    .. math:: Q = \frac{1}{m} \sum_{ij} \left( w_{ij} - \frac{s_i^{out} s_j^{in}}{m} \right)
              \delta(c_i, c_j)

    Parameters
    ----------
    graph : sparse array
        From `as_graph`.
    directed : bool
        Whether directions count.
    seed : int
        Seed of the order in which nodes are moved.

    Returns
    -------
    modularity : float
        In [-1/2, 1).
    module : array of int, shape (n_nodes,)
        Number of each node's module, the largest module first.

    Raises
    ------
    DataError
        The graph has no edge.

    References
    ----------
    Blondel et al. 2008, doi:10.1088/1742-5468/2008/10/P10008; Leicht & Newman 2008,
    doi:10.1103/PhysRevLett.100.118703

    Examples
    --------
    Two pairs, each connected within alone.

    >>> edges = np.kron(np.eye(2), 1.0 - np.eye(2))
    >>> q, module = modules(as_graph(edges), directed=False)
    >>> q, module.tolist()
    (0.5, [0, 0, 1, 1])
    """
    import networkx as nx

    if graph.nnz == 0:
        raise DataError("A graph without edges has no modules.")
    kind = nx.DiGraph if directed else nx.Graph
    network = nx.from_scipy_sparse_array(graph, create_using=kind)
    parts = nx.community.louvain_communities(network, seed=seed)
    module = np.empty(graph.shape[0], dtype=int)
    for number, part in enumerate(sorted(parts, key=lambda part: (-len(part), min(part)))):
        module[list(part)] = number
    return float(nx.community.modularity(network, parts)), module
