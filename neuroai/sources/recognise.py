"""What a file or folder is, what is in it, and what is wrong with it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from neuroai.errors import NeuroaiError, UsageError
from neuroai.format.seal import is_sealed
from neuroai.sources.finding import Finding
from neuroai.sources.pairing import cross_checked
from neuroai.sources.recognise_arrays import (
    NO_PICKLE,
    recognise_form,
    recognise_hdf5,
    recognise_matlab,
    recognise_npy,
    recognise_npz,
    recognise_safetensors,
    recognise_zarr,
)
from neuroai.sources.recognise_eeg import recognise_eeg
from neuroai.sources.recognise_fmri import recognise_gifti, recognise_nifti
from neuroai.sources.recognise_folder import files_of, folder_kind, image_folder
from neuroai.sources.recognise_tables import recognise_table
from neuroai.sources.sniff import sniff

READERS: dict[str, Callable[[Path], Finding]] = {
    "nifti": recognise_nifti,
    "gifti": recognise_gifti,
    "eeg": recognise_eeg,
    "hdf5": recognise_hdf5,
    "matlab": recognise_matlab,
    "npz": recognise_npz,
    "npy": recognise_npy,
    "safetensors": recognise_safetensors,
    "table": recognise_table,
}
# What stands in a folder beside the data and is no fault of it.
IGNORED = ("unknown", "json", "eeg-part", "image", "other", "empty-folder")
KNOWN = (
    "NIfTI, GIFTI, FIF, EDF, BDF, BrainVision, EEGLAB, NWB, MATLAB, CSV, TSV, .nc, .zarr, .npz, "
    ".safetensors, a folder of images or a BIDS folder"
)
NOTHING = "it holds no file that is read here"
OTHERS = {
    "image": ("an image", "Give the folder that holds the images."),
    "eeg-part": ("part of an EEG recording", "It is read through the header beside it."),
    "json": ("a JSON file", "It is left out."),
    "netcdf3": (
        "a netCDF file of version 3",
        "Open it with xarray and save it in the common form (.nc, netCDF-4).",
    ),
}


def recognise(path: str | Path) -> Finding:
    """Say what a file or folder is; it is never an error, whatever the file holds.

    The content decides, not the name. A pickle is never opened.

    Parameters
    ----------
    path : str or pathlib.Path
        A file or folder.

    Returns
    -------
    Finding
        Of kind ``unreadable`` with the reason where the file cannot be read.

    Raises
    ------
    UsageError
        There is no such file or folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "events.tsv")
    ...     _ = path.write_text("onset\\tduration\\tstim_file\\n0\\t1\\ta.png\\n2\\t1\\tb.png\\n")
    ...     found = recognise(path)
    >>> found.kind, found.usable, found.facts["candidates"]
    ('events', True, [['stim_file', 2]])
    """
    path = Path(path).expanduser()
    try:
        there = path.exists()
    except (OSError, ValueError) as error:
        raise UsageError(f"{str(path)!r} cannot be a path ({error}).") from error
    if not there:
        raise UsageError(f"There is no file or folder {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _folder(path) if path.is_dir() else _file(path)
    except Exception as error:  # readers of other packages may fail in any way on a damaged file
        return _unreadable(path, error)


def recognise_all(paths: Sequence[str | Path]) -> tuple[Finding, ...]:
    """Recognise several files and check those that belong together against each other.

    Raises
    ------
    UsageError
        A file or folder does not exist, or none was given.
    """
    if not paths:
        raise UsageError("No file was given. Give files or folders.")
    return cross_checked(tuple(recognise(path) for path in paths))


def _unreadable(path: Path, error: Exception) -> Finding:
    said = " ".join(str(error).split()) or type(error).__name__
    reason = said if isinstance(error, NeuroaiError) else f"{type(error).__name__}: {said}"
    return Finding(
        path,
        "unreadable",
        "cannot be read",
        wrong=(reason[:400],),
        do="Copy, fetch or export the file anew.",
    )


def _file(path: Path) -> Finding:
    kind = sniff(path)
    if kind == "pickle":
        reason = "pickles run code when they are opened, so this one was not opened"
        return Finding(path, "pickle", "a pickle", wrong=(reason,), do=NO_PICKLE)
    if kind == "empty":
        return Finding(path, "unreadable", "an empty file", wrong=("it holds nothing",))
    if kind == "description":
        return _description(path)
    if kind in READERS:
        return READERS[kind](path)
    title, do = OTHERS.get(kind, ("of a kind that is not known", f"What is read: {KNOWN}."))
    return Finding(path, "unknown" if kind not in OTHERS else kind, title, do=do)


def _description(path: Path) -> Finding:
    from neuroai.sources.description import load_description

    holdings = load_description(path)
    recordings = [r for system in holdings.systems for r in system.recordings]
    tables = [b for system in holdings.systems for b in system.behaviour]
    found = [
        f"{r.attrs['subject']}: {' × '.join(f'{n} {d}' for d, n in r.sizes.items())}"
        for r in recordings
    ]
    found += [f"behaviour: {table.sizes['trial']} trials" for table in tables]
    n_known, n_all = len(holdings.stimuli.available), len(holdings.stimuli.ids)
    found.append(f"{n_all} stimuli, {n_known} of them at hand")
    return Finding(
        path,
        "description",
        f"description of '{holdings.card.name}'",
        found=tuple(found),
        odd=tuple(sorted({str(r.attrs["note"]) for r in recordings if r.attrs.get("note")})),
        do=f"Compare it: neuroai compare {path} --model …",
    )


def _folder(path: Path) -> Finding:
    kind = folder_kind(path)
    if kind == "zarr":
        return recognise_form(path) if is_sealed(path) else recognise_zarr(path)
    if kind == "images":
        return image_folder(path)
    paths, n_other = files_of(path, bids=kind == "bids")
    every = [recognise(one) for one in paths]
    parts = cross_checked(tuple(one for one in every if one.kind not in IGNORED))
    n_other += len(every) - len(parts)
    counts = Counter(inner.title for part in parts for inner in part.flat())
    found = [f"{n} × {title}" for title, n in sorted(counts.items())]
    if n_other:
        found.append(f"{n_other} other files, left out")
    folder = Finding(path, "folder", "a folder", found=tuple(found), parts=parts)
    if kind == "bids":
        subjects = {p.facts["entities"]["sub"] for p in parts if _has_subject(p)}
        found.insert(0, f"{len(subjects)} subjects with data")
        folder = replace(folder, kind="bids", title="a BIDS folder", found=tuple(found))
    if not parts:
        return replace(folder, kind="empty-folder", odd=(NOTHING,), do=f"What is read: {KNOWN}.")
    return folder


def _has_subject(part: Finding) -> bool:
    return "sub" in part.facts.get("entities", {})
