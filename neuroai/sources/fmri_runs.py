"""One fMRI run from its files: samples by voxels or vertices, events and confounds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroai.checks import listing
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.sources.bids import entities
from neuroai.sources.damaged import damage_told
from neuroai.sources.fmri_audit import check_events, check_grid
from neuroai.sources.fmri_surfaces import (
    chosen_vertices,
    for_side,
    side_of,
    surface_space,
    surface_values,
)
from neuroai.sources.tables import read_table

SPACES = {0: "unknown", 1: "scanner", 2: "aligned", 3: "Talairach", 4: "MNI152"}
WHOLE = "brain"
DO = "The file is damaged: copy or fetch it anew."
LONGEST_TR = 60.0  # s
SAME_TR = 1e-3  # headers keep single precision
SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


@dataclass(frozen=True)
class Grid:
    """Where the columns of a run's samples lie.

    Attributes
    ----------
    unit_id, region : array of str, shape (n_voxels,)
        ``v<i>-<j>-<k>`` of a voxel, ``<hemisphere>-<number>`` of a vertex; label in the atlas.
    xyz : array, shape (n_voxels, 3), or None
        Millimetres in `space`; None on a surface.
    space : str
        ``scanner``, ``aligned``, ``Talairach``, ``MNI152`` or ``unknown`` of a volume; the name of
        the mesh, or ``surface``, of a surface; what ``space-`` says of a derived BIDS file.
    description : str
        Shape and affine as JSON, from which a map can be written again.
    """

    unit_id: np.ndarray
    region: np.ndarray
    xyz: np.ndarray | None
    space: str
    description: str


@dataclass(frozen=True)
class Run:
    """Samples (scan, voxel), seconds from scan to scan, and the grid."""

    values: np.ndarray
    tr: float
    grid: Grid
    where: str


def load_run(
    bold: Any, *, mask: Any = None, labels: Any = None, label_names: Any = None, tr: Any = None
) -> Run:
    """Load a 4-D NIfTI or a functional GIFTI within a mask or the labels of an atlas.

    Parameters
    ----------
    bold : path, nibabel image or tuple of two
        4-D NIfTI, or ``.func.gii`` with one array a scan; two of them are the hemispheres of a run.
    mask, labels : path, nibabel image, list of them or None
        Voxels that are not 0 are kept; labels also name the region. They must have the grid of the
        image. Of several masks a voxel must lie in all; on surfaces there is one a hemisphere.
    label_names : mapping, optional
        From the number of a label to the name of its region.
    tr : float, optional
        Seconds from scan to scan, where the header does not say.

    Returns
    -------
    Run
        Values in the unit of the file, float64; nothing was checked but the grid.

    Raises
    ------
    AlignmentError
        The mask or atlas has another grid.
    DataError
        The image is not 4-D, or no repetition time is known.
    """
    halves = [_image(one) for one in (bold if isinstance(bold, (list, tuple)) else [bold])]
    image, where = halves[0]
    if isinstance(bold, (list, tuple)) or hasattr(image, "darrays"):
        return _surface(halves, mask, labels, label_names, tr)
    if len(image.shape) != 4 or min(image.shape) < 1:
        raise DataError(f"{where} has the shape {image.shape}; a run is 4-D, with time last.")
    chosen = np.ones(image.shape[:3], dtype=bool)
    numbers = None
    masks = list(mask) if isinstance(mask, (list, tuple)) else [mask]
    for given, name in (*((one, "mask") for one in masks), (labels, "atlas")):
        if given is not None:
            laid, _ = _image(given)
            check_grid(laid, image, name=name, where=where)
            content = _content(laid, f"the {name}").reshape(image.shape[:3])
            chosen &= np.nan_to_num(content, nan=0.0) != 0
            numbers = content if name == "atlas" else numbers
    if not chosen.any():
        raise AlignmentError(f"The mask leaves no voxel of {where}. Give the mask of this image.")
    values = _content(image, where)[chosen].T.astype(np.float64)
    grid = _grid(image, chosen, None if numbers is None else numbers[chosen], label_names)
    return Run(values=values, tr=_seconds(image, tr, where), grid=grid, where=where)


def _image(given: Any) -> tuple[Any, str]:
    import nibabel

    if not isinstance(given, (str, Path)):
        name = getattr(given, "get_filename", lambda: None)()
        return given, str(name or "the image")
    if not Path(given).is_file():
        raise UsageError(f"There is no file {given}.")
    with damage_told(f"{given} cannot be read as an image", do=DO):
        return nibabel.load(given), str(given)


def _content(image: Any, where: str) -> np.ndarray:
    with damage_told(f"The values of {where} cannot be read", do=DO):
        return np.asarray(image.dataobj)


def _grid(image: Any, chosen: np.ndarray, numbers: np.ndarray | None, names: Any) -> Grid:
    indices = np.argwhere(chosen)
    ids = [f"v{i:03d}-{j:03d}-{k:03d}" for i, j, k in indices]
    code = int(image.header["sform_code"]) or int(image.header["qform_code"])
    shape, affine = [int(n) for n in image.shape[:3]], np.asarray(image.affine).tolist()
    return Grid(
        unit_id=np.array(ids, dtype=object),
        region=_regions(len(ids), numbers, names),
        xyz=indices @ image.affine[:3, :3].T + image.affine[:3, 3],
        space=_space(image, SPACES.get(code, "unknown")),
        description=json.dumps({"shape": shape, "affine": affine}),
    )


def _space(image: Any, coded: str) -> str:
    """Prefer what a BIDS name says: headers of derived images often say no more than 'aligned'."""
    name = getattr(image, "get_filename", lambda: None)()
    return entities(Path(name)).get("space", coded) if name else coded


def _regions(size: int, numbers: np.ndarray | None, names: Any) -> np.ndarray:
    if numbers is None:
        return np.full(size, WHOLE, dtype=object)
    known = {int(number): str(name) for number, name in (names or {}).items()}
    unnamed = sorted({int(n) for n in numbers} - set(known)) if known else []
    if unnamed:
        raise DataError(
            f"The atlas holds labels without a name: {listing(unnamed)}. Name them all, or give no "
            "names and the numbers are used."
        )
    return np.array([known.get(int(n), str(int(n))) for n in numbers], dtype=object)


def _seconds(image: Any, tr: float | None, where: str) -> float:
    with damage_told(f"The header of {where} cannot be read", do=DO):
        stated = image.header.get_zooms()[3] if len(image.header.get_zooms()) > 3 else 0.0
        found = float(stated) * SECONDS.get(image.header.get_xyzt_units()[1], 1.0)
    if not (np.isfinite(found) and found <= LONGEST_TR):
        raise DataError(
            f"The header of {where} states {found:g} s from scan to scan, which no scanner takes: "
            "it is in another unit, or damaged. Correct the header."
        )
    if tr is None and found <= 0:
        raise DataError(f"The header of {where} states no repetition time. Give tr=... in seconds.")
    if tr is not None and found > 0 and abs(found - tr) > SAME_TR * tr and found != 1.0:
        raise DataError(
            f"tr={tr:g} s was given, or stands in the sidecar, but the header of {where} states "
            f"{found:g} s. Correct one of them."
        )
    return float(found if tr is None else tr)


def _surface(
    images: Sequence[tuple[Any, str]], mask: Any, labels: Any, names: Any, tr: float | None
) -> Run:
    if tr is None:
        raise DataError(f"{images[0][1]} states no repetition time. Give tr=... in seconds.")
    values, ids, regions, meshes = [], [], [], {}
    for image, where in images:
        samples, side = surface_values(image, where), side_of(where) or "L"
        laid = [
            (name, _image(for_side(given, side, name=name))[0])
            for given, name in ((mask, "mask"), (labels, "atlas"))
            if given is not None
        ]
        chosen, numbers = chosen_vertices(samples.shape[1], laid, where)
        ids += [f"{side}-{number:06d}" for number in np.flatnonzero(chosen)]
        kept = None if numbers is None else numbers[chosen]
        regions.append(_regions(int(chosen.sum()), kept, names))
        values.append(samples[:, chosen])
        meshes[side] = int(samples.shape[1])
    if len({len(some) for some in values}) > 1:
        raise AlignmentError(f"The hemispheres of {images[0][1]} have unlike numbers of scans.")
    grid = Grid(
        unit_id=np.array(ids, dtype=object),
        region=np.concatenate(regions),
        xyz=None,
        space=surface_space(images[0][1]),
        description=json.dumps({"vertices": meshes}),
    )
    return Run(np.concatenate(values, axis=1), float(tr), grid, images[0][1])


def load_events(given: Any, *, n_scans: int, tr: float, stimulus: str = "") -> pd.DataFrame:
    """Load BIDS events and check that they lie in the run.

    Parameters
    ----------
    given : path or pandas.DataFrame
        Columns ``onset``, ``duration`` (s), ``trial_type``.
    n_scans, tr : int, float
        Length of the run, and seconds from scan to scan.
    stimulus : str
        Column that names the stimulus; ``trial_type`` if empty.

    Returns
    -------
    pandas.DataFrame
        Columns ``onset``, ``duration``, ``trial_type`` and ``stimulus_id``, by onset.

    Raises
    ------
    DataError
        An onset lies outside the run, or is no number.
    UnknownName
        A column is missing.
    """
    name = stimulus or "trial_type"
    if isinstance(given, pd.DataFrame):
        lacking = {"onset", "duration", "trial_type", name} - set(given.columns)
        if lacking:
            raise DataError(f"The events lack the columns {listing(sorted(lacking))}.")
        columns = {key: given[key] for key in ("onset", "duration", "trial_type")}
        events = pd.DataFrame({**columns, "stimulus_id": given[name].astype(str)})
        where = "the events"
    else:
        table, where = read_table(given), str(given)
        events = pd.DataFrame({key: table.numbers(key) for key in ("onset", "duration")})
        events["trial_type"] = table.text("trial_type")
        events["stimulus_id"] = table.text(name)
    check_events(events, n_scans=n_scans, tr=tr, where=where)
    return events.sort_values("onset", kind="stable", ignore_index=True)


def load_confounds(given: Any, columns: Any, *, n_scans: int) -> np.ndarray | None:
    """Load nuisance series, one a column; a first scan without a value gets the column's mean.

    Raises
    ------
    DataError
        The number of rows is not that of the scans, or a later value is missing.
    """
    if given is None:
        return None
    if isinstance(given, (str, Path)):
        table = read_table(given)
        names = list(columns) or list(table.columns)
        series = np.stack([table.numbers(name) for name in names], axis=1)
    else:
        frame = pd.DataFrame(given)
        names = list(columns) or [str(name) for name in frame.columns]
        series = (frame[list(columns)] if columns else frame).to_numpy(dtype=np.float64, copy=True)
    if len(series) != n_scans:
        raise DataError(f"The confounds have {len(series)} rows, the run has {n_scans} scans.")
    series[0] = np.where(np.isnan(series[0]), np.nanmean(series[1:], axis=0), series[0])
    broken = [name for name, column in zip(names, series.T, strict=True) if np.isnan(column).any()]
    if broken:
        raise DataError(f"Confounds without a value after the first scan: {listing(broken)}.")
    return series
