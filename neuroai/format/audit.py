"""Audit: what is wrong or odd in data, counted before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.checks import listing, one_of
from neuroai.errors import DataError
from neuroai.format.schema import PRESENTATION, STIMULUS_ID, UNIT, UNIT_ID

POLICIES = ("raise", "drop")


@dataclass(frozen=True)
class Audit:
    """Counts of what is odd in one recording.

    Attributes
    ----------
    n_units, n_presentations, n_stimuli : int
        Sizes.
    nan_units, constant_units : tuple of str
        Ids of units with NaN or infinite values, and of units that never vary.
    repeats_min, repeats_max : int
        Fewest and most showings of a stimulus.
    """

    n_units: int
    n_presentations: int
    n_stimuli: int
    nan_units: tuple[str, ...]
    constant_units: tuple[str, ...]
    repeats_min: int
    repeats_max: int

    @property
    def n_undefined(self) -> int:
        """How many units cannot enter a comparison."""
        return len(self.nan_units) + len(self.constant_units)

    def sentences(self) -> tuple[str, ...]:
        """Say what a reader must know; empty if nothing is odd."""
        found = []
        if self.nan_units:
            found.append(
                f"{len(self.nan_units)} of {self.n_units} units hold NaN or infinite values: "
                f"{listing(self.nan_units)}"
            )
        if self.constant_units:
            found.append(
                f"{len(self.constant_units)} of {self.n_units} units never vary: "
                f"{listing(self.constant_units)}"
            )
        if self.repeats_min != self.repeats_max:
            found.append(
                f"stimuli were shown {self.repeats_min} to {self.repeats_max} times: means are "
                "weighted by showings"
            )
        return tuple(found)


def audit(recording: xr.DataArray) -> Audit:
    """Count NaN and constant units, and the showings of each stimulus.

    Parameters
    ----------
    recording : xarray.DataArray
        A recording.

    Returns
    -------
    Audit
        A unit with any NaN or infinite value counts as ``nan``, not as constant.
    """
    other = tuple(dim for dim in recording.dims if dim != UNIT)
    values = np.moveaxis(recording.values, recording.dims.index(UNIT), -1)
    flat = values.reshape(-1, recording.sizes[UNIT])
    bad = ~np.isfinite(flat).all(axis=0)
    constant = ~bad & (flat == flat[:1]).all(axis=0) if other and len(flat) else ~bad
    names = recording[UNIT_ID].values
    _, counts = np.unique(recording[STIMULUS_ID].values.astype(str), return_counts=True)
    return Audit(
        n_units=recording.sizes[UNIT],
        n_presentations=recording.sizes[PRESENTATION],
        n_stimuli=len(counts),
        nan_units=tuple(names[bad]),
        constant_units=tuple(names[constant]),
        repeats_min=int(counts.min()) if len(counts) else 0,
        repeats_max=int(counts.max()) if len(counts) else 0,
    )


def usable_units(
    recording: xr.DataArray, *, undefined: str = "raise", constant: str = "keep"
) -> tuple[xr.DataArray, Audit]:
    """Keep the units that can be compared, or refuse.

    Parameters
    ----------
    recording : xarray.DataArray
        A recording.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN or infinite values. Values are never replaced.
    constant : {"keep", "drop"}
        Whether units that never vary are kept (they change no distance between stimuli, but
        they do count among the units of a correlation over units).

    Returns
    -------
    tuple
        The recording without the dropped units, and the audit of the whole recording.

    Raises
    ------
    DataError
        Units hold NaN and the policy is ``raise``, or no unit is left.
    """
    one_of(undefined, POLICIES, option="undefined")
    one_of(constant, ("keep", "drop"), option="constant")
    found = audit(recording)
    if found.nan_units and undefined == "raise":
        raise DataError(
            f"{len(found.nan_units)} of {found.n_units} units of '{recording.attrs['system']}' "
            f"hold NaN or infinite values: {listing(found.nan_units)}. Mend the data, or use "
            'undefined="drop" to leave these units out (they are counted in the result).'
        )
    out = set(found.nan_units) | (set(found.constant_units) if constant == "drop" else set())
    if not out:
        return recording, found
    keep = ~np.isin(recording[UNIT_ID].values.astype(str), sorted(out))
    if not keep.any():
        raise DataError(
            f"No unit of '{recording.attrs['system']}' can be compared: all are undefined."
        )
    return recording.isel({UNIT: keep}), found
