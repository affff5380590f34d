"""MATLAB 7.3 beside version 5: the same variables come in alike, whatever they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from neuroai.errors import DataError
from neuroai.sources.matlab import read_matlab, struct_field
from neuroai.sources.recognise import recognise

HEADER = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 2026"
BLOCK = 512  # bytes that MATLAB puts before the HDF5 file
NAMES = {"f8": "double", "f4": "single", "i2": "int16", "u1": "uint8", "b1": "logical"}


class Writer:
    """Writes variables as MATLAB does: axes reversed, classes named, cells by reference."""

    def __init__(self, path: Path) -> None:
        self.file = h5py.File(path, "w", userblock_size=BLOCK)
        self.n = 0

    def put(self, group: Any, name: str, value: Any) -> Any:
        """Write one value under a name."""
        if isinstance(value, dict):
            made = group.create_group(name)
            made.attrs["MATLAB_class"] = np.bytes_("struct")
            for key, one in value.items():
                self.put(made, key, one)
            return made
        if isinstance(value, list) and value and isinstance(value[0], dict):
            made = group.create_group(name)
            made.attrs["MATLAB_class"] = np.bytes_("struct")
            for key in value[0]:
                self.references(made, key, cell(*(one[key] for one in value)))
            return made
        if isinstance(value, np.ndarray) and value.dtype == object:
            made = self.references(group, name, np.atleast_2d(value))
            made.attrs["MATLAB_class"] = np.bytes_("cell")
            return made
        kind = "char" if isinstance(value, str) else NAMES[np.asarray(value).dtype.str[1:]]
        codes = np.frombuffer(value.encode("utf-16-le"), "<u2") if kind == "char" else value
        array = np.atleast_2d(np.asarray(codes))
        if not array.size:
            made = group.create_dataset(name, data=np.array(array.shape, np.uint64))
            made.attrs["MATLAB_empty"] = np.uint8(1)
        else:
            stored = array.astype(np.uint8) if kind == "logical" else array
            made = group.create_dataset(name, data=stored.T)
        made.attrs["MATLAB_class"] = np.bytes_(kind)
        return made

    def references(self, group: Any, name: str, values: np.ndarray) -> Any:
        """Write an array of references to values that lie beside."""
        refs = self.file.require_group("#refs#")
        made = group.create_dataset(name, values.T.shape, dtype=h5py.ref_dtype)
        for place in np.ndindex(values.T.shape):
            self.n += 1
            made[place] = self.put(refs, f"v{self.n}", values.T[place]).ref
        return made


def write73(path: Path, variables: dict[str, Any]) -> Path:
    """Write a file of version 7.3."""
    writer = Writer(path)
    for name, value in variables.items():
        writer.put(writer.file, name, value)
    writer.file.close()
    with path.open("r+b") as handle:
        handle.write(HEADER.ljust(124, b" ") + b"\x00\x02IM")
    return path


def cell(*values: Any) -> np.ndarray:
    """Make a row of a cell array."""
    found = np.empty((1, len(values)), dtype=object)
    for place, value in enumerate(values):
        found[0, place] = value
    return found


VARIABLES: dict[str, Any] = {
    "number": 3.0,
    "row": np.arange(4.0),
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "cube": np.arange(24.0).reshape(2, 3, 4),
    "whole": np.array([[1, 2]], dtype=np.int16),
    "truth": np.array([[True, False]]),
    "word": "häuser ",
    "nothing": np.zeros((0, 3)),
    "cells": cell(1.0, "face", np.arange(3.0), cell("a", "b")),
    "one": {"id": "s1", "onset": 501.0, "labels": cell("car", "face"), "inner": {"x": 2.0}},
}
SEVERAL = [{"RDM": np.eye(2) * i, "name": f"subject {i}"} for i in range(3)]


def same(a: Any, b: Any) -> bool:
    """Compare values, cells and structs, types of arrays included."""
    if isinstance(a, np.ndarray) and a.dtype.names:
        fields = [(x[name][()], y[name][()]) for x, y in [(a, b)] for name in a.dtype.names]
        # Without a word from MATLAB, HDF5 sorts fields by name.
        names = set(a.dtype.names) == set(b.dtype.names)
        return names and a.shape == b.shape and all(same(x, y) for x, y in fields)
    if isinstance(a, np.ndarray) and a.dtype == object:
        return a.shape == b.shape and all(same(x, y) for x, y in zip(a.flat, b.flat, strict=True))
    return type(a) is type(b) and np.shape(a) == np.shape(b) and bool(np.all(a == b))


def test_both_versions_give_the_same(tmp_path: Path) -> None:
    """Numbers, text, cells in cells and structs in structs, as scipy reads them from version 5."""
    savemat(tmp_path / "old.mat", VARIABLES)
    old = read_matlab(tmp_path / "old.mat")
    new = read_matlab(write73(tmp_path / "new.mat", VARIABLES))
    assert set(new) == set(VARIABLES)
    differing = [name for name in old if not same(old[name], new[name])]
    assert differing == []


def test_struct_arrays_are_stacked(tmp_path: Path) -> None:
    """A 1 by 3 struct array becomes (3, 2, 2) of float64."""
    found = read_matlab(write73(tmp_path / "x.mat", {"RDMs": SEVERAL}))["RDMs"]
    assert found["name"].tolist() == ["subject 0", "subject 1", "subject 2"]
    np.testing.assert_array_equal(
        struct_field(found, "RDM"), np.eye(2) * np.arange(3)[:, None, None]
    )


def test_fields_have_the_order_that_matlab_notes(tmp_path: Path) -> None:
    """Where MATLAB wrote down the order of a struct's fields, it is kept."""
    path = write73(tmp_path / "x.mat", {"s": {"zeta": 1.0, "alpha": 2.0}})
    assert read_matlab(path)["s"].dtype.names == ("alpha", "zeta")
    with h5py.File(path, "r+") as file:
        letters = np.empty(2, dtype=object)
        letters[:] = [np.array(list(name), "S1") for name in ("zeta", "alpha")]
        kind = h5py.vlen_dtype(np.dtype("S1"))
        file["s"].attrs.create("MATLAB_fields", letters, dtype=kind)
    assert read_matlab(path)["s"].dtype.names == ("zeta", "alpha")


