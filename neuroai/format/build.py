"""Builders: plain arrays and columns in, checked labelled objects out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.errors import FormatError
from neuroai.format.schema import (
    FORMAT_VERSION,
    FORMS,
    LOGICAL,
    NUMBER,
    OPTION,
    PRESENTATION,
    REGION,
    ROW,
    SAMPLE,
    STIMULUS_ID,
    STRING,
    TIME,
    TRIAL,
    UNIT,
    UNIT_ID,
)
from neuroai.format.validate import validate


def text(values: Any) -> np.ndarray:
    """Turn values into an object array of Python strings, missing ones into ``''``.

    Examples
    --------
    >>> text(["a", None, float("nan")]).tolist()
    ['a', '', '']
    """
    array = np.asarray(values, dtype=object)
    missing = pd.isna(array.ravel())
    flat = ["" if gone else str(v) for v, gone in zip(array.ravel(), missing, strict=True)]
    return np.array(flat, dtype=object).reshape(array.shape)


def logical(values: Any) -> np.ndarray:
    """Turn truth values into float32 0, 1 or NaN (missing).

    Examples
    --------
    >>> logical([True, False, None]).tolist()
    [1.0, 0.0, nan]
    """
    array = _numbers(values, dtype=np.float32).ravel()
    if not np.isin(array[~np.isnan(array)], (0.0, 1.0)).all():
        raise FormatError("A logical column holds only 0, 1 and missing values.")
    return array.reshape(np.shape(values))


def _numbers(values: Any, *, dtype: type) -> np.ndarray:
    """Turn values into floats, missing ones into NaN."""
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        return array.astype(dtype)
    flat = array.astype(object).ravel()
    try:
        floats = [np.nan if gone else float(v) for v, gone in zip(flat, pd.isna(flat), strict=True)]
    except (TypeError, ValueError) as error:
        raise FormatError(f"A column of numbers holds something else: {error}.") from error
    return np.array(floats, dtype=dtype).reshape(array.shape)


def typed(values: Any, *, kind: str) -> np.ndarray:
    """Give a column the type that the schema states."""
    if kind == STRING:
        return text(values)
    if kind == LOGICAL:
        return logical(values)
    return _numbers(values, dtype=np.float64)


def _coords(form: str, given: Mapping[str, Any], *, free: str) -> dict[str, Any]:
    """Type the given columns; unknown ones run along `free` and keep text or float."""
    columns = {**FORMS[form].known, **FORMS[form].required}
    coords: dict[str, Any] = {}
    for name, values in given.items():
        dims = columns[name].dims if name in columns else (free,)
        kind = columns[name].type if name in columns else _kind_of(values)
        try:
            typed_values = typed(values, kind=kind)
        except FormatError as error:
            raise FormatError(f"Column '{name}' of a {form}: {error}") from error
        if typed_values.ndim != len(dims):
            raise FormatError(
                f"'{name}' of a {form} runs along {dims}; got {typed_values.ndim} dimensions."
            )
        coords[name] = (dims, typed_values)
    return coords


def _kind_of(values: Any) -> str:
    """Tell numbers, of which some may be missing, from text."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        known = array[~pd.isna(array)]
        numbers = [isinstance(value, (int, float, np.number)) for value in known]
        return NUMBER if numbers and all(numbers) else STRING
    return NUMBER if array.dtype.kind in "fiub" else STRING


def _table(form: str, columns: Mapping[str, Any], *, free: str) -> xr.Dataset:
    """Put columns side by side, or name those of another length."""
    typed_columns = _coords(form, columns, free=free)
    lengths = {name: values.shape[0] for name, (_, values) in typed_columns.items()}
    if len(set(lengths.values())) > 1:
        raise FormatError(f"Columns of a {form} have one length; got {lengths}.")
    return xr.Dataset(typed_columns)


def _attrs(form: str, **attrs: Any) -> dict[str, Any]:
    kept = {key: value for key, value in attrs.items() if value not in (None, "")}
    return {"format": form, "format_version": FORMAT_VERSION, **kept}


