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

SEPARATOR = " x "


@dataclass(frozen=True)
class Conditions:
    """Rows of every condition.

    Attributes
    ----------
    keys : tuple of tuples of str
        The values of the columns that make each condition, sorted.
    rows : tuple of arrays, shape (n_rows, n_units, n_times)
        Stimuli of a condition, averaged over their showings, or else single showings.
    noisy : bool
        Whether rows scatter; a network's single showing does not.
    made_of : str
        ``stimuli``, ``showings`` or ``one showing``.
    """

    keys: tuple[tuple[str, ...], ...]
    rows: tuple[np.ndarray, ...]
    noisy: bool
    made_of: str

    @property
    def names(self) -> tuple[str, ...]:
        """Conditions in words."""
        return tuple(SEPARATOR.join(key) for key in self.keys)


def conditions_of(
    recording: xr.DataArray, stimuli: StimulusSet | None, *labels: str
) -> Conditions | NotMeasurable:
    """Sort the showings of a recording by the values of one or more columns.

    Rows are stimuli where every condition has two or more, so that what is found holds for new
    stimuli; else showings, so that it holds for new showings; a network's lone showing is exact.
    """
    columns = [column_of(recording, stimuli, label) for label in labels]
    named = list(zip(*columns, strict=True))
    keys = sorted(set(named))
    if len(keys) < 2:
        return NotMeasurable(f"there is one condition only: {SEPARATOR.join(keys[0])!r}")
    ids = recording[STIMULUS_ID].values.astype(str)
    of = np.array([keys.index(key) for key in named])
    met = [set(ids[of == place]) for place in range(len(keys))]
    if min(map(len, met)) >= 2:
        made_of = "stimuli"
        rows = [_stimulus_means(recording, of == place) for place in range(len(keys))]
    else:
        values = _cube(recording)
        made_of, rows = "showings", [values[of == place] for place in range(len(keys))]
    least = min(map(len, rows))
    if least >= 2:
        return Conditions(tuple(keys), tuple(rows), noisy=True, made_of=made_of)
    if recording.attrs["kind"] == "model":
        return Conditions(tuple(keys), tuple(rows), noisy=False, made_of="one showing")
    lone = SEPARATOR.join(keys[[len(own) for own in rows].index(least)])
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
