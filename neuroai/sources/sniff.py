"""What a file is by its first bytes; the name decides only where the content cannot."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickletools
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

HEAD = 4096
LARGEST_TEXT_PICKLE = 2**20
HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_STARTS = (0, 512, 1024, 2048)
PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".dill", ".p", ".pt", ".pth", ".ckpt")
FIFF_START = b"\x00\x00\x00\x64\x00\x00\x00\x1f"
NEWEST_PICKLE = 6
PACKERS: tuple[tuple[bytes, Callable[[Path], IO[bytes]]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ", lzma.open),
)
MAGIC = (
    (b"\xff" + b"BIOSEMI", "eeg"),
    (b"0       ", "eeg"),
    (b"GDF ", "eeg"),
    (FIFF_START, "eeg"),
    (b"MATLAB 5.0", "matlab"),
    (b"\x93NUMPY", "npy"),
    (b"CDF\x01", "netcdf3"),
    (b"CDF\x02", "netcdf3"),
    (b"CDF\x05", "netcdf3"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"BM", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
)
TEXT_MAGIC = (
    ("brain vision data exchange header", "eeg"),
    ("brainvision data exchange header", "eeg"),
    ("brain vision data exchange marker", "eeg-part"),
    ("brainvision data exchange marker", "eeg-part"),
)
BY_SUFFIX = {
    ".csv": "table",
    ".tsv": "table",
    ".toml": "description",
    ".fdt": "eeg-part",
    ".eeg": "eeg-part",
    ".mat": "matlab",
    ".json": "json",
}


def sniff(path: Path) -> str:
    """Name the kind of a file, opening nothing that could run.

    Parameters
    ----------
    path : pathlib.Path
        A file.

    Returns
    -------
    str
        ``nifti``, ``gifti``, ``eeg``, ``eeg-part``, ``hdf5``, ``matlab``, ``npz``, ``npy``,
        ``safetensors``, ``netcdf3``, ``image``, ``table``, ``description``, ``json``, ``pickle``,
        ``empty`` or ``unknown``.

    Raises
    ------
    OSError
        The file cannot be opened.
    """
    head = _head(path, open)
    if not head:
        return "empty"
    packed = next((opener for magic, opener in PACKERS if head.startswith(magic)), None)
    inner = head
    if packed is not None:
        inner = _unpacked_head(path, packed)
    elif head[:1] == b"\x78":
        inner = _inflated(head) or head
    if _is_pickle(path, head) or _is_pickle(path, inner):
        return "pickle"
    return _by_content(path, head, inner) or _by_name(path, inner)


def _head(path: Path, opener: Callable[..., IO[bytes]]) -> bytes:
    with opener(path, "rb") as handle:
        return handle.read(HEAD)


def _unpacked_head(path: Path, opener: Callable[..., IO[bytes]]) -> bytes:
    try:
        return _head(path, opener)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        # A broken archive is told by whoever reads its kind.
        return b""


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(head, HEAD)
    except zlib.error:
        return b""


def _is_pickle(path: Path, head: bytes) -> bool:
    name = path.name.lower()
    for suffix in (".gz", ".bz2", ".xz", ".z"):
        name = name.removesuffix(suffix)
    if name.endswith(PICKLE_SUFFIXES):
        return True
    if head[:1] == b"\x80" and len(head) > 1 and 2 <= head[1] <= NEWEST_PICKLE:
        return True
    return _is_text_pickle(path, head)


def _is_text_pickle(path: Path, head: bytes) -> bool:
    """Tell the oldest protocols, which have no mark: the whole file must be a pickle's words."""
    if head[:1] not in b"(cldNIFVSj]}" or path.stat().st_size > LARGEST_TEXT_PICKLE:
        return False
    content = path.read_bytes()
    try:
        words = list(pickletools.genops(content))
    except Exception:  # the words of no pickle: the parser may fail in any way
        return False
    return bool(words) and words[-1][0].name == "STOP" and len(content) - words[-1][2] <= 2


def _by_content(path: Path, head: bytes, inner: bytes) -> str:
    if inner[344:348] in (b"n+1\x00", b"ni1\x00") or inner[4:8] in (b"n+2\x00", b"ni2\x00"):
        return "nifti"
    for magic, kind in MAGIC:
        if inner.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image"
    if head.startswith(b"PK"):
        return _zip_kind(path)
    if _is_hdf5(path):
        return "hdf5"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return "safetensors"
    if b"<GIFTI" in inner:
        return "gifti"
    start = inner[:120].decode("latin-1").lower()
    return next((kind for words, kind in TEXT_MAGIC if words in start), "")


def _is_hdf5(path: Path) -> bool:
    # MATLAB 7.3 puts a block of its own before the file.
    with path.open("rb") as handle:
        for start in HDF5_STARTS:
            handle.seek(start)
            if handle.read(len(HDF5)) == HDF5:
                return True
    return False


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return "npz" if path.suffix.lower() == ".npz" else "unknown"
    if any(name.endswith((".pkl", ".pickle")) for name in names):
        return "pickle"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "unknown"


def _by_name(path: Path, inner: bytes) -> str:
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".nii", ".hdr", ".img")):
        return "nifti"
    if name.endswith((".edf", ".bdf", ".gdf", ".fif", ".set", ".vhdr")):
        return "eeg"
    if name.endswith((".nwb", ".nc", ".h5", ".hdf5")):
        return "hdf5"
    if name.endswith((".npz", ".npy", ".safetensors", ".gii")):
        return name.rsplit(".", 1)[1].replace("gii", "gifti")
    kind = BY_SUFFIX.get(Path(name).suffix, "")
    if kind:
        return kind
    return "table" if name.endswith(".txt") and b"\t" in inner.split(b"\n")[0] else "unknown"
