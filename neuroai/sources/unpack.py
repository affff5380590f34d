"""Archives unpacked so that nothing lands outside their folder and nothing unpacks without end."""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from neuroai.errors import DataError
from neuroai.sources.damaged import damage_told
from neuroai.sources.inside import stays_inside

MOST_BYTES, MOST_FILES = 2**34, 100_000
PIECE = 2**20
DO = "Fetch it anew, or unpack it yourself if you trust it."

Member = tuple[str, bool, Callable[[], IO[bytes]]]


def unpack(
    archive: str | Path,
    folder: str | Path,
    *,
    max_bytes: int = MOST_BYTES,
    max_files: int = MOST_FILES,
) -> tuple[Path, ...]:
    """Unpack a tar or zip archive into a new folder, or leave nothing behind.

    Only plain files and folders are taken: an archive that holds a link, a device, or a path that
    leaves the folder is refused whole. What it unpacks to is counted while it is written, not
    believed.

    Parameters
    ----------
    archive : str or pathlib.Path
        ``.zip``, ``.tar``, ``.tar.gz``, ``.tar.bz2`` or ``.tar.xz``, told by its content.
    folder : str or pathlib.Path
        Where to put it; it must not exist yet.
    max_bytes, max_files : int
        Most bytes of all files together, and most files and folders.

    Returns
    -------
    tuple of pathlib.Path
        The files, in order of their names.

    Raises
    ------
    DataError
        It is no such archive, a path leaves the folder, a member is no plain file, two have one
        name, or it unpacks to more than is allowed. The folder is then not made.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with zipfile.ZipFile(f"{place}/a.zip", "w") as made:
    ...         made.writestr("images/face.txt", "a face")
    ...     [path.name for path in unpack(f"{place}/a.zip", f"{place}/out")]
    ['face.txt']
    """
    archive, folder = Path(archive), Path(folder)
    if folder.exists():
        raise DataError(f"{folder} is there already. Choose a folder that does not exist yet.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        with damage_told(f"{archive} cannot be unpacked", do=DO):
            _take_all(_members(archive), archive, work, max_bytes, max_files)
        work.chmod(0o755)
        work.rename(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))


def _take_all(
    members: Iterator[Member], archive: Path, folder: Path, max_bytes: int, max_files: int
) -> None:
    left = max_bytes
    for number, (name, is_folder, opener) in enumerate(members):
        if number >= max_files:
            raise DataError(f"{archive} holds more than {max_files} files, which is refused. {DO}")
        if is_folder and str(PurePosixPath(name)) == ".":
            continue
        target = stays_inside(folder, name)
        if is_folder:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise DataError(f"{archive} holds {name!r} twice. {DO}")
        left -= _copied(opener, target, left, archive)


def _copied(opener: Callable[[], IO[bytes]], target: Path, left: int, archive: Path) -> int:
    """Write one file and count its bytes; stop where they are too many."""
    n_bytes = 0
    with opener() as source, target.open("xb") as written:
        while piece := source.read(PIECE):
            n_bytes += len(piece)
            if n_bytes > left:
                raise DataError(f"{archive} unpacks to more bytes than is allowed. {DO}")
            written.write(piece)
    return n_bytes


def _members(archive: Path) -> Iterator[Member]:
    if zipfile.is_zipfile(archive):
        yield from _of_zip(archive)
    else:
        yield from _of_tar(archive)


def _of_zip(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _no_file(archive, member.filename)
            # The name as it was written: zipfile itself cuts it at a NUL.
            yield member.orig_filename, member.is_dir(), _opener(opened.open, member)


def _of_tar(archive: Path) -> Iterator[Member]:
    # As a stream, so that a list of members that never ends is not gathered first.
    with tarfile.open(archive, "r|*") as opened:
        for member in opened:
            if not (member.isreg() or member.isdir()):
                raise _no_file(archive, member.name)
            yield member.name, member.isdir(), _opener(opened.extractfile, member)


def _opener(open_member: Callable[[Any], Any], member: Any) -> Callable[[], IO[bytes]]:
    return lambda: open_member(member)


def _no_file(archive: Path, name: str) -> DataError:
    return DataError(f"{archive} holds {name!r}, which is a link or device. {DO}")
