"""Rasters in MATLAB files, one file a unit, brought together as a pseudo-population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neuroai.checks import known_name, listing, one_of
from neuroai.errors import DataError
from neuroai.format.build import recording, text
from neuroai.sources.matlab import read_matlab
from neuroai.sources.spikes import MEASURES, as_measure, bin_edges, bin_rasters, with_time


@dataclass(frozen=True)
class _Unit:
    """One file: spikes of every trial in bins, ids of the trials, facts of the site."""

    name: str
    counts: np.ndarray
    ids: np.ndarray
    site: dict[str, Any]


def read_rasters(
    paths: Sequence[Path] | Mapping[str, Path],
    *,
    system: str,
    stimulus_set: str,
    subject: str,
    region: str,
    stimulus_id: str,
    window: tuple[float, float],
    bin_width: float | None = None,
    measure: str = "counts",
    session: str = "session_ID",
    zero: str = "alignment_event_time",
    raster: str = "raster_data",
    labels: str = "raster_labels",
    site: str = "raster_site_info",
    sample: float = 0.001,
    kind: str = "brain",
    modality: str = "single units",
) -> xr.DataArray:
    """Read one raster a unit and pair the units' trials by stimulus: a pseudo-population.

    Each file holds ``raster`` (trials, samples), a struct ``labels`` with one entry a trial, and
    a struct ``site`` that says the session and the column of the onset, counted from 1 as MATLAB
    does. The ``k``-th trial of a stimulus in every unit makes the ``k``-th presentation, in order
    of recording; each stimulus keeps as many as the unit with the fewest has.

    Parameters
    ----------
    paths : sequence or mapping of path
        One file a unit; the keys of a mapping are the units' ids, else the files' names.
    stimulus_id, session, zero : str
        Fields of `labels` and of `site`.
    window, bin_width, measure
        As `neuroai.sources.spikes_nwb.read_nwb_units`.
    sample : float
        Width of a column in seconds.

    Returns
    -------
    xarray.DataArray
        A recording (presentation, unit[, time]), float32; ``repeat`` counts the presentations of
        a stimulus from 1, ``session`` runs along the units. The attr ``simultaneous`` is 0 if
        there is more than one session: then nothing can be said of correlations between units.

    Raises
    ------
    DataError
        A file lacks a part, its parts differ in length, or a unit never saw a stimulus.
    UnknownName
        A struct has no such field.

    Notes
    -----
    The pairing of trials of units that were not recorded together is arbitrary beyond the
    stimulus.
    """
    one_of(measure, tuple(MEASURES), option="measure")
    edges = bin_edges(window, bin_width=bin_width)
    named = dict(paths) if isinstance(paths, Mapping) else {Path(p).stem: p for p in paths}
    parts, fields = (raster, labels, site), (stimulus_id, session, zero)
    units = [
        _read(name, path, parts, fields, window, bin_width, sample)
        for name, path in sorted(named.items())
    ]
    ids, repeats, rows, note = _paired(units)
    counts = np.stack([u.counts[row] for u, row in zip(units, rows, strict=True)], axis=1)
    values, time = with_time(as_measure(counts, measure=measure, edges=edges), edges)
    sessions = text([unit.site[session] for unit in units])
    facts = [name for name in units[0].site if name not in (session, zero)]
    return recording(
        values,
        stimulus_id=ids,
        unit_id=[unit.name for unit in units],
        region=region,
        presentation={"repeat": repeats},
        unit={
            "session": sessions,
            **{f"site_{n}" if n == "unit" else n: [u.site[n] for u in units] for n in facts},
        },
        time=time,
        time_unit="" if time is None else "s",
        system=system,
        kind=kind,
        stimulus_set=stimulus_set,
        subject=subject,
        modality=modality,
        physical_unit=MEASURES[measure],
        simultaneous=len(set(sessions)) == 1,
        attrs={"note": note} if note else {},
    )


def _read(
    name: str,
    path: Path,
    parts: tuple[str, str, str],
    fields: tuple[str, str, str],
    window: tuple[float, float],
    bin_width: float | None,
    sample: float,
) -> _Unit:
    content = read_matlab(Path(path))
    for part in parts:
        known_name(part, content, kind=f"variable of {Path(path).name}")
    raster, labels, site = (content[part] for part in parts)
    ids = text(np.atleast_1d(_field(labels, fields[0], path)))
    facts = {field: _plain(site[field].item()) for field in site.dtype.names or ()}
    for field in fields[1:]:
        known_name(field, facts, kind=f"field of '{parts[2]}' of {Path(path).name}")
    if raster.ndim != 2 or len(ids) != len(raster):
        raise DataError(
            f"{Path(path).name} holds a raster of shape {raster.shape} and {len(ids)} labels; "
            "there must be one row a trial and one label a row."
        )
    zero = int(facts[fields[2]]) - 1
    counts = bin_rasters(raster, zero=zero, window=window, bin_width=bin_width, sample=sample)
    return _Unit(name=name, counts=counts, ids=ids, site=facts)


def _field(struct: np.ndarray, name: str, path: Path) -> Any:
    names = struct.dtype.names or ()
    return struct[known_name(name, names, kind=f"field of the labels of {Path(path).name}")].item()


def _plain(value: Any) -> Any:
    return (
        value.item() if isinstance(value, (np.ndarray, np.generic)) and value.size == 1 else value
    )


def _paired(
    units: Sequence[_Unit],
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], str]:
    """Find, for every unit, the row of each repeat of each stimulus."""
    stimuli = sorted({key for unit in units for key in unit.ids})
    at = [{key: np.flatnonzero(unit.ids == key) for key in stimuli} for unit in units]
    numbers = np.array([[len(found[key]) for key in stimuli] for found in at])
    fewest, most = numbers.min(axis=0), numbers.max(axis=0)
    unseen = [(units[i].name, stimuli[j]) for i, j in np.argwhere(numbers == 0)]
    if unseen:
        raise DataError(
            f"{len(unseen)} pair(s) of unit and stimulus have no trial: "
            f"{listing(f'{unit} never saw {key}' for unit, key in unseen)}. Leave these units out."
        )
    rows = [np.concatenate([found[k][:n] for k, n in zip(stimuli, fewest, strict=True)])
            for found in at]  # fmt: skip
    ids = np.repeat(np.array(stimuli, dtype=object), fewest)
    repeats = np.concatenate([np.arange(1, n + 1) for n in fewest]).astype(float)
    cut = int((numbers - fewest).sum())
    note = (
        f"{cut} trials beyond the fewest of a stimulus ({int(fewest.min())} to {int(most.max())}) "
        "were left out"
    )
    return ids, repeats, rows, note if cut else ""
