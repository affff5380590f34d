"""Units of an NWB file, counted around the rows of an interval table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neuroai.checks import listing, one_of
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
from neuroai.sources.spikes import MEASURES, as_measure, bin_edges, bin_spikes, with_time

if TYPE_CHECKING:
    from pynwb import NWBFile
    from pynwb.misc import Units

SPIKES = "spike_times"
OBSERVED = "obs_intervals"
REGIONS = ("region", "location", "brain_area", "brain_region", "structure", "area")


def read_nwb_units(
    path: str | Path,
    *,
    system: str,
    stimulus_set: str,
    stimulus_id: str | Sequence[str] = "stimulus_id",
    subject: str | None = None,
    kind: str = "brain",
    interval_table: str = "trials",
    align: str = "start_time",
    window: tuple[float, float],
    bin_width: float | None = None,
    measure: str = "counts",
    region: str | None = None,
    intervention: str | None = None,
    undefined: str = "raise",
    modality: str = "single units",
) -> xr.DataArray:
    """Count the spikes of every unit around every row of an interval table.

    Parameters
    ----------
    path : path
        An NWB file with a units table.
    system, stimulus_set, kind, modality
        As `neuroai.format.build.recording`.
    stimulus_id : str or sequence of str
        Column of the interval table, or one id a row.
    subject : str, optional
        By default the file's own.
    interval_table, align : str
        The table (such as ``trials``) and its column of onsets in seconds.
    window, bin_width
        Seconds around the onset, as `neuroai.sources.spikes.bin_edges`; one bin by default.
    measure : {"counts", "rates"}
        Spikes, or spikes a second.
    region : str, optional
        Column of the units table, or one region for all units. By default a column called
        ``region``, ``location`` or alike, else the location of each unit's electrode.
    intervention : str, optional
        Column of the interval table that says what was done to the brain.
    undefined : {"raise", "drop"}
        What to do with rows without onset.

    Returns
    -------
    xarray.DataArray
        A recording (presentation, unit[, time]), float32. One number or text a unit of the units
        table becomes a coordinate of the units, one a row of the interval table one of the
        presentations. Where a unit states ``obs_intervals``, trials outside of them are NaN,
        never 0.

    Raises
    ------
    UnknownName
        There is no such table or column; the nearest names are given.
    DataError
        There are no units, or intervals and spikes are on different clocks.
    """
    one_of(measure, tuple(MEASURES), option="measure")
    edges = bin_edges(window, bin_width=bin_width)
    with open_nwb(path) as nwb:
        units = _units(nwb, path)
        rows, onsets, note = interval_rows(
            nwb, interval_table=interval_table, align=align, undefined=undefined
        )
        spikes = _ragged(units, SPIKES)
        observed = _ragged(units, OBSERVED) if OBSERVED in units.colnames else None
        unit_id, columns = _unit_columns(units, region)
        name = who(nwb, subject)
    spikes = [np.sort(times) for times in spikes]
    whole = np.concatenate(spikes)
    if not len(whole):
        raise DataError(f"The {len(spikes)} units of {path} hold no spikes at all.")
    refuse_mixed_clocks(
        float(whole.min()), float(whole.max()), onsets, what="spikes", table=interval_table
    )
    counts = _counted(spikes, observed, onsets, edges)
    values, time = with_time(as_measure(counts, measure=measure, edges=edges), edges)
    ids, presentation = presentation_columns(
        rows, stimulus_id=stimulus_id, intervention=intervention, onsets=onsets
    )
    return recording(
        values,
        stimulus_id=ids,
        unit_id=unit_id,
        region=columns.pop("region"),
        presentation=presentation,
        unit=columns,
        time=time,
        time_unit="" if time is None else "s",
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        subject=name,
        modality=modality,
        physical_unit=MEASURES[measure],
        attrs={"note": note} if note else {},
    )


def _units(nwb: NWBFile, path: str | Path) -> Units:
    if nwb.units is None or SPIKES not in nwb.units.colnames or not len(nwb.units):
        raise DataError(f"{path} has no units with spike times.")
    return nwb.units


def _ragged(units: Units, name: str) -> list[np.ndarray]:
    """Cut the one long column of all units' entries, read once."""
    index = units[name]
    ends = np.asarray(index.data[:], dtype=np.int64)
    values = np.asarray(index.target.data[:], dtype=np.float64)
    return np.split(values, ends[:-1])


def _counted(
    spikes: list[np.ndarray],
    observed: list[np.ndarray] | None,
    onsets: np.ndarray,
    edges: np.ndarray,
) -> np.ndarray:
    counts = bin_spikes(spikes, onsets, edges=edges)
    for unit, intervals in enumerate(observed or []):
        if len(intervals):
            starts, stops = intervals.reshape(-1, 2).T
            low, high = onsets[:, np.newaxis] + edges[0], onsets[:, np.newaxis] + edges[-1]
            covered = ((starts <= low) & (high <= stops)).any(axis=1)
            counts[~covered, unit] = np.nan
    return counts


def _unit_columns(units: Units, region: str | None) -> tuple[np.ndarray, dict[str, Any]]:
    columns = flat_columns(units, leave=(SPIKES, OBSERVED))
    ids = text([str(one) for one in units.id[:]])
    regions = _regions(units, columns, region)
    given = {
        f"unit_{name}" if name in TAKEN else name.replace("/", "_"): values
        for name, values in columns.items()
        if name != "region"
    }
    return ids, {**given, "region": regions}


def _regions(units: Units, columns: dict[str, np.ndarray], region: str | None) -> np.ndarray:
    if region in columns:
        return text(columns[str(region)])
    if region is not None:
        return text([region] * len(units))
    named = [name for name in REGIONS if name in columns]
    if named:
        return text(columns[named[0]])
    if "electrodes" in units.colnames:
        return text([_location(units["electrodes"][row]) for row in range(len(units))])
    raise UsageError(
        "The units table states no region: it has the columns "
        f"{listing(units.colnames, shown=12)}. Pass region= (a column, or one name for all units)."
    )


def _location(electrodes: Any) -> str:
    """Give the location of a unit's first electrode."""
    return "" if not len(electrodes) else str(electrodes["location"].iloc[0])
