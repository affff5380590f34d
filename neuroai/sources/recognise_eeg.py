"""What a file of EEG, MEG or intracranial data holds, read piece by piece."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroai.checks import listing
from neuroai.errors import DataError
from neuroai.sources.columns import grouping_columns, present, stimulus_candidates
from neuroai.sources.eeg_channels import DATA_TYPES, refuse_microvolts
from neuroai.sources.eeg_events import CONDITION, event_table
from neuroai.sources.eeg_files import open_eeg
from neuroai.sources.finding import Finding
from neuroai.sources.recognise_fmri import entities

PIECE = 10.0  # s of a continuous recording held at a time
EPOCHS_AT_A_TIME = 32


def recognise_eeg(path: Path) -> Finding:
    """Say which channels, events and columns a recording has, and which channels are dead."""
    import mne

    with warnings.catch_warnings(), mne.use_log_level("ERROR"):
        warnings.simplefilter("ignore")
        other = _other_fif(path)
        if other:
            return Finding(
                path, "other", f"FIF file of another kind ({other})", do="It is left out."
            )
        opened = open_eeg(path)
        if isinstance(opened, list):
            return _averages(path, opened)
        epochs = isinstance(opened, mne.BaseEpochs)
        columns, notes = (_metadata(opened), ()) if epochs else _events(opened)
        return _described(path, opened, columns, epochs=epochs, notes=notes)


def _other_fif(path: Path) -> str:
    """Name what a FIF file holds that is no recording, such as a covariance."""
    import mne

    if not path.name.endswith((".fif", ".fif.gz")):
        return ""
    try:
        kind = str(mne.what(path))
    except (OSError, ValueError, RuntimeError, EOFError):
        return ""  # damaged: opening it says how
    return "" if kind in ("raw", "epochs", "evoked", "unknown") else kind


def _metadata(epochs: Any) -> dict[str, np.ndarray]:
    names = {code: name for name, code in epochs.event_id.items()}
    columns = {CONDITION: np.array([names[code] for code in epochs.events[:, 2]], dtype=object)}
    if epochs.metadata is not None:
        columns |= {str(name): column.to_numpy() for name, column in epochs.metadata.items()}
    return columns


def _events(raw: Any) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    try:
        table = event_table(raw)
    except (DataError, ValueError) as error:
        return {}, (f"no events of its own ({error})",)
    return {str(name): column.to_numpy() for name, column in table.items()}, ()


def _pieces(opened: Any, picks: np.ndarray, *, epochs: bool) -> Iterator[np.ndarray]:
    """Give (channel, sample) arrays, one after the other."""
    if epochs:
        for start in range(0, len(opened), EPOCHS_AT_A_TIME):
            part = opened[start : start + EPOCHS_AT_A_TIME].get_data(picks=picks, copy=False)
            yield np.moveaxis(part, 1, 0).reshape(len(picks), -1)
        return
    step = max(1, int(PIECE * opened.info["sfreq"]))
    for start in range(0, opened.n_times, step):
        yield opened.get_data(picks=picks, start=start, stop=min(start + step, opened.n_times))


def _extremes(opened: Any, picks: np.ndarray, *, epochs: bool) -> tuple[np.ndarray, np.ndarray]:
    """Say which channels are finite, and which never vary."""
    low, high = np.full(len(picks), np.inf), np.full(len(picks), -np.inf)
    finite = np.ones(len(picks), dtype=bool)
    for piece in _pieces(opened, picks, epochs=epochs):
        finite &= np.isfinite(piece).all(axis=1)
        low, high = np.fmin(low, piece.min(axis=1)), np.fmax(high, piece.max(axis=1))
    return finite, finite & (low == high)


def _first(opened: Any, picks: np.ndarray, *, epochs: bool) -> np.ndarray:
    if epochs:
        return opened[:1].get_data(picks=picks, copy=False)
    stop = min(opened.n_times, int(opened.info["sfreq"]) + 1)
    return opened.get_data(picks=picks, start=0, stop=stop)[np.newaxis]


def _described(
    path: Path, opened: Any, columns: Mapping[str, Any], *, epochs: bool, notes: tuple[str, ...]
) -> Finding:
    types = opened.get_channel_types()
    picks = np.array([i for i, kind in enumerate(types) if kind in DATA_TYPES], dtype=int)
    wrong, odd = list(_faults(path, opened, picks, types, epochs=epochs)), list(notes)
    if epochs and not stimulus_candidates(columns):
        odd.append("nothing but the event's name says what was shown")
    bads = opened.info["bads"]
    if bads:
        odd.append(f"marked as bad and left out: {listing(bads)}")
    size = (
        f"{len(opened)} epochs from {opened.tmin:g} to {opened.tmax:g} s"
        if epochs
        else f"{opened.times[-1]:.1f} s without a break"
    )
    counted = ", ".join(f"{n} {kind}" for kind, n in Counter(types).items())
    found = [f"{size} at {opened.info['sfreq']:g} Hz", f"channels: {counted}"]
    found += _column_sentences(columns)
    return Finding(
        path,
        "eeg",
        f"{'epochs' if epochs else 'continuous recording'} ({_modality(types)})",
        found=tuple(found),
        wrong=tuple(wrong),
        odd=tuple(odd),
        do="" if columns else "Give a table of its events (onset in s, and what was shown).",
        facts=_facts(path, columns, what="epochs" if epochs else "raw", opened=opened),
    )


def _facts(path: Path, columns: Mapping[str, Any], *, what: str, opened: Any) -> dict[str, Any]:
    candidates = stimulus_candidates(columns)
    groups = grouping_columns(columns, candidates[0][0]) if candidates else {}
    duration = 0.0 if what != "raw" else float(opened.times[-1])
    return {
        "what": what,
        "columns": [str(name) for name in columns],
        "candidates": [list(pair) for pair in candidates],
        "groups": groups,
        "duration": duration,
        "channels": list(opened.ch_names),
        "entities": entities(path),
        "channels_table": _channels_table(path).is_file(),
    }


def _channels_table(path: Path) -> Path:
    """Give where BIDS puts the types and quality of a recording's channels."""
    return path.with_name(f"{path.name.split('.')[0].rpartition('_')[0]}_channels.tsv")


