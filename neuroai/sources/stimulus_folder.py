"""A folder of stimuli: images, texts, sounds or arrays, with the table ``stimuli.tsv`` of BIDS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroai.checks import listing, no_duplicates
from neuroai.errors import DataError, UsageError
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.sounds import Sound
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.inside import stays_inside
from neuroai.sources.recognise_folder import IMAGES
from neuroai.sources.tables import MISSING, read_table

TABLE = "stimuli.tsv"
ID_COLUMNS = ("stim_id", STIMULUS_ID)
FILE_COLUMNS = ("stim_file", "file", "filename")


def read_image(path: Path) -> Any:
    """Open an image as RGB."""
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB")


def read_text(path: Path) -> str:
    """Read a text as UTF-8, without the blanks around it."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8 ({error}).") from error


def read_sound(path: Path) -> Sound:
    """Read a WAV file; channels are averaged, whole numbers become floats in [-1, 1]."""
    from scipy.io import wavfile

    try:
        rate, samples = wavfile.read(path)
    except ValueError as error:
        raise DataError(f"{path} cannot be read as WAV ({error}).") from error
    if samples.dtype.kind == "u":
        samples = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)
    return Sound(samples.mean(axis=1) if samples.ndim > 1 else samples, rate)


def read_array(path: Path) -> np.ndarray:
    """Read an array of numbers (frames of a film, say); pickled objects are refused."""
    try:
        return np.load(path, allow_pickle=False)
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}. Save numbers, not objects.") from error


READERS: Mapping[str, Callable[[Path], Any]] = {
    **dict.fromkeys(IMAGES, read_image),
    ".txt": read_text,
    ".wav": read_sound,
    ".npy": read_array,
}


@dataclass(frozen=True)
class StimulusFiles:
    """Stimuli in files; ``files(stimulus_id)`` reads one by the ending of its name.

    Attributes
    ----------
    paths : mapping
        From stimulus id to file. An id that is not in it raises FileNotFoundError.
    """

    paths: Mapping[str, Path]

    def __call__(self, stimulus_id: str) -> Any:
        """Read one stimulus."""
        if stimulus_id not in self.paths:
            raise FileNotFoundError(f"The file of stimulus '{stimulus_id}' is not at hand.")
        path = self.paths[stimulus_id]
        return READERS[path.suffix.lower()](path)


def stimuli_of_folder(folder: str | Path, *, name: str = "") -> StimulusSet:
    """Read a folder of stimuli, with the columns of its ``stimuli.tsv`` where there is one.

    Without a table each file is a stimulus, named by its path without the ending. With a table
    ``stim_id`` (or ``stimulus_id``) names the stimuli, and a column ``stim_file`` their files;
    otherwise the file of the stimulus ``x`` is ``x.*``, ``stim-x.*`` or ``stim-x_*``. Stimuli
    whose file is not there are kept, and are not at hand.

    Parameters
    ----------
    folder : str or pathlib.Path
        Searched with its subfolders for images, ``.txt``, ``.wav`` and ``.npy``.
    name : str
        Name of the set; that of the folder by default.

    Returns
    -------
    StimulusSet

    Raises
    ------
    UsageError
        There is no such folder, or it holds no stimulus.
    DataError
        Names that are not unique, a table without ids, or a path out of the folder.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise UsageError(f"There is no folder '{folder}' with stimuli.")
    files = [p for p in sorted(root.rglob("*")) if p.suffix.lower() in READERS and p.is_file()]
    outside = [p for p in files if not p.resolve().is_relative_to(root.resolve())]
    files = [p for p in files if p not in outside]
    if (root / TABLE).is_file():
        table, paths = _told(root, files)
    else:
        paths = {p.relative_to(root).with_suffix("").as_posix(): p for p in files}
        if len(paths) < len(files):
            raise DataError(f"Two files of {root} differ by their ending alone; rename one.")
        table = pd.DataFrame({STIMULUS_ID: list(paths)}, dtype=object)
    if not len(table):
        raise UsageError(
            f"{root} holds no stimulus. Files are told by their ending: {listing(READERS)}."
        )
    return stimulus_set(table, name=name or root.resolve().name, load=StimulusFiles(paths))


def _told(root: Path, files: list[Path]) -> tuple[pd.DataFrame, dict[str, Path]]:
    read = read_table(root / TABLE)
    found = [column for column in ID_COLUMNS if column in read.columns]
    if not found:
        raise DataError(
            f"{root / TABLE} needs a column 'stim_id' (or '{STIMULUS_ID}'); it has: "
            f"{listing(read.columns)}."
        )
    ids = [str(key).strip() for key in read.text(found[0])]
    no_duplicates(ids, where=str(root / TABLE))
    columns = {n: v for n, v in read.columns.items() if n not in ID_COLUMNS}
    table = pd.DataFrame({STIMULUS_ID: ids, **columns}, dtype=object)
    stated = next((column for column in FILE_COLUMNS if column in columns), None)
    if stated is not None:
        return table, _stated(root, ids, read.text(stated))
    return table, _found(root, ids, files)


def _stated(root: Path, ids: list[str], given: Any) -> dict[str, Path]:
    paths = {}
    for key, value in zip(ids, given, strict=True):
        name = str(value).strip().removeprefix("stimuli/")
        if name in MISSING:
            continue
        path = stays_inside(root, name)
        if path.suffix.lower() in READERS and path.is_file():
            paths[key] = path
    return paths


def _found(root: Path, ids: list[str], files: list[Path]) -> dict[str, Path]:
    by_name: dict[str, list[Path]] = {}
    for path in files:
        stem = path.stem
        begin = stem.split("_")[0]
        names = {stem, begin, begin.removeprefix("stim-")} if stem.startswith("stim-") else {stem}
        for name in names:
            by_name.setdefault(name, []).append(path)
    several = {key: by_name[key] for key in ids if len(by_name.get(key, ())) > 1}
    if several:
        key, places = next(iter(several.items()))
        raise DataError(
            f"The stimulus '{key}' could be {listing(p.relative_to(root) for p in places)} of "
            f"{root}. Add a column 'stim_file' to {TABLE}."
        )
    return {key: by_name[key][0] for key in ids if key in by_name}
