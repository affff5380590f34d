"""Connectomes: matrices with names, and lists of edges, into one labelled matrix."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from neuroai.checks import listing, no_duplicates
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.format.build import connectome

SYMMETRIC = 1e-6  # relative; text files keep about seven digits


def named_matrix(
    weights: np.ndarray,
    *,
    names: Sequence[str],
    system: str,
    directed: bool,
    weight_meaning: str,
    kind: str = "brain",
    note: str = "",
) -> xr.DataArray:
    """Label a square matrix of weights by the names of its nodes.

    Parameters
    ----------
    weights : array, shape (n_nodes, n_nodes)
        From the node of the row to that of the column.
    names : sequence of str, length n_nodes
        Unique names, in the order of the matrix.
    directed : bool
        Whether the direction counts; if not, the matrix must be symmetric.
    weight_meaning : str
        What a weight is.

    Returns
    -------
    xarray.DataArray
        Form ``connectome``, float64.

    Raises
    ------
    AlignmentError
        There are not as many names as rows and columns, or a name occurs twice.
    DataError
        A weight is not finite, or an undirected matrix is not symmetric.

    Examples
    --------
    >>> m = named_matrix([[0, 2], [2, 0]], names=["a", "b"], system="toy", directed=False,
    ...                  weight_meaning="synapses")
    >>> float(m.sel(unit=m.unit_id == "a", unit_to=m.unit_id_to == "b").item())
    2.0
    """
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (len(names), len(names)):
        raise AlignmentError(
            f"{len(names)} names need a matrix of {len(names)} x {len(names)}; got the shape "
            f"{values.shape}."
        )
    no_duplicates(names, where="the names of the nodes")
    if not np.isfinite(values).all():
        raise DataError(
            f"{int((~np.isfinite(values)).sum())} weights are not finite. Where no connection was "
            "found the weight is 0; nodes that were not measured are left out."
        )
    if not directed and not np.allclose(values, values.T, rtol=SYMMETRIC, atol=SYMMETRIC):
        row, column = np.unravel_index(np.abs(values - values.T).argmax(), values.shape)
        raise DataError(
            f"The matrix is not symmetric: '{names[row]}' to '{names[column]}' is "
            f"{values[row, column]:g}, back it is {values[column, row]:g}. Say directed=True."
        )
    built = connectome(
        values,
        unit_id=list(names),
        system=system,
        kind=kind,
        directed=directed,
        weight_meaning=weight_meaning,
    )
    return built.assign_attrs(note=note) if note else built


def edge_matrix(
    source: Sequence[str],
    target: Sequence[str],
    weight: Sequence[float],
    *,
    system: str,
    directed: bool,
    weight_meaning: str,
    nodes: Sequence[str] = (),
    kind: str = "brain",
    note: str = "",
) -> xr.DataArray:
    """Make a labelled matrix of a list of edges, by name.

    An undirected edge stands for both directions; listed both ways it must have one weight.

    Parameters
    ----------
    source, target : sequence of str
        Names of the nodes of each edge.
    weight : sequence of float
        Weight of each edge; no edge is 0.
    nodes : sequence of str, optional
        All nodes, such as those without an edge; by default those that edges name, sorted.

    Returns
    -------
    xarray.DataArray
        Form ``connectome``.

    Raises
    ------
    AlignmentError
        An edge is listed twice, or names a node that is not among `nodes`.
    DataError
        Two directions of an undirected edge differ.

    Examples
    --------
    >>> edge_matrix(["a"], ["b"], [3], system="toy", directed=True,
    ...             weight_meaning="synapses").values.tolist()
    [[0.0, 3.0], [0.0, 0.0]]
    """
    names = list(nodes) or sorted({*source, *target})
    place = {name: number for number, name in enumerate(names)}
    strange = sorted({*source, *target} - set(place))
    if strange:
        raise AlignmentError(f"Edges name nodes that are not listed: {listing(strange)}.")
    no_duplicates(list(zip(source, target, strict=True)), where="the list of edges")
    values = np.zeros((len(names), len(names)))
    rows, columns = [place[name] for name in source], [place[name] for name in target]
    values[rows, columns] = weight
    if not directed:
        values = np.where(values == 0, values.T, values)
    return named_matrix(
        values,
        names=names,
        system=system,
        directed=directed,
        weight_meaning=weight_meaning,
        kind=kind,
        note=note,
    )


def read_matrix(
    path: str | Path,
    *,
    labels: str | Path,
    system: str,
    directed: bool,
    weight_meaning: str,
    kind: str = "brain",
    note: str = "",
) -> xr.DataArray:
    """Read a matrix of numbers and, from a second file, the names of its nodes.

    Parameters
    ----------
    path : str or pathlib.Path
        Comma-separated numbers, one row a line, without a header.
    labels : str or pathlib.Path
        Comma- or line-separated names.

    Returns
    -------
    xarray.DataArray
        Form ``connectome``.

    Raises
    ------
    DataError
        An entry is no number, or rows differ in length.
    AlignmentError
        There are not as many names as rows.
    """
    names = [name.strip() for row in _rows(labels) for name in row if name.strip()]
    try:
        weights = np.array([[float(entry) for entry in row] for row in _rows(path)])
    except ValueError as error:
        raise DataError(f"{path} is no rectangle of numbers ({error}).") from error
    return named_matrix(
        weights,
        names=names,
        system=system,
        directed=directed,
        weight_meaning=weight_meaning,
        kind=kind,
        note=note,
    )


def _rows(path: str | Path) -> list[list[str]]:
    if not Path(path).is_file():
        raise UsageError(f"There is no file {path}.")
    with Path(path).open(encoding="utf-8-sig", newline="") as handle:
        return [row for row in csv.reader(handle) if row]
