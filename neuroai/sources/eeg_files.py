"""Files of EEG, MEG and intracranial recordings, by their suffix."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from neuroai.checks import listing
from neuroai.errors import UsageError
from neuroai.sources.damaged import damage_told

FIF = (".fif", ".fif.gz")
SUFFIXES = (*FIF, ".edf", ".bdf", ".gdf", ".vhdr", ".set")
BESIDE = {".vmrk": ".vhdr", ".eeg": ".vhdr", ".fdt": ".set"}


def open_eeg(source: Any) -> Any:
    """Open a file, or check that an object is one of mne's.

    Parameters
    ----------
    source : path, mne.io.BaseRaw, mne.BaseEpochs, mne.Evoked or sequence of Evoked
        What was recorded.

    Returns
    -------
    mne.io.BaseRaw, mne.BaseEpochs or list of mne.Evoked

    Raises
    ------
    UsageError
        The file does not exist, its suffix is not known, or the object is none of mne's.
    DataError
        The file cannot be read.
    """
    import mne

    if isinstance(source, (mne.io.BaseRaw, mne.BaseEpochs)):
        return source
    if isinstance(source, mne.Evoked):
        return [source]
    if isinstance(source, (str, Path)):
        return _open(Path(source).expanduser())
    if isinstance(source, Sequence) and source and all(isinstance(s, mne.Evoked) for s in source):
        return list(source)
    raise UsageError(
        "An EEG or MEG recording is a file, or mne's Raw, Epochs, Evoked or a list of Evoked; "
        f"got {type(source).__name__}."
    )


def _open(path: Path) -> Any:
    if path.suffix in BESIDE:
        raise UsageError(
            f"{path.name} is read through the file beside it: give "
            f"{path.with_suffix(BESIDE[path.suffix]).name}."
        )
    suffix = next((s for s in SUFFIXES if path.name.endswith(s)), "")
    if not suffix:
        raise UsageError(
            f"{path.name} is of no known kind; files end in {listing(SUFFIXES, shown=9)}."
        )
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    with damage_told(f"{path} cannot be read as {suffix}", do="Fetch or export it anew."):
        return _reader(path, suffix)(path)


def _reader(path: Path, suffix: str) -> Callable[[Path], Any]:
    import mne

    if suffix == ".set":
        return _eeglab
    if suffix in FIF:
        return _fif if suffix == ".fif" else _packed_fif
    formats = {
        ".edf": mne.io.read_raw_edf,
        ".bdf": mne.io.read_raw_bdf,
        ".gdf": mne.io.read_raw_gdf,
        ".vhdr": mne.io.read_raw_brainvision,
    }
    return formats[suffix]


def _fif(path: Path) -> Any:
    import mne

    kind = mne.what(path)
    readers = {
        "raw": mne.io.read_raw_fif,
        "epochs": lambda p: mne.read_epochs(p, preload=False),
        "evoked": mne.read_evokeds,
    }
    if kind not in readers:
        raise ValueError(f"it holds {kind}, not a recording")
    return readers[kind](path)


def _packed_fif(path: Path) -> Any:
    """Unpack first: mne jumps back and forth in the file, which is slow while it is packed."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.name.removesuffix(".gz")
        with gzip.open(path, "rb") as packed, plain.open("wb") as target:
            shutil.copyfileobj(packed, target)
        opened = _fif(plain)
        return opened if isinstance(opened, list) else opened.load_data()


def _eeglab(path: Path) -> Any:
    import mne

    try:
        return mne.io.read_raw_eeglab(path)
    except TypeError:
        # mne's word that the file holds several trials.
        return mne.read_epochs_eeglab(path)
