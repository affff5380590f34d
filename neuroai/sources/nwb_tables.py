"""What every reading of NWB shares: the file, its interval table and who was recorded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from neuroai.checks import known_name, listing, one_of
from neuroai.errors import DataError, UsageError
from neuroai.format.build import text
from neuroai.format.schema import FORMS, INTERVENTION, NO_INTERVENTION, STIMULUS_ID
from neuroai.sources.damaged import damage_told

if TYPE_CHECKING:
    from hdmf.common import DynamicTable
    from pynwb import NWBFile

TAKEN = ("time", "unit", "unit_id", "presentation", "region", "subject", "session")
# A recording may go on after the last spike, but not for long.
SILENCE, PART = 60.0, 0.1
MILLISECONDS = 200.0


@contextmanager
def open_nwb(path: str | Path) -> Iterator[NWBFile]:
    """Open an NWB file for reading.

    Raises
    ------
    UsageError
        There is no such file.
    DataError
        It is no NWB file.
    """
    from pynwb import NWBHDF5IO

    path = Path(path).expanduser()
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Cc]ached namespace.*")
        # Columns are read while the file is in use: damage may show as late as that.
        with damage_told(f"{path} cannot be read as NWB", do="Fetch it anew."):
            with NWBHDF5IO(path, mode="r") as source:
                yield source.read()


def who(nwb: NWBFile, subject: str | None) -> str:
    """Name the subject: as given, else as the file says."""
    stated = getattr(nwb.subject, "subject_id", None)
    if subject or stated:
        return str(subject or stated)
    raise UsageError("The file names no subject. Pass subject=.")


def flat_columns(table: DynamicTable, *, leave: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Take those columns of a table that hold one number or text a row."""
    found = {}
    for name in table.colnames:
        column = table[name]
        data = None if name in leave or hasattr(column, "target") else getattr(column, "data", None)
        values = None if data is None else np.asarray(data[:])
        if values is not None and values.ndim == 1 and values.dtype.kind in "fiubOSU":
            if all(isinstance(v, (str, bytes, int, float, np.generic)) for v in values.tolist()):
                found[str(name)] = _decoded(values)
    return found


