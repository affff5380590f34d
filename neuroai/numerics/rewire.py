"""Random graphs of the same degrees, and what a graph's measures are beside theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from neuroai.errors import DataError, UsageError
from neuroai.numerics.graph import clustering, efficiency, modules, rich_club

MEASURES = ("modularity", "efficiency", "clustering", "small_world", "rich_club")
SWAPS_PER_EDGE = 10
LEAST_CHANGED = 0.05


@dataclass(frozen=True)
class Wiring:
    """Measures of a graph beside those of rewired ones.

    Attributes
    ----------
    observed : array, shape (n_measures,)
        In the order of ``MEASURES``; NaN where a measure is not defined.
    null : array, shape (n_nulls, n_measures)
        The same of every rewired graph.
    changed : float
        Share of the edges that the average null does not share with the graph, in [0, 1].
    """

    observed: np.ndarray
    null: np.ndarray
    changed: float

    @property
    def z(self) -> np.ndarray:
        """Distance from the nulls' mean in their SD; NaN where they do not vary."""
        spread = self.null.std(axis=0, ddof=1)
        varies = ~(self.null == self.null[:1]).all(axis=0)
        gap = self.observed - self.null.mean(axis=0)
        return np.divide(gap, spread, out=np.full(len(gap), np.nan), where=varies)

    @property
    def p(self) -> np.ndarray:
        """Two-sided: twice the smaller of the two one-sided shares, each with (1 + n) below."""
        n = len(self.null)
        above = (1 + (self.null >= self.observed).sum(axis=0)) / (1 + n)
        below = (1 + (self.null <= self.observed).sum(axis=0)) / (1 + n)
        return np.where(
            np.isnan(self.observed), np.nan, np.minimum(1, 2 * np.minimum(above, below))
        )


def rewired(
    graph: sparse.csr_array,
    *,
    directed: bool,
    layer: np.ndarray | None = None,
    n_swaps: int = SWAPS_PER_EDGE,
    seed: int = 0,
) -> sparse.csr_array:
    """Exchange the ends of random pairs of edges, so that every degree stays as it is.

    An edge a to b and an edge c to d become a to d and c to b, unless one of these exists or
    would lead to its own start. A weight stays with the start of its edge.

    Parameters
    ----------
    graph : sparse array, shape (n_nodes, n_nodes)
        From `neuroai.numerics.graph.as_graph`.
    directed : bool
        If not, the graph must be symmetric and stays so.
    layer : array of int, shape (n_nodes,), optional
        Edges are exchanged only between the same two layers.
    n_swaps : int
        Attempts for each edge, at least 1.
    seed : int
        Seed of the choice.

    Returns
    -------
    sparse array

    Raises
    ------
    UsageError
        `n_swaps` is below 1.
    DataError
        An undirected graph is not symmetric.

    References
    ----------
    Maslov & Sneppen 2002, doi:10.1126/science.1065103

    Examples
    --------
    >>> from neuroai.numerics.graph import as_graph, degrees
    >>> ring = as_graph(np.roll(np.eye(8), 1, axis=1))
    >>> out, into = degrees(rewired(ring, directed=True))
    >>> out.tolist() == into.tolist() == [1] * 8
    True
    """
    if n_swaps < 1:
        raise UsageError(f"n_swaps must be 1 or more; got {n_swaps}.")
    edges = sparse.coo_array(graph if directed else sparse.triu(graph))
    if not directed and abs(graph - graph.T).max() > 0:
        raise DataError("An undirected graph must be symmetric; say directed=True.")
    start, end = edges.row.astype(int).tolist(), edges.col.astype(int).tolist()
    rng = np.random.default_rng(seed)
    for group in _groups(np.array(start), np.array(end), layer):
        _swap(start, end, group, rng, n_swaps, directed=directed, layered=layer is not None)
    new = sparse.coo_array((edges.data, (start, end)), shape=graph.shape)
    return sparse.csr_array(new if directed else new + new.T)


