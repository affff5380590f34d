"""Stroke: the published predictions of severity, and masks against the table of volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from neuroai.format.holdings import Holdings
from neuroai.sources.download import fetch_listed
from neuroai.sources.lesions import read_lesion_masks

CLOSE = 1e-5  # solvers of other versions stop elsewhere
LEAST_SHARE = 0.1  # of the rows in which a territory must be damaged


@pytest.fixture(scope="module")
def wide(holdings_of: Callable[[str], Holdings]) -> pd.DataFrame:
    """One row a person, put together by name."""
    (human,) = holdings_of("absher2024").systems
    parts = [
        table.to_dataframe().pivot(index="subject", columns="quantity", values="value")
        for table in human.measures
    ]
    return parts[0].join(parts[1], how="inner")


def left_out(rows: pd.DataFrame, names: Sequence[str]) -> float:
    """Predict each person's severity from all others, and correlate."""
    from sklearn.model_selection import LeaveOneOut, cross_val_predict
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    features = StandardScaler().fit_transform(rows[list(names)].to_numpy())
    severity = rows["NIHSS"].to_numpy()
    predicted = cross_val_predict(SVR(kernel="rbf"), features, severity, cv=LeaveOneOut())
    return float(np.corrcoef(predicted, severity)[0, 1])


@pytest.fixture(scope="module")
def rows(wide: pd.DataFrame) -> pd.DataFrame:
    """The persons of the published analysis, in its order: with a mask, an age and a score."""
    path = "merged_artery_participants.tsv"
    listed = pd.read_csv(fetch_listed("soop_stroke_lesions", [path])[path], sep="\t")
    found = wide.reindex(listed["participant_id"])
    np.testing.assert_array_equal(found["NIHSS"], listed["nihss"])
    np.testing.assert_allclose(found["lesion_volume"], listed["lesion_volume"])
    return found


def test_severity_from_age_and_volume(rows: pd.DataFrame) -> None:
    """Leave one out: r = 0.4785 as published, over 906 persons."""
    assert len(rows) == 906
    assert left_out(rows, ["lesion_volume", "age"]) == pytest.approx(0.4785, abs=5e-5)


def test_severity_from_territories(rows: pd.DataFrame) -> None:
    """With arterial territories: r = 0.55018 as published."""
    names = [name for name in rows.columns if name not in ("NIHSS", "Rankin")]
    kept = [name for name in names if (rows[name] != 0).mean() > LEAST_SHARE]
    assert left_out(rows, kept) == pytest.approx(0.55018, abs=CLOSE)


def test_masks_have_the_published_volumes(wide: pd.DataFrame) -> None:
    """Some masks: as many lesioned voxels of 1 mm as the table says."""
    persons = [f"sub-{number}" for number in (1000, 1001, 1014, 1041, 1049, 1081, 1087, 1127)]
    paths = {name: f"lesions/bwsr{name}_lesion.nii.gz" for name in persons}
    paths = {name: path for name, path in paths.items() if name in wide.index}
    assert len(paths) >= 4
    files = fetch_listed("soop_stroke_lesions", paths.values())
    masks = read_lesion_masks(
        {name: files[path] for name, path in paths.items()}, scores=wide.loc[list(paths), ["NIHSS"]]
    )
    np.testing.assert_array_equal(
        masks.values.sum(axis=1), wide.loc[list(paths), "lesion_volume"].to_numpy()
    )
    assert masks.values.any(axis=0).all()
    np.testing.assert_array_equal(masks["NIHSS"], wide.loc[list(paths), "NIHSS"])