def _decoded(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "OSU":
        return values
    plain = [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]
    return np.array(plain, dtype=object)


def interval_rows(
    nwb: NWBFile, *, interval_table: str, align: str, undefined: str = "raise"
) -> tuple[pd.DataFrame, np.ndarray, str]:
    """Read an interval table and the onset of every row.

    Parameters
    ----------
    nwb : pynwb.NWBFile
        The open file.
    interval_table : str
        Name of the table, such as ``trials``.
    align : str
        Column of onsets, in seconds.
    undefined : {"raise", "drop"}
        What to do with rows that have no onset.

    Returns
    -------
    tuple
        The flat columns, the onsets (s) of shape (n_rows,), and a note (may be empty).

    Raises
    ------
    UnknownName
        There is no such table or column.
    DataError
        Rows have no onset and `undefined` is ``raise``, or no row is left.
    """
    one_of(undefined, ("raise", "drop"), option="undefined")
    tables = {str(name): table for name, table in (nwb.intervals or {}).items()}
    known_name(interval_table, tables, kind="interval table")
    columns = flat_columns(tables[interval_table])
    known_name(align, columns, kind=f"column of the interval table '{interval_table}'")
    rows = pd.DataFrame(columns)
    onsets = pd.to_numeric(rows[align], errors="coerce").to_numpy(dtype=np.float64)
    missing = ~np.isfinite(onsets)
    if missing.any() and undefined == "raise":
        raise DataError(
            f"{missing.sum()} rows of '{interval_table}' have no '{align}': rows "
            f'{listing(np.flatnonzero(missing))}. Choose another column, or use undefined="drop".'
        )
    if missing.all():
        raise DataError(f"No row of the interval table '{interval_table}' has a '{align}'.")
    note = f"{missing.sum()} rows without '{align}' were left out" if missing.any() else ""
    return rows[~missing].reset_index(drop=True), onsets[~missing], note


def presentation_columns(
    rows: pd.DataFrame,
    *,
    stimulus_id: str | Sequence[str],
    intervention: str | None,
    onsets: np.ndarray,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Give the ids and the other columns of the presentations.

    Parameters
    ----------
    rows : DataFrame
        Flat columns of the interval table.
    stimulus_id : str or sequence of str
        A column, or one id a row.
    intervention : str, optional
        Column that says what was done to the brain: text, or 0 and 1; missing, 0, false and
        ``none`` mean nothing.

    Raises
    ------
    UnknownName
        There is no such column.
    DataError
        An id is missing.
    """
    if isinstance(stimulus_id, str):
        known_name(stimulus_id, list(rows.columns), kind="column of the interval table")
        ids = _ids(rows[stimulus_id])
    else:
        ids = text(stimulus_id)
    if len(ids) != len(rows) or (ids == "").any():
        raise DataError(
            f"Every presentation needs a stimulus_id: there are {len(rows)} presentations and "
            f"{(ids != '').sum()} ids. Name a column without gaps, or give one id a row."
        )
    reserved = {*TAKEN, *FORMS["recording"].known} - {"repeat", "run", "condition", "n_repeats"}
    given: dict[str, Any] = {"onset": onsets}
    for name in rows.columns:
        if name != STIMULUS_ID:
            label = f"trial_{name}" if name in reserved else str(name).replace("/", "_")
            given[label] = rows[name].to_numpy()
    if intervention is not None:
        known_name(intervention, list(rows.columns), kind="column of the interval table")
        given[INTERVENTION] = interventions(rows[intervention], name=intervention)
    return ids, given


def _ids(values: pd.Series) -> np.ndarray:
    """Write whole numbers as such, so that 3.0 and 3 are one id."""
    if values.dtype.kind == "f" and (values.dropna() % 1 == 0).all():
        return np.array(["" if pd.isna(v) else str(int(v)) for v in values], dtype=object)
    return text(values.to_numpy(dtype=object))


def interventions(values: pd.Series, *, name: str) -> np.ndarray:
    """Turn a column into names of interventions.

    Examples
    --------
    >>> interventions(pd.Series([True, False]), name="laser").tolist()
    ['laser', 'none']
    >>> interventions(pd.Series(["muscimol", "", None]), name="drug").tolist()
    ['muscimol', 'none', 'none']
    """
    if values.dtype.kind in "fiub":
        on = values.fillna(0).astype(float).to_numpy() != 0
        return np.where(on, name, NO_INTERVENTION).astype(object)
    words = text(values.to_numpy(dtype=object))
    return np.where(words == "", NO_INTERVENTION, words).astype(object)


def refuse_mixed_clocks(
    first: float, last: float, onsets: np.ndarray, *, what: str, table: str
) -> None:
    """Raise if onsets lie far from what was recorded, as on another clock or in another unit.

    Parameters
    ----------
    first, last : float
        First and last time of what was recorded.
    onsets : array, shape (n_trials,)
        Onsets.
    what, table : str
        Names for the message.

    Raises
    ------
    DataError
        An onset lies beyond by more than 60 s and a tenth of the recording, or the recording is
        200 times longer than the time from the first to the last of 20 onsets or more.
    """
    beyond = max(SILENCE, PART * (last - first))
    far = np.flatnonzero((onsets < first - beyond) | (onsets > last + beyond))
    extent = float(np.ptp(onsets))
    if len(far) or (len(onsets) >= 20 and last - first > MILLISECONDS * extent):
        raise DataError(
            f"The {what} run from {first:.6g} to {last:.6g} s, the onsets of '{table}' from "
            f"{onsets.min():.6g} to {onsets.max():.6g} s: they are not on one clock, or not both "
            "in seconds. Bring them to one clock first."
        )
