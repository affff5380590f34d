"""EEG, MEG and intracranial recordings: files, or objects of mne, into a recording."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.checks import known_name, need, one_of
from neuroai.errors import DataError
from neuroai.format.build import recording, text
from neuroai.format.schema import FORMS, PRESENTATION, STIMULUS_ID
from neuroai.sources.bids import COORDS, entity
from neuroai.sources.eeg_channels import channel_columns, refuse_microvolts
from neuroai.sources.eeg_epochs import Window, parts_of
from neuroai.sources.eeg_events import CONDITION
from neuroai.sources.eeg_files import open_eeg

if TYPE_CHECKING:
    from mne import BaseEpochs, Evoked
    from mne.io import BaseRaw

LOUDEST = logging.WARNING  # mne warns only where it logs warnings
MODALITIES = {"eeg": "EEG", "mag": "MEG", "grad": "MEG", "seeg": "iEEG", "ecog": "iEEG"}
# What mne says that is so by the reader's own doing, or that changes no value.
HARMLESS = (
    "does not conform to MNE naming conventions",
    "Not setting positions of",
    "which can cause aliasing artifacts",
)
UNIT_NAMES = ("subject", "channel_type", "x", "y", "z", "physical_unit", "hemisphere", "unit")
DATATYPES = ("eeg", "meg", "ieeg")
# What mne-bids calls the entities of names.
BIDS_NAMES = {
    "sub": "subject", "ses": "session", "task": "task", "run": "run", "acq": "acquisition",
    "proc": "processing", "split": "split",
}  # fmt: skip
LOSSES = ("Omitted", "Limited", "outside data range", "outside the data range")


@dataclass
class _Heard:
    """Sentences of mne that a reader of the data must know."""

    notes: list[str] = field(default_factory=list)


def read_eeg(
    source: str | Path | BaseRaw | BaseEpochs | Evoked | Sequence[Evoked],
    *,
    system: str,
    subject: str,
    stimulus_set: str,
    kind: str = "brain",
    stimulus_id: str | Sequence[str] | None = None,
    events: pd.DataFrame | str | Path | np.ndarray | None = None,
    event_id: Mapping[str, int] | None = None,
    conditions: Sequence[str] | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: tuple[float | None, float | None] | None = None,
    decimate: int = 1,
    picks: str | Sequence[str] = "data",
    channel_types: Mapping[str, str] | None = None,
    incomplete: str = "raise",
    modality: str = "",
    verbose: bool | str | int | None = None,
) -> xr.DataArray:
    """Read one subject's EEG, MEG or intracranial recording, cut around its events.

    Epochs are cut at the full sampling rate, then every `decimate`-th sample is kept: an onset
    is never moved by the new rate.

    Parameters
    ----------
    source : path, or object of mne
        A FIF (raw, epochs or averages), EDF, BDF, GDF, BrainVision (``.vhdr``) or EEGLAB
        (``.set``) file, or a Raw, Epochs, Evoked or list of Evoked, which is left as it is.
    system, subject, stimulus_set, kind
        As `neuroai.format.build.recording`.
    stimulus_id : str or sequence of str, optional
        Column of the events or of the epochs' metadata, or one id a showing. By default the
        column ``stimulus_id``, else the event's name.
    events, event_id, conditions
        Events of a continuous recording, as `neuroai.sources.eeg_events.event_table`.
        `conditions` also chooses among epochs and averages.
    tmin, tmax : float, optional
        Window around the onset in seconds; -0.2 to 0.8 for a continuous recording, the whole of
        epochs and averages.
    baseline : tuple, optional
        Window whose mean is subtracted from each epoch of a continuous recording.
    decimate : int
        Keep every n-th sample.
    picks : str or sequence of str
        Channels, as `neuroai.sources.eeg_channels.chosen_channels`.
    channel_types : mapping, optional
        Corrected types of channels, such as ``{"EOG1": "eog"}``.
    incomplete : {"raise", "drop"}
        What to do with events whose window reaches over an end of the recording.
    modality : str
        By default EEG, MEG or iEEG, after the channels.
    verbose : bool, str or int, optional
        How much mne logs. Its warnings are kept in the attr ``note``.

    Returns
    -------
    xarray.DataArray
        A recording (presentation, unit, time): float64 in SI units (V, T, T/m; the coordinate
        ``physical_unit`` of every channel where they differ), time in s since the onset,
        ``region`` the type of channel, ``x y z`` in mm in the head's frame; the columns of
        events or metadata are coordinates; averages have ``n_repeats``.

    Raises
    ------
    DataError
        The file cannot be read; there are no events; an event lies outside of the recording;
        decimation would alias; potentials are in microvolts.
    UnknownName
        A channel, column or event of this name does not exist.
    UsageError
        The file does not exist or its kind is not known.
    """
    one_of(incomplete, ("raise", "drop"), option="incomplete")
    name = str(source) if isinstance(source, (str, Path)) else type(source).__name__
    window = Window(tmin, tmax, baseline, decimate, incomplete)
    with _listening(name, verbose) as heard:
        opened = open_eeg(source)
        parts = parts_of(
            opened, window=window, picks=picks, channel_types=channel_types, events=events,
            event_id=event_id, conditions=conditions, owned=isinstance(source, (str, Path)),
        )  # fmt: skip
    units = channel_columns(parts.info)
    refuse_microvolts(parts.values, units["channel_type"], source=name)
    ids, presentation = _presentations(parts.columns, stimulus_id)
    stated = units.pop("physical_unit")
    same = len(set(stated)) == 1
    return recording(
        parts.values,
        stimulus_id=ids,
        unit_id=units.pop("unit_id"),
        region=units["channel_type"],
        presentation=presentation,
        unit=units if same else {**units, "physical_unit": stated},
        time=parts.times,
        time_unit="s",
        system=system,
        kind=kind,
        subject=subject,
        stimulus_set=stimulus_set,
        modality=modality or _modality(units["channel_type"]),
        physical_unit=stated[0] if same else "",
        attrs={"space": "head", **_note((*parts.notes, *heard.notes))},
    )


def _presentations(
    columns: pd.DataFrame, stimulus_id: str | Sequence[str] | None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Take the ids out of the columns, and rename columns that would pass for others."""
    if stimulus_id is None:
        stimulus_id = STIMULUS_ID if STIMULUS_ID in columns.columns else CONDITION
    if isinstance(stimulus_id, str):
        known_name(stimulus_id, list(columns.columns), kind="column of the events")
        ids = text(columns[stimulus_id])
    else:
        ids = text(stimulus_id)
    if len(ids) != len(columns) or (ids == "").any():
        raise DataError(
            f"Every presentation needs a stimulus_id: there are {len(columns)} presentations and "
            f"{(ids != '').sum()} ids. Give one a presentation, or name a column without gaps."
        )
    taken = set(FORMS["recording"].dims) | {"time", "unit_id", "region", *UNIT_NAMES}
    return ids, {
        f"event_{name}" if str(name) in taken else str(name).replace("/", "_"): values.to_numpy()
        for name, values in columns.items()
        if name != STIMULUS_ID
    }


