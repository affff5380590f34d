"""Validation: does an object keep the common labelled form?"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import xarray as xr

from neuroai.checks import known_name, no_duplicates
from neuroai.errors import FormatError
from neuroai.format.schema import (
    BEHAVIOUR_NEEDS_ONE,
    FORMAT_VERSION,
    FORMS,
    KINDS,
    LOGICAL,
    OPTION_STIMULUS_ID,
    PROVENANCES,
    REQUIRED_ATTRS,
    STIMULUS_ID,
    STRING,
    TIME,
    TIME_UNITS,
    UNIT_ID,
    Column,
    Form,
)

Labelled = TypeVar("Labelled", xr.DataArray, xr.Dataset)


def validate(data: Labelled) -> Labelled:
    """Return the object unchanged if it keeps its form, else say what breaks it.

    Parameters
    ----------
    data : xarray.DataArray or xarray.Dataset
        Its attr ``format`` says which form it claims to have.

    Raises
    ------
    FormatError
        A dimension, column, type or attribute is not as the form wants it.
    """
    missing = [name for name in REQUIRED_ATTRS if name not in data.attrs]
    if missing:
        raise FormatError(
            f"A labelled object needs the attrs {', '.join(REQUIRED_ATTRS)}; "
            f"missing: {', '.join(missing)}. Build it with neuroai.format.build."
        )
    form = FORMS[known_name(str(data.attrs["format"]), FORMS, kind="form")]
    if int(data.attrs["format_version"]) > FORMAT_VERSION:
        raise FormatError(
            f"This object has format version {data.attrs['format_version']}; this neuroai reads "
            f"up to {FORMAT_VERSION}. Update neuroai."
        )
    _check_dims(data, form)
    _check_columns(data, form)
    _check_values(data, form)
    _check_attrs(data)
    return data


def _check_dims(data: xr.DataArray | xr.Dataset, form: Form) -> None:
    kind = xr.DataArray if form.array else xr.Dataset
    if not isinstance(data, kind):
        raise FormatError(f"A {form.name} is a {kind.__name__}; got {type(data).__name__}.")
    dims = tuple(str(dim) for dim in data.dims)
    required, optional = set(form.dims), set(form.optional_dims)
    if not required <= set(dims) or not set(dims) <= required | optional:
        raise FormatError(
            f"A {form.name} has dims {form.dims} and may have {form.optional_dims}; got {dims}. "
            "Rename or drop dimensions."
        )
    if form.array and data.dtype.kind not in ("b" if form.name == "lesions" else "fiub"):
        wanted = "truth values" if form.name == "lesions" else "numbers"
        raise FormatError(f"The values of the form '{form.name}' are {wanted}; got {data.dtype}.")
    if form.array and dims[: len(form.dims)] != form.dims:
        raise FormatError(
            f"A {form.name} has dims {form.dims} in this order; got {dims}. "
            "Use data.transpose(...)."
        )


def _check_columns(data: xr.DataArray | xr.Dataset, form: Form) -> None:
    columns = data.coords if form.array else data.variables
    lacking = [name for name in form.required if name not in columns]
    if lacking:
        raise FormatError(f"A {form.name} needs {', '.join(lacking)}; it has {sorted(columns)}.")
    for name, column in {**form.known, **form.required}.items():
        if name in columns:
            _check_type(name, columns[name], column, form)
    for name in columns:
        index = columns[name].to_index() if columns[name].ndim == 1 else None
        if index is not None and getattr(index, "nlevels", 1) > 1:
            raise FormatError(f"'{name}' is a MultiIndex. Reset it into flat columns.")


def _check_type(name: str, values: xr.DataArray | xr.Variable, column: Column, form: Form) -> None:
    # `session` may describe presentations (one subject's days) or units (pseudo-populations).
    if tuple(values.dims) != column.dims and name not in ("session", "subject"):
        raise FormatError(
            f"'{name}' of a {form.name} runs along {column.dims}; here it runs along "
            f"{tuple(values.dims)}."
        )
    if column.type == STRING:
        strange = [v for v in np.asarray(values.values).ravel() if not isinstance(v, str)]
        if values.dtype.kind not in "OUT" or strange:
            raise FormatError(
                f"'{name}' of a {form.name} holds strings; got {values.dtype} "
                f"{strange[:1]}. Use neuroai.format.build.text(...)."
            )
    elif column.type == LOGICAL:
        defined = values.values[~np.isnan(values.values.astype(float))]
        if values.dtype != np.float32 or not np.isin(defined, (0, 1)).all():
            raise FormatError(f"'{name}' of a {form.name} is float32 0, 1 or NaN.")
    elif values.dtype.kind not in "fiu":
        raise FormatError(f"'{name}' of a {form.name} holds numbers; got {values.dtype}.")


def _check_values(data: xr.DataArray | xr.Dataset, form: Form) -> None:
    if UNIT_ID in data.coords:
        no_duplicates(data[UNIT_ID].values, where="unit_id")
    if (
        STIMULUS_ID in data.variables
        if isinstance(data, xr.Dataset)
        else STIMULUS_ID in data.coords
    ):
        if form.name == "recording" and (data[STIMULUS_ID].values == "").any():
            raise FormatError("Every presentation of a recording needs a stimulus_id.")
    if form.name == "behaviour":
        _check_behaviour(data)
    if form.name == "measure" and not set(data["provenance"].values) <= set(PROVENANCES):
        raise FormatError(f"provenance of a measure table is one of {', '.join(PROVENANCES)}.")


def _check_behaviour(data: xr.DataArray | xr.Dataset) -> None:
    if not any(name in data.variables for name in BEHAVIOUR_NEEDS_ONE):
        raise FormatError(f"Behaviour needs one of {', '.join(BEHAVIOUR_NEEDS_ONE)}.")
    if STIMULUS_ID not in data.variables and OPTION_STIMULUS_ID not in data.variables:
        raise FormatError(f"Behaviour needs {STIMULUS_ID} or {OPTION_STIMULUS_ID}.")


def _check_attrs(data: xr.DataArray | xr.Dataset) -> None:
    if data.attrs["kind"] not in KINDS:
        raise FormatError(f"The attr kind is one of {KINDS}; got {data.attrs['kind']!r}.")
    if TIME in data.dims and data.attrs.get("time_unit") not in TIME_UNITS:
        raise FormatError(
            f"A form with a time axis needs the attr time_unit, one of {TIME_UNITS}; "
            f"got {data.attrs.get('time_unit')!r}."
        )
    strange = {
        k: type(v).__name__ for k, v in data.attrs.items() if not isinstance(v, (str, int, float))
    }
    if strange:
        raise FormatError(f"Attrs are str, int or float (history as JSON); got {strange}.")
