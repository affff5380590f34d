"""Saving and opening the forms: netCDF for exchange, sealed Zarr for what is large."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import xarray as xr

from neuroai.checks import listing, near_miss
from neuroai.errors import DataError, FormatError, NeuroaiError, UsageError
from neuroai.format.answers import Answer
from neuroai.format.schema import FORMAT_VERSION, FORMS
from neuroai.format.seal import check_seal, is_sealed, seal
from neuroai.format.validate import validate

NETCDF, ZARR = ".nc", ".zarr"
CONVENTIONS = "CF-1.11"
LAYOUT = "neuroai_layout"
ANSWER = "neuroai_answer"
ANSWER_FACTS = tuple(f.name for f in fields(Answer) if f.name not in ("data", "responses"))
RESPONSE = "response_{}"
FREE_FORMS = ("scores",)

Form = xr.DataArray | xr.Dataset | Answer


def save(obj: Form, path: str | Path) -> Path:
    """Save one labelled object so that opening it gives the identical object.

    Parameters
    ----------
    obj : xarray.DataArray, xarray.Dataset or Answer
        Any form, or the Dataset of `neuroai.format.scores.score_dataset`.
    path : str or pathlib.Path
        Ends in ``.nc`` (netCDF-4; written beside the target and moved when complete) or in
        ``.zarr`` (Zarr v3 with a CRC32C of every chunk; sealed when complete). What was there
        before is replaced only when the new one is complete.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FormatError
        The object breaks its form, or holds a type that the file cannot.
    UsageError
        The path ends in neither, or names a folder that is not a Zarr store.
    """
    path = _path(path)
    groups = _answer_groups(obj) if isinstance(obj, Answer) else {"": _form_group(obj)}
    if path.suffix == NETCDF:
        _save_netcdf(groups, path)
    else:
        _save_zarr(groups, path)
    return path


def open_form(path: str | Path, *, resume: bool = False, in_memory: bool = True) -> Form:
    """Open what `save` wrote, checking the seal of a Zarr store and the form.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``.nc`` or ``.zarr`` in the common form.
    resume : bool
        Open a Zarr store that is not sealed yet, to go on writing it.
    in_memory : bool
        False leaves the values of a Zarr store on disk until they are used; a netCDF file is
        always read completely and closed.

    Returns
    -------
    xarray.DataArray, xarray.Dataset or Answer

    Raises
    ------
    UsageError
        There is no such file, or its name ends in neither.
    DataError
        The file cannot be read.
    FormatError
        It does not hold a form, or the store is not sealed.
    IntegrityError
        A file of the sealed store was changed, is missing or was added.
    """
    path = _path(path)
    if not path.exists():
        there = [p.name for p in path.parent.glob(f"*{path.suffix}")]
        raise UsageError(f"There is no {path}. {near_miss(path.name, there)}")
    if path.suffix == ZARR and (is_sealed(path) or not resume):
        check_seal(path)

    def read(group: str) -> xr.Dataset:
        return _read(path, group, in_memory=in_memory or path.suffix == NETCDF)

    try:
        root = read("")
        return _answer(root, read) if ANSWER in root.attrs else _form(root, path)
    except NeuroaiError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"{path} is damaged, or was not written by neuroai ({type(error).__name__}: {error}). "
            "Write or fetch it anew."
        ) from error


def _path(path: str | Path) -> Path:
    path = Path(path).expanduser()
    if path.suffix not in (NETCDF, ZARR):
        raise UsageError(f"{path} must end in '{NETCDF}' (netCDF) or '{ZARR}' (Zarr).")
    return path


def _form_group(obj: xr.DataArray | xr.Dataset) -> xr.Dataset:
    if obj.attrs.get("format") not in FREE_FORMS:
        validate(obj)
    if isinstance(obj, xr.Dataset):
        return _plain(obj, array="")
    name = "values" if obj.name is None else str(obj.name)
    plain = obj.to_dataset(name=name).assign_attrs(obj.attrs)
    plain[name].attrs = {}
    if "physical_unit" in obj.attrs:
        plain[name].attrs["units"] = plain.attrs.pop("physical_unit")
    return _plain(plain, array=name, named=obj.name is not None)


def _answer_groups(answer: Answer) -> dict[str, xr.Dataset]:
    facts = {name: _jsonable(getattr(answer, name)) for name in ANSWER_FACTS}
    facts["n_responses"] = len(answer.responses)
    try:
        text = json.dumps(facts)
    except TypeError as error:
        raise FormatError(
            f"A parameter of the answer of '{answer.system}' cannot be saved ({error}). Parameters "
            "are text, numbers and lists of them."
        ) from error
    root = _plain(answer.data, array="").assign_attrs(
        {"format": "answer", "format_version": FORMAT_VERSION, ANSWER: text}
    )
    parts = {RESPONSE.format(i): _form_group(r) for i, r in enumerate(answer.responses)}
    return {"": root, **parts}


def _jsonable(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, list)):
        return [_jsonable(item) for item in value]
    if hasattr(value, "items"):
        return {str(key): _jsonable(item) for key, item in value.items()}
    return value


def _plain(data: xr.Dataset, *, array: str, named: bool = True) -> xr.Dataset:
    """Give every text variable the type that files keep, and note the layout."""
    plain = data.drop_encoding()
    layout = {
        "array": array,
        "named": named,
        "coords": [str(name) for name in data.coords],
        "variables": [str(name) for name in data.data_vars],
    }
    for name in [str(name) for name in plain.variables]:
        plain = _with_variable(plain, name, _storable(plain[name]))
    # CF lists coordinates separated by spaces, so it cannot name these.
    plain = plain.reset_coords([n for n in layout["coords"] if " " in n and n not in plain.dims])
    return plain.assign_attrs({LAYOUT: json.dumps(layout)})


def _storable(variable: xr.DataArray) -> np.ndarray:
    values, name = variable.values, str(variable.name)
    if "/" in name:
        raise FormatError(f"The name '{name}' holds a '/', which files take for a folder.")
    if values.dtype.kind in "OUT":
        strange = [value for value in values.ravel() if not isinstance(value, str)]
        if strange:
            raise FormatError(
                f"'{name}' holds {listing([repr(v) for v in strange])} among its text. "
                "Use neuroai.format.build.text(...)."
            )
        if any("\0" in value for value in values.ravel()):
            raise FormatError(f"'{name}' holds a NUL character, which netCDF cuts text at.")
        return values.astype(xr.coding.strings.create_vlen_dtype(str))
    if values.dtype.kind not in "fiub" or values.dtype == np.float16:
        raise FormatError(
            f"'{name}' has type {values.dtype}; files keep text, truth values, integers, float32 "
            "and float64. Convert it with .astype('float32')."
        )
    return values


def _with_variable(data: xr.Dataset, name: str, values: np.ndarray) -> xr.Dataset:
    variable = (data[name].dims, values, data[name].attrs)
    if name in data.coords:
        return data.assign_coords({name: variable})
    return data.assign({name: variable})


def _save_netcdf(groups: dict[str, xr.Dataset], path: Path) -> None:
    # Made in memory and written in one go: HDF5 that meets a full disk while it writes fails once
    # more when its objects are let go, and takes the process with it.
    made = io.BytesIO()
    for group, data in groups.items():
        data.assign_attrs(Conventions=CONVENTIONS).to_netcdf(
            made, engine="h5netcdf", group=group or None, mode="a" if group else "w"
        )
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as handle:
            handle.write(made.getbuffer())
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _save_zarr(groups: dict[str, xr.Dataset], path: Path) -> None:
    if path.exists() and not (path / "zarr.json").is_file():
        raise UsageError(f"{path} exists and is not a Zarr store. Choose another name.")
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    old = path.with_name(f".{path.name}.{uuid4().hex}.old")
    try:
        for group, data in groups.items():
            data.to_zarr(
                temporary,
                group=group or None,
                mode="a" if group else "w",
                zarr_format=3,
                consolidated=False,
                encoding={str(k): _zarr_encoding(v) for k, v in data.variables.items()},
            )
        seal(temporary)
        if path.exists():
            os.replace(path, old)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _zarr_encoding(variable: xr.Variable) -> dict[str, Any]:
    from zarr.codecs import Crc32cCodec, ZstdCodec

    encoding: dict[str, Any] = {
        "compressors": (ZstdCodec(level=3), Crc32cCodec()),
        "chunks": _chunks(variable),
    }
    if variable.dtype.kind == "f":
        encoding["fill_value"] = np.nan
    return encoding


def _chunks(variable: xr.Variable, *, most: int = 2**24) -> tuple[int, ...]:
    """Split along the first dimension so that a chunk holds about `most` bytes; never 0 long."""
    shape = [max(1, size) for size in variable.shape]
    if shape:
        row = int(np.prod(shape[1:])) * max(1, variable.dtype.itemsize)
        shape[0] = min(shape[0], max(1, most // row))
    return tuple(shape)


def _read(path: Path, group: str, *, in_memory: bool) -> xr.Dataset:
    options: dict[str, Any] = {"group": group or None, "decode_times": False}
    try:
        if path.suffix == NETCDF:
            data = xr.open_dataset(path, engine="h5netcdf", **options)
        else:
            data = _open_zarr(path, **options)
        if in_memory:
            with data:
                data.load()
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{path} cannot be read ({type(error).__name__}: {error}). Fetch or write it anew."
        ) from error
    return _restored(data)


def _open_zarr(path: Path, **options: Any) -> xr.Dataset:
    from neuroai.format.zarr_store import SealedStore

    store = SealedStore(path, read_only=True)
    return xr.open_zarr(store, consolidated=False, chunks=None, **options)


def _restored(data: xr.Dataset) -> xr.Dataset:
    """Undo what writing changed: text types, integer attrs, coordinates, order."""
    for name in [str(name) for name in data.variables]:
        if data[name].dtype.kind in "OUT":
            data = _with_variable(data, name, data[name].values.astype(object))
    data = data.drop_encoding()
    data.attrs = {k: _python(v) for k, v in data.attrs.items() if k != "Conventions"}
    layout = json.loads(data.attrs.get(LAYOUT, "{}"))
    if layout:
        data = data.set_coords(layout["coords"])
        ordered = {name: data.variables[name] for name in layout["variables"]}
        data = xr.Dataset(ordered, coords=data.coords, attrs=data.attrs)
    return data


def _python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _form(data: xr.Dataset, path: Path | str) -> xr.DataArray | xr.Dataset:
    layout = json.loads(data.attrs.pop(LAYOUT, "{}"))
    form = str(data.attrs.get("format", ""))
    if form in FREE_FORMS:
        return data
    if form not in FORMS:
        raise FormatError(
            f"{path} does not say which form it holds: its attr format is {form!r}, known are "
            f"{', '.join((*FORMS, 'answer', *FREE_FORMS))}. "
            "Write it with neuroai.format.files.save."
        )
    if not FORMS[form].array:
        return validate(data)
    names = [layout["array"]] if layout else [str(name) for name in data.data_vars]
    if len(names) != 1:
        raise FormatError(f"A {form} is one variable; {path} holds {listing(names) or 'none'}.")
    array = data[names[0]]
    units = array.attrs.get("units")
    array.attrs = data.attrs | ({} if units is None else {"physical_unit": _python(units)})
    return validate(array if layout.get("named", True) else array.rename(None))


def _answer(root: xr.Dataset, read: Callable[[str], xr.Dataset]) -> Answer:
    facts = json.loads(root.attrs[ANSWER])
    number = int(facts.pop("n_responses"))
    responses = [_form(read(RESPONSE.format(i)), RESPONSE.format(i)) for i in range(number)]
    for name in (ANSWER, LAYOUT, "format", "format_version"):
        root.attrs.pop(name, None)
    facts["notes"] = tuple(facts["notes"])
    return Answer(data=root, responses=tuple(responses), **facts)
