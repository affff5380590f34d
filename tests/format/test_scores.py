"""A score has a value exactly when its status is ok, and its table the columns users rely on."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import xarray as xr

from neuroai.errors import FormatError, UsageError
from neuroai.format.scores import SCORE_COLUMNS, Score, score_dataset, score_table

COLUMNS = (
    "level analysis metric dataset stimulus_set brain_region model model_region candidate_kind "
    "intervention dose seed value ci_low ci_high ceiling_low ceiling_high p null n_null resampled "
    "n_stimuli n_brain_subjects n_model_subjects n_undefined selected status benchmark_version note"
).split()


def score(**changes: object) -> Score:
    """Make a score of 0.5 with changes."""
    facts = {
        "level": "algorithm", "analysis": "rdm", "metric": "rdm-spearman", "dataset": "d",
        "stimulus_set": "d", "brain_region": "IT", "model": "m", "model_region": "l", "value": 0.5,
    }  # fmt: skip
    return Score(**{**facts, **changes})


def pairs(*dims: str) -> xr.DataArray:
    """Make values of two subjects and two seeds, laid out along these dims."""
    coords = {"subject": ["p1", "p2"], "model_subject": ["seed0", "seed1"]}
    values = xr.DataArray([[1.0, 2.0], [3.0, np.nan]], dims=list(coords), coords=coords)
    return values.transpose(*dims)


def test_columns_are_those_of_the_table() -> None:
    """Names and order of the columns are what users of scores.csv rely on."""
    assert list(SCORE_COLUMNS) == COLUMNS == list(score_table([]).columns)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_ok_needs_a_finite_value(value: float) -> None:
    """NaN and infinity are not scores."""
    with pytest.raises(FormatError, match="a value is finite exactly when the status is ok"):
        score(value=value)


@pytest.mark.parametrize("status", ["undefined", "not_measurable"])
def test_without_status_ok_there_is_no_value_but_a_reason(status: str) -> None:
    """What is undefined or not measurable has a note and never a number, 0 included."""
    assert math.isnan(score(status=status, value=math.nan, note="flat").value)
    with pytest.raises(FormatError, match=f"status '{status}' has value 0.0"):
        score(status=status, value=0.0, note="flat")
    with pytest.raises(FormatError, match=f"status '{status}' needs a note that says why"):
        score(status=status, value=math.nan)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": "algorithmic"}, "level must be one of .* Did you mean 'algorithm'"),
        ({"candidate_kind": "network"}, "candidate_kind must be one of 'model', 'untrained'"),
        ({"status": "fine"}, "status must be one of 'ok', 'undefined', 'not_measurable'"),
    ],
)
def test_unknown_words_are_refused(change: dict, message: str) -> None:
    """Levels, kinds and statuses are from fixed lists."""
    with pytest.raises(UsageError, match=message):
        score(**change)


def test_table_has_one_row_a_score() -> None:
    """Rows keep their order and their types."""
    lost = score(metric="cka", status="undefined", value=math.nan, note="flat")
    table = score_table([score(selected=True, n_stimuli=92), lost])
    assert table["metric"].tolist() == ["rdm-spearman", "cka"]
    assert table["value"].isna().tolist() == [False, True]
    assert table.loc[0, "selected"] and table.loc[0, "n_stimuli"] == 92


def test_dataset_holds_columns_history_and_types() -> None:
    """Every column is a variable of plain numbers or text; options come as JSON."""
    data = score_dataset([score(history={"distance": "correlation", "n": 3}), score(selected=True)])
    assert set(SCORE_COLUMNS) <= set(data.data_vars) and data.sizes == {"score": 2, "pair": 0}
    assert json.loads(data["history"].values[0]) == {"distance": "correlation", "n": 3}
    assert data["selected"].values.tolist() == [0, 1]
    assert {data[name].dtype.kind for name in SCORE_COLUMNS} == {"f", "i", "O"}
    assert data.attrs["format"] == "scores"


@pytest.mark.parametrize("dims", [("subject", "model_subject"), ("model_subject", "subject")])
def test_pairs_keep_their_subjects_in_any_layout(dims: tuple[str, str]) -> None:
    """Each value stands with its score, its subject and its seed, not with its place."""
    data = score_dataset([score(), score(pairs=pairs(*dims))])
    found = {
        (int(index), str(subject), str(seed)): float(value)
        for index, subject, seed, value in zip(
            data["pair_score"].values, data["pair_subject"].values,
            data["pair_model_subject"].values, data["pair_value"].values, strict=True,
        )
    }  # fmt: skip
    assert np.isnan(found.pop((1, "p2", "seed1")))
    assert found == {(1, "p1", "seed0"): 1.0, (1, "p1", "seed1"): 2.0, (1, "p2", "seed0"): 3.0}


def test_no_scores_make_an_empty_dataset() -> None:
    """An empty comparison has the same variables and no entries."""
    assert score_dataset([]).sizes == {"score": 0, "pair": 0}
