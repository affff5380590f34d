"""Wiring: how a connectome, or a network's weights, differ from random graphs of its degrees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.cards import AnalysisCard
from neuroai.checks import in_range, listing
from neuroai.errors import DataError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import UNIT_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.graph import as_graph, degrees, strongest
from neuroai.numerics.rewire import MEASURES, Wiring, wiring_measures
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded, chosen_names
from neuroai.systems.model import Model
from neuroai.systems.weight_graph import weight_graph

WEIGHTS = "weights"
# Layers connect all with all; only the strongest leave anything to rewire.
LAYER_DENSITY = 0.2

CARD = AnalysisCard(
    name="wiring",
    level="implementation",
    question="How modular, efficient and clustered is the wiring, beside random graphs?",
    form="table",
    defined_on="connectomes; networks of linear and convolution layers",
    citation="Rubinov & Sporns 2010, doi:10.1016/j.neuroimage.2009.10.003",
)


@dataclass(frozen=True)
class _Graph:
    """One matrix of weights, ready to be measured."""

    subject: str
    region: str
    weights: np.ndarray
    directed: bool
    layer: np.ndarray | None
    n_negative: int = 0


def wiring(
    system: System,
    *,
    stimuli: StimulusSet | None = None,
    regions: Sequence[str] | None = None,
    density: float | None = None,
    n_nulls: int = 20,
    n_swaps: int = 10,
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Measure a wiring beside graphs in which pairs of edges exchanged their ends.

    Of a network, nodes are feature maps and a weight is the L2 norm of a kernel; nulls exchange
    edges only between the same two layers. Modularity is weighted; the other measures ask only
    whether there is an edge.

    .. math:: z = (m - \bar m_{null}) / s_{null}

    Parameters
    ----------
    system : System
        A brain with connectomes, or a network.
    stimuli : StimulusSet, optional
        One of them is shown to a network, to see which layer feeds which.
    regions : sequence of str, optional
        Of a brain the names or globs of connectomes (their notes); of a network layers, and
        ``input``.
    density : float, optional
        Share of the possible edges that are kept, strongest first, in (0, 1]; of a network,
        between each two layers. All edges of a brain, and 0.2 for a network, by default.
    n_nulls : int
        Random graphs, at least 2.
    n_swaps : int
        Attempted exchanges for each edge.
    seed : int
        Seed of the nulls and of the search for modules.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table`` by subject, region and ``measure`` (modularity, efficiency, clustering,
        small_world, rich_club): ``value``, ``null_mean``, ``null_sd``, ``z`` and two-sided ``p``;
        ``n_nodes``, ``n_edges``, ``density``, ``largest_degree`` and ``changed`` (share of edges
        that nulls moved) by subject and region. Measures that are defined nowhere are left out and
        named in the notes.

    Raises
    ------
    UnknownName
        No such connectome or layer.
    UsageError
        The density or a number is out of range.

    References
    ----------
    Rubinov & Sporns 2010, doi:10.1016/j.neuroimage.2009.10.003; Maslov & Sneppen 2002,
    doi:10.1126/science.1065103

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> wiring(toy_brain()).reason
    "no connectome of 'toy' was measured"
    """
    if density is not None:
        in_range(density, option="density", low=0, high=1, low_open=True)
    graphs = _graphs(system, stimuli=stimuli, regions=regions, density=density)
    if isinstance(graphs, NotMeasurable):
        return graphs
    found: dict[tuple[str, str], tuple[Wiring | None, dict[str, float]]] = {}
    notes, n_negative = [], 0
    for graph in graphs:
        if isinstance(graph, NotMeasurable):
            return graph
        n_negative += graph.n_negative
        sparse = as_graph(graph.weights)
        facts = _facts(sparse)
        try:
            measured = wiring_measures(
                sparse, directed=graph.directed, layer=graph.layer, n_nulls=n_nulls,
                n_swaps=n_swaps, seed=seed,
            )  # fmt: skip
        except DataError as error:
            notes.append(f"{graph.region}: {error}")
            measured = None
        found[graph.subject, graph.region] = (measured, facts)
    if all(measured is None for measured, _ in found.values()):
        return NotMeasurable(f"no graph of '{system.name}' could be rewired: {notes[0]}")
    parameters = {"density": density, "n_nulls": n_nulls, "n_swaps": n_swaps, "seed": seed}
    return _answer(system, found, notes, n_negative, parameters)


def _graphs(
    system: System,
    *,
    stimuli: StimulusSet | None,
    regions: Sequence[str] | None,
    density: float | None,
) -> Iterator[_Graph | NotMeasurable] | NotMeasurable:
    if isinstance(system, Model):
        if stimuli is None or not stimuli.available:
            return NotMeasurable(
                "to see which layer feeds which a network is shown one stimulus; none is at hand"
            )
        return _of_network(system, stimuli, regions, density)
    if isinstance(system, Recorded) and system.data.connectomes:
        return _of_brain(system, regions, density)
    return NotMeasurable(f"no connectome of '{system.name}' was measured")


