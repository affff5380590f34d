"""Paths that a file states, kept inside the folder they belong to."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from neuroai.checks import near_miss
from neuroai.errors import DataError, UsageError

DRIVE = re.compile(r"^[A-Za-z]:")


def stays_inside(root: Path, given: str) -> Path:
    """Resolve a path that metadata state, inside a folder.

    Parameters
    ----------
    root : pathlib.Path
        The folder that the path must stay in, links resolved.
    given : str
        A path as written in a table or file: relative to `root`, with ``/``.

    Returns
    -------
    pathlib.Path
        The resolved path; it need not exist.

    Raises
    ------
    DataError
        The path leaves the folder, by ``..``, as an absolute path, by a drive, by a link or by a
        character that no path has.

    Examples
    --------
    >>> stays_inside(Path("/"), "../etc").as_posix()
    Traceback (most recent call last):
    neuroai.errors.DataError: '../etc' leaves the folder /. ...
    """
    root = root.resolve()
    absolute = given.startswith(("/", "~")) or DRIVE.match(given)
    if absolute or "\\" in given or ".." in PurePosixPath(given).parts or not given.strip():
        raise _leaves(given, root)
    if any(ord(letter) < 32 for letter in given):
        raise DataError(f"{given!r} holds a character that no path has. Correct the table.")
    try:
        found = (root / given).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{given[:80]!r} cannot be a path ({error}). Correct the table.") from error
    if not found.is_relative_to(root):
        raise _leaves(given, root)
    return found


def _leaves(given: str, root: Path) -> DataError:
    return DataError(
        f"{given!r} leaves the folder {root}. Paths in metadata are relative to their folder and "
        "stay inside it: put the file there, or correct the path."
    )


def existing(root: Path, given: str, *, where: str) -> Path:
    """Find a file or folder that a description names.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the description.
    given : str
        Relative to `root` and inside it, or absolute.
    where : str
        What names it, for the message.

    Raises
    ------
    UsageError
        There is no such file, or a relative path leaves the folder.
    """
    plain = Path(given)
    try:
        found = plain if plain.is_absolute() else stays_inside(root, given)
        there = found.exists()
    except DataError as error:
        raise UsageError(
            f"{where}: {error} Files elsewhere are named by their absolute path."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{where}: {given[:80]!r} cannot be a path ({error}).") from error
    if not there:
        raise UsageError(f"{where}: there is no {given}. {_beside(found)}")
    return found


def _beside(path: Path) -> str:
    folder = path.parent
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    return near_miss(path.name, names) if names else f"There is no folder {folder} either."
