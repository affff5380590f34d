"""Lesion masks of patients, one image a person, in one space."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.checks import listing
from neuroai.errors import AlignmentError, DataError, ResourceError, UsageError
from neuroai.format.build import typed
from neuroai.format.schema import FORMAT_VERSION, NUMBER, STRING, SUBJECT, UNIT, UNIT_ID
from neuroai.format.validate import validate
from neuroai.sources.fmri_audit import check_grid
from neuroai.sources.fmri_runs import SPACES

IDS_AT_ONCE = 2**16


def read_lesion_masks(
    paths: Mapping[str, str | Path],
    *,
    scores: pd.DataFrame | None = None,
    space: str = "MNI152",
    system: str = "human",
    block: int = 1,
    least: int = 1,
    max_memory: float = 1.5,
) -> xr.DataArray:
    """Read binary lesion masks as truth values (subject, voxel), one image at a time.

    Only voxels that are lesioned in at least `least` persons are kept. Besides the result, memory
    holds the places of the lesioned voxels, 4 bytes each, and one image.

    Parameters
    ----------
    paths : mapping
        From the person's name to a 3-D NIfTI whose voxels are 0 or 1; all on one grid.
    scores : pandas.DataFrame, optional
        Indexed by the person's name; its columns become coordinates of the persons. A person
        without a row has missing values.
    space : str
        Space that the images are in; a header that names another is refused.
    system : str
        Whose lesions they are.
    block : int
        Cubes of this many voxels a side become one unit, lesioned where at least half of the cube
        is; 1 keeps the voxels.
    least : int
        Persons in whom a voxel must be lesioned to be kept; the note says how many voxels, lesioned
        in fewer, were left out. ``lesion_size`` of every person counts them all.
    max_memory : float
        GiB that the result may take.

    Returns
    -------
    xarray.DataArray
        Form ``lesions``, bool; voxels carry ``x y z`` in mm, persons their ``lesion_size`` in
        units (voxels or cubes).

    Raises
    ------
    AlignmentError
        An image has another grid, or its header names another space.
    DataError
        A voxel is neither 0 nor 1, or no voxel is lesioned in as many persons as asked for.
    UsageError
        There are no files, `least` is below 1, or a person of the scores is not among them.
    ResourceError
        The result would take more than `max_memory`.
    """
    import nibabel

    if not paths:
        raise UsageError("No lesion mask was given. Give at least one person's image.")
    if least < 1:
        raise UsageError(f"least must be 1 person or more; got {least}.")
    first = nibabel.load(next(iter(paths.values())))
    lesioned = [
        _places(nibabel.load(path), first, str(path), space=space, block=block)
        for path in paths.values()
    ]
    shape = tuple(-(-n // block) for n in first.shape)
    persons_with = np.zeros(int(np.prod(shape)), dtype=np.int32)
    for places in lesioned:
        persons_with[places] += 1
    voxels = np.flatnonzero(persons_with >= least)
    if voxels.size == 0:
        enough = "any" if least == 1 else f"{least} or more"
        raise DataError(f"No voxel is lesioned in {enough} of {len(paths)} persons.")
    _check_memory(len(paths), voxels.size, max_memory, block)
    masks = _rows(lesioned, voxels, persons_with.size)
    persons = list(paths)
    sizes = [float(places.size) for places in lesioned]
    coords = {
        SUBJECT: (SUBJECT, typed(persons, kind=STRING)),
        "lesion_size": (SUBJECT, typed(sizes, kind=NUMBER)),
        **_units(voxels, shape, np.asarray(first.affine), block),
        **_scores(scores, persons),
    }
    unhurt = [name for name, places in zip(persons, lesioned, strict=True) if places.size == 0]
    array = xr.DataArray(masks, dims=(SUBJECT, UNIT), coords=coords, name="lesioned")
    rare = int((persons_with > 0).sum()) - voxels.size
    array.attrs = _attrs(system, space, unhurt, rare=rare, least=least)
    return validate(array)


def _rows(lesioned: list[np.ndarray], voxels: np.ndarray, n_places: int) -> np.ndarray:
    """Fill one row a person, true where one of the kept voxels is lesioned."""
    column = np.full(n_places, -1, dtype=np.int32)
    column[voxels] = np.arange(voxels.size, dtype=np.int32)
    masks = np.zeros((len(lesioned), voxels.size), dtype=bool)
    for row, places in zip(masks, lesioned, strict=True):
        here = column[places]
        row[here[here >= 0]] = True
    return masks


def _check_memory(n_persons: int, n_units: int, max_memory: float, block: int) -> None:
    needed = n_persons * n_units / 2**30
    if needed > max_memory:
        raise ResourceError(
            f"{n_persons} masks with {n_units} lesioned units take {needed:.2f} GiB; max_memory is "
            f"{max_memory:g} GiB. Say block={2 * block} for units {2 * block} voxels wide, "
            "least=10 to keep those lesioned in ten persons or more, or raise max_memory."
        )


def _places(image: Any, first: Any, where: str, *, space: str, block: int) -> np.ndarray:
    """Give the flat indices of the lesioned units of one image."""
    check_grid(image, first, name=f"mask {where}", where="the first mask")
    code = int(image.header["sform_code"]) or int(image.header["qform_code"])
    named = SPACES.get(code, "unknown")
    if named in ("Talairach", "MNI152", "scanner") and named != space:
        raise AlignmentError(
            f"The header of {where} says that it is in the space '{named}', not '{space}'. Warp "
            f"it, or say space='{named}'."
        )
    values = np.asarray(image.dataobj)
    lesioned = values == 1
    strange = values[~lesioned & (values != 0)]
    if strange.size:
        raise DataError(
            f"{where} holds {strange.size} voxels that are neither 0 nor 1: "
            f"{listing(np.unique(strange).tolist())}. Threshold it first."
        )
    return np.flatnonzero(_cubes(lesioned, block)).astype(np.int32)


def _cubes(lesioned: np.ndarray, block: int) -> np.ndarray:
    """Say which cubes are lesioned at least by half; what lies beyond the edge counts as intact."""
    if block == 1:
        return lesioned
    padded = np.pad(lesioned, [(0, -n % block) for n in lesioned.shape])
    counts = padded.astype(np.int16)
    for axis in range(3):
        counts = np.add.reduceat(counts, np.arange(0, counts.shape[axis], block), axis=axis)
    return 2 * counts >= block**3


def _units(
    voxels: np.ndarray, shape: tuple[int, ...], affine: np.ndarray, block: int
) -> dict[str, Any]:
    indices = np.stack(np.unravel_index(voxels, shape), axis=1).astype(np.int32)
    ids = np.empty(len(voxels), dtype=object)
    for start in range(0, len(voxels), IDS_AT_ONCE):
        part = indices[start : start + IDS_AT_ONCE].tolist()
        ids[start : start + len(part)] = [f"v{i:03d}-{j:03d}-{k:03d}" for i, j, k in part]
    centres = indices * block + (block - 1) / 2
    xyz = [centres @ affine[axis, :3] + affine[axis, 3] for axis in range(3)]
    return {UNIT_ID: (UNIT, ids), **{n: (UNIT, v) for n, v in zip("xyz", xyz, strict=True)}}


def _scores(scores: pd.DataFrame | None, persons: list[str]) -> dict[str, Any]:
    if scores is None:
        return {}
    unknown = sorted(set(scores.index) - set(persons))
    if unknown or scores.index.has_duplicates:
        raise UsageError(
            f"The scores name persons without a mask ({listing(unknown)}) or name one twice. Keep "
            "one row for each person whose mask is read."
        )
    table = scores.reindex(persons)
    kinds = {name: NUMBER if table[name].dtype.kind in "fiub" else STRING for name in table}
    return {
        str(name): (SUBJECT, typed(table[name].to_numpy(), kind=kind))
        for name, kind in kinds.items()
    }


def _attrs(system: str, space: str, unhurt: list[str], *, rare: int, least: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "format": "lesions",
        "format_version": FORMAT_VERSION,
        "system": system,
        "kind": "brain",
        "stimulus_set": "none",
        "space": space,
    }
    notes = []
    if rare:
        notes.append(f"{rare} units lesioned in fewer than {least} persons were left out")
    if unhurt:
        notes.append(f"{len(unhurt)} persons have an empty mask: {listing(unhurt)}")
    if notes:
        found["note"] = "; ".join(notes)
    return found
