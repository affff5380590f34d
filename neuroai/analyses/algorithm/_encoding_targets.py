"""What an encoding model predicts: mean responses of units with their ceilings, or time series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.checks import one_of
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import NotMeasurable, part_of
from neuroai.format.audit import usable_units
from neuroai.format.repeats import repeat_table
from neuroai.format.schema import PRESENTATION, STIMULUS_ID, TIME, UNIT, UNIT_ID
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.reliability import signal_and_noise, signal_power_ceiling, split_half
from neuroai.systems.base import System

CEILINGS = {
    "ncsnr": lambda table: signal_and_noise(table).ceiling_r,
    "split-half": lambda table: split_half(table).ceiling_r,
    "signal-power": signal_power_ceiling,
}
# Fewer stimuli with repeats carry no estimate of a unit's noise.
FEWEST_REPEATED = 10


@dataclass(frozen=True, eq=False)
class Targets:
    """What is predicted of one subject and region.

    Attributes
    ----------
    subject, region : str
        Whose.
    ids : tuple of str
        Stimulus of every row, sorted; each once.
    values : array, shape (n_rows, n_columns)
        Mean over showings; a column is a unit, or a unit at a time.
    labels : xarray.DataArray
        A frame of the columns, dims ``unit`` or ``unit, time``, with their coordinates.
    ceiling_r : array, shape (n_columns,), or None
        Highest r that a perfect model would reach; NaN for a column without signal above noise,
        None where repeats are too few to tell.
    notes : tuple of str
        What a reader must know.
    n_nan : int
        Units left out since they hold NaN.
    """

    subject: str
    region: str
    ids: tuple[str, ...]
    values: np.ndarray
    labels: xr.DataArray
    ceiling_r: np.ndarray | None
    notes: tuple[str, ...] = ()
    n_nan: int = 0


def targets_of(
    system: System,
    stimuli: StimulusSet | None,
    *,
    regions: Sequence[str] | None,
    undefined: str,
    ceiling: str,
) -> Iterator[Targets] | NotMeasurable:
    """Give the targets of every subject and region; published means where nothing else is."""
    one_of(ceiling, CEILINGS, option="ceiling")
    recordings = system.recordings(stimuli, regions=regions)
    if isinstance(recordings, NotMeasurable):
        found = list(_published_means(system, stimuli, regions))
        return iter(found) if found else recordings
    return (_of_recording(part, undefined=undefined, ceiling=ceiling) for part in recordings)


def _of_recording(recording: xr.DataArray, *, undefined: str, ceiling: str) -> Targets:
    usable, found = usable_units(recording, undefined=undefined)
    dims = (PRESENTATION, UNIT, TIME) if TIME in usable.dims else (PRESENTATION, UNIT)
    usable = usable.transpose(*dims)
    ids, means, _ = stimulus_patterns(usable)
    subject, region = part_of(usable)
    return Targets(
        subject=subject,
        region=region,
        ids=tuple(str(key) for key in ids),
        values=means.reshape(len(means), -1).astype(float),
        labels=usable.isel({PRESENTATION: 0}, drop=True),
        ceiling_r=_ceiling(usable, ceiling),
        notes=tuple(f"{region}: {sentence}" for sentence in found.sentences()),
        n_nan=len(found.nan_units),
    )


def _ceiling(recording: xr.DataArray, method: str) -> np.ndarray | None:
    if recording.attrs["kind"] == "model" and _shown_once(recording):
        return np.ones(int(np.prod(recording.shape[1:])))
    table = repeat_table(recording)
    if table is None or len(table) < FEWEST_REPEATED:
        return None
    return CEILINGS[method](table)


def _shown_once(recording: xr.DataArray) -> bool:
    """Whether a network met every stimulus once: it repeats itself, and its ceiling is 1."""
    return len(set(recording[STIMULUS_ID].values)) == recording.sizes[PRESENTATION]


def _published_means(
    system: System, stimuli: StimulusSet | None, regions: Sequence[str] | None
) -> Iterator[Targets]:
    """Give the tables of published means that have a value for every stimulus."""
    tables = getattr(getattr(system, "data", None), "measures", ())
    for table in tables:
        if STIMULUS_ID in table and "quantity" in table:
            region = str(table.attrs.get("modality", "measures"))
            if regions is None or region in regions:
                yield _of_measures(table, region, stimuli)


def _of_measures(table: xr.Dataset, region: str, stimuli: StimulusSet | None) -> Targets:
    frame = table[[STIMULUS_ID, "quantity", "value"]].to_dataframe()
    wide = frame.pivot(index=STIMULUS_ID, columns="quantity", values="value").sort_index()
    if stimuli is not None:
        wide = wide.loc[[key for key in wide.index if key in set(stimuli.ids)]]
    known = wide.columns[np.isfinite(wide.to_numpy()).all(axis=0)]
    names = np.array([str(name) for name in known], dtype=object)
    labels = xr.DataArray(
        np.zeros(len(names)), dims=(UNIT,), coords={UNIT_ID: (UNIT, names)}, attrs=_attrs(table)
    )
    return Targets(
        subject="group",
        region=region,
        ids=tuple(str(key) for key in wide.index),
        values=wide[known].to_numpy(dtype=float),
        labels=labels,
        ceiling_r=None,
        notes=(f"{region}: published means of each stimulus, without single showings",),
        n_nan=len(wide.columns) - len(known),
    )


def _attrs(table: xr.Dataset) -> Mapping[str, object]:
    return {key: table.attrs[key] for key in ("system", "kind", "stimulus_set", "modality")}
