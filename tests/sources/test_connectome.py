"""Matrices and edges by name; what does not fit is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neuroai.errors import AlignmentError, DataError
from neuroai.sources.connectome import edge_matrix, named_matrix, read_matrix

FACTS: dict[str, Any] = {"system": "toy", "weight_meaning": "synapses"}


def test_edges_by_hand() -> None:
    """A directed edge fills one cell, an undirected edge two; a node without edges stays."""
    one = edge_matrix(["a"], ["b"], [3], nodes=["a", "b", "c"], directed=True, **FACTS)
    assert one.values.tolist() == [[0, 3, 0], [0, 0, 0], [0, 0, 0]]
    both = edge_matrix(["a"], ["b"], [3], directed=False, **FACTS)
    assert both.values.tolist() == [[0, 3], [3, 0]]


def test_edges_that_contradict_are_refused() -> None:
    """Two weights of one edge, an edge listed twice, and unknown nodes."""
    with pytest.raises(DataError, match="'a' to 'b' is 3, back it is 4"):
        edge_matrix(["a", "b"], ["b", "a"], [3, 4], directed=False, **FACTS)
    with pytest.raises(AlignmentError, match="occur more than once in the list of edges"):
        edge_matrix(["a", "a"], ["b", "b"], [3, 3], directed=True, **FACTS)
    with pytest.raises(AlignmentError, match="nodes that are not listed: b"):
        edge_matrix(["a"], ["b"], [3], nodes=["a"], directed=True, **FACTS)


def test_matrices_must_fit_their_names() -> None:
    """The shape, unique names and finite weights."""
    with pytest.raises(AlignmentError, match="2 names need a matrix of 2 x 2"):
        named_matrix([[0.0]], names=["a", "b"], directed=True, **FACTS)
    with pytest.raises(AlignmentError, match="occur more than once"):
        named_matrix([[0, 1], [1, 0]], names=["a", "a"], directed=True, **FACTS)
    with pytest.raises(DataError, match="1 weights are not finite"):
        named_matrix([[0, float("nan")], [1, 0]], names=["a", "b"], directed=True, **FACTS)


def test_files_by_hand(tmp_path: Path) -> None:
    """Numbers in one file, names in another; text among numbers is an error."""
    (tmp_path / "m.csv").write_text("0,1.5\n2,0\n", encoding="utf-8")
    (tmp_path / "l.csv").write_text("V1,V2\n", encoding="utf-8")
    found = read_matrix(tmp_path / "m.csv", labels=tmp_path / "l.csv", directed=True, **FACTS)
    assert found["unit_id"].values.tolist() == ["V1", "V2"]
    assert found.values.tolist() == [[0, 1.5], [2, 0]]
    with pytest.raises(DataError, match="is no rectangle of numbers"):
        read_matrix(tmp_path / "l.csv", labels=tmp_path / "l.csv", directed=True, **FACTS)
