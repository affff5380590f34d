"""Validation: an object keeps its form, or the first thing that breaks it is named."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neuroai.errors import AlignmentError, FormatError, UnknownName
from neuroai.format import build
from neuroai.format.validate import validate

WHO = {"system": "s", "kind": "brain", "stimulus_set": "toy"}


def recording() -> xr.DataArray:
    """Build a recording that keeps the form."""
    return build.recording(
        np.zeros((2, 3)), stimulus_id=["a", "b"], unit_id=["u", "v", "w"], region="V1",
        subject="s1", **WHO,
    )  # fmt: skip


def behaviour() -> xr.Dataset:
    """Build a behaviour table that keeps the form."""
    return build.behaviour(
        {"subject": ["p"], "stimulus_id": ["a"], "choice": ["x"], "correct": [True]}, **WHO
    )


def objects(*values: object) -> np.ndarray:
    """Make an object array."""
    return np.array(values, dtype=object)


def test_what_keeps_the_form_comes_back_unchanged() -> None:
    """Validation gives the very object."""
    data = recording()
    assert validate(data) is data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.drop_attrs(), "missing: format, format_version, system, kind, stimulus_set"),
        (
            lambda r: r.assign_attrs(format_version=2),
            "format version 2; this neuroai reads up to 1",
        ),
        (lambda r: r.rename(presentation="stimulus"), r"has dims \('presentation', 'unit'\)"),
        (lambda r: r.transpose(), "in this order; got .* Use data.transpose"),
        (
            lambda r: r.to_dataset(name="x").assign_attrs(r.attrs),
            "A recording is a DataArray; got Dataset",
        ),
        (lambda r: r.drop_vars("region"), "A recording needs region"),
        (lambda r: r.astype(str), "values of the form 'recording' are numbers; got <U"),
        (lambda r: r.astype(complex), "values of the form 'recording' are numbers; got complex"),
        (
            lambda r: r.assign_coords(region=("presentation", objects("V1", "V1"))),
            r"'region' of a recording runs along \('unit',\); here it runs along",
        ),
        (
            lambda r: r.assign_coords(stimulus_id=("presentation", [1, 2])),
            "'stimulus_id' of a recording holds strings; got int64",
        ),
        (
            lambda r: r.assign_coords(stimulus_id=("presentation", objects("a", None))),
            r"holds strings; got object \[(None|nan)\]",
        ),
        (
            lambda r: r.assign_coords(x=("unit", objects("a", "b", "c"))),
            "'x' of a recording holds numbers; got object",
        ),
        (
            lambda r: r.assign_coords(stimulus_id=("presentation", objects("a", ""))),
            "Every presentation of a recording needs a stimulus_id",
        ),
        (lambda r: r.assign_attrs(kind="person"), r"one of \('brain', 'model'\); got 'person'"),
        (lambda r: r.assign_attrs(layers=[1]), r"got {'layers': 'list'}"),
        (lambda r: r.expand_dims(time=[0.0], axis=2), "needs the attr time_unit"),
        (lambda r: r.set_index(unit=["unit_id", "region"]), "MultiIndex"),
    ],
)
def test_what_breaks_a_recording_is_named(
    change: Callable[[xr.DataArray], object], message: str
) -> None:
    """Each rule has its own message."""
    with pytest.raises(FormatError, match=message):
        validate(change(recording()))


def test_twice_the_same_unit_is_named() -> None:
    """Duplicated unit ids are an alignment error."""
    data = recording().assign_coords(unit_id=("unit", objects("u", "v", "u")))
    with pytest.raises(AlignmentError, match="unit_id: u"):
        validate(data)


def test_misspelt_form_gets_the_near_miss() -> None:
    """An unknown form is answered by the nearest."""
    with pytest.raises(UnknownName, match="Did you mean 'recording'"):
        validate(recording().assign_attrs(format="recoding"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.assign(correct=("trial", [1.0])), "'correct' .* float32 0, 1 or NaN"),
        (
            lambda b: b.assign(correct=("trial", np.array([2], dtype=np.float32))),
            "'correct' .* float32 0, 1 or NaN",
        ),
        (lambda b: b.drop_vars("choice"), "Behaviour needs one of choice, response_time, rating"),
        (lambda b: b.drop_vars("stimulus_id"), "Behaviour needs stimulus_id or option_stimulus_id"),
        (lambda b: b.drop_vars("subject"), "A behaviour needs subject"),
        (lambda b: b["choice"].assign_attrs(b.attrs), "A behaviour is a Dataset; got DataArray"),
    ],
)
def test_what_breaks_behaviour_is_named(
    change: Callable[[xr.Dataset], object], message: str
) -> None:
    """Each rule of behaviour tables has its own message."""
    with pytest.raises(FormatError, match=message):
        validate(change(behaviour()))


def test_lesions_are_truth_values() -> None:
    """Lesion masks of another type are refused."""
    masks = build.lesions(
        np.ones((1, 1)), subject=["p"], unit_id=["v"], xyz=np.zeros((1, 3)), space="MNI",
        system="patients",
    )  # fmt: skip
    with pytest.raises(
        FormatError, match="values of the form 'lesions' are truth values; got float64"
    ):
        validate(masks.astype(float))


def test_pandas_text_is_text() -> None:
    """Text that pandas made is taken as it is."""
    words = pd.Series(["a", "b"]).to_numpy(dtype=object)
    taken = validate(recording().assign_coords(stimulus_id=("presentation", words)))
    assert taken["stimulus_id"].values.tolist() == ["a", "b"]
