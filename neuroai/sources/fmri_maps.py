"""Back from a number a voxel or vertex to an image that any viewer shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neuroai.checks import listing, one_of
from neuroai.errors import FormatError, UsageError
from neuroai.format.schema import UNIT, UNIT_ID

VOXEL = re.compile(r"^v(\d+)-(\d+)-(\d+)$")


def to_nifti(
    values: np.ndarray | xr.DataArray,
    recording: xr.DataArray,
    *,
    path: str | Path | None = None,
    outside: float = np.nan,
) -> Any:
    """Lay one number a voxel back on the grid that a recording was read from.

    Parameters
    ----------
    values : array, shape (n_units,), or DataArray with the dimension ``unit``
        A DataArray is laid by its ``unit_id``; a plain array has the order of the recording.
    recording : xarray.DataArray
        As `neuroai.sources.fmri.read_bold` gave it: its attr ``grid`` holds shape and affine.
    path : path, optional
        Where to write it, ``.nii`` or ``.nii.gz``.
    outside : float
        Value of all other voxels; NaN shows that nothing was measured there.

    Returns
    -------
    nibabel.Nifti1Image
        float32, in the grid of the original.

    Raises
    ------
    FormatError
        The recording does not come from a volume.
    UsageError
        There is not one number for every unit.
    """
    import nibabel

    grid = json.loads(recording.attrs.get("grid", "{}"))
    if "affine" not in grid:
        raise FormatError(
            "The recording has no volume to lay a map on: its attr 'grid' holds no affine. Read "
            "the images with neuroai.sources.fmri.read_bold."
        )
    ids, numbers = _by_id(values, recording)
    volume = np.full(grid["shape"], outside, dtype=np.float32)
    volume[tuple(_indices(ids).T)] = numbers
    image = nibabel.Nifti1Image(volume, np.array(grid["affine"]))
    if path is not None:
        image.to_filename(path)
    return image


def to_gifti(
    values: np.ndarray | xr.DataArray,
    recording: xr.DataArray,
    *,
    hemisphere: str = "",
    path: str | Path | None = None,
    outside: float = np.nan,
) -> Any:
    """Lay one number a vertex back on the mesh that a recording was read from.

    Parameters
    ----------
    values : array, shape (n_units,), or DataArray with the dimension ``unit``
        As in `to_nifti`, of all hemispheres.
    recording : xarray.DataArray
        As `neuroai.sources.fmri.read_bold` gave it from functional GIFTI files.
    hemisphere : {"L", "R"}
        Which to give; the recording's own if it has one alone.
    path : path, optional
        Where to write it, ``.func.gii`` or ``.shape.gii``.
    outside : float
        Value of vertices that were not measured.

    Returns
    -------
    nibabel.gifti.GiftiImage
        One float32 array, a number for every vertex of the mesh.

    Raises
    ------
    FormatError
        The recording does not come from a surface.
    UsageError
        There is not one number for every unit, or the hemisphere is not of the recording.
    """
    import nibabel

    meshes = json.loads(recording.attrs.get("grid", "{}")).get("vertices", {})
    if not meshes:
        raise FormatError(
            "The recording has no surface to lay a map on: its attr 'grid' holds no vertices. Read "
            "functional GIFTI files with neuroai.sources.fmri.read_bold."
        )
    side = hemisphere or (next(iter(meshes)) if len(meshes) == 1 else "")
    one_of(side, tuple(meshes), option="hemisphere")
    ids, numbers = _by_id(values, recording)
    mine = [unit.startswith(f"{side}-") for unit in ids]
    found = np.full(meshes[side], outside, dtype=np.float32)
    found[[int(unit[2:]) for unit, own in zip(ids, mine, strict=True) if own]] = numbers[mine]
    array = nibabel.gifti.GiftiDataArray(
        found, intent="NIFTI_INTENT_SHAPE", datatype="NIFTI_TYPE_FLOAT32"
    )
    name = {"L": "CortexLeft", "R": "CortexRight"}[side]
    meta = nibabel.gifti.GiftiMetaData({"AnatomicalStructurePrimary": name})
    image = nibabel.gifti.GiftiImage(darrays=[array], meta=meta)
    if path is not None:
        image.to_filename(path)
    return image


def _by_id(
    values: np.ndarray | xr.DataArray, recording: xr.DataArray
) -> tuple[list[str], np.ndarray]:
    known = recording[UNIT_ID].values.tolist()
    if isinstance(values, xr.DataArray) and UNIT_ID in values.coords:
        if values.dims != (UNIT,):
            raise UsageError(f"A map is one number a unit; got the dimensions {values.dims}.")
        ids = values[UNIT_ID].values.tolist()
        strange = sorted(set(ids) - set(known))
        if strange:
            raise UsageError(f"The recording has no units called {listing(strange)}.")
        return ids, values.values
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (len(known),):
        raise UsageError(
            f"A map of this recording needs {len(known)} numbers; got the shape {numbers.shape}."
        )
    return known, numbers


def _indices(ids: list[str]) -> np.ndarray:
    found = [VOXEL.match(unit) for unit in ids]
    strange = [unit for unit, match in zip(ids, found, strict=True) if match is None]
    if strange:
        raise FormatError(
            f"Units that are no voxels have no place in a volume: {listing(strange)}."
        )
    return np.array([[int(n) for n in match.groups()] for match in found if match is not None])