def recording(
    values: np.ndarray,
    *,
    stimulus_id: Sequence[str],
    unit_id: Sequence[str],
    region: Sequence[str] | str,
    system: str,
    kind: str,
    stimulus_set: str,
    subject: str,
    modality: str = "",
    physical_unit: str = "",
    simultaneous: bool = True,
    time: Sequence[float] | None = None,
    time_unit: str = "",
    presentation: Mapping[str, Any] | None = None,
    unit: Mapping[str, Any] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Build a checked recording of one subject.

    Parameters
    ----------
    values : array, shape (n_presentations, n_units) or (n_presentations, n_units, n_times)
        Activity in `physical_unit`; one row is one showing.
    stimulus_id : sequence of str, length n_presentations
        What was shown; repeats are rows.
    unit_id : sequence of str, length n_units
        Unique names of the units.
    region : str or sequence of str
        Region (layer) of every unit.
    presentation, unit : mapping, optional
        Further columns along either dimension (``run``, ``repeat``, ``x``, ``feature_map`` ...).
    time, time_unit : optional
        Times of the third axis, in one of s, step, frame, token.

    Returns
    -------
    xarray.DataArray

    Raises
    ------
    FormatError
        A shape, label or attribute breaks the form.

    Examples
    --------
    >>> r = recording([[1.0, 2.0]], stimulus_id=["a"], unit_id=["u0", "u1"], region="V1",
    ...               system="mouse", kind="brain", stimulus_set="toy", subject="m1")
    >>> r.dims, r.region.values.tolist()
    (('presentation', 'unit'), ['V1', 'V1'])
    """
    values = np.asarray(values)
    regions = [region] * len(unit_id) if isinstance(region, str) else region
    dims = (PRESENTATION, UNIT) if values.ndim == 2 else (PRESENTATION, UNIT, TIME)
    coords = {
        **_coords("recording", {STIMULUS_ID: stimulus_id}, free=PRESENTATION),
        **_coords("recording", {UNIT_ID: unit_id, REGION: regions}, free=UNIT),
        **_coords("recording", presentation or {}, free=PRESENTATION),
        **_coords("recording", unit or {}, free=UNIT),
    }
    if time is not None:
        coords[TIME] = ((TIME,), np.asarray(time, dtype=np.float64))
    array = _array(values, dims=dims, coords=coords, name="activity")
    array.attrs = _attrs(
        "recording",
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        subject=subject,
        modality=modality,
        physical_unit=physical_unit,
        simultaneous=int(simultaneous),
        time_unit=time_unit,
        **dict(attrs or {}),
    )
    return validate(array)


def behaviour(
    columns: Mapping[str, Any],
    *,
    system: str,
    kind: str,
    stimulus_set: str,
    task: str = "",
    options: Sequence[str] = (),
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Build a checked behaviour table from columns, one row a trial.

    `columns` needs ``subject``, ``stimulus_id`` or ``option_stimulus_id`` (n_trials, n_options),
    and one of ``choice``, ``response_time`` (s), ``rating``.

    Raises
    ------
    FormatError
        A column is missing or of the wrong length.

    Examples
    --------
    >>> b = behaviour({"subject": ["p1"], "stimulus_id": ["a"], "choice": ["dog"]},
    ...               system="human", kind="brain", stimulus_set="toy")
    >>> b.sizes["trial"]
    1
    """
    table = _table("behaviour", columns, free=TRIAL)
    table.attrs = _attrs(
        "behaviour",
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        task=task,
        options="|".join(options),
        **dict(attrs or {}),
    )
    return validate(table)


def continuous(
    values: np.ndarray,
    *,
    run: Sequence[str],
    time: Sequence[float],
    stimulus_id: Sequence[str],
    unit_id: Sequence[str],
    region: Sequence[str] | str,
    system: str,
    kind: str,
    stimulus_set: str,
    subject: str,
    modality: str = "",
    physical_unit: str = "",
) -> xr.DataArray:
    """Build a checked continuous recording: samples by units, runs concatenated, never padded."""
    regions = [region] * len(unit_id) if isinstance(region, str) else region
    given = {"run": run, "time": time, STIMULUS_ID: stimulus_id}
    coords = {
        **_coords("continuous", given, free=SAMPLE),
        **_coords("continuous", {UNIT_ID: unit_id, REGION: regions}, free=UNIT),
    }
    array = _array(np.asarray(values), dims=(SAMPLE, UNIT), coords=coords, name="activity")
    array.attrs = _attrs(
        "continuous",
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        subject=subject,
        modality=modality,
        physical_unit=physical_unit,
        time_unit="s",
    )
    return validate(array)


def measure(columns: Mapping[str, Any], *, system: str, kind: str, stimulus_set: str) -> xr.Dataset:
    """Build a checked table of published aggregates: ``value, n, subject, provenance`` and more."""
    table = _table("measure", columns, free=ROW)
    table.attrs = _attrs("measure", system=system, kind=kind, stimulus_set=stimulus_set)
    return validate(table)


def lesions(
    masks: np.ndarray,
    *,
    subject: Sequence[str],
    unit_id: Sequence[str],
    xyz: np.ndarray,
    space: str,
    system: str,
    scores: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Build checked lesion masks (subject, unit); units lesioned in no subject are dropped."""
    masks = np.asarray(masks, dtype=bool)
    if masks.shape != (len(subject), len(unit_id)) or np.shape(xyz) != (len(unit_id), 3):
        raise FormatError(
            f"Lesion masks must be ({len(subject)}, {len(unit_id)}) with xyz ({len(unit_id)}, 3); "
            f"got {masks.shape} and {np.shape(xyz)}."
        )
    kept = masks.any(axis=0)
    x, y, z = np.asarray(xyz, dtype=float)[kept].T
    given = {UNIT_ID: text(unit_id)[kept], "x": x, "y": y, "z": z}
    coords = {
        **_coords("lesions", {"subject": subject, **(scores or {})}, free="subject"),
        **_coords("lesions", given, free=UNIT),
    }
    array = _array(masks[:, kept], dims=("subject", UNIT), coords=coords, name="lesioned")
    array.attrs = _attrs("lesions", system=system, kind="brain", stimulus_set="none", space=space)
    return validate(array)


def connectome(
    weights: np.ndarray,
    *,
    unit_id: Sequence[str],
    system: str,
    kind: str,
    directed: bool,
    weight_meaning: str,
) -> xr.DataArray:
    """Build a checked square matrix of weights from unit to unit."""
    coords = _coords("connectome", {"unit_id": unit_id, "unit_id_to": unit_id}, free=UNIT)
    array = _array(np.asarray(weights), dims=(UNIT, "unit_to"), coords=coords, name="weight")
    array.attrs = _attrs(
        "connectome",
        system=system,
        kind=kind,
        stimulus_set="none",
        directed=int(directed),
        weight_meaning=weight_meaning,
    )
    return validate(array)


def _array(
    values: np.ndarray, *, dims: tuple[str, ...], coords: Mapping[str, Any], name: str
) -> xr.DataArray:
    for label, (along, column) in coords.items():
        expected = tuple(
            values.shape[dims.index(dim)] for dim in along if dim in dims and dim != OPTION
        )
        if values.ndim != len(dims) or np.shape(column) != expected:
            raise FormatError(
                f"'{label}' has {np.shape(column)} entries along {along}; the values have shape "
                f"{values.shape} along {dims}."
            )
    return xr.DataArray(values, dims=dims, coords=coords, name=name)
