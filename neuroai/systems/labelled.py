"""Activity of a layer as a recording, with the labels of its units made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from neuroai.format import build
from neuroai.format.schema import PRESENTATION, REGION, TIME, UNIT, UNIT_ID
from neuroai.systems.layout import Activity, unit_columns

Labels = dict[tuple[Any, ...], Mapping[str, Any]]


def layer_recording(
    activity: Activity,
    *,
    layer: str,
    subject: str,
    system: str,
    stimulus_id: Sequence[str],
    stimulus_set: str,
    attrs: Mapping[str, Any],
    labels: Labels,
    time_unit: str = "step",
) -> xr.DataArray:
    """Build the recording of one subject's layer.

    Parameters
    ----------
    activity : Activity
        Values (n_stimuli, n_units[, n_times]) in the order of `stimulus_id`.
    labels : dict
        Labels of units made before, by layer and shape; new ones are added. Millions of labels
        take longer to make and check than the network takes to run, so seeds share them.

    Returns
    -------
    xarray.DataArray
        Attrs ``subject`` and ``region``; unit columns ``feature_map``, ``row``, ``col`` as the
        layer has them; a time axis in `time_unit` where the layer has one.
    """
    values = np.asarray(activity.values)
    times = np.arange(values.shape[2], dtype=np.float64) if values.ndim == 3 else None
    # The units are unique by the way they are named, so that only the presentations are checked.
    bare = build.recording(
        values[:, :0],
        stimulus_id=stimulus_id,
        unit_id=[],
        region=layer,
        system=system,
        kind="model",
        stimulus_set=stimulus_set,
        subject=subject,
        modality="activations",
        physical_unit="1",
        time=times,
        time_unit="" if times is None else time_unit,
        attrs={"region": layer, **attrs},
    )
    key = (layer, activity.shape, activity.axes)
    if key not in labels:
        labels[key] = _unit_coords(layer, activity)
    coords = {name: column for name, column in bare.coords.items() if UNIT not in column.dims}
    dims = (PRESENTATION, UNIT, TIME)[: values.ndim]
    array = xr.DataArray(values, dims=dims, name=bare.name, attrs=bare.attrs)
    # Assigned, since the constructor copies every label one by one.
    return array.assign_coords({**coords, **labels[key]})


def _unit_coords(layer: str, activity: Activity) -> dict[str, xr.Variable]:
    unit_id, columns = unit_columns(layer, activity.shape, activity.axes)
    named = {
        UNIT_ID: np.array(unit_id, dtype=object),
        REGION: np.full(len(unit_id), layer, dtype=object),
        **columns,
    }
    return {name: xr.Variable((UNIT,), values) for name, values in named.items()}