def _groups(start: np.ndarray, end: np.ndarray, layer: np.ndarray | None) -> list[np.ndarray]:
    """Give the numbers of the edges between the same two layers."""
    if layer is None or not len(start):
        return [np.arange(len(start))]
    layer = np.asarray(layer)
    pair = layer[start] * (layer.max() + 1) + layer[end]
    return [np.flatnonzero(pair == one) for one in np.unique(pair)]


def _swap(
    start: list[int],
    end: list[int],
    group: np.ndarray,
    rng: np.random.Generator,
    n_swaps: int,
    *,
    directed: bool,
    layered: bool,
) -> None:
    """Exchange ends within a group of edges, in place."""
    if len(group) < 2:
        return

    def key(a: int, b: int) -> tuple[int, int]:
        return (a, b) if directed or a < b else (b, a)

    there = {key(start[e], end[e]) for e in group}
    draws = rng.integers(0, len(group), (n_swaps * len(group), 2))
    flips = rng.random(len(draws)) < 0.5
    for (one, other), flip in zip(group[draws].tolist(), flips.tolist(), strict=True):
        if not directed and not layered and flip:
            # An undirected edge has no first end: either may be exchanged.
            start[other], end[other] = end[other], start[other]
        a, b, c, d = start[one], end[one], start[other], end[other]
        new, also = key(a, d), key(c, b)
        if a == d or c == b or new in there or also in there:
            continue
        there -= {key(a, b), key(c, d)}
        there |= {new, also}
        end[one], end[other] = d, b


def wiring_measures(
    graph: sparse.csr_array,
    *,
    directed: bool,
    layer: np.ndarray | None = None,
    n_nulls: int = 100,
    n_swaps: int = SWAPS_PER_EDGE,
    seed: int = 0,
) -> Wiring:
    r"""Set modularity, efficiency, clustering, small-worldness and rich club beside random graphs.

    .. math:: \sigma = \frac{C / \langle C_{null} \rangle}{L / \langle L_{null} \rangle},
              \qquad L = 1 / E

    with the harmonic path length L, which is finite in graphs that fall apart.

    Parameters
    ----------
    graph, directed, layer, n_swaps
        As for `rewired`.
    n_nulls : int
        Rewired graphs, at least 2.
    seed : int
        Seed of the nulls and of the search for modules.

    Returns
    -------
    Wiring
        ``small_world`` is NaN where graph or nulls have no triangle, as in networks of layers
        without shortcuts.

    Raises
    ------
    UsageError
        Fewer than two nulls.
    DataError
        Hardly an edge can be exchanged, so that no null differs from the graph.

    References
    ----------
    Rubinov & Sporns 2010, doi:10.1016/j.neuroimage.2009.10.003; Humphries & Gurney 2008,
    doi:10.1371/journal.pone.0002051
    """
    if n_nulls < 2:
        raise UsageError(f"n_nulls must be 2 or more; got {n_nulls}.")
    observed = _measures(graph, directed=directed, seed=seed)
    null, changed = [], []
    pattern = graph.astype(bool)
    for number in range(n_nulls):
        other = rewired(graph, directed=directed, layer=layer, n_swaps=n_swaps, seed=seed + number)
        changed.append(1 - pattern.multiply(other.astype(bool)).nnz / max(1, graph.nnz))
        null.append(_measures(other, directed=directed, seed=seed))
    if np.mean(changed) < LEAST_CHANGED:
        raise DataError(
            f"Rewiring moves {np.mean(changed):.1%} of the edges: the graph is too dense, or its "
            "degrees leave no other. Keep the strongest edges alone (density=...)."
        )
    values, nulls = np.array(observed), np.array(null)
    mean = nulls[:, 1:3].mean(axis=0)
    if (mean > 0).all():
        values[3] = (values[2] / mean[1]) * (values[1] / mean[0])
        nulls[:, 3] = (nulls[:, 2] / mean[1]) * (nulls[:, 1] / mean[0])
    return Wiring(values, nulls, float(np.mean(changed)))


def _measures(graph: sparse.csr_array, *, directed: bool, seed: int) -> list[float]:
    q, _ = modules(graph, directed=directed, seed=seed)
    # The place of small_world is filled once the nulls are known.
    return [q, efficiency(graph, seed=seed), clustering(graph), float("nan"), rich_club(graph)]