def test_objects_of_a_class_are_refused(tmp_path: Path) -> None:
    """A table or string of MATLAB is named with what to do."""
    path = write73(tmp_path / "x.mat", {"t": np.arange(6.0)})
    with h5py.File(path, "r+") as file:
        file["t"].attrs["MATLAB_class"] = np.bytes_("table")
        file["t"].attrs["MATLAB_object_decode"] = np.int32(3)
    with pytest.raises(DataError, match="'t' is an object of the MATLAB class 'table'"):
        read_matlab(path)


@pytest.mark.parametrize("cut", [600, 2000])
def test_damaged_files_are_refused(cut: int, tmp_path: Path) -> None:
    """A file cut short says so."""
    path = write73(tmp_path / "x.mat", {"a": np.arange(1e4)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match="cannot be read as a MATLAB file of version 7.3"):
        read_matlab(path)


def test_a_cell_that_holds_itself_ends(tmp_path: Path) -> None:
    """References that go round are told, not followed for ever."""
    path = write73(tmp_path / "x.mat", {"c": cell(1.0)})
    with h5py.File(path, "r+") as file:
        file["c"][0, 0] = file["c"].ref
    with pytest.raises(DataError, match="more than 32 deep"):
        read_matlab(path)


def test_rasters_of_version_73_are_recognised(tmp_path: Path) -> None:
    """Spikes of one unit are told by their variables, whatever the version."""
    rng = np.random.default_rng(0)
    path = write73(
        tmp_path / "unit.mat",
        {
            "raster_data": (rng.random((6, 40)) > 0.9).astype(float),
            "raster_labels": {"stimulus_ID": cell(*["car", "face"] * 3)},
            "raster_site_info": {"session_ID": "s1", "alignment_event_time": 11.0},
        },
    )
    found = recognise(path)
    assert found.kind == "rasters" and found.usable
    assert found.facts["candidates"] == [["stimulus_ID", 2]]