def _modality(types: Sequence[str]) -> str:
    found = dict.fromkeys(MODALITIES.get(kind, "") for kind in types)
    return "+".join(name for name in found if name) or "electrophysiology"


def read_eeg_bids(
    root: str | Path,
    *,
    system: str,
    subject: str,
    stimulus_set: str,
    task: str,
    datatype: str = "eeg",
    session: str | None = None,
    run: str | None = None,
    stimulus_id: str | Sequence[str] | None = None,
    conditions: Sequence[str] | None = None,
    tmin: float | None = None,
    tmax: float | None = None,
    baseline: tuple[float | None, float | None] | None = None,
    decimate: int = 1,
    picks: str | Sequence[str] = "data",
    incomplete: str = "raise",
    verbose: bool | str | int | None = None,
) -> xr.DataArray:
    """Read one run of a BIDS folder, its ``events.tsv`` and channels, as `read_eeg`.

    Parameters
    ----------
    root : path
        The BIDS folder.
    subject, session, task, run : str
        BIDS entities, with or without their key (``01`` or ``sub-01``); session, task and run
        become coordinates.
    datatype : {"eeg", "meg", "ieeg"}
        Folder of the recording.

    Raises
    ------
    MissingExtra
        mne-bids is not installed.
    DataError
        There is no such run, or as `read_eeg`.
    """
    one_of(datatype, DATATYPES, option="datatype")
    keys = {"sub": subject, "ses": session, "task": task, "run": run}
    named = {key: str(entity(value, key)) for key, value in keys.items() if value is not None}
    with _listening(str(root), verbose) as heard:
        raw, path = open_bids(Path(root), named, datatype)
    table = path.parent / f"{path.name.rpartition('_')[0]}_events.tsv"
    found = read_eeg(
        raw, system=system, subject=named["sub"], stimulus_set=stimulus_set,
        stimulus_id=stimulus_id, events=table if table.is_file() else None, conditions=conditions,
        tmin=tmin, tmax=tmax, baseline=baseline, decimate=decimate, picks=picks,
        incomplete=incomplete, verbose=verbose,
    )  # fmt: skip
    n = found.sizes[PRESENTATION]
    own = {COORDS[k]: (PRESENTATION, text([v] * n)) for k, v in named.items() if k in COORDS}
    notes = _note((found.attrs.get("note", ""), *heard.notes))
    return found.assign_coords(own).assign_attrs(notes)


