"""What an NWB file holds: units, cells and tables of intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroai.checks import listing
from neuroai.errors import DataError, UsageError
from neuroai.sources.columns import grouping_columns, present, stimulus_candidates
from neuroai.sources.finding import Finding
from neuroai.sources.nwb_tables import flat_columns, open_nwb, refuse_mixed_clocks
from neuroai.sources.spikes_nwb import OBSERVED, REGIONS, SPIKES

TIMES = ("_time", "start", "stop", "onset")
LONGEST_WINDOW = 1.0  # s; a longer trial is not the response to its onset
PREFERRED = ("trials", "presentations", "epochs")


def recognise_nwb(path: Path) -> Finding:
    """Say which units, calcium series and interval tables an NWB file has."""
    with open_nwb(path) as nwb:
        tables = {str(name): flat_columns(table) for name, table in (nwb.intervals or {}).items()}
        units = _units(nwb)
        series = _series(nwb)
        subject = str(getattr(nwb.subject, "subject_id", None) or "")
        species = str(getattr(nwb.subject, "species", None) or "")
    chosen = _chosen(tables)
    columns = tables.get(chosen, {})
    found = [f"subject '{subject}' ({species or 'species not stated'})"] if subject else []
    if units:
        found.append(f"{units['n']} units, {units['n_spikes']} spikes")
        found.append(f"columns of the units: {listing(units['columns'], shown=12) or 'none'}")
    found += [f"calcium series '{n}' of {' × '.join(map(str, s))}" for n, s in series.items()]
    found += list(_table_sentences(tables))
    wrong = list(_faults(units, series, tables, chosen, columns))
    odd = [] if subject else ["the file names no subject: set subject in the description"]
    if units and units["silent"]:
        odd.append(f"{units['silent']} units have no spike")
    if units and not units["region"]:
        odd.append("no column says where the units lie: set region in the description")
    return Finding(
        path,
        "nwb",
        "NWB file",
        found=tuple(found),
        wrong=tuple(wrong),
        odd=tuple(odd),
        facts={
            "what": "units" if units else "rois",
            "subject": subject,
            "species": species,
            "region": units["region"] if units else "",
            "series": list(series),
            "table": chosen,
            "columns": list(columns),
            "align": _align(columns),
            "window": _window(columns),
            "candidates": [list(pair) for pair in stimulus_candidates(_shown(columns))],
            "groups": _groups(columns),
        },
    )


def _units(nwb: Any) -> dict[str, Any]:
    if nwb.units is None or not len(nwb.units) or SPIKES not in nwb.units.colnames:
        return {}
    spikes = nwb.units[SPIKES]
    ends = np.asarray(spikes.data[:], dtype=np.int64)
    times = np.asarray(spikes.target.data[:], dtype=np.float64)
    columns = list(flat_columns(nwb.units, leave=(SPIKES, OBSERVED)))
    region = next((name for name in REGIONS if name in columns), "")
    if not region and "electrodes" in nwb.units.colnames:
        region = "electrodes"
    return {
        "n": len(nwb.units),
        "n_spikes": len(times),
        "silent": int((np.diff(ends, prepend=0) == 0).sum()),
        "not_finite": int((~np.isfinite(times)).sum()),
        "span": (float(times.min()), float(times.max())) if len(times) else (0.0, 0.0),
        "columns": columns,
        "region": region,
    }


def _series(nwb: Any) -> dict[str, list[int]]:
    from pynwb.ophys import RoiResponseSeries

    found = (one for one in nwb.objects.values() if isinstance(one, RoiResponseSeries))
    return {str(one.name): list(one.data.shape) for one in found}


def _chosen(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Prefer the table called trials, else the one whose rows say what was shown."""
    with_ids = [name for name in tables if stimulus_candidates(_shown(tables[name]))]
    names = with_ids or list(tables)
    known = [name for name in PREFERRED if name in names]
    return (known or names or [""])[0]


def _shown(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out times, and truth values, which name no stimulus."""
    return {
        name: values
        for name, values in columns.items()
        if not any(word in name for word in TIMES) and np.asarray(values).dtype.kind != "b"
    }


def _groups(columns: Mapping[str, Any]) -> dict[str, list[str]]:
    candidates = stimulus_candidates(_shown(columns))
    return grouping_columns(_shown(columns), candidates[0][0]) if candidates else {}


def _align(columns: Mapping[str, Any]) -> str:
    """Prefer the onset of the stimulus over the start of the trial."""
    named = [name for name in columns if "stim" in name and ("on" in name or "start" in name)]
    numeric = [n for n in named if np.asarray(columns[n]).dtype.kind in "fiu"]
    return (numeric or ["start_time"])[0]


def _window(columns: Mapping[str, Any]) -> list[float]:
    length = LONGEST_WINDOW
    if {"start_time", "stop_time"} <= set(columns):
        lengths = np.asarray(columns["stop_time"], float) - np.asarray(columns["start_time"], float)
        known = lengths[np.isfinite(lengths) & (lengths > 0)]
        length = min(length, float(np.median(known))) if len(known) else length
    return [0.0, round(length, 3)]


def _table_sentences(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, columns in tables.items():
        size = len(next(iter(columns.values()), ()))
        shown = [f"{key} ({len(set(present(values)))} values)" for key, values in columns.items()]
        yield f"interval table '{name}': {size} rows with {listing(shown, shown=12)}"


def _faults(
    units: Mapping[str, Any],
    series: Mapping[str, Any],
    tables: Mapping[str, Any],
    chosen: str,
    columns: Mapping[str, Any],
) -> Iterator[str]:
    if not units and not series:
        yield "it holds neither units with spike times nor a RoiResponseSeries"
    if not tables:
        yield "it holds no interval table, so nothing says when something was shown"
        return
    if not stimulus_candidates(_shown(columns)):
        yield (
            f"no column of the interval table '{chosen}' says what was shown: add one, such as "
            "stimulus_id"
        )
    if units and units["not_finite"]:
        yield f"{units['not_finite']} spike times are NaN or infinite"
    onsets = np.asarray(columns.get(_align(columns), ()), dtype=np.float64)
    known = onsets[np.isfinite(onsets)]
    if units and len(known) and units["n_spikes"]:
        try:
            refuse_mixed_clocks(*units["span"], known, what="spikes", table=chosen)
        except (DataError, UsageError) as error:
            yield str(error)
