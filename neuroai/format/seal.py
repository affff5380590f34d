"""Seals: a finished folder is closed by a list of the size and hash of every file in it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from neuroai.checks import listing
from neuroai.errors import FormatError, IntegrityError

SEAL = "neuroai-seal.json"
SEAL_VERSION = 1
PROGRESS = "neuroai-finished.txt"


def seal(folder: Path) -> None:
    """Close a finished folder: write the size and sha256 of every file in it.

    Parameters
    ----------
    folder : pathlib.Path
        Nothing may be written into it afterwards.
    """
    (folder / PROGRESS).unlink(missing_ok=True)
    write_atomically(folder / SEAL, _text(_inventory(folder)))


def is_sealed(folder: Path) -> bool:
    """Say whether a folder was finished."""
    return (folder / SEAL).is_file()


def check_seal(folder: Path) -> None:
    """Compare every file of a sealed folder with its seal.

    Raises
    ------
    FormatError
        The folder is not sealed, or by a newer neuroai.
    IntegrityError
        A file was changed, is missing or was added.
    """
    if not is_sealed(folder):
        raise FormatError(
            f"{folder} is not sealed: writing it did not finish. Write it anew, or open it with "
            "resume=True to go on."
        )
    sealed = _read_seal(folder)
    found = _inventory(folder)
    _refuse(folder, sorted(set(sealed) - set(found)), "missing")
    _refuse(folder, sorted(set(found) - set(sealed)), "not in the seal")
    _refuse(folder, sorted(name for name in sealed if sealed[name] != found[name]), "changed")


def mark_finished(folder: Path, part: str) -> None:
    """Add a part to the list of finished parts of a store that is being written.

    Parameters
    ----------
    folder : pathlib.Path
        The store.
    part : str
        Name of the part, without line breaks; its data must already be on disk.
    """
    if "\n" in part or not part:
        raise FormatError(f"The name of a part is one line of text; got {part!r}.")
    with (folder / PROGRESS).open("a", encoding="utf-8") as handle:
        handle.write(f"{part}\n")
        handle.flush()
        os.fsync(handle.fileno())


def finished_parts(folder: Path) -> tuple[str, ...]:
    """Give the parts of an unsealed store that are complete, in the order they were finished.

    Values are never looked at: a NaN may be data.
    """
    path = folder / PROGRESS
    if not path.is_file():
        return ()
    # A line that lost its end to a crash was not finished.
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return tuple(dict.fromkeys(lines))


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves either the old or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _text(files: dict[str, dict[str, int | str]]) -> bytes:
    content = {"format": "neuroai-seal", "version": SEAL_VERSION, "files": files}
    return json.dumps(content, indent=1, sort_keys=True).encode()


def _read_seal(folder: Path) -> dict[str, dict[str, int | str]]:
    written = (folder / SEAL).read_bytes()
    try:
        content = json.loads(written.decode("utf-8"))
        version, files = int(content["version"]), dict(content["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"The seal {folder / SEAL} cannot be read ({error}). Write the store anew."
        ) from error
    if version > SEAL_VERSION:
        raise FormatError(
            f"{folder} has a seal of version {version}; this neuroai reads up to {SEAL_VERSION}. "
            "Update neuroai."
        )
    # What the hashes do not cover is the seal itself: it has one spelling only.
    if written != _text(files):
        raise IntegrityError(
            f"The seal {folder / SEAL} is not as it was written. Fetch or write the store anew."
        )
    return files


def _inventory(folder: Path) -> dict[str, dict[str, int | str]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _hash(path)}
        for path in files
        if path != folder / SEAL
    }


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _refuse(folder: Path, names: list[str], what: str) -> None:
    if names:
        raise IntegrityError(
            f"{len(names)} file(s) of the sealed store {folder} are {what}: {listing(names)}. "
            "Fetch or write the store anew."
        )