def open_bids(root: Path, entities: Mapping[str, str], datatype: str) -> tuple[BaseRaw, Path]:
    """Open one run of a BIDS folder through mne-bids, with what its ``channels.tsv`` says.

    Parameters
    ----------
    root : pathlib.Path
        The BIDS folder.
    entities : mapping
        ``sub``, ``task`` and, where the names have them, ``ses``, ``run`` and others.
    datatype : {"eeg", "meg", "ieeg"}
        Folder of the recording.

    Returns
    -------
    tuple
        The recording, with bad channels marked and types as stated, and its file.

    Raises
    ------
    MissingExtra
        mne-bids is not installed.
    DataError
        There is no such run.
    """
    bids = need("mne_bids", extra="bids", purpose="Reading EEG and MEG from a BIDS folder")
    known = {BIDS_NAMES[key]: value for key, value in entities.items() if key in BIDS_NAMES}
    path = bids.BIDSPath(root=root, datatype=datatype, suffix=datatype, **known)
    try:
        return bids.read_raw_bids(path), Path(path.fpath)
    except (FileNotFoundError, RuntimeError, ValueError) as error:
        raise DataError(f"{root} does not hold {path.basename}: {error}") from error


def _loud(verbose: bool | str | int | None) -> bool | str | int:
    """Take the user's level, but warnings at the least: they are gathered, not shown."""
    quieter = verbose is None or verbose in ("ERROR", "CRITICAL")
    too_high = isinstance(verbose, int) and not isinstance(verbose, bool) and verbose > LOUDEST
    return "WARNING" if quieter or too_high else verbose


def _note(sentences: Sequence[str]) -> dict[str, str]:
    said = "; ".join(dict.fromkeys(sentence for sentence in sentences if sentence))
    return {"note": said} if said else {}


def _no_warning(record: logging.LogRecord) -> bool:
    """Keep warnings out of the log: they are gathered."""
    return record.levelno != logging.WARNING


@contextmanager
def _listening(name: str, verbose: bool | str | int | None) -> Iterator[_Heard]:
    """Gather mne's warnings: harmless ones are dropped, losses raised, others become notes."""
    import mne

    heard = _Heard()
    mne.utils.logger.addFilter(_no_warning)
    try:
        with mne.use_log_level(_loud(verbose)), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield heard
    finally:
        mne.utils.logger.removeFilter(_no_warning)
    for warning in caught:
        message = " ".join(str(warning.message).split())
        if any(words in message for words in LOSSES):
            raise DataError(
                f"{name} holds events outside of its own recording (mne: {message}). The file "
                "is cut short, or its events belong to another one."
            )
        if not any(words in message for words in HARMLESS):
            heard.notes.append(f"mne: {message}")
