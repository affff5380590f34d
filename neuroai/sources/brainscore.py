"""To and from the netCDF assemblies of Brain-Score (BrainIO)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neuroai.checks import known_name
from neuroai.errors import FormatError, UsageError
from neuroai.format.build import recording
from neuroai.format.schema import PRESENTATION, REGION, STIMULUS_ID, TIME, UNIT, UNIT_ID
from neuroai.sources.damaged import damage_told

NEUROID, TIME_BIN = "neuroid", "time_bin"
RENAMED = {"repetition": "repeat", "neuroid_id": UNIT_ID}
KEPT_ATTRS = ("identifier",)


def read_assembly(
    path: str | Path,
    *,
    system: str,
    kind: str = "brain",
    subject: str | None = None,
    time_scale: float = 1e-3,
) -> xr.DataArray:
    """Read a Brain-Score assembly as a recording.

    ``neuroid`` becomes ``unit``, ``time_bin`` becomes ``time`` (the middle of every bin, in
    seconds), ``repetition`` becomes ``repeat``; all other columns keep their names.

    Parameters
    ----------
    path : str or pathlib.Path
        netCDF file with dims ``presentation, neuroid[, time_bin]``.
    system : str
        Name of the system, such as ``monkey``.
    kind : str
        ``brain`` or ``model``.
    subject : str, optional
        Subject of all units; needed if the file has no ``subject`` or ``animal`` of its own, and
        several animals in one file are kept as the unit column ``subject``.
    time_scale : float
        Seconds in one unit of ``time_bin_start``; the files count milliseconds.

    Returns
    -------
    xarray.DataArray
        A time axis with one bin is dropped.

    Raises
    ------
    FormatError
        The dims or columns of an assembly are missing.
    UsageError
        Nobody says who was recorded.
    """
    told = damage_told(f"{path} cannot be read as an assembly", do="Fetch it anew.")
    with told, xr.open_dataset(path, engine="h5netcdf", decode_timedelta=False) as opened:
        opened.load()
    if len(opened.data_vars) != 1:
        raise FormatError(
            f"An assembly holds one variable; '{Path(path).name}' holds {len(opened.data_vars)}."
        )
    data = opened[next(iter(opened.data_vars))]
    attrs = {**opened.attrs, **data.attrs}
    lacking = [dim for dim in (PRESENTATION, NEUROID) if dim not in data.dims]
    if lacking:
        raise FormatError(
            f"An assembly has dims presentation and neuroid; '{Path(path).name}' has {data.dims}."
        )
    order = [PRESENTATION, NEUROID] + [TIME_BIN] * (TIME_BIN in data.dims)
    data = data.transpose(*order)
    rows, units = _columns(data, PRESENTATION), _columns(data, NEUROID)
    known_name(STIMULUS_ID, rows, kind="presentation column")
    times, values = _times(data, time_scale)
    stimuli = rows.pop(STIMULUS_ID)
    names = units.pop(UNIT_ID, [str(i) for i in range(data.sizes[NEUROID])])
    regions = units.pop(REGION, ["not stated"] * data.sizes[NEUROID])
    return recording(
        values,
        stimulus_id=[str(s) for s in stimuli],
        unit_id=[str(n) for n in names],
        region=[str(r) for r in regions],
        system=system,
        kind=kind,
        stimulus_set=str(attrs.get("stimulus_set_identifier", "not stated")),
        subject=_subject(units, subject),
        time=times,
        time_unit="s" if times is not None else "",
        presentation=rows,
        unit=units,
        attrs={k: str(attrs[k]) for k in KEPT_ATTRS if k in attrs},
    )


def _columns(data: xr.DataArray, dim: str) -> dict[str, Any]:
    # A stored assembly holds its MultiIndex as flat columns.
    return {
        RENAMED.get(str(name), str(name)): coord.values
        for name, coord in data.coords.items()
        if coord.dims == (dim,) and str(name) != dim
    }


def _times(data: xr.DataArray, scale: float) -> tuple[np.ndarray | None, np.ndarray]:
    if TIME_BIN not in data.dims:
        return None, data.values
    if data.sizes[TIME_BIN] == 1:
        return None, data.values[..., 0]
    for name in ("time_bin_start", "time_bin_end"):
        known_name(name, [str(c) for c in data.coords], kind="time column of the assembly")
    middle = (data["time_bin_start"].values + data["time_bin_end"].values) / 2
    return middle.astype(float) * scale, data.values


def _subject(units: dict[str, Any], subject: str | None) -> str:
    own = units.get("subject", units.get("animal"))
    if own is not None and "subject" not in units:
        units["subject"] = own
    if subject is not None:
        return subject
    if own is None:
        raise UsageError("The assembly names no subject. Give subject=...")
    animals = sorted({str(name) for name in own})
    return animals[0] if len(animals) == 1 else "+".join(animals)


def write_assembly(data: xr.DataArray, path: str | Path, *, time_scale: float = 1e-3) -> Path:
    """Write a recording as a netCDF that Brain-Score's tools read.

    Parameters
    ----------
    data : xarray.DataArray
        A recording.
    path : str or pathlib.Path
        File to write; replaced whole.
    time_scale : float
        Seconds in one unit of ``time_bin_start``.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FormatError
        Times are not in seconds.
    """
    back = {ours: theirs for theirs, ours in RENAMED.items()}
    dims = {PRESENTATION: PRESENTATION, UNIT: NEUROID, TIME: TIME_BIN}
    coords: dict[str, Any] = {}
    for name, coord in data.coords.items():
        if name != TIME:
            column = coord.values.astype(str) if coord.dtype == object else coord.values
            coords[back.get(str(name), str(name))] = ((dims[str(coord.dims[0])],), column)
    if TIME in data.dims:
        if data.attrs.get("time_unit") != "s":
            raise FormatError("Brain-Score's time bins are times: the recording's must be in s.")
        start, end = _bin_edges(data[TIME].values / time_scale)
        coords["time_bin_start"], coords["time_bin_end"] = (TIME_BIN, start), (TIME_BIN, end)
    assembly = xr.DataArray(
        data.values, dims=[dims[str(d)] for d in data.dims], coords=coords, name="data"
    )
    assembly.attrs = {"stimulus_set_identifier": data.attrs["stimulus_set"]}
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    assembly.to_dataset().to_netcdf(part, engine="h5netcdf")
    return part.replace(path)


def _bin_edges(middles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give bins around evenly spaced times; rounding beyond a nanosecond is dropped."""
    if len(middles) < 2:
        return middles, middles
    half = np.diff(middles).mean() / 2
    return np.round(middles - half, 6), np.round(middles + half, 6)
