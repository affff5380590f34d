"""The schema is consistent in itself and cannot be changed by accident."""

from __future__ import annotations

import pytest

from neuroai.format import schema
from neuroai.format.schema import FORMS, LOGICAL, NUMBER, STRING

NAMES = ("recording", "continuous", "behaviour", "measure", "lesions", "connectome")
REQUIRED = {
    "recording": {"stimulus_id", "unit_id", "region"},
    "continuous": {"run", "time", "stimulus_id", "unit_id", "region"},
    "behaviour": {"subject"},
    "measure": {"value", "n", "subject", "provenance"},
    "lesions": {"subject", "unit_id", "x", "y", "z"},
    "connectome": {"unit_id", "unit_id_to"},
}


def test_every_form_is_there() -> None:
    """The forms of the common labelled form, under their own names."""
    assert set(FORMS) == set(NAMES)
    assert all(form.name == name for name, form in FORMS.items())


@pytest.mark.parametrize("name", NAMES)
def test_required_columns_are_the_stated_ones(name: str) -> None:
    """What each form cannot do without."""
    assert set(FORMS[name].required) == REQUIRED[name]


@pytest.mark.parametrize("name", NAMES)
def test_columns_run_along_dims_of_their_form(name: str) -> None:
    """No column is stated twice, along a foreign dimension, or of an unknown type."""
    form = FORMS[name]
    dims = {*form.dims, *form.optional_dims}
    for column in (*form.required.values(), *form.known.values()):
        assert column.dims and set(column.dims) <= dims
        assert column.type in (STRING, NUMBER, LOGICAL)
    assert not set(form.required) & set(form.known)
    assert not set(form.dims) & set(form.optional_dims)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_text(name: str) -> None:
    """Every id, and every name of a subject or region, is text."""
    columns = {**FORMS[name].required, **FORMS[name].known}
    named = {key for key in columns if key.endswith("_id") or key in ("subject", "region")}
    assert named and all(columns[key].type == STRING for key in named)


def test_schema_cannot_be_changed() -> None:
    """Forms and their columns are read-only."""
    with pytest.raises(TypeError):
        FORMS["own"] = FORMS["recording"]
    with pytest.raises(TypeError):
        FORMS["recording"].required["own"] = FORMS["recording"].required["region"]


def test_words_are_those_of_the_form() -> None:
    """Time units, kinds, levels and statuses are closed lists; required attrs are known."""
    assert schema.TIME_UNITS == ("s", "step", "frame", "token")
    assert schema.KINDS == ("brain", "model")
    assert schema.LEVELS == ("computation", "algorithm", "implementation")
    assert schema.STATUSES == ("ok", "undefined", "not_measurable")
    assert set(schema.REQUIRED_ATTRS) <= set(schema.KNOWN_ATTRS)
    assert len(set(schema.KNOWN_ATTRS)) == len(schema.KNOWN_ATTRS)
    assert set(schema.BEHAVIOUR_NEEDS_ONE) <= set(FORMS["behaviour"].known)
