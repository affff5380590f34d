"""Showings of a recording laid out in time: a continuous recording, each showing a run."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neuroai.errors import UsageError
from neuroai.format.schema import FORMS, PRESENTATION, SAMPLE, STIMULUS_ID, SUBJECT, TIME, UNIT
from neuroai.format.validate import validate


def laid_out(recording: xr.DataArray) -> xr.DataArray:
    """Lay the showings of a recording out in time, for what is asked of continuous recordings.

    What was counted or measured around every showing becomes a run of its own, so that no delay
    and no history reaches from one showing into another. Samples of a showing keep their time
    since its onset.

    Parameters
    ----------
    recording : xarray.DataArray
        Form ``recording`` with the dimension ``time``, of one subject; such as spikes in bins, from
        `neuroai.sources.spikes_nwb.read_nwb_units` with ``bin_width``, or EEG epochs.

    Returns
    -------
    xarray.DataArray
        Form ``continuous`` (sample, unit): ``run`` (the number of the showing, from 0), ``time``
        (seconds) and ``stimulus_id`` along ``sample``; units and facts as they were.

    Raises
    ------
    UsageError
        The recording has no time in seconds, or units of several subjects.

    Examples
    --------
    >>> from neuroai.format.build import recording
    >>> shown = recording(
    ...     np.arange(8.0).reshape(2, 1, 4), stimulus_id=["a", "b"], unit_id=["u"], region="V1",
    ...     time=[0.0, 0.1, 0.2, 0.3], time_unit="s", system="mouse", kind="brain",
    ...     stimulus_set="two", subject="s1")
    >>> long = laid_out(shown)
    >>> long.values.ravel().tolist(), long["run"].values[[3, 4]].tolist()
    ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], ['0', '1'])
    """
    if TIME not in recording.dims or PRESENTATION not in recording.dims:
        raise UsageError(
            f"Laying out in time needs a recording with '{PRESENTATION}' and '{TIME}'; got "
            f"{recording.dims}. Read it with bins (bin_width=...) or epochs."
        )
    if recording.attrs.get("time_unit") != "s":
        raise UsageError(
            f"Laying out in time needs seconds; these are '{recording.attrs.get('time_unit')}'."
        )
    n_shown, n_times = recording.sizes[PRESENTATION], recording.sizes[TIME]
    values = recording.transpose(PRESENTATION, TIME, UNIT).values.reshape(n_shown * n_times, -1)
    width = len(str(n_shown - 1))
    runs = np.array([f"{i:0{width}d}" for i in range(n_shown)], dtype=object)
    along = {
        "run": np.repeat(runs, n_times),
        TIME: np.tile(recording[TIME].values.astype(float), n_shown),
        STIMULUS_ID: np.repeat(recording[STIMULUS_ID].values, n_times),
    }
    units = {
        str(name): coord.variable
        for name, coord in recording.coords.items()
        if coord.dims == (UNIT,)
    }
    attrs = {**recording.attrs, "format": FORMS["continuous"].name, SUBJECT: _subject(recording)}
    return validate(
        xr.DataArray(
            values,
            dims=(SAMPLE, UNIT),
            coords={**units, **{name: (SAMPLE, column) for name, column in along.items()}},
            name=recording.name,
            attrs=attrs,
        )
    )


def _subject(recording: xr.DataArray) -> str:
    named = set(map(str, recording[SUBJECT].values)) if SUBJECT in recording.coords else set()
    stated = recording.attrs.get(SUBJECT)
    if len(named) > 1 or not (named or stated):
        raise UsageError(
            f"Laying out in time takes one subject at a time; got {len(named)}. Choose the units "
            "of one."
        )
    return str(stated or named.pop())
