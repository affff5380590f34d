"""The manifest: size, hash and address of every file of every registered data set."""

from __future__ import annotations

import csv
import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from neuroai.checks import known_name
from neuroai.errors import DataError

DISTRIBUTION = "neuroai-compare"
MANIFEST = "MANIFEST.csv"


@dataclass(frozen=True)
class SourceFile:
    """One original file of a data set.

    Attributes
    ----------
    folder, path : str
        Folder of the data set, and the file's path inside it (with ``/``).
    size : int
        Bytes of the original.
    sha256 : str
        Hash of the original, in hexadecimal.
    url : str
        Where the original is published.
    """

    folder: str
    path: str
    size: int
    sha256: str
    url: str


def datasets_folder() -> Path:
    """Give the folder of the registered data sets: the checkout's, else the installed one.

    A folder called ``datasets`` beside the package serves only if the ``pyproject.toml`` next to
    it is neuroai's own.
    """
    package = Path(__file__).resolve().parents[1]
    project = package.parent / "pyproject.toml"
    if project.is_file() and _project_name(project) == DISTRIBUTION:
        return package.parent / "datasets"
    return package / "_datasets"


def _project_name(path: Path) -> str:
    with path.open("rb") as handle:
        return str(tomllib.load(handle).get("project", {}).get("name", ""))


@functools.cache
def _read(path: Path) -> MappingProxyType[str, MappingProxyType[str, SourceFile]]:
    folders: dict[str, dict[str, SourceFile]] = {}
    with path.open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            file = SourceFile(
                folder=row["dataset_folder"],
                path=row["file"],
                size=int(row["bytes"]),
                sha256=row["sha256"],
                url=row["url"],
            )
            if folders.setdefault(file.folder, {}).setdefault(file.path, file) is not file:
                raise DataError(f"{path} lists {file.folder}/{file.path} twice. Drop one line.")
    return MappingProxyType({name: MappingProxyType(files) for name, files in folders.items()})


def manifest(folder: str) -> MappingProxyType[str, SourceFile]:
    """Give every file of a data set's folder, by path.

    Parameters
    ----------
    folder : str
        Folder of a registered data set, such as ``kriegeskorte92``.

    Raises
    ------
    UnknownName
        The manifest does not list the folder.

    Examples
    --------
    >>> manifest("kriegeskorte92")["92_brainRDMs.mat"].size
    224663
    """
    folders = _read(datasets_folder() / MANIFEST)
    known_name(folder, folders, kind="data folder", do=f"Folders are listed in {MANIFEST}.")
    return folders[folder]
