"""Perturbations of face cortex: the published effects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neuroai.format.holdings import Holdings

PRINTED_2, PRINTED_3 = 5e-3, 5e-4  # half a unit of the second and third printed digit


@pytest.fixture(scope="module")
def tables(holdings_of: Callable[[str], Holdings]) -> dict[str, pd.DataFrame]:
    """Give every measure table by its note."""
    (monkey,) = holdings_of("afraz2015").systems
    return {table.attrs["note"]: table.to_dataframe() for table in monkey.measures}


def paired(tables: dict[str, pd.DataFrame], site: str, field: str) -> pd.DataFrame:
    """Pair the sessions with light and without, by name."""
    table = next(t for note, t in tables.items() if note.startswith("Afraz 2015"))
    kept = table[
        (table["method"] == "optogenetic silencing")
        & (table["site"] == site)
        & (table["condition"] == field)
    ]
    return kept.pivot(index="session", columns="intervention", values="value")


def test_silencing_face_cortex(tables: dict[str, pd.DataFrame]) -> None:
    """Opposite field: d' from 2.22 to 2.02, p = 7e-5, 14 sessions; elsewhere no effect."""
    pairs = paired(tables, "face", "contra")
    before, after = pairs["none"], pairs["optogenetic silencing"]
    assert len(pairs) == 14
    assert (before.mean(), after.mean()) == pytest.approx((2.22, 2.02), abs=PRINTED_2)
    assert stats.ttest_rel(before, after).pvalue == pytest.approx(7e-5, abs=5e-6)
    for site, field in (("face", "ipsi"), ("nonface", "ipsi"), ("nonface", "contra")):
        others = paired(tables, site, field)
        assert stats.ttest_rel(*others.to_numpy().T).pvalue > 0.05


def test_figures_correlate_as_published(tables: dict[str, pd.DataFrame]) -> None:
    """Figure 3C r = -0.464 over 38 sites; stimulation of 2006 r = 0.55 over 86."""
    sites = tables["afraz2015/fig3C"]
    assert len(sites) == 38
    assert sites["face_detection_index_dprime"].corr(sites["value"]) == pytest.approx(
        -0.464, abs=PRINTED_3
    )
    earlier = tables["afraz2006/100-150ms"]
    assert len(earlier) == 86
    assert earlier["face_selectivity"].corr(earlier["value"]) == pytest.approx(0.55, abs=PRINTED_2)


@pytest.mark.parametrize(
    ("site", "before", "after"),
    [("within_facepatch", 0.872, 0.144), ("outside_facepatch", 0.905, 0.857)],
)
def test_stimulation_makes_faces_differ(
    site: str, before: float, after: float, tables: dict[str, pd.DataFrame]
) -> None:
    """Same faces called the same, pooled over monkeys by the number of trials."""
    table = next(t for note, t in tables.items() if note.startswith("Moeller 2017"))
    kept = table[
        (table["stimulus_class"] == "Faces")
        & (table["site"] == site)
        & (table["condition"] == "same")
    ]
    pooled = {
        name: np.average(rows["value"], weights=rows["n"])
        for name, rows in kept.groupby("intervention")
    }
    got = (pooled["none"], pooled["microstimulation 300 uA"])
    assert got == pytest.approx((before, after), abs=PRINTED_3)


def test_digitised_numbers_say_so(tables: dict[str, pd.DataFrame]) -> None:
    """Twelve tables; all but the sessions and the counts were read off figures."""
    origins = {note: set(table["provenance"]) for note, table in tables.items()}
    assert len(origins) == 12
    assert [note[:4] for note, found in origins.items() if found == {"derived"}] == ["Afra", "Moel"]
