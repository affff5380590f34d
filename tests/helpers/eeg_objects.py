"""Small EEG recordings, as objects of mne and as files written byte by byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd

EXACT = 1e-10  # float64 algebra in another order
SINGLE = 1e-6  # FIF keeps float32: 24 bits, with room for scaling
RATE = 100.0
N_SAMPLES = 1000
NAMES = ("Fz", "Cz", "Pz")
WHO: dict[str, Any] = {"system": "human", "subject": "s1", "stimulus_set": "toy"}
ONSETS = (1.0, 2.5, 4.0, 7.25)


def microvolts() -> np.ndarray:
    """Whole microvolts (channel, sample), so that integer files hold them exactly."""
    values = np.random.default_rng(7).integers(-90, 90, (len(NAMES), N_SAMPLES)).astype(float)
    values.setflags(write=False)
    return values


def raw_object(*, lowpass: float | None = None, annotated: bool = True) -> mne.io.RawArray:
    """A continuous recording of three channels with four events."""
    info = mne.create_info(list(NAMES), RATE, "eeg")
    raw = mne.io.RawArray(microvolts() * 1e-6, info, verbose="ERROR")
    if annotated:
        raw.set_annotations(mne.Annotations(list(ONSETS), 0.0, ["a", "b", "a", "b"]))
    if lowpass is not None:
        with raw.info._unlock():
            raw.info["lowpass"] = lowpass
    return raw


def epochs_object(n: int = 6, metadata: pd.DataFrame | None = None) -> mne.EpochsArray:
    """Epochs of three channels, alternating between two conditions."""
    values = np.random.default_rng(3).standard_normal((n, len(NAMES), 50)) * 1e-5
    events = np.column_stack([np.arange(n) * 100, np.zeros(n, int), np.arange(n) % 2 + 1])
    info = mne.create_info(list(NAMES), RATE, "eeg")
    return mne.EpochsArray(
        values, info, events, tmin=-0.1, event_id={"a": 1, "b": 2}, metadata=metadata,
        verbose="ERROR",
    )  # fmt: skip


def write_edf(path: Path, *, bits: int = 16) -> Path:
    """Write EDF, or BDF with 24 bits, by hand: 256-byte header, channel headers, records."""
    n, seconds = len(NAMES), int(N_SAMPLES / RATE)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def field(value: object, width: int) -> bytes:
        return str(value).ljust(width).encode("ascii")

    head = field(0, 8) if bits == 16 else b"\xffBIOSEMI"
    head += field("X X X X", 80) + field("Startdate X X X X", 80)
    head += field("01.01.20", 8) + field("00.00.00", 8) + field(256 * (n + 1), 8)
    head += field("" if bits == 16 else "24BIT", 44) + field(seconds, 8) + field(1, 8) + field(n, 4)
    columns: list[tuple[list[object], int]] = [
        (list(NAMES), 16), (["AgCl"] * n, 80), (["uV"] * n, 8), ([low] * n, 8),
        ([high] * n, 8), ([low] * n, 8), ([high] * n, 8), ([""] * n, 80),
        ([int(RATE)] * n, 8), ([""] * n, 32),
    ]  # fmt: skip
    for values, width in columns:
        head += b"".join(field(value, width) for value in values)
    records = microvolts().reshape(n, seconds, int(RATE)).transpose(1, 0, 2).astype("<i4")
    # Of four bytes with the lowest first, as many are kept as the format has.
    kept = records[..., np.newaxis].view(np.uint8)[..., : bits // 8]
    path.write_bytes(head + kept.tobytes())
    return path


def write_brainvision(folder: Path) -> Path:
    """Write the three files of BrainVision by hand; markers count samples from 1."""
    header = folder / "run.vhdr"
    channels = "\n".join(f"Ch{i}={name},,1,µV" for i, name in enumerate(NAMES, start=1))
    header.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\n"
        "Codepage=UTF-8\nDataFile=run.eeg\nMarkerFile=run.vmrk\nDataFormat=BINARY\n"
        f"DataOrientation=MULTIPLEXED\nNumberOfChannels={len(NAMES)}\n"
        f"SamplingInterval={1e6 / RATE:g}\n\n[Binary Infos]\nBinaryFormat=INT_16\n\n"
        f"[Channel Infos]\n{channels}\n",
        encoding="utf-8",
    )
    marks = "\n".join(
        f"Mk{i}=Stimulus,S  {1 + i % 2},{int(onset * RATE) + 1},1,0"
        for i, onset in enumerate(ONSETS, start=1)
    )
    (folder / "run.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n\n[Common Infos]\n"
        f"Codepage=UTF-8\nDataFile=run.eeg\n\n[Marker Infos]\n{marks}\n",
        encoding="utf-8",
    )
    (folder / "run.eeg").write_bytes(microvolts().T.astype("<i2").tobytes())
    return header


def expected(onsets: tuple[float, ...] = ONSETS, *, step: int = 1) -> np.ndarray:
    """Cut -0.2 to 0.8 s by hand, in volts."""
    starts = [round(onset * RATE) - 20 for onset in onsets]
    return np.stack([microvolts()[:, s : s + 101 : step] for s in starts]) * 1e-6


def event_file(folder: Path, onsets: tuple[float, ...] = ONSETS, **columns: object) -> Path:
    """Write an events.tsv."""
    path = folder / "events.tsv"
    table = pd.DataFrame({"onset": onsets, "trial_type": ["a", "b", "a", "b"], **columns})
    table.to_csv(path, sep="\t", index=False)
    return path
