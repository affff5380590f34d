"""Files of data sets: taken from the user's folder, else from the cache, else downloaded once."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from neuroai.checks import known_name
from neuroai.errors import IntegrityError, ResourceError, UsageError
from neuroai.sources.manifest import SourceFile, manifest

DATA_VARIABLE = "NEUROAI_DATA"
CACHE_VARIABLE = "NEUROAI_CACHE"
OFFLINE_VARIABLE = "NEUROAI_OFFLINE"
DOWNLOADS_AT_ONCE = 8


def data_folder() -> Path | None:
    """Give the user's folder of data sets, ``$NEUROAI_DATA``, or None if it is not set."""
    value = os.environ.get(DATA_VARIABLE, "")
    return Path(value).expanduser() if value else None


def cache_folder() -> Path:
    """Give the folder of downloads: ``$NEUROAI_CACHE``, else the system's place for caches."""
    value = os.environ.get(CACHE_VARIABLE, "")
    if value:
        return Path(value).expanduser()
    import pooch

    return Path(pooch.os_cache("neuroai"))


def is_offline() -> bool:
    """Say whether ``$NEUROAI_OFFLINE`` forbids the network."""
    return os.environ.get(OFFLINE_VARIABLE, "").lower() not in ("", "0", "false", "no")


def sha256_of(path: Path) -> str:
    """Hash the bytes of a file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def fetch(
    dataset_folder: str, relative_path: str, *, url: str, sha256: str, offline: bool = False
) -> Path:
    """Give the path of one original file, downloading it if it is not on this machine.

    The first of these that exists is used: ``$NEUROAI_DATA/<folder>/<path>``, the same with
    ``.gz`` (unpacked into the cache), the cache. Otherwise the file is downloaded to the cache.
    Its hash is checked every time.

    Parameters
    ----------
    dataset_folder, relative_path : str
        Folder of the data set and the file's path inside it.
    url : str
        Where the original is published.
    sha256 : str
        Hash of the original.
    offline : bool
        Forbid the network; ``$NEUROAI_OFFLINE`` does the same.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    IntegrityError
        The file's hash is not `sha256`.
    ResourceError
        The file is not here and cannot be fetched.
    UsageError
        The path leads out of its folder.
    """
    relative = _inside(dataset_folder, relative_path)
    found = _on_this_machine(relative, sha256)
    if found is not None:
        return found
    if offline or is_offline():
        raise ResourceError(_absent(relative, url))
    return _download(relative, url=url, sha256=sha256)


def fetch_listed(
    dataset_folder: str, paths: Iterable[str] | None = None, *, offline: bool = False
) -> dict[str, Path]:
    """Give the paths of files that the manifest lists, several downloads at a time.

    Parameters
    ----------
    dataset_folder : str
        Folder of a registered data set.
    paths : iterable of str, optional
        Files inside it; all that are listed by default.

    Returns
    -------
    dict
        From the path in the manifest to the path on this machine.

    Raises
    ------
    UnknownName
        The manifest does not list a folder or file.
    IntegrityError, ResourceError
        As `fetch`.
    """
    listed = manifest(dataset_folder)
    names = list(listed) if paths is None else list(paths)
    files = [listed[known_name(n, listed, kind=f"file of '{dataset_folder}'")] for n in names]

    absent = [file for file in files if not _is_here(_inside(file.folder, file.path))]
    if absent and (offline or is_offline()):
        first = absent[0]
        relative = _inside(first.folder, first.path)
        raise ResourceError(_absent(relative, first.url, others=len(absent) - 1))
    return dict(zip(names, _fetch_all(files, n_absent=len(absent)), strict=True))


def _fetch_all(files: list[SourceFile], *, n_absent: int) -> list[Path]:
    from tqdm import tqdm

    def one(file: SourceFile) -> Path:
        return fetch(file.folder, file.path, url=file.url, sha256=file.sha256)

    pool = ThreadPoolExecutor(DOWNLOADS_AT_ONCE)
    try:
        with _quiet_pooch():
            found = pool.map(one, files)
            return list(tqdm(found, total=len(files), unit="file", disable=n_absent == 0))
    finally:
        # After one failure the files that were not begun are left.
        pool.shutdown(cancel_futures=True)


def _is_here(relative: PurePosixPath) -> bool:
    data = data_folder()
    places = [] if data is None else [data / relative, data / f"{relative}.gz"]
    return any(place.is_file() for place in (*places, cache_folder() / relative))


def _inside(folder: str, path: str) -> PurePosixPath:
    relative = PurePosixPath(folder) / path
    if relative.is_absolute() or ".." in relative.parts or len(relative.parts) < 2:
        raise UsageError(f"'{path}' leads out of the data folder '{folder}'. Use a path inside it.")
    return relative


def _on_this_machine(relative: PurePosixPath, sha256: str) -> Path | None:
    data, cached = data_folder(), cache_folder() / relative
    if data is not None and (data / relative).is_file():
        return _checked(data / relative, sha256, do="Replace it by the original")
    if cached.is_file():
        return _checked(cached, sha256, do="Delete it; it is then fetched again")
    packed = None if data is None else data / f"{relative}.gz"
    if packed is not None and packed.is_file():
        return _unpack(packed, cached, sha256)
    return None


def _checked(path: Path, sha256: str, *, do: str) -> Path:
    got = sha256_of(path)
    if got != sha256:
        raise IntegrityError(
            f"{path} is not the published file: its sha256 is {got}, expected {sha256}. {do}."
        )
    return path


def _unpack(packed: Path, target: Path, sha256: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with gzip.open(packed, "rb") as source, os.fdopen(handle, "wb") as unpacked:
            shutil.copyfileobj(source, unpacked)
        if sha256_of(temporary) != sha256:
            raise IntegrityError(
                f"{packed} does not hold the published file: unpacked, its sha256 is "
                f"{sha256_of(temporary)}, expected {sha256}. Replace it by the original."
            )
        os.replace(temporary, target)
    except (gzip.BadGzipFile, EOFError) as error:
        raise IntegrityError(f"{packed} cannot be unpacked ({error}). Fetch it again.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _absent(relative: PurePosixPath, url: str, *, others: int = 0) -> str:
    data = data_folder()
    place = f"${DATA_VARIABLE}" if data is None else str(data)
    rest = f" (and {others} more of the folder)" if others else ""
    return (
        f"The file '{relative}'{rest} is not on this machine and the network may not be used: "
        f"fetch {url} and put it at {place}/{relative}, where the environment variable "
        f"{DATA_VARIABLE} names the folder that holds '{relative.parts[0]}'."
    )


def _download(relative: PurePosixPath, *, url: str, sha256: str) -> Path:
    import pooch

    target = cache_folder() / relative
    try:
        # pooch writes beside the target, checks the hash and only then moves the file in place.
        pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=target.name, path=target.parent)
    except ValueError as error:
        raise IntegrityError(
            f"What {url} gave is not the published file ({error}). Nothing was kept; try again, "
            f"or put the original at ${DATA_VARIABLE}/{relative}."
        ) from error
    except OSError as error:
        answer = getattr(error, "response", None)
        if answer is not None:
            answer.close()
        raise ResourceError(
            f"{url} could not be fetched ({type(error).__name__}: {error}). Try again, or fetch it "
            f"elsewhere and put it at ${DATA_VARIABLE}/{relative}, where the environment variable "
            f"{DATA_VARIABLE} names the folder that holds '{relative.parts[0]}'."
        ) from error
    return target


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Keep pooch from printing two lines for each of hundreds of files."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)
