"""What files of arrays hold: MATLAB, npz, npy, safetensors, HDF5, and the common form."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neuroai.checks import listing
from neuroai.format.answers import Answer
from neuroai.format.audit import audit
from neuroai.format.files import open_form
from neuroai.format.schema import STIMULUS_ID
from neuroai.sources.columns import stimulus_candidates
from neuroai.sources.finding import Finding
from neuroai.sources.matlab import read_matlab
from neuroai.sources.recognise_eeg import recognise_eeg
from neuroai.sources.recognise_nwb import recognise_nwb

LONGEST_HEADER = 2**26
RASTERS = ("raster_data", "raster_labels", "raster_site_info")
USE_FORM = (
    "Load it in a data set file (.py) and build recordings of the arrays; "
    "or save it in the common form (.nc)."
)
PICKLED = (
    "holds Python objects, which can only be read by running what the file says: it was not opened"
)
NO_PICKLE = "Save plain arrays instead: .npz without objects, .nc, .csv or .safetensors."


def recognise_matlab(path: Path) -> Finding:
    """List the variables of a MATLAB file; EEGLAB's are EEG."""
    from scipy.io import whosmat

    variables = {name: (shape, kind) for name, shape, kind in whosmat(path)}
    if path.suffix == ".set" or "EEG" in variables or {"srate", "nbchan"} <= set(variables):
        return recognise_eeg(path)
    if set(RASTERS) <= set(variables):
        return _rasters(path)
    return _matlab(path, {n: f"{_sizes(s)} {k}" for n, (s, k) in variables.items()}, "5 to 7")


def _rasters(path: Path) -> Finding:
    """Describe the spikes of one unit, one row a trial and one column a millisecond."""
    content = read_matlab(path)
    shape = np.shape(content[RASTERS[0]])
    labels, site = content[RASTERS[1]], content[RASTERS[2]]
    columns = {
        name: np.atleast_1d(labels[name].item())
        for name in labels.dtype.names or ()
        if np.size(labels[name].item()) == shape[0]
    }
    facts = {name: site[name].item() for name in site.dtype.names or ()}
    zero = next((name for name in facts if "alignment" in name or "zero" in name), "")
    start = int(facts[zero]) if zero else 0
    candidates = stimulus_candidates(columns)
    shown = listing([f"{name} ({n} values)" for name, n in candidates], shown=8)
    wrong = [] if candidates else ["no field of raster_labels says what was shown"]
    if not zero:
        wrong.append("no field of raster_site_info says when the stimulus came on")
    return Finding(
        path,
        "rasters",
        "spike rasters of one unit (MATLAB)",
        found=(f"{_sizes(shape)} trials × ms", f"what was shown: {shown or 'nothing'}"),
        wrong=tuple(wrong),
        facts={
            "candidates": [list(pair) for pair in candidates],
            "groups": {},
            "zero": zero,
            "session": next((name for name in facts if "session" in name.lower()), ""),
            "window": [0.0, round(min(0.5, (shape[-1] - start) / 1000), 3)],
        },
    )


def _matlab(path: Path, variables: dict[str, str], version: str) -> Finding:
    return Finding(
        path,
        "matlab",
        f"MATLAB file (version {version})",
        found=(f"variables: {listing([f'{n} ({v})' for n, v in variables.items()], shown=12)}",),
        do=USE_FORM,
        wrong=() if variables else ("it holds no variable",),
        facts={"variables": sorted(variables)},
    )


def _sizes(shape: Any) -> str:
    return " × ".join(map(str, shape))


def recognise_hdf5(path: Path) -> Finding:
    """Tell NWB, MATLAB 7.3, EEGLAB, netCDF in the common form and other HDF5 apart."""
    import h5py

    with h5py.File(path, "r") as file:
        names, attrs = list(file), {str(name) for name in file.attrs}
        sizes = {n: _sizes(getattr(file[n], "shape", ())) or "group" for n in names[:50]}
    if "nwb_version" in attrs:
        return recognise_nwb(path)
    if path.suffix.lower() == ".set" or "EEG" in names:
        return recognise_eeg(path)
    with path.open("rb") as handle:
        if handle.read(10) == b"MATLAB 7.3":
            inner = {n: s for n, s in sizes.items() if not n.startswith("#")}
            if set(RASTERS) <= set(inner):
                return _rasters(path)
            return _matlab(path, inner, "7.3")
    if path.suffix.lower() == ".nc":
        return recognise_form(path)
    shown = listing([f"{n} ({s})" for n, s in sizes.items()], shown=12) or "nothing"
    return Finding(path, "hdf5", "HDF5 file", found=(f"it holds {shown}",), do=USE_FORM)


