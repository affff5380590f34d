"""Conditions of a recording: what is a row of each, and does it scatter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.analyses.algorithm._parts import column_of
from neuroai.format.align import stimulus_patterns
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import PRESENTATION, STIMULUS_ID, TIME, UNIT
from neuroai.format.stimuli import StimulusSet


@dataclass(frozen=True)
class Conditions:
    """Rows of every condition.

    Attributes
    ----------
    names : tuple of str
        Conditions, sorted.
    rows : tuple of arrays, shape (n_rows, n_units, n_times)
        Stimuli of a condition, averaged over their showings, or else single showings.
    noisy : bool
        Whether rows scatter; a network's single showing does not.
    made_of : str
        ``stimuli``, ``showings`` or ``one showing``.
    """

    names: tuple[str, ...]
    rows: tuple[np.ndarray, ...]
    noisy: bool
    made_of: str


def conditions_of(
    recording: xr.DataArray, stimuli: StimulusSet | None, *labels: str
) -> Conditions | NotMeasurable:
    """Sort the showings of a recording by the values of one or more columns.

    Rows are stimuli where every condition has two or more, so that what is found holds for new
    stimuli; else showings, so that it holds for new showings; a network's lone showing is exact.
    """
    columns = [column_of(recording, stimuli, label) for label in labels]
    named = [" x ".join(values) for values in zip(*columns, strict=True)]
    ids = recording[STIMULUS_ID].values.astype(str)
    of = np.array(named, dtype=object)
    names = sorted(set(named))
    if len(names) < 2:
        return NotMeasurable(f"there is one condition only: {names[0]!r}")
    met = [set(ids[of == name]) for name in names]
    if min(map(len, met)) >= 2:
        made_of, rows = "stimuli", [_stimulus_means(recording, of == name) for name in names]
    else:
        values = _cube(recording)
        made_of, rows = "showings", [values[of == name] for name in names]
    least = min(map(len, rows))
    if least >= 2:
        return Conditions(tuple(names), tuple(rows), noisy=True, made_of=made_of)
    if recording.attrs["kind"] == "model":
        return Conditions(tuple(names), tuple(rows), noisy=False, made_of="one showing")
    lone = names[[len(own) for own in rows].index(least)]
    return NotMeasurable(
        f"the condition {lone!r} was shown once: its noise cannot be told from its response"
    )


def no_time(recording: xr.DataArray, *, least: int = 2) -> NotMeasurable | None:
    """Say that a region has no time, or too few, where that is so."""
    region = recording.attrs["region"]
    if TIME not in recording.dims:
        return NotMeasurable(f"{region} has no time; a layer is not a time, nor is a region")
    n = recording.sizes[TIME]
    return NotMeasurable(f"{region} has {n} times; {least} are needed") if n < least else None


def _cube(recording: xr.DataArray) -> np.ndarray:
    """Give showings x units x times; one time where there is none."""
    axes = (PRESENTATION, UNIT, TIME) if TIME in recording.dims else (PRESENTATION, UNIT)
    values = recording.transpose(*axes).values.astype(np.float64)
    return values if values.ndim == 3 else values[..., None]


def _stimulus_means(recording: xr.DataArray, keep: np.ndarray) -> np.ndarray:
    part = recording.isel({PRESENTATION: np.flatnonzero(keep)})
    axes = (PRESENTATION, UNIT, TIME) if TIME in part.dims else (PRESENTATION, UNIT)
    means = stimulus_patterns(part.transpose(*axes))[1].astype(np.float64)
    return means if means.ndim == 3 else means[..., None]
