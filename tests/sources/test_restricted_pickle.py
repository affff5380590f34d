"""The restricted reader gives back arrays and numbers, and runs nothing."""

from __future__ import annotations

import builtins
import collections
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroai.errors import IntegrityError, UsageError
from neuroai.sources.restricted_pickle import read_pinned_pickle


def write(path: Path, content: bytes) -> tuple[Path, str]:
    """Write bytes and give their hash."""
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


class Payload:
    """Calls something when it is unpickled by the ordinary reader."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_numbers_come_back(protocol: int, tmp_path: Path) -> None:
    """Every protocol: dicts, scalars, arrays of any order and byte order, text, object arrays."""
    cells = np.empty(2, dtype=object)
    cells[:] = [np.arange(3), "text"]
    content = {
        "scalar": np.float64(0.4),
        "label": np.str_("FACES"),
        "big": np.arange(6, dtype=">i4").reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "empty": np.zeros((0, 3)),
        "list": [1, (2.5, None, True)],
        "cells": cells,
    }
    path, sha256 = write(tmp_path / "a.pickle", pickle.dumps(content, protocol=protocol))
    got = read_pinned_pickle(path, sha256=sha256)
    assert (got["scalar"], got["label"], got["list"]) == (0.4, "FACES", [1, (2.5, None, True)])
    for name in ("big", "columns", "empty"):
        np.testing.assert_array_equal(got[name], content[name])
        assert got[name].shape == content[name].shape
    np.testing.assert_array_equal(got["cells"][0], np.arange(3))
    assert got["cells"][1] == "text"


def test_objects_in_npy(tmp_path: Path) -> None:
    """A NumPy file of objects keeps its shape; plain numbers are sent to the plain reader."""
    cells = np.empty((1, 2), dtype=object)
    cells[0] = [np.arange(2), None]
    np.save(tmp_path / "a.npy", cells)
    np.save(tmp_path / "b.npy", np.arange(3))
    path, sha256 = write(tmp_path / "a.npy", (tmp_path / "a.npy").read_bytes())
    got = read_pinned_pickle(path, sha256=sha256)
    assert got.shape == (1, 2)
    assert got[0, 1] is None
    plain, sha256 = write(tmp_path / "b.npy", (tmp_path / "b.npy").read_bytes())
    with pytest.raises(UsageError, match="read it with numpy.load"):
        read_pinned_pickle(plain, sha256=sha256)


@pytest.mark.parametrize(
    "payload",
    [
        Payload(os.system, "touch {marker}"),
        Payload(builtins.exec, "open('{marker}', 'w')"),
        Payload(builtins.eval, "open('{marker}', 'w')"),
        Payload(builtins.open, "{marker}", "w"),
        Payload(os.mkdir, "{marker}"),
        Payload(getattr, "text", "upper"),
        Payload(np.fromfile, "{marker}"),
        Payload(pickle.loads, b"N."),
        {"deep": [1, (Payload(os.system, "touch {marker}"),)]},
        collections.OrderedDict(a=1),
        np.random.default_rng(0),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.zeros(2, dtype=[("a", "f8")]),
        {1, 2},
    ],
    ids=lambda payload: type(payload).__name__,
)
def test_everything_else_is_refused_and_nothing_runs(payload: Any, tmp_path: Path) -> None:
    """Calls, classes, generators, dates and records are errors; no payload leaves a trace."""
    marker = tmp_path / "ran"
    for protocol in (0, 2, 4):
        filled = pickle.dumps(_filled(payload, marker), protocol=protocol)
        path, sha256 = write(tmp_path / f"{protocol}.pickle", filled)
        with pytest.raises(IntegrityError):
            read_pinned_pickle(path, sha256=sha256)
    assert not marker.exists()


def _filled(payload: Any, marker: Path) -> Any:
    if isinstance(payload, Payload):
        function, arguments = payload.call
        named = [a.replace("{marker}", str(marker)) if isinstance(a, str) else a for a in arguments]
        return Payload(function, *named)
    if isinstance(payload, dict) and "deep" in payload:
        return {"deep": [1, (_filled(payload["deep"][1][0], marker),)]}
    return payload


def test_another_file_is_never_read(tmp_path: Path) -> None:
    """A hash that does not match is refused before a byte is interpreted."""
    path, _ = write(tmp_path / "a.pickle", pickle.dumps(1.0))
    with pytest.raises(IntegrityError, match="is not the published file.*CSV, NPZ or netCDF"):
        read_pinned_pickle(path, sha256="0" * 64)
    with pytest.raises(UsageError, match="There is no file"):
        read_pinned_pickle(tmp_path / "none.pickle", sha256="0" * 64)


@pytest.mark.parametrize("cut", [1, 7, 20, 60])
def test_broken_pickles_are_refused(cut: int, tmp_path: Path) -> None:
    """A file that was cut off is an error that says so."""
    content = pickle.dumps({"a": np.arange(10.0)}, protocol=2)
    path, sha256 = write(tmp_path / "a.pickle", content[:-cut])
    with pytest.raises(IntegrityError, match="is no pickle of arrays and numbers"):
        read_pinned_pickle(path, sha256=sha256)