def recognise_form(path: Path) -> Finding:
    """Open a file in the common form and audit it."""
    data = open_form(path)
    if isinstance(data, Answer):
        title = f"answer to '{data.question}' of {data.system}"
        return Finding(path, "form", f"{title} in the common form", facts={"form": "answer"})
    form = str(data.attrs["format"])
    found = [" × ".join(f"{n} {dim}" for dim, n in data.sizes.items())]
    found += [f"{k} {data.attrs[k]}" for k in ("system", "subject", "modality") if k in data.attrs]
    odd: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    if form == "recording" and isinstance(data, xr.DataArray):
        result = audit(data)
        odd = result.sentences()
        found.append(f"regions: {listing(sorted(set(data['region'].values)))}")
        if result.n_undefined == result.n_units:
            wrong = ("no unit is finite and varies",)
    command = f"neuroai compare {path.name} --model …"
    usable = form in ("recording", "behaviour")
    return Finding(
        path,
        "form",
        f"{form} in the common form",
        found=tuple(found),
        wrong=wrong,
        odd=odd,
        do=f"It can be compared as it is: {command}" if usable else "",
        facts={"form": form},
    )


def recognise_npz(path: Path) -> Finding:
    """Read the headers of an archive's arrays; objects are never loaded."""
    sizes: dict[str, tuple[int, ...]] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                shape, dtype = _npy_header(member)
            if dtype.hasobject:
                return _pickled(path, f"the array '{name.removesuffix('.npy')}' {PICKLED}")
            sizes[name.removesuffix(".npy")] = shape
    ids = None
    if STIMULUS_ID in sizes:
        with np.load(path, allow_pickle=False) as arrays:
            ids = [str(key) for key in arrays[STIMULUS_ID]]
    return _activations(path, sizes, ids, "npz")


def _npy_header(handle: Any) -> tuple[tuple[int, ...], np.dtype]:
    major, _ = np.lib.format.read_magic(handle)
    if major == 1:
        shape, _, dtype = np.lib.format.read_array_header_1_0(handle)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(handle)
    return shape, dtype


def recognise_npy(path: Path) -> Finding:
    """Read the header of one array."""
    with path.open("rb") as handle:
        shape, dtype = _npy_header(handle)
    if dtype.hasobject:
        return _pickled(path, f"the array {PICKLED}")
    if path.stat().st_size < math.prod(shape) * dtype.itemsize:
        wrong = (f"its header promises {_sizes(shape)} values, the file is shorter",)
        return Finding(path, "unreadable", "npy array", wrong=wrong)
    return Finding(
        path,
        "array",
        f"array of {_sizes(shape)} ({dtype})",
        odd=("nothing says what its rows and columns are",),
        do="Put it into an .npz with an array stimulus_id, or save it in the common form (.nc).",
    )


def _pickled(path: Path, reason: str) -> Finding:
    return Finding(path, "pickle", "pickled Python objects", wrong=(reason,), do=NO_PICKLE)


def recognise_safetensors(path: Path) -> Finding:
    """Read the header of a safetensors file."""
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if length > min(LONGEST_HEADER, path.stat().st_size):
            wrong = (f"its header claims {length} bytes, more than the file has",)
            return Finding(path, "unreadable", "safetensors", wrong=wrong)
        header = json.loads(handle.read(length))
    ids = header.get("__metadata__", {}).get(STIMULUS_ID)
    sizes = {k: tuple(v["shape"]) for k, v in header.items() if k != "__metadata__"}
    listed = json.loads(ids) if isinstance(ids, str) and ids.startswith("[") else None
    return _activations(path, sizes, listed, "safetensors")


def recognise_zarr(path: Path) -> Finding:
    """List the arrays of a Zarr group that is not in the common form."""
    import zarr

    from neuroai.format.zarr_store import SealedStore

    group = zarr.open_group(SealedStore(path, read_only=True), mode="r")
    sizes = {name: tuple(array.shape) for name, array in group.arrays()}
    stated: Any = group.attrs.get(STIMULUS_ID)
    if STIMULUS_ID in sizes:
        stated = np.ravel(np.asarray(group[STIMULUS_ID][:])).tolist()
    ids = [str(key) for key in stated] if isinstance(stated, list) else None
    return _activations(path, sizes, ids, "zarr")


def _activations(
    path: Path, sizes: dict[str, tuple[int, ...]], ids: list[str] | None, suffix: str
) -> Finding:
    layers = {name: shape for name, shape in sizes.items() if name != STIMULUS_ID}
    shown = listing([f"{name} ({_sizes(shape)})" for name, shape in layers.items()], shown=12)
    wrong = []
    if ids is not None:
        if len(set(ids)) < len(ids):
            wrong.append(f"{len(ids) - len(set(ids))} ids of stimulus_id occur more than once")
        other = [name for name, shape in layers.items() if not shape or shape[0] != len(ids)]
        if other:
            wrong.append(f"not one row for each of the {len(ids)} stimuli: {listing(other)}")
    else:
        wrong.append("it has no array stimulus_id, so nothing says what its rows are")
    rows = "" if ids is None else f" for {len(ids)} stimuli"
    return Finding(
        path,
        "activations",
        f"activations of a network ({suffix})",
        found=(f"{len(layers)} layers{rows}: {shown}",),
        wrong=tuple(wrong),
        do=f"Compare it as a network: --model acts:{path.name}",
        facts={"layers": list(layers), "n_stimuli": None if ids is None else len(ids)},
    )