def _of_network(
    model: Model, stimuli: StimulusSet, regions: Sequence[str] | None, density: float | None
) -> Iterator[_Graph | NotMeasurable]:
    example = model.preprocess(stimuli.load(stimuli.available[0]))
    for subject in model.subjects:
        graph = weight_graph(model, example, subject=subject, layers=regions)
        if isinstance(graph, NotMeasurable):
            yield graph
            return
        names = np.array([str(unit).rpartition("/")[0] for unit in graph[UNIT_ID].values])
        order = list(dict.fromkeys(names))
        layer = np.array([order.index(name) for name in names])
        weights = graph.values.copy()
        for source in range(len(order)):
            for target in range(len(order)):
                part = np.ix_(layer == source, layer == target)
                if weights[part].any():
                    weights[part] = strongest(weights[part], density=density or LAYER_DENSITY)
        yield _Graph(subject, WEIGHTS, weights, directed=True, layer=layer)


def _of_brain(
    brain: Recorded, regions: Sequence[str] | None, density: float | None
) -> Iterator[_Graph]:
    matrices = brain.data.connectomes
    names = [str(m.attrs.get("note") or f"connectome {i}") for i, m in enumerate(matrices)]
    chosen = chosen_names(names, regions, kind=f"connectome of '{brain.name}'")
    for name, matrix in zip(names, matrices, strict=True):
        if name not in chosen:
            continue
        values = np.nan_to_num(matrix.values.astype(np.float64), nan=0.0)
        directed = bool(matrix.attrs["directed"])
        weights = np.maximum(values, 0)
        np.fill_diagonal(weights, 0)
        if density is not None:
            weights = _thinned(weights, density, directed=directed)
        yield _Graph(
            "group",
            name,
            weights,
            directed=directed,
            layer=None,
            n_negative=int((values < 0).sum()),
        )


def _thinned(weights: np.ndarray, density: float, *, directed: bool) -> np.ndarray:
    """Keep the strongest share of pairs; both directions of an undirected edge stay together."""
    n = len(weights)
    apart = ~np.eye(n, dtype=bool) if directed else np.triu(np.ones((n, n), dtype=bool), k=1)
    kept = np.zeros_like(weights)
    kept[apart] = strongest(weights[apart][None], density=density)[0]
    return kept if directed else kept + kept.T


def _facts(graph) -> dict[str, float]:
    n = graph.shape[0]
    return {
        "n_nodes": float(n),
        "n_edges": float(graph.nnz),
        "density": graph.nnz / (n * (n - 1)),
        "largest_degree": float(np.add(*degrees(graph)).max()),
    }


def _answer(
    system: System,
    found: dict[tuple[str, str], tuple[Wiring | None, dict[str, float]]],
    notes: list[str],
    n_negative: int,
    parameters: dict[str, object],
) -> Answer:
    subjects = list(dict.fromkeys(subject for subject, _ in found))
    regions = list(dict.fromkeys(region for _, region in found))
    shape = (len(subjects), len(regions))
    per_measure = {
        k: np.full((*shape, len(MEASURES)), np.nan)
        for k in ("value", "null_mean", "null_sd", "z", "p")
    }
    per_graph: dict[str, np.ndarray] = {}
    for (subject, region), (measured, facts) in found.items():
        at = subjects.index(subject), regions.index(region)
        facts = facts | ({} if measured is None else {"changed": measured.changed})
        for name, value in facts.items():
            per_graph.setdefault(name, np.full(shape, np.nan))[at] = value
        if measured is not None:
            null = measured.null
            rows = (measured.observed, null.mean(axis=0), null.std(axis=0, ddof=1),
                    measured.z, measured.p)  # fmt: skip
            for values, row in zip(per_measure.values(), rows, strict=True):
                values[at] = row
    defined = np.isfinite(per_measure["z"]).any(axis=(0, 1))
    absent = [name for name, there in zip(MEASURES, defined, strict=True) if not there]
    if absent:
        notes = [*notes, f"not defined, or the same in every null: {listing(absent)}"]
    dims = ("subject", "region")
    data = xr.Dataset(
        {k: ((*dims, "measure"), v[:, :, defined]) for k, v in per_measure.items()}
        | {k: (dims, v) for k, v in per_graph.items()},
        coords={
            "subject": np.array(subjects, dtype=object),
            "region": np.array(regions, dtype=object),
            "measure": np.array(MEASURES, dtype=object)[defined],
        },
    )
    return Answer(
        form="table",
        data=data,
        question=CARD.name,
        parameters=parameters,
        system=system.name,
        kind=system.kind,
        stimulus_set="",
        notes=tuple(dict.fromkeys(notes)),
        undefined={
            "graphs that cannot be rewired": sum(m is None for m, _ in found.values()),
            "measures without a z": int(np.isnan(per_measure["z"]).sum()),
            "negative weights left out": n_negative,
        },
    )
