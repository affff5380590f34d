"""Connectomes: published counts of edges, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from neuroai.format.holdings import Holdings
from neuroai.format.validate import validate

PRINTED = 5e-3  # half a unit of the second printed digit


@pytest.fixture(scope="module")
def matrices(holdings_of: Callable[[str], Holdings]) -> dict[tuple[str, str], xr.DataArray]:
    """Give every matrix by system and note."""
    found = holdings_of("connectomes").systems
    return {(s.name, m.attrs["note"]): validate(m) for s in found for m in s.connectomes}


@pytest.mark.parametrize(
    ("system", "note", "nodes", "edges"),
    [
        ("macaque", "fve30", 30, 311), ("macaque", "fve32", 32, 315),
        ("macaque", "macaque47", 47, 505), ("macaque", "macaque71", 71, 746),
        ("cat", "cat", 52, 818),
    ],
)  # fmt: skip
def test_edges_are_as_documented(
    system: str, note: str, nodes: int, edges: int, matrices: dict[tuple[str, str], xr.DataArray]
) -> None:
    """The counts that the toolbox's documentation gives."""
    found = matrices[system, note]
    assert found.shape == (nodes, nodes)
    assert int((found.values != 0).sum()) == edges
    assert found.attrs["directed"] == 1


def test_worm_of_white(matrices: dict[tuple[str, str], xr.DataArray]) -> None:
    """2,386 chemical edges of 7,943 synapses among 309 names; 575 gap junctions go both ways."""
    chemical = matrices["worm", "chemical, adult and L4 (White 1986)"]
    assert chemical.shape == (309, 309)
    assert (int((chemical.values > 0).sum()), chemical.values.sum()) == (2386, 7943)
    row = chemical.isel(unit=chemical["unit_id"].values == "ADAL")
    assert row.isel(unit_to=row["unit_id_to"].values == "AIBL").item() == 1
    electrical = matrices["worm", "electrical, adult and L4 (White 1986)"]
    np.testing.assert_array_equal(electrical.values, electrical.values.T)
    assert int((np.triu(electrical.values) != 0).sum()) == 575


def test_structure_goes_with_function(matrices: dict[tuple[str, str], xr.DataArray]) -> None:
    """68 regions of the human cortex: r = 0.40 between structural and functional weights."""
    structural, functional = (
        matrices["human", f"{kind}, DK-68"] for kind in ("structural", "functional")
    )
    assert list(structural["unit_id"].values) == list(functional["unit_id"].values)
    pairs = np.triu_indices(68, 1)
    r = np.corrcoef(structural.values[pairs], functional.values[pairs])[0, 1]
    assert r == pytest.approx(0.40, abs=PRINTED)
