"""The stimuli that a description names: files in a folder or texts, and a table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neuroai.checks import known_name, listing, near_miss, no_duplicates
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.sources.description_schema import Stimuli
from neuroai.sources.images import ImageFiles
from neuroai.sources.inside import existing, stays_inside
from neuroai.sources.recognise_folder import IMAGES
from neuroai.sources.stimulus_folder import READERS, StimulusFiles
from neuroai.sources.tables import MISSING, read_table


def described_stimuli(about: Stimuli, *, root: Path, name: str, shown: pd.DataFrame) -> StimulusSet:
    """Put together what was shown, what the table says of it, and the stimuli themselves.

    Parameters
    ----------
    about : Stimuli
        The folder of images, sounds, texts or arrays, and the table; or the column whose entries
        are the texts.
    root : pathlib.Path
        Folder of the description.
    name : str
        Name of the set.
    shown : pandas.DataFrame
        What the recordings and behaviour name, indexed by ``stimulus_id``.

    Returns
    -------
    StimulusSet
        The stimuli that were shown; others of the folder or table are left out.

    Raises
    ------
    UsageError
        The folder or table is not there, or nothing in the folder has the name of a stimulus.
    AlignmentError
        The table lacks a stimulus that was shown, or names one twice.
    DataError
        A path of the table leaves the folder of the stimuli, or two images have one name.
    """
    folder = existing(root, about.folder, where="[stimuli] folder") if about.folder else None
    if folder is not None and not folder.is_dir():
        raise UsageError(f"[stimuli] folder: {about.folder} is a file. Give the folder.")
    table = shown.drop(columns="sha256", errors="ignore")
    paths: dict[str, Path] = {}
    if about.table:
        where = existing(root, about.table, where="[stimuli] table")
        told = _told(where, about, list(table.index))
        table = table[[c for c in table.columns if c not in told.columns]].join(told)
        if about.file:
            paths = _stated_files(told[about.file], folder or where.parent)
    elif about.file:
        raise UsageError("[stimuli] file names a column of the table: give table too.")
    if folder is not None and not paths:
        paths = _found_files(folder, list(table.index))
    load: Callable[[str], Any] | None = None
    if about.text:
        load = _texts(about, table, where="[stimuli] text")
    elif paths:
        images = all(path.suffix.lower() in IMAGES for path in paths.values())
        load = ImageFiles(paths) if images else StimulusFiles(paths)
    return stimulus_set(table.reset_index(), name=name, load=load)


@dataclass(frozen=True)
class Texts:
    """Texts in memory; ``texts(stimulus_id)`` gives one.

    Attributes
    ----------
    texts : mapping
        From stimulus id to text. An id that is not in it raises FileNotFoundError.
    """

    texts: Mapping[str, str]

    def __call__(self, stimulus_id: str) -> str:
        """Give one text."""
        if stimulus_id not in self.texts:
            raise FileNotFoundError(f"The text of stimulus '{stimulus_id}' is not at hand.")
        return self.texts[stimulus_id]


def _texts(about: Stimuli, table: pd.DataFrame, *, where: str) -> Texts:
    """Take a column for the texts; the ids themselves where it is called as they are."""
    if about.folder or about.file:
        raise UsageError(f"{where}: give text, or folder and file, not both.")
    if about.text in (STIMULUS_ID, about.id):
        return Texts({str(key): str(key) for key in table.index})
    known_name(about.text, list(table.columns), kind=f"column of the stimuli ({where})")
    given = {str(key): str(text).strip() for key, text in table[about.text].items()}
    there = {key: text for key, text in given.items() if text not in MISSING and text != "None"}
    if not there:
        raise UsageError(f"{where}: the column '{about.text}' is empty.")
    return Texts(there)


def _told(path: Path, about: Stimuli, ids: Sequence[str]) -> pd.DataFrame:
    table = read_table(path)
    keys = [str(key).strip() for key in table.text(about.id)]
    no_duplicates(keys, where=f"column '{about.id}' of {path}")
    missing = [key for key in ids if key not in set(keys)]
    if missing:
        raise AlignmentError(
            f"{path} lacks {len(missing)} of the {len(ids)} stimuli that were shown: "
            f"{listing(missing)}. {near_miss(missing[0], keys)} Add them, or name another column "
            "as [stimuli] id."
        )
    if about.file:
        table.text(about.file)  # says which column is not there
    columns = {n: v for n, v in table.columns.items() if n not in (about.id, STIMULUS_ID)}
    if about.file == about.id:
        columns[about.file] = table.text(about.id)
    told = pd.DataFrame(columns, index=pd.Index(keys, dtype=object, name=STIMULUS_ID), dtype=object)
    return told.loc[list(ids)]


def _stated_files(files: pd.Series, folder: Path) -> dict[str, Path]:
    """Resolve the paths of a table inside the folder of the stimuli."""
    found = {}
    for key, given in files.items():
        given = str(given).strip()
        if given not in MISSING:
            path = stays_inside(folder, given)
            if _is_file(path):
                found[str(key)] = path
    if not found:
        raise UsageError(
            f"None of the {len(files)} files of the stimuli is in {folder}, such as "
            f"{files.iloc[0]!r}. Name their folder as [stimuli] folder."
        )
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)[:80]!r} cannot be a path ({error}).") from error


def _found_files(folder: Path, ids: Sequence[str]) -> dict[str, Path]:
    """Find each stimulus by its path in the folder, else its name, else its name without ending."""
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in READERS and p.is_file()]
    inside = [p for p in files if p.resolve().is_relative_to(folder.resolve())]
    keys = np.array(
        [(p.relative_to(folder).as_posix(), p.name, p.stem) for p in inside], dtype=object
    ).reshape(-1, 3)
    found = {}
    for key in ids:
        for level in range(3):
            rows = np.flatnonzero(keys[:, level] == key)
            if len(rows) > 1:
                raise DataError(
                    f"The stimulus '{key}' could be {listing(keys[rows, 0])} of {folder}. Use the "
                    "path in the folder as stimulus_id."
                )
            if len(rows):
                found[key] = inside[rows[0]]
                break
    if not found:
        raise UsageError(
            f"No file of {folder} has the name of a stimulus, such as '{ids[0]}'. "
            f"{near_miss(ids[0], [str(k) for k in keys[:, 2]])} Leave [stimuli] folder out if no "
            "network is to see the stimuli."
        )
    return found
