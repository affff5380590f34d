"""Oddity trials: the published correlations, patients by hand, and layers from pickles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from neuroai.format.holdings import Holdings
from neuroai.sources.download import fetch_listed
from neuroai.sources.sheets import read_sheets

EXACT = 1e-10  # float64 algebra in another order
PRINTED = 5e-3  # half a unit of the second printed digit


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("bonnen2021")


def rows(holdings: Holdings, system: str, number: int) -> pd.DataFrame:
    """Give one measure table of a system."""
    found = next(s for s in holdings.systems if s.name == system)
    return found.measures[number].to_dataframe()


def by_trial(table: pd.DataFrame, column: str, value: str) -> pd.Series:
    """Give accuracies by oddity trial."""
    kept = table[(table[column] == value) & (table["quantity"] == "accuracy")]
    return kept.set_index("stimulus_id")["value"]


@pytest.mark.parametrize(
    ("system", "region", "published"),
    [("monkey", "IT", 0.53), ("monkey", "V4", 0.15), ("vgg16", "fc6", 0.49)],
)
def test_correlations_with_humans(
    system: str, region: str, published: float, holdings: Holdings
) -> None:
    """Over 179 trials, aligned by id: IT and fc6 go with people, V4 hardly does."""
    human = by_trial(rows(holdings, "human", 0), "quantity", "accuracy")
    other = by_trial(rows(holdings, system, 0), "region", region)
    assert set(human.index) == set(other.index)
    assert len(human) == 179
    assert human.corr(other.reindex(human.index)) == pytest.approx(published, abs=PRINTED)


def test_means_over_objects(holdings: Holdings) -> None:
    """Over 32 typical objects: humans 0.84, IT 0.60, V4 0.42, fc6 0.68."""
    typical = holdings.stimuli.table["typical"]
    accuracies = {
        "human": by_trial(rows(holdings, "human", 0), "quantity", "accuracy"),
        "IT": by_trial(rows(holdings, "monkey", 0), "region", "IT"),
        "V4": by_trial(rows(holdings, "monkey", 0), "region", "V4"),
        "fc6": by_trial(rows(holdings, "vgg16", 0), "region", "fc6"),
    }
    means = {name: a.groupby(typical.reindex(a.index)).mean() for name, a in accuracies.items()}
    assert {name: len(mean) for name, mean in means.items()} == dict.fromkeys(means, 32)
    got = [mean.mean() for mean in means.values()]
    assert got == pytest.approx([0.84, 0.60, 0.42, 0.68], abs=PRINTED)


@pytest.mark.parametrize(
    ("study", "intervention", "condition", "n", "mean"),
    [
        ("Lee 2005", "hippocampal damage", "faces", 4, 0.915),
        ("Lee 2005", "medial temporal lobe damage", "faces", 3, 0.623333),
        ("Lee 2005", "medial temporal lobe damage", "scenes, different views", 3, 0.537634),
        ("Lee 2006", "semantic dementia", "faces, different views", 8, 0.635),
        ("Lee 2006", "Alzheimer's disease", "scenes, different views", 7, 0.581429),
    ],
)
def test_patients_have_the_means_of_their_sheets(
    study: str, intervention: str, condition: str, n: int, mean: float, holdings: Holdings
) -> None:
    """The workbooks give the mean of every group below its persons."""
    table = rows(holdings, "human", 1)
    kept = table[
        (table["study"] == study)
        & (table["intervention"] == intervention)
        & (table["condition"] == condition)
    ]
    assert kept["subject"].nunique() == len(kept) == n
    assert kept["value"].mean() == pytest.approx(mean, abs=1e-6)


def test_every_person_of_three_studies(holdings: Holdings) -> None:
    """28, 34 and 14 persons; controls are marked as without a lesion."""
    table = rows(holdings, "human", 1)
    assert table.groupby("study")["subject"].nunique().to_dict() == {
        "Lee 2005": 28, "Lee 2006": 34, "Stark 2000": 14,
    }  # fmt: skip
    controls = table["group"].str.contains("controls")
    assert set(table["intervention"][controls]) == {"none"}
    assert "none" not in set(table["intervention"][~controls])
    assert table["value"].between(0, 1).all()


def test_one_patient_by_hand(holdings: Holdings) -> None:
    """MTL1 got 24 % of the faces, as the cell of the sheet says."""
    path = "retrospective/experiments/lee_2005/Lee_2005_Hippocampus_Expt1.xlsx"
    cells = read_sheets(fetch_listed("bonnen_mtl_lesion", [path])[path])["Sheet1"]
    assert (cells["A12"], cells["G12"]) == ("mtl1", 0.24)
    table = rows(holdings, "human", 1)
    (value,) = table[(table["subject"] == "Lee 2005/MTL1") & (table["condition"] == "faces")][
        "value"
    ]
    assert value == 0.24


def test_layers_come_from_pickles_and_tables(holdings: Holdings) -> None:
    """Seven studies; Lee 2005, faces, conv1_1: 0.4 in the pickle."""
    table = rows(holdings, "vgg16", 2)
    assert set(table["study"]) == {
        "barense_2007", "buffalo_1998", "imhoff_2018", "knutson_2011", "lee_2005", "lee_2006",
        "stark_2000",
    }  # fmt: skip
    (value,) = table[
        (table["study"] == "lee_2005")
        & (table["condition"] == "experiment_one / Faces")
        & (table["region"] == "conv1_1")
    ]["value"]
    assert value == pytest.approx(0.4, abs=EXACT)
    assert table["value"].between(0, 1).all()


def test_repeated_readouts(holdings: Holdings) -> None:
    """8,960 accuracies: five readouts of 224 trials, of IT, V4 and six networks."""
    monkey, network = rows(holdings, "monkey", 1), rows(holdings, "vgg16", 1)
    assert (len(monkey), len(network)) == (2240, 6720)
    assert monkey.groupby("region")["value"].mean().to_dict() == pytest.approx(
        {"IT": 0.609545, "V4": 0.428080}, abs=1e-6
    )
    assert network.groupby(["training", "condition"]).size().to_dict() == {
        (training, images): 1120
        for training in ("imagenet", "untrained", "vggface")
        for images in ("foveated", "original")
    }
    assert set(np.unique(network["stimulus_id"])) == set(holdings.stimuli.ids)
