"""Events of EEG, MEG and intracranial recordings: where they come from, and whether they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neuroai.checks import known_name, listing
from neuroai.errors import DataError, UsageError

if TYPE_CHECKING:
    from mne.io import BaseRaw

ONSET, CONDITION, SAMPLE_COLUMN = "onset", "condition", "sample"
NAME_COLUMNS = (CONDITION, "trial_type", "stimulus_id", "value")
EVENT = "event"
ALLOWED = 1e-6  # of a sample: rounding of onsets that were written in seconds


def event_table(
    raw: BaseRaw,
    *,
    events: pd.DataFrame | str | Path | np.ndarray | None = None,
    event_id: Mapping[str, int] | None = None,
    conditions: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Gather the events of a continuous recording, one row an event, in order of onset.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        The recording; its annotations, else its stimulus channel, hold the events by default.
    events : DataFrame, path or array, optional
        A table (or a ``.tsv`` or ``.csv``) with the column ``onset`` in seconds since the first
        sample, or an array of mne's events, shape (n_events, 3), in samples.
    event_id : mapping, optional
        From an event's name to its code, for mne's events.
    conditions : sequence of str, optional
        Names of the events to keep; all by default.

    Returns
    -------
    DataFrame
        Columns ``onset`` (s), ``condition`` (str) and those of the given table.

    Raises
    ------
    DataError
        There are no events, an onset is missing or lies outside of the recording, or the
        columns ``onset`` and ``sample`` disagree by a sample or more.
    UnknownName
        No event has a name that `conditions` asks for.
    """
    table = _table(raw, events=events, event_id=event_id)
    if table.empty:
        raise DataError(
            "The recording holds no events, neither annotations nor a stimulus channel. "
            "Pass events= (a table with the column 'onset' in seconds)."
        )
    _check_onsets(table, raw)
    if conditions is not None:
        found = sorted(set(table[CONDITION]))
        wanted = [known_name(name, found, kind="event") for name in conditions]
        table = table[table[CONDITION].isin(wanted)]
    return table.sort_values(ONSET, kind="stable").reset_index(drop=True)


def _table(raw: BaseRaw, *, events: Any, event_id: Mapping[str, int] | None) -> pd.DataFrame:
    if events is None:
        return _own_events(raw, event_id)
    if isinstance(events, np.ndarray):
        return _from_codes(events, event_id, raw)
    table = events if isinstance(events, pd.DataFrame) else _read(Path(events))
    if ONSET not in table.columns:
        raise DataError(
            f"A table of events needs the column '{ONSET}' (seconds since the first sample); "
            f"it has {listing(table.columns)}. Rename the column."
        )
    named = next((name for name in NAME_COLUMNS if name in table.columns), None)
    names = [EVENT] * len(table) if named is None else table[named].astype(object)
    return table.assign(
        **{
            ONSET: pd.to_numeric(table[ONSET], errors="coerce").astype(float),
            CONDITION: ["" if pd.isna(name) else str(name) for name in names],
        }
    )


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UsageError(f"There is no table of events {path}.")
    separator = "\t" if path.suffix == ".tsv" else ","
    return pd.read_csv(path, sep=separator, na_values=["n/a"])


def _own_events(raw: BaseRaw, event_id: Mapping[str, int] | None) -> pd.DataFrame:
    import mne

    if len(raw.annotations):
        codes, names = mne.events_from_annotations(raw, verbose="ERROR")
        return _from_codes(codes, names, raw)
    if "stim" in raw.get_channel_types():
        codes = mne.find_events(raw, shortest_event=1, verbose="ERROR")
        return _from_codes(codes, event_id, raw)
    return pd.DataFrame({ONSET: [], CONDITION: []})


def _from_codes(
    codes: np.ndarray, event_id: Mapping[str, int] | None, raw: BaseRaw
) -> pd.DataFrame:
    if codes.ndim != 2 or codes.shape[1] != 3 or codes.dtype.kind not in "iu":
        raise UsageError(
            "An array of events has shape (n_events, 3) and holds integers (sample, previous "
            f"code, code); got {codes.shape} of {codes.dtype}."
        )
    names = {int(code): str(name) for name, code in (event_id or {}).items()}
    if event_id is not None:
        codes = codes[np.isin(codes[:, 2], list(names))]
    return pd.DataFrame(
        {
            ONSET: (codes[:, 0] - raw.first_samp) / raw.info["sfreq"],
            CONDITION: [names.get(int(code), str(code)) for code in codes[:, 2]],
        }
    )


def _check_onsets(table: pd.DataFrame, raw: BaseRaw) -> None:
    rate, n_samples = float(raw.info["sfreq"]), len(raw.times)
    samples = table[ONSET].to_numpy() * rate
    missing = np.flatnonzero(np.isnan(samples))
    if len(missing):
        raise DataError(f"{len(missing)} event(s) have no onset: {_names(table, missing)}.")
    outside = np.flatnonzero((samples < -ALLOWED) | (samples > n_samples - 1 + ALLOWED))
    if len(outside):
        raise DataError(
            f"{len(outside)} event(s) lie outside of the recording, which lasts "
            f"{(n_samples - 1) / rate:.3f} s: {_names(table, outside)}. Onsets are seconds since "
            "the first sample; check the unit and the file that the events belong to."
        )
    if SAMPLE_COLUMN in table.columns:
        stated = pd.to_numeric(table[SAMPLE_COLUMN], errors="coerce").to_numpy(dtype=float)
        apart = np.flatnonzero(np.abs(samples - stated) >= 1 - ALLOWED)
        if len(apart):
            raise DataError(
                f"The columns '{ONSET}' and '{SAMPLE_COLUMN}' disagree by a sample or more for "
                f"{len(apart)} event(s) at {rate:g} Hz: {_names(table, apart)}. The sampling rate "
                "or the time axis is another; correct one column or drop it."
            )


def check_windows(
    table: pd.DataFrame, raw: BaseRaw, *, tmin: float, tmax: float, incomplete: str
) -> pd.DataFrame:
    """Keep the events whose whole window lies in the recording, or refuse.

    Parameters
    ----------
    table : DataFrame
        As `event_table` gives it.
    tmin, tmax : float
        Window around an onset, in seconds.
    incomplete : {"raise", "drop"}
        What to do with the others.

    Raises
    ------
    DataError
        A window reaches over an end of the recording and `incomplete` is ``raise``, or no event
        is left.
    """
    rate, last = float(raw.info["sfreq"]), len(raw.times) - 1
    at = np.round(table[ONSET].to_numpy() * rate)
    inside = (at + np.round(tmin * rate) >= 0) & (at + np.round(tmax * rate) <= last)
    if not inside.all() and incomplete == "raise":
        raise DataError(
            f"The window from {tmin} to {tmax} s reaches over an end of the recording for "
            f"{(~inside).sum()} event(s): {_names(table, np.flatnonzero(~inside))}. Shorten the "
            'window, or use incomplete="drop" (the events left out are counted).'
        )
    if not inside.any():
        raise DataError(f"No event has its window from {tmin} to {tmax} s in the recording.")
    return table[inside].reset_index(drop=True)


def _names(table: pd.DataFrame, rows: np.ndarray) -> str:
    names, onsets = table[CONDITION].to_numpy(), table[ONSET].to_numpy()
    return listing(f"'{names[row]}' at {onsets[row]:.6g} s (row {row})" for row in rows)
