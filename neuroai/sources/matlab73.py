"""MATLAB files of version 7.3, which are HDF5: the same values as of older versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neuroai.errors import DataError

START = b"MATLAB 7.3 MAT-file"
HIDDEN = "#"  # what variables refer to, such as the entries of cells
DEEPEST = 32
LARGEST = 2**31  # entries; a damaged header may state any shape
# Numbers by MATLAB's own names; `logical` is kept in a byte.
LOGICAL, CHAR, CELL, STRUCT = "logical", "char", "cell", "struct"


def is_matlab73(path: Path) -> bool:
    """Say whether a file begins as MATLAB 7.3 does."""
    with path.open("rb") as handle:
        return handle.read(len(START)) == START


def read_matlab73(path: Path) -> dict[str, Any]:
    """Read the variables of a MATLAB 7.3 file, singleton dimensions squeezed away.

    Arrays have MATLAB's order of axes; cells are arrays of objects, structs arrays with named
    fields, text is a string, as scipy gives them for older versions.

    Raises
    ------
    DataError
        The file is damaged, or holds objects of a MATLAB class (tables, strings, dates).
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return {
                name: _squeezed(_value(file, item, name, 0))
                for name, item in file.items()
                if not name.startswith(HIDDEN)
            }
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} cannot be read as a MATLAB file of version 7.3 ({error}). Save it anew, with "
            "save(..., '-v7') if it is not large."
        ) from error


def _class(item: Any) -> str:
    name = item.attrs.get("MATLAB_class", b"")
    return name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)


def _value(file: Any, item: Any, name: str, depth: int) -> Any:
    """Give one variable, field or entry of a cell."""
    import h5py

    if depth > DEEPEST:
        raise DataError(f"'{name}' holds structs and cells more than {DEEPEST} deep.")
    kind = _class(item)
    if "MATLAB_object_decode" in item.attrs:
        raise DataError(
            f"'{name}' is an object of the MATLAB class '{kind}', which only MATLAB can read. Save "
            "it as a struct or as numbers (table2struct, datenum, char)."
        )
    if isinstance(item, h5py.Group):
        return _struct(file, item, name, depth)
    if int(np.prod(item.shape, dtype=object)) > LARGEST:
        raise DataError(f"'{name}' states the shape {item.shape}, which no file holds.")
    if item.attrs.get("MATLAB_empty", 0):
        shape = tuple(int(n) for n in item[()].ravel())
        return np.zeros(shape, dtype={CHAR: "<U1", CELL: object}.get(kind, float))
    if h5py.check_ref_dtype(item.dtype) is not None:
        return _cells(file, item, name, depth)
    values = np.asarray(item[()]).T
    if kind == CHAR:
        return _text(values)
    if values.dtype.names == ("real", "imag"):
        return values["real"] + 1j * values["imag"]
    return values.astype(np.uint8) if kind == LOGICAL else values


def _text(codes: np.ndarray) -> Any:
    """Give a row of characters as a string, several rows as an array of them."""
    rows = np.ascontiguousarray(np.atleast_2d(codes).astype("<u2"))
    lines = [row.tobytes().decode("utf-16-le", "replace") for row in rows]
    return lines[0] if len(lines) == 1 else np.array(lines)


def _cells(file: Any, item: Any, name: str, depth: int) -> np.ndarray:
    references = np.asarray(item[()]).T
    found = np.empty(references.shape, dtype=object)
    for place in np.ndindex(references.shape):
        entry = _value(file, file[references[place]], name, depth + 1)
        found[place] = _squeezed(entry)
    return found


def _struct(file: Any, group: Any, name: str, depth: int) -> np.ndarray:
    """Give a struct as an array with fields: one element, or as many as each field has entries."""
    import h5py

    there = [str(key) for key in group if not str(key).startswith(HIDDEN)]
    # HDF5 sorts by name; MATLAB notes its own order where it can.
    stated = [_joined(letters) for letters in group.attrs.get("MATLAB_fields", ())]
    order = stated if sorted(stated) == sorted(there) else there
    fields = {key: group[key] for key in order}
    several = {
        key: isinstance(item, h5py.Dataset)
        and h5py.check_ref_dtype(item.dtype) is not None
        and _class(item) == ""
        for key, item in fields.items()
    }
    dtype = [(key, object) for key in fields]
    if fields and all(several.values()):
        columns = {key: _cells(file, item, name, depth) for key, item in fields.items()}
        found = np.empty(next(iter(columns.values())).shape, dtype=dtype)
        for key, values in columns.items():
            found[key] = values
        return found
    found = np.empty((1, 1), dtype=dtype)
    for key, item in fields.items():
        found[key][0, 0] = _squeezed(_value(file, item, f"{name}.{key}", depth + 1))
    return found


def _joined(letters: Any) -> str:
    return b"".join(bytes(letter) for letter in letters).decode("ascii", "replace")


def _squeezed(value: Any) -> Any:
    """Take singleton dimensions away, as scipy does: one number is a number."""
    if not isinstance(value, np.ndarray):
        return value
    small = value.squeeze() if value.size else value.reshape(0)
    return small if small.ndim or small.dtype.names else small.item()
