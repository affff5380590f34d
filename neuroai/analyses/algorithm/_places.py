"""Where the units of a recording lie, and which lie near each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.errors import UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.schema import UNIT_ID
from neuroai.numerics.neighbourhoods import Neighbourhoods, along_mesh, within_radius

SPACE, SHEET = ("x", "y", "z"), ("row", "col")


@dataclass(frozen=True, eq=False)
class Places:
    """Centres and the units around each.

    Attributes
    ----------
    near : Neighbourhoods
        One centre a place.
    centre_of : int array, shape (n_units,)
        The centre that lies where a unit lies.
    unit_of_length : str
        Of the radius: ``mm``, ``mm along the surface`` or ``rows and columns``.
    """

    near: Neighbourhoods
    centre_of: np.ndarray
    unit_of_length: str


def places_of(
    recording: xr.DataArray, *, radius: float, mesh: np.ndarray | None
) -> Places | NotMeasurable:
    """Find the neighbourhoods of a recording: in space, along a mesh, or on feature maps.

    Voxels have x, y and z; on feature maps all features of a row and column stand at one place.
    """
    where = recording.attrs["region"]
    if mesh is not None:
        return _on_mesh(recording, radius, mesh)
    for axes, name in ((SPACE, "mm"), (SHEET, "rows and columns")):
        if all(axis in recording.coords for axis in axes):
            position = np.stack([recording[axis].values.astype(float) for axis in axes], axis=1)
            if np.isfinite(position).all():
                centres, place = np.unique(position, axis=0, return_inverse=True)
                near = within_radius(position, radius=radius, centres=centres)
                return Places(near, place.ravel(), name)
    return NotMeasurable(
        f"the units of {where} have no place, neither x, y and z nor the rows and columns of "
        "feature maps, so that none is near another; name regions that have with regions=[...]"
    )


def _on_mesh(recording: xr.DataArray, radius: float, mesh: np.ndarray) -> Places | NotMeasurable:
    if not all(axis in recording.coords for axis in SPACE):
        return NotMeasurable(f"the vertices of {recording.attrs['region']} have no x, y and z")
    ids = recording[UNIT_ID].values.astype(str)
    position = np.stack([recording[axis].values.astype(float) for axis in SPACE], axis=1)
    triangles = np.asarray(mesh).astype(str)
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise UsageError(
            "mesh must name the three units of every triangle, shape (n_triangles, 3); got shape "
            f"{triangles.shape}."
        )
    order = np.argsort(ids)
    at = order[np.searchsorted(ids, triangles, sorter=order).clip(max=len(ids) - 1)]
    # What lies outside the region is no way through.
    known = (ids[at] == triangles).all(axis=1)
    if not known.any():
        raise UsageError(
            f"No triangle of the mesh names units of {recording.attrs['region']}, such as "
            f"'{ids[0]}'; the mesh has '{triangles.flat[0]}'."
        )
    near = along_mesh(position, at[known], radius=radius)
    return Places(near, np.arange(len(ids)), "mm along the surface")
