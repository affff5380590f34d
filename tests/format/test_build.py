"""Building: columns get the types of the schema, missing values their own, errors a name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.errors import AlignmentError, FormatError
from neuroai.format import build
from neuroai.format.schema import FORMS

WHO = {"system": "s", "kind": "brain", "stimulus_set": "toy"}
NAN = float("nan")


def recording(**changes: object) -> object:
    """Build a small recording, with arguments replaced."""
    facts = {
        "stimulus_id": ["a", "b"], "unit_id": ["u", "v"], "region": "V1", "subject": "s1", **WHO,
    }  # fmt: skip
    values = changes.pop("values", [[1.0, 2.0], [3.0, 4.0]])
    return build.recording(values, **{**facts, **changes})


@pytest.mark.parametrize("missing", [None, NAN, np.float32("nan"), np.nan, pd.NA, pd.NaT])
def test_missing_text_is_empty(missing: object) -> None:
    """Whatever stands for nothing becomes ''; numbers and words become text."""
    got = build.text([missing, "a", 3])
    assert got.tolist() == ["", "a", "3"]
    assert got.dtype == object


@pytest.mark.parametrize("missing", [None, NAN, pd.NA])
def test_missing_truth_is_nan(missing: object) -> None:
    """Logical columns are float32 0, 1 or NaN."""
    got = build.logical([missing, True, 0])
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, np.array([np.nan, 1, 0], dtype=np.float32))


@pytest.mark.parametrize("values", [[2, 0], ["yes", "no"]])
def test_other_truths_are_refused(values: list) -> None:
    """Only 0, 1 and missing are truth values."""
    with pytest.raises(FormatError):
        build.logical(values)


def test_pandas_columns_are_taken() -> None:
    """Nullable pandas columns come in like plain ones."""
    table = build.behaviour(
        {
            "subject": pd.Series(["p", None], dtype="string"),
            "stimulus_id": pd.Series(["a", "b"]),
            "choice": pd.Series(["x", pd.NA], dtype="string"),
            "rating": pd.Series([1, None], dtype="Int64"),
            "correct": pd.Series([True, None], dtype="boolean"),
        },
        **WHO,
    )
    assert table["choice"].values.tolist() == ["x", ""]
    np.testing.assert_array_equal(table["rating"].values, [1.0, np.nan])
    np.testing.assert_array_equal(table["correct"].values, np.array([1, np.nan], np.float32))


def test_free_columns_keep_text_or_float() -> None:
    """Unknown columns run along the presentations; numbers with a gap stay numbers."""
    found = recording(presentation={"depth": [None, 1.5], "mood": [None, "good"], "n": [1, 2]})
    np.testing.assert_array_equal(found["depth"].values, [np.nan, 1.5])
    assert found["mood"].values.tolist() == ["", "good"]
    assert found["n"].dtype == np.float64
    assert found["n"].dims == ("presentation",)


def test_values_are_kept_as_they_are() -> None:
    """The activity keeps its type and NaN; nothing is turned into 0."""
    values = np.array([[1.0, np.nan], [np.inf, 0.0]], dtype=np.float32)
    values.setflags(write=False)
    found = recording(values=values)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.values, values)


def test_attrs_name_form_and_version() -> None:
    """Every form states what it is; empty facts are left out."""
    found = recording(modality="spikes", simultaneous=False)
    assert (found.attrs["format"], found.attrs["format_version"]) == ("recording", 1)
    assert found.attrs["simultaneous"] == 0
    assert found.attrs["modality"] == "spikes"
    assert "physical_unit" not in found.attrs
    assert set(FORMS) >= {found.attrs["format"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stimulus_id": ["a"]}, r"'stimulus_id' has \(1,\) entries"),
        ({"unit_id": ["u"], "region": ["V1"]}, r"'unit_id' has \(1,\) entries"),
        ({"region": ["V1"]}, r"'region' has \(1,\) entries"),
        ({"values": [1.0, 2.0]}, "the values have shape"),
        ({"values": [["a", "b"], ["c", "d"]]}, "values of the form 'recording' are numbers"),
        ({"stimulus_id": ["a", ""]}, "Every presentation of a recording needs a stimulus_id"),
        ({"unit": {"x": ["left", 1]}}, "Column 'x' of a recording: A column of numbers"),
        ({"presentation": {"run": [["1", "2"]]}}, "'run' of a recording runs along"),
        ({"kind": "robot"}, "attr kind is one of"),
        ({"values": np.zeros((2, 2, 1))}, "needs the attr time_unit"),
        (
            {"values": np.zeros((2, 2, 1)), "time": [0.0], "time_unit": "ms"},
            "needs the attr time_unit, one of .*; got 'ms'",
        ),
        ({"attrs": {"history": ["made"]}}, "history as JSON"),
    ],
)
def test_broken_recordings_are_named(changes: dict, message: str) -> None:
    """What breaks the form is said by name."""
    with pytest.raises(FormatError, match=message):
        recording(**changes)


def test_unit_ids_are_unique() -> None:
    """Two units of one name are an error that names it."""
    with pytest.raises(AlignmentError, match="occur more than once in unit_id: u"):
        recording(unit_id=["u", "u"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"subject": ["p"], "choice": ["x"]}, "Behaviour needs stimulus_id or"),
        ({"subject": ["p"], "stimulus_id": ["a"]}, "Behaviour needs one of choice"),
        ({"stimulus_id": ["a"], "choice": ["x"]}, "A behaviour needs subject"),
        (
            {"subject": ["p"], "stimulus_id": ["a", "b"], "choice": ["x"]},
            "Columns of a behaviour have one length; got .*'stimulus_id': 2",
        ),
        (
            {"subject": ["p"], "stimulus_id": ["a"], "response_time": ["slow"]},
            "Column 'response_time' of a behaviour",
        ),
        ({"subject": ["p"], "option_stimulus_id": ["a"], "choice": ["x"]}, "got 1 dimensions"),
    ],
)
def test_broken_behaviour_is_named(columns: dict, message: str) -> None:
    """A behaviour table without what it needs says what it needs."""
    with pytest.raises(FormatError, match=message):
        build.behaviour(columns, **WHO)


def test_options_and_task_are_written_down() -> None:
    """The options of a choice are an attr, in the order given."""
    table = build.behaviour(
        {"subject": ["p"], "stimulus_id": ["a"], "choice": ["x"]},
        task="t",
        options=("y", "x"),
        **WHO,
    )
    assert (table.attrs["task"], table.attrs["options"]) == ("t", "y|x")


def test_measures_state_where_they_come_from() -> None:
    """A published aggregate with an unknown provenance is refused."""
    columns = {"value": [1.0], "n": [10], "subject": ["group"], "provenance": ["guessed"]}
    with pytest.raises(FormatError, match="raw, derived, digitised, simulated"):
        build.measure(columns, **WHO)
    columns["provenance"] = ["digitised"]
    assert build.measure(columns, **WHO)["n"].dtype == np.float64


def test_never_lesioned_units_are_dropped() -> None:
    """Of three voxels the one lesioned in nobody goes; masks stay truth values."""
    masks = np.array([[True, False, False], [False, False, True]])
    found = build.lesions(
        masks, subject=["p1", "p2"], unit_id=["a", "b", "c"],
        xyz=np.arange(9.0).reshape(3, 3), space="MNI", system="patients", scores={"age": [50, 60]},
    )  # fmt: skip
    assert found["unit_id"].values.tolist() == ["a", "c"]
    assert found["z"].values.tolist() == [2.0, 8.0]
    assert found.dtype == bool
    assert found["age"].dims == ("subject",)


def test_lesions_of_another_shape_are_named() -> None:
    """Masks that do not fit the subjects and units are refused."""
    with pytest.raises(FormatError, match=r"must be \(1, 2\) with xyz \(2, 3\)"):
        build.lesions(
            np.ones((2, 2)), subject=["p"], unit_id=["a", "b"], xyz=np.zeros((2, 3)), space="MNI",
            system="patients",
        )  # fmt: skip


def test_runs_are_concatenated() -> None:
    """Runs of unequal length stand one after the other, nothing is padded."""
    found = build.continuous(
        np.zeros((3, 1)), run=["1", "1", "2"], time=[0.0, 1.0, 0.0], stimulus_id=["a", "a", "b"],
        unit_id=["u"], region="V1", subject="s1", **WHO,
    )  # fmt: skip
    assert found.sizes == {"sample": 3, "unit": 1}
    assert found.attrs["time_unit"] == "s"


def test_connectome_keeps_both_sides() -> None:
    """Weights run from unit to unit_to, and say whether they are directed."""
    found = build.connectome(
        [[0, 1], [2, 0]], unit_id=["u", "v"], system="worm", kind="brain", directed=True,
        weight_meaning="synapses",
    )  # fmt: skip
    assert found.dims == ("unit", "unit_to")
    assert found.attrs["directed"] == 1
    assert found["unit_id_to"].values.tolist() == ["u", "v"]
