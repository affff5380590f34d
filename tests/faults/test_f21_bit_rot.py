"""F21: a bit that flips, or a file that goes, anywhere in a sealed store is noticed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import NeuroaiError
from neuroai.format.files import open_form, save
from neuroai.testing import random_recording

DELETED = 0.1


def run(cases, rng):
    """Flip a bit drawn over all bytes, or delete a file drawn over all files, seal included."""
    found = Outcome()
    recording = random_recording(n_stimuli=20, n_units=50)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "activity.zarr"
        save(recording, store)
        np.testing.assert_array_equal(open_form(store).values, recording.values)
        files = sorted(path for path in store.rglob("*") if path.is_file())
        sizes = np.array([path.stat().st_size for path in files], dtype=float)
        for case in range(cases):
            deleted = rng.random() < DELETED
            share = None if deleted else sizes / sizes.sum()
            path = files[rng.choice(len(files), p=share)]
            kept = path.read_bytes()
            if deleted:
                found.count("files deleted")
                path.unlink()
            else:
                found.count("bits flipped")
                path.write_bytes(_flipped(kept, rng))
            if path.suffix == ".json":
                found.count("of them in metadata or the seal")
            name = path.relative_to(store)
            found.check(_refused(store), f"case {case}: damage to {name} was silent")
            path.write_bytes(kept)
        found.check(not _refused(store), "the store that was mended does not open")
    return found


def _flipped(content, rng):
    at = int(rng.integers(len(content)))
    return content[:at] + bytes([content[at] ^ (1 << int(rng.integers(8)))]) + content[at + 1 :]


def _refused(store):
    try:
        open_form(store)
    except NeuroaiError:
        return True
    return False


FAULT = Fault("F21", "a flipped bit or a missing file of a sealed store is noticed", 1_000, run)


def test_f21():
    """No damage is silent."""
    assert_held(FAULT)
