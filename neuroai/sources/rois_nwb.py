"""Calcium responses of an NWB file, cut around the rows of an interval table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.checks import known_name, listing, one_of
from neuroai.errors import DataError, UsageError
from neuroai.format.build import recording, text
from neuroai.sources.nwb_tables import (
    TAKEN,
    flat_columns,
    interval_rows,
    open_nwb,
    presentation_columns,
    refuse_mixed_clocks,
    who,
)

if TYPE_CHECKING:
    from pynwb import NWBFile
    from pynwb.ophys import RoiResponseSeries

# Frames come at nearly equal steps; a wider gap means that frames were lost.
WIDEST_STEP = 1.5
ROUNDING = 1e-6


def read_nwb_rois(
    path: str | Path,
    *,
    system: str,
    stimulus_set: str,
    region: str,
    series: str | None = None,
    stimulus_id: str | Sequence[str] = "stimulus_id",
    subject: str | None = None,
    kind: str = "brain",
    interval_table: str = "trials",
    align: str = "start_time",
    window: tuple[float, float],
    intervention: str | None = None,
    undefined: str = "raise",
    incomplete: str = "raise",
    modality: str = "calcium imaging",
) -> xr.DataArray:
    """Cut a RoiResponseSeries around every row of an interval table.

    The frame nearest to ``onset + k * step`` is the ``k``-th sample, where ``step`` is the median
    time between frames: times are exact to half a frame and no value is made up.

    Parameters
    ----------
    path : path
        An NWB file with a RoiResponseSeries.
    region : str
        Where the cells lie; a column of the table of ROIs, or one name for all.
    series : str, optional
        Name of the RoiResponseSeries; it may be left out where there is one only.
    window : tuple of float
        Start and end around the onset, in seconds.
    incomplete : {"raise", "drop"}
        What to do with rows whose window reaches beyond the first or last frame.

    Other options are those of `neuroai.sources.spikes_nwb.read_nwb_units`.

    Returns
    -------
    xarray.DataArray
        A recording (presentation, unit, time) in the unit that the file states.

    Raises
    ------
    UnknownName
        There is no such series, table or column.
    DataError
        Times and values do not fit, frames were lost within a window, the clocks differ, or a
        window reaches beyond the frames.
    """
    one_of(incomplete, ("raise", "drop"), option="incomplete")
    with open_nwb(path) as nwb:
        source = _series(nwb, series, path)
        rows, onsets, note = interval_rows(
            nwb, interval_table=interval_table, align=align, undefined=undefined
        )
        values = np.asarray(source.data[:])
        values = values[:, np.newaxis] if values.ndim == 1 else values
        times = _times(source, len(values))
        unit_id, columns = _roi_columns(source, values.shape[1], region)
        unit, name = str(source.unit), who(nwb, subject)
    refuse_mixed_clocks(times[0], times[-1], onsets, what="frames", table=interval_table)
    steps, step = _steps(times, window)
    kept = _complete(times, onsets, steps, step, incomplete)
    lost = f"{(~kept).sum()} rows beyond the frames were left out" if not kept.all() else ""
    rows, onsets = rows[kept].reset_index(drop=True), onsets[kept]
    if not isinstance(stimulus_id, str):
        stimulus_id = list(np.asarray(stimulus_id, dtype=object)[kept])
    frames = _frames(times, onsets, steps, step)
    ids, presentation = presentation_columns(
        rows, stimulus_id=stimulus_id, intervention=intervention, onsets=onsets
    )
    notes = "; ".join(sentence for sentence in (note, lost) if sentence)
    return recording(
        np.moveaxis(values[frames], 1, 2),
        stimulus_id=ids,
        unit_id=unit_id,
        region=columns.pop("region"),
        presentation=presentation,
        unit=columns,
        time=steps,
        time_unit="s",
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        subject=name,
        modality=modality,
        physical_unit=unit,
        attrs={"note": notes} if notes else {},
    )


def _series(nwb: NWBFile, name: str | None, path: str | Path) -> RoiResponseSeries:
    found = {one.name: one for one in _all_series(nwb)}
    if not found:
        raise DataError(f"{path} holds no RoiResponseSeries.")
    if name is None:
        if len(found) > 1:
            raise UsageError(f"{path} holds several series: {listing(found)}. Pass series=.")
        return next(iter(found.values()))
    return found[known_name(name, found, kind="RoiResponseSeries")]


def _all_series(nwb: NWBFile) -> Iterator[RoiResponseSeries]:
    from pynwb.ophys import RoiResponseSeries

    return (one for one in nwb.objects.values() if isinstance(one, RoiResponseSeries))


def _times(source: RoiResponseSeries, n_frames: int) -> np.ndarray:
    if source.timestamps is not None:
        times = np.asarray(source.timestamps[:], dtype=np.float64)
    else:
        times = float(source.starting_time or 0.0) + np.arange(n_frames) / float(source.rate)
    if len(times) != n_frames or n_frames < 2 or not (np.diff(times) > 0).all():
        raise DataError(
            f"The series '{source.name}' has {n_frames} rows of values and {len(times)} times; "
            "there must be one increasing time a row (time runs along the first axis)."
        )
    return times


def _steps(times: np.ndarray, window: tuple[float, float]) -> tuple[np.ndarray, float]:
    start, end = window
    step = float(np.median(np.diff(times)))
    if not start < end:
        raise UsageError(f"window is (start, end) in seconds with start < end; got {window}.")
    first, last = np.ceil(start / step - ROUNDING), np.floor(end / step + ROUNDING)
    steps = np.arange(first, last + 1) * step
    if not len(steps):
        raise UsageError(f"The window {window} holds no frame: they are {step:.4g} s apart.")
    return steps, step


def _complete(
    times: np.ndarray, onsets: np.ndarray, steps: np.ndarray, step: float, incomplete: str
) -> np.ndarray:
    early = onsets + steps[0] < times[0] - step / 2
    inside = ~(early | (onsets + steps[-1] > times[-1] + step / 2))
    if not inside.all() and incomplete == "raise":
        raise DataError(
            f"The window reaches beyond the frames for {(~inside).sum()} row(s): "
            f'{listing(np.flatnonzero(~inside))}. Shorten it, or use incomplete="drop".'
        )
    if not inside.any():
        raise DataError("No row has its window within the frames.")
    return inside


def _frames(times: np.ndarray, onsets: np.ndarray, steps: np.ndarray, step: float) -> np.ndarray:
    """Find the nearest frame of every wanted time, shape (n_rows, n_steps)."""
    wanted = onsets[:, np.newaxis] + steps
    after = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    nearest = after - (wanted - times[after - 1] < times[after] - wanted)
    gone = np.abs(times[nearest] - wanted).max(axis=1) > (WIDEST_STEP - 0.5) * step
    if gone.any():
        raise DataError(
            f"Frames are missing within the window of {gone.sum()} row(s): "
            f"{listing(np.flatnonzero(gone))}. Leave these rows out of the interval table."
        )
    return nearest


def _roi_columns(
    source: RoiResponseSeries, n_rois: int, region: str
) -> tuple[np.ndarray, dict[str, Any]]:
    chosen = np.asarray(source.rois.data[:], dtype=int)
    if len(chosen) != n_rois:
        raise DataError(
            f"The series '{source.name}' has {n_rois} columns of values and {len(chosen)} ROIs; "
            "time must run along the first axis."
        )
    table = source.rois.table
    rows = pd.DataFrame(flat_columns(table), index=range(len(table))).iloc[chosen]
    regions = rows[region] if region in rows else [region] * n_rois
    given: dict[str, Any] = {
        f"roi_{name}" if name in TAKEN else str(name).replace("/", "_"): rows[name].to_numpy()
        for name in rows.columns
        if name != "region"
    }
    ids = text([str(table.id[int(row)]) for row in chosen])
    return ids, {**given, "region": text(regions)}
