"""F19: a disk that fills up is told in words, and what was finished is kept and gone on with."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from errno import ENOSPC
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held, in_child

from neuroai.errors import ResourceError
from neuroai.format.files import open_form, save
from neuroai.format.stimuli import stimulus_set
from neuroai.systems import store
from neuroai.systems.extract import extract
from neuroai.systems.load import load_model
from neuroai.testing import random_recording


def _shown():
    rng = np.random.default_rng(0)
    images = {f"s{i:02d}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(24)}
    return stimulus_set(pd.DataFrame({"stimulus_id": list(images)}), name="s", load=images.get)


def run(cases, rng):
    """Fill the disk after so many bytes: by an error of the store, and by the system's limit."""
    found, shown = Outcome(), _shown()
    model = load_model("builtin:small_convnet", layers=["conv1", "fc2"], batch_size=4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        extract(model, shown, folder / "whole.zarr")
        expected = _files(folder / "whole.zarr")
        total = sum(map(len, expected.values()))
        for case in range(cases):
            path = folder / f"{case}.zarr"
            room = int(rng.uniform(0, 0.8) * total)
            said = _fill(model, shown, path, room)
            found.check("Free some disk" in said, f"case {case}: {said or 'nothing was said'}")
            extract(model, shown, path)
            found.check(_files(path) == expected, f"case {case}: gone on to another store")
        largest = max(map(len, expected.values()))
        for case in range(cases):
            path, limit = folder / f"l{case}.zarr", int(rng.uniform(0.02, 0.9) * largest)
            said = in_child(lambda p=path, n=limit: _within(model, shown, p, n), folder=folder).said
            found.check("Free some disk" in said, f"files up to {limit} bytes: {said}")
            found.count("extractions under RLIMIT_FSIZE")
            extract(model, shown, path)
            found.check(_files(path) == expected, f"files up to {limit} bytes: another store")
        for case in range(cases):
            code = _limited(folder / f"r{case}", int(rng.uniform(2_000, 60_000)))
            found.check(code == 0, f"limit {case}: {code}")
    return found


def _files(path):
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def _fill(model, shown, path, room):
    """Extract on a disk that takes `room` more bytes of chunks."""
    left = [room]
    plain = store.write_chunk

    def writing(handle, chunk):
        left[0] -= chunk.nbytes
        if left[0] < 0:
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        plain(handle, chunk)

    with mock.patch.object(store, "write_chunk", writing):
        try:
            extract(model, shown, path)
        except ResourceError as error:
            return str(error)
    return ""


def _within(model, shown, path, limit):
    """Extract where no file may become longer than `limit` bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        extract(model, shown, path)
    except ResourceError as error:
        said = str(error)
    else:
        said = "it went on as if nothing were"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return said


def _limited(folder, limit):
    """Save over an old file in a process that may write no file beyond `limit`; 0 if all is well.

    The old file must be whole afterwards, or the new one where it fitted.
    """
    folder.mkdir()
    path = folder / "result.nc"
    old, new = (random_recording(n_stimuli=20, n_units=n, seed=n) for n in (10, 300))
    save(old, path)
    done = in_child(lambda: _saved(new, path, limit), folder=folder)
    values = open_form(path).values
    whole = [np.array_equal(values, form.values) for form in (old, new)]
    if not any(whole):
        return "neither file is whole"
    return 0 if done.code in (0, 1) else f"the process died ({done.code})"


def _saved(form, path, limit):
    """Save where no file may become longer than `limit` bytes, not even what is said here."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    save(form, path)
    return ""


FAULT = Fault(
    "F19", "disk full: said in words, what was finished is kept and gone on with", 20, run
)


def test_f19():
    """By an injected error of the store, and by the system's limit on files."""
    assert_held(FAULT)