def _column_sentences(columns: Mapping[str, Any]) -> list[str]:
    if not columns:
        return []
    shown = [f"{name} ({len(set(present(values)))} values)" for name, values in columns.items()]
    n_rows = len(next(iter(columns.values())))
    return [f"{n_rows} events with the columns {listing(shown, shown=12)}"]


def _faults(
    path: Path, opened: Any, picks: np.ndarray, types: list[str], *, epochs: bool
) -> Iterator[str]:
    if not len(picks):
        yield f"no channel measures the brain: there are {listing(sorted(set(types)))}"
        return
    finite, constant = _extremes(opened, picks, epochs=epochs)
    names = np.array(opened.ch_names, dtype=object)[picks]
    if not finite.all():
        yield f"{(~finite).sum()} channels hold NaN or infinite values: {listing(names[~finite])}"
    if constant.any():
        yield (
            f"{constant.sum()} channels never vary: {listing(names[constant])}. Mark them as bad "
            "in the file, or choose channels with picks"
        )
    try:
        first = _first(opened, picks, epochs=epochs)
        refuse_microvolts(first, [types[i] for i in picks], source=path.name)
    except DataError as error:
        yield str(error)


def _modality(types: list[str]) -> str:
    if {"mag", "grad"} & set(types):
        return "MEG"
    return "intracranial" if {"seeg", "ecog", "dbs"} & set(types) else "EEG"


def _averages(path: Path, averages: list[Any]) -> Finding:
    names = [str(one.comment) for one in averages]
    n_bad = sum(int((~np.isfinite(one.data)).sum()) for one in averages)
    return Finding(
        path,
        "eeg",
        "averages (EEG or MEG)",
        found=(f"{len(names)} averages of {averages[0].info['nchan']} channels: {listing(names)}",),
        wrong=(f"{n_bad} values are NaN or infinite",) if n_bad else (),
        facts={
            "what": "averages",
            "columns": [CONDITION],
            "candidates": [[CONDITION, len(set(names))]],
            "groups": {},
            "channels": list(averages[0].ch_names),
            "entities": entities(path),
        },
    )
