"""What a NIfTI or GIFTI file holds, read volume by volume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neuroai.sources.bids import DESCRIPTION, FOLDERS_UP, entities, seconds_of
from neuroai.sources.finding import Finding
from neuroai.sources.tables import read_table

LARGEST_VOLUME = 2**31  # bytes; no scanner makes one, a damaged header states one
BEST_COMPRESSION = 1040  # gzip packs no tighter
MOST_LABELS = 1000
LONGEST_TR = 60.0  # s; a longer one is in another unit


def recognise_nifti(path: Path) -> Finding:
    """Say what a NIfTI file holds, and count the voxels that cannot be used."""
    import nibabel

    image: Any = nibabel.load(path)
    shape = tuple(int(n) for n in image.shape)
    claimed = int(np.prod(shape, dtype=object)) * image.get_data_dtype().itemsize
    packed = path.name.endswith(".gz")
    if (
        claimed > path.stat().st_size * (BEST_COMPRESSION if packed else 1)
        and path.suffix != ".hdr"
    ):
        return _cut_short(path, shape, claimed)
    if claimed // max(1, shape[3] if len(shape) > 3 else 1) > LARGEST_VOLUME:
        return _cut_short(path, shape, claimed)
    if len(shape) == 4 and shape[3] > 1:
        return _run(path, image, shape)
    return _volume(path, image, shape)


def _cut_short(path: Path, shape: tuple[int, ...], claimed: int) -> Finding:
    return Finding(
        path,
        "unreadable",
        f"NIfTI {_sizes(shape)}",
        wrong=(
            f"its header promises {claimed / 2**20:.1f} MiB of values, which a file of "
            f"{path.stat().st_size / 2**20:.3f} MiB cannot hold",
        ),
        do="The file is cut short or damaged: copy or fetch it anew.",
    )


def _sizes(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _run(path: Path, image: Any, shape: tuple[int, ...]) -> Finding:
    n_finite, n_varying = _usable(image, shape)
    n_voxels = int(np.prod(shape[:3]))
    tr, stated = _repetition_time(image)
    tr, stated = _told_beside(path, tr, stated)
    found = (
        f"{shape[3]} scans of {_sizes(shape[:3])} voxels, {_voxel_size(image)} mm",
        f"repetition time {tr:g} s" if tr else "no repetition time is stated",
        f"{n_varying} of {n_voxels} voxels vary",
    )
    wrong, odd = [], []
    if n_varying == 0:
        wrong.append("no voxel varies: there is no signal")
    if n_finite < n_voxels:
        odd.append(
            f"{n_voxels - n_finite} voxels hold NaN or infinite values: they are left out "
            "and counted, never taken as 0"
        )
    if not stated:
        odd.append(
            "the repetition time is not stated or not credible: set tr in the description to the "
            "seconds from scan to scan"
        )
    if 0 < n_varying < n_voxels / 2:
        odd.append(f"{n_voxels - n_varying} voxels never vary (outside of the brain): left out")
    return Finding(
        path,
        "bold",
        "fMRI run (4-D NIfTI)",
        found=found,
        wrong=tuple(wrong),
        odd=tuple(odd),
        do="Give its events.tsv too, and a mask or atlas in the same grid.",
        facts={
            "shape": list(shape),
            "tr": tr if stated else None,
            "n_not_finite": n_voxels - n_finite,
            "n_varying": n_varying,
            "affine": np.asarray(image.affine).tolist(),
            "entities": entities(path),
            "slice_time_ref": _reference(path, tr),
        },
    )


def _reference(path: Path, tr: float) -> float:
    """Give the moment of a scan that its slices were brought to, in shares of the whole."""
    start = seconds_of(path, "StartTime")
    return round(start / tr, 4) if start and tr else 0.0


def _repetition_time(image: Any) -> tuple[float, bool]:
    units = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
    unit = image.header.get_xyzt_units()[1]
    tr = float(image.header.get_zooms()[3]) * units.get(unit, 1.0)
    return tr, 0 < tr <= LONGEST_TR


def _told_beside(path: Path, tr: float, stated: bool) -> tuple[float, bool]:
    """Take the repetition time of the sidecar where the header has none."""
    told = seconds_of(path, "RepetitionTime")
    return (told, True) if told and not stated else (tr, stated)


def _voxel_size(image: Any) -> str:
    return " × ".join(f"{size:g}" for size in image.header.get_zooms()[:3])


def _volumes(image: Any, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    for scan in range(shape[3]):
        yield np.asarray(image.dataobj[..., scan], dtype=np.float64)


def _usable(image: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    """Count finite voxels, and finite ones that vary, holding one volume at a time."""
    low, high = np.full(shape[:3], np.inf), np.full(shape[:3], -np.inf)
    finite = np.ones(shape[:3], dtype=bool)
    for volume in _volumes(image, shape):
        finite &= np.isfinite(volume)
        np.fmin(low, volume, out=low)
        np.fmax(high, volume, out=high)
    return int(finite.sum()), int((finite & (high > low)).sum())


def _volume(path: Path, image: Any, shape: tuple[int, ...]) -> Finding:
    values = np.asarray(image.dataobj, dtype=np.float64)
    finite = values[np.isfinite(values)]
    labels = np.unique(finite)
    whole = bool(len(labels)) and bool((labels % 1 == 0).all()) and len(labels) <= MOST_LABELS
    n_inside = int((finite != 0).sum())
    # A mask cut to the brain may hold no 0.
    binary = whole and (labels.tolist() == [1] or (len(labels) == 2 and labels[0] == 0))
    kind, title = ("volume", "3-D NIfTI (one volume: anatomy or a statistical map)")
    if binary:
        kind, title = "mask", "mask (3-D NIfTI)"
    elif whole and len(labels) > 2 and labels[0] >= 0:
        kind, title = "atlas", "atlas of labels (3-D NIfTI)"
    wrong = () if n_inside else ("every voxel is 0: it selects nothing",)
    odd = []
    if finite.size < values.size:
        odd.append(f"{values.size - finite.size} voxels hold NaN or infinite values")
    named = f"{len(labels) - 1} regions, " if kind == "atlas" else ""
    use = {
        "mask": "It selects voxels of runs in the same grid.",
        "atlas": "Its labels become regions; name them with label_names in the description.",
        "volume": "A comparison needs runs (4-D), or the common form; it is left out.",
    }
    return Finding(
        path,
        kind,
        title,
        found=(f"{_sizes(shape)} voxels, {_voxel_size(image)} mm; {named}{n_inside} are not 0",),
        wrong=wrong,
        odd=tuple(odd),
        do=use[kind],
        facts={
            "shape": list(shape),
            "affine": np.asarray(image.affine).tolist(),
            "labels": [int(v) for v in labels if v != 0] if kind == "atlas" else [],
            "label_names": label_names(path) if kind == "atlas" else {},
            "entities": entities(path),
        },
    )


def recognise_gifti(path: Path) -> Finding:
    """Say what a GIFTI file holds."""
    import nibabel

    image: Any = nibabel.load(path)
    sizes = [tuple(array.data.shape) for array in image.darrays]
    if not sizes:
        return Finding(path, "unreadable", "GIFTI", wrong=("it holds no array",))
    series = path.name.endswith(".func.gii") or len(sizes) > 3
    values = np.stack([a.data for a in image.darrays]) if series else image.darrays[0].data
    n_bad = int((~np.isfinite(values)).sum())
    tr = seconds_of(path, "RepetitionTime") if series else None
    return Finding(
        path,
        "gifti-run" if series else "gifti",
        "surface fMRI run (GIFTI)" if series else "surface or its labels (GIFTI)",
        found=(f"{len(sizes)} arrays of {_sizes(sizes[0])}",),
        odd=(f"{n_bad} values are NaN or infinite",) if n_bad else (),
        do="GIFTI states no repetition time: set tr in the description."
        if series and tr is None
        else "",
        facts={
            "entities": entities(path),
            "tr": tr,
            "n_not_finite": n_bad,
            "shape": [int(sizes[0][0])],
            "labels": [] if series else _labels(values),
        },
    )


def _labels(values: np.ndarray) -> list[int]:
    """Give the numbers of a label file's regions; none for meshes and maps."""
    finite = np.unique(values[np.isfinite(values)])
    whole = bool(len(finite)) and bool((finite % 1 == 0).all()) and len(finite) <= MOST_LABELS
    return [int(v) for v in finite if v] if whole and values.ndim == 1 else []


def label_names(path: Path) -> dict[str, str]:
    """Give the names of an atlas's labels from the table of BIDS beside it or at its root.

    The table has the columns ``index`` and ``name`` and ends in ``_dseg.tsv``; one further up
    serves an atlas whose ``desc-`` it shares.
    """
    own = entities(path)
    for folder in list(path.absolute().parents)[:FOLDERS_UP] if own else []:
        for one in sorted(folder.glob("*dseg.tsv")):
            if all(own.get(key) == value for key, value in entities(one).items()):
                table = read_table(one)
                if {"index", "name"} <= set(table.columns):
                    numbers = [f"{int(n)}" for n in table.numbers("index")]
                    return dict(zip(numbers, map(str, table.text("name")), strict=True))
        if (folder / DESCRIPTION).is_file():
            break
    return {}
