"""The showings of every stimulus side by side, for ceilings of single units."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neuroai.format.schema import STIMULUS_ID


def repeat_table(recording: xr.DataArray) -> np.ndarray | None:
    """Put the showings of each stimulus that was shown twice or more side by side.

    Parameters
    ----------
    recording : xarray.DataArray
        A recording; a unit at a time is a column.

    Returns
    -------
    array, shape (n_stimuli, n_repeats, n_columns), or None
        Stimuli sorted by id, NaN where one was shown less often than another. None where
        presentations are means already, whose scatter is not that of one showing.

    Examples
    --------
    >>> from neuroai.testing import random_recording
    >>> repeat_table(random_recording(n_stimuli=3, n_units=4, n_repeats=2)).shape
    (3, 2, 4)
    """
    if "n_repeats" in recording.coords and bool((recording["n_repeats"] > 1).any()):
        return None
    shown = recording[STIMULUS_ID].values.astype(str)
    ids, place, counts = np.unique(shown, return_inverse=True, return_counts=True)
    values = recording.values.reshape(len(shown), -1).astype(float)
    table = np.full((len(ids), counts.max(initial=0), values.shape[1]), np.nan)
    order = np.argsort(place, kind="stable")
    nth = np.arange(len(shown)) - np.repeat(np.cumsum(counts) - counts, counts)
    table[place[order], nth] = values[order]
    return table[counts >= 2]
