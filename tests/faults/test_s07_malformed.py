"""S7: malformed NIfTI, EDF, HDF5 and NWB files are refused in words, in bounded memory."""

from __future__ import annotations

import resource
import signal
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import h5py
import mne
import nibabel
import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held, in_child
from pynwb import NWBHDF5IO, NWBFile

from neuroai.errors import NeuroaiError
from neuroai.format.files import open_form, save
from neuroai.sources.eeg import read_eeg
from neuroai.sources.fmri import read_bold
from neuroai.sources.recognise import recognise
from neuroai.sources.spikes_nwb import read_nwb_units
from neuroai.testing import random_recording

MEMORY = 2**30  # bytes that reading a file of some kilobytes may take
SECONDS = 60
TOGETHER = 40  # files read by one process
ABOUT = {"system": "brain", "stimulus_set": "s"}
EVENTS = pd.DataFrame(
    {"onset": [2.0, 8.0], "duration": 1.0, "trial_type": ["a", "b"], "stimulus_id": ["a", "b"]}
)


def _nifti(path):
    values = 100 + np.random.default_rng(0).standard_normal((3, 4, 2, 12)).astype(np.float32)
    image = nibabel.Nifti1Image(values, np.eye(4))
    image.header.set_zooms((1, 1, 1, 2.0))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)


def _read_nifti(path):
    read_bold(path, events=EVENTS, subject="1", model="condition", undefined="drop", **ABOUT)


def _edf(path):
    """Write an EDF of two channels by hand: 12 records of a second, 50 samples each."""
    n, rate, records = 2, 50, 12

    def field(values, size):
        return b"".join(str(value).encode().ljust(size) for value in values)

    head = field(["0"], 8) + field(["X X X X", "Startdate 01-JAN-2000 X X X"], 80)
    head += field(["01.01.00", "00.00.00", 256 * (n + 1)], 8) + field([""], 44)
    head += field([records, 1], 8) + field([n], 4)
    head += field(["EEG a", "EEG b"], 16) + field([""] * n, 80) + field(["uV"] * n, 8)
    head += field([-200] * n + [200] * n + [-2048] * n + [2047] * n, 8)
    head += field([""] * n, 80) + field([rate] * n, 8) + field([""] * n, 32)
    samples = np.random.default_rng(0).integers(-500, 500, records * n * rate)
    path.write_bytes(head + samples.astype("<i2").tobytes())


def _read_edf(path):
    read_eeg(path, events=EVENTS, subject="1", tmin=0.0, tmax=0.5, **ABOUT)


def _form(path):
    save(random_recording(n_stimuli=4, n_units=3), path)


def _nwb(path):
    nwb = NWBFile(
        session_description="made for a test", identifier="x",
        session_start_time=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    nwb.add_trial_column("stimulus_id", "what was shown")
    for i in range(4):
        nwb.add_trial(start_time=1.0 + i, stop_time=1.5 + i, stimulus_id="ab"[i % 2])
    for unit in range(3):
        nwb.add_unit(spike_times=1.0 + 0.1 * np.arange(unit, 40.0))
    with NWBHDF5IO(path, "w") as target:
        target.write(nwb)


def _read_nwb(path):
    read_nwb_units(path, subject="1", region="V1", window=(0.0, 0.5), **ABOUT)


FORMATS = {
    "NIfTI": ("run.nii", _nifti, _read_nifti),
    "EDF": ("run.edf", _edf, _read_edf),
    "HDF5": ("form.nc", _form, open_form),
    "NWB": ("units.nwb", _nwb, _read_nwb),
}


def _mutated(content, rng):
    """Change, overwrite, cut out, insert or cut off; half of the time near the beginning."""
    content = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        end = len(content) if rng.random() < 0.5 else min(len(content), 400)
        at, size = int(rng.integers(max(1, end))), int(rng.integers(1, 9))
        kind = int(rng.integers(6))
        if kind == 0:
            content[at : at + 1] = rng.bytes(1)
        elif kind == 1:
            content[at : at + size] = rng.bytes(len(content[at : at + size]))
        elif kind == 2:
            content[at : at + size] = b"\xff" * len(content[at : at + size])
        elif kind == 3:
            content[at : at + size] = b"\x7f" + b"\x00" * (len(content[at : at + size]) - 1)
        elif kind == 4 and rng.random() < 0.3:
            del content[at:]
        elif kind == 5:
            content[at:at] = rng.bytes(size)
        content = content or bytearray(b"\x00")
    return bytes(content)


def run(cases, rng):
    """Read mutated files in forked processes that may take a gibibyte and a minute each."""
    found = Outcome()
    with tempfile.TemporaryDirectory() as name:
        for kind, (file, write, read) in FORMATS.items():
            folder = Path(name) / kind
            folder.mkdir()
            write(folder / file)
            whole = (folder / file).read_bytes()
            said = in_child(lambda r=read, p=folder / file: _both(r, p), folder=folder).said
            found.check(said == "read", f"the {kind} file that is whole: {said}")
            _fuzz(found, kind, folder / file, whole, read, cases // len(FORMATS), rng)
    return found


def _fuzz(found, kind, path, whole, read, cases, rng):
    """Try so many files, several a process; the one upon which a process dies is named."""
    contents = [_mutated(whole, rng) for _ in range(cases)]
    done = 0
    while done < cases:
        some = contents[done : done + TOGETHER]
        child = in_child(lambda s=some: _several(s, path, read), folder=path.parent, memory=MEMORY)
        told = (path.parent / "told").read_text().splitlines()
        if child.code:
            told = [*told, f"the process died ({child.code}) {child.said}"][: len(some)]
        for said in told:
            found.check(said in ("read", "refused"), f"{kind}: {said}")
            found.count(f"{kind} files {'read' if said == 'read' else 'refused'}")
        done += max(1, len(told))


def _several(contents, path, read):
    """Read one after the other, and keep what each gave on disk."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with (path.parent / "told").open("w") as told:
        for content in contents:
            path.write_bytes(content)
            signal.alarm(SECONDS)
            told.write(" ".join(_both(read, path).split()) + "\n")
            told.flush()
    return ""


def _both(read, path):
    """Recognise a file, then read it; only errors that speak to the user are allowed."""
    try:
        recognise(path)
        read(path)
    except NeuroaiError:
        return "refused"
    except BaseException as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return "read"


FAULT = Fault(
    "S7", "malformed files are refused in words, within a gibibyte and a minute", 8_000, run
)  # fmt: skip


def test_s7():
    """A bounded number of every format; the parent lives."""
    assert_held(FAULT)


def test_the_base_files_are_good():
    """Each format's reader takes the file before it is mutated, so that refusals mean something."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.edf"
        _edf(path)
        raw = mne.io.read_raw_edf(path, verbose="ERROR")
        assert raw.get_data().shape == (2, 600)
        _form(Path(name) / "x.nc")
        with h5py.File(Path(name) / "x.nc") as file:
            assert len(file) > 0
