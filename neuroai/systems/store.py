"""Stores of activations: Zarr v3, written part by part, resumed after a kill, sealed when done.

A *part* is what one batch gives: its rows of every layer. Chunks are written as the Zarr
specification has them (little-endian values, then their CRC32C), without a copy; a part is listed
as finished once all its chunks are on disk.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neuroai.checks import listing
from neuroai.errors import FormatError, UsageError
from neuroai.format.files import ZARR
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.seal import PROGRESS, finished_parts, mark_finished, seal, write_atomically

FORMAT = "activations"
FORMAT_VERSION = 1
FINISHED = "finished"
ROOT = "zarr.json"
STORED = {"float32": np.dtype("<f4"), "bfloat16": np.dtype("<u2")}
# The bits of a quiet NaN in bfloat16, which Zarr has no type for.
BFLOAT16_NAN = 0x7FC0
LARGEST_CHUNK = 2**26
MOST_PADDING = 0.02


@dataclass(frozen=True)
class StoredShape:
    """How a layer lies in a store.

    Attributes
    ----------
    units : tuple of int
        (n_units,) or (n_units, n_times).
    shape : tuple of int
        Shape of the elements that the units are.
    axes : tuple of str
        Names of the axes of `shape`.
    """

    units: tuple[int, ...]
    shape: tuple[int, ...]
    axes: tuple[str, ...]

    def n_bytes(self, n_stimuli: int, dtype: str) -> int:
        """Bytes of `n_stimuli` rows."""
        return int(np.prod(self.units)) * n_stimuli * STORED[dtype].itemsize


def chunk_rows(n_stimuli: int, batch_size: int, row_bytes: int) -> int:
    """Give the rows of a chunk: a divisor of the batch, so that a part is whole chunks.

    The largest that stays below 64 MiB and pads the last chunk by at most 2 % of all rows.

    Examples
    --------
    >>> chunk_rows(200, 32, 1000), chunk_rows(64, 32, 1000), chunk_rows(5, 32, 1000)
    (8, 32, 1)
    """
    for rows in range(batch_size, 1, -1):
        padding = -n_stimuli % rows
        if (
            batch_size % rows == 0
            and padding <= MOST_PADDING * n_stimuli
            and rows * row_bytes <= LARGEST_CHUNK
        ):
            return rows
    return 1


def create(
    path: Path,
    *,
    settings: Mapping[str, Any],
    facts: Mapping[str, Any],
    ids: Sequence[str],
    layers: Mapping[str, StoredShape],
) -> None:
    """Make an empty store beside its place and move it there in one step.

    Parameters
    ----------
    path : pathlib.Path
        Where it is to lie; must not exist.
    settings : mapping
        Everything that the values hang on, as JSON.
    facts : mapping
        What the recordings say about themselves.
    ids : sequence of str
        Stimuli, one a row.
    layers : mapping of str to StoredShape
        Layers, in the order of the network.
    """
    import zarr

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.begun")
    shutil.rmtree(temporary, ignore_errors=True)
    described = {
        name: {"shape": list(layer.shape), "axes": list(layer.axes)}
        for name, layer in layers.items()
    }
    root = zarr.create_group(
        temporary,
        zarr_format=3,
        attributes={
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "settings": dict(settings),
            "facts": dict(facts),
            "layers": described,
        },
    )
    names = np.asarray(ids, dtype=np.dtypes.StringDType())
    root.create_array(STIMULUS_ID, data=names, compressors=None, dimension_names=["presentation"])
    for subject in settings["subjects"]:
        group = root.create_group(subject)
        for name, layer in layers.items():
            _create_array(group, name, layer, len(ids), settings)
    os.replace(temporary, path)


def _create_array(
    group: Any, name: str, layer: StoredShape, n_stimuli: int, settings: Mapping[str, Any]
) -> None:
    from zarr.codecs import Crc32cCodec

    dtype, batch = settings["dtype"], settings["batch_size"]
    group.create_array(
        name,
        shape=(n_stimuli, *layer.units),
        chunks=(chunk_rows(n_stimuli, batch, layer.n_bytes(1, dtype)), *layer.units),
        dtype=STORED[dtype].newbyteorder("="),
        compressors=[Crc32cCodec()],
        filters=None,
        fill_value=np.nan if dtype == "float32" else BFLOAT16_NAN,
        attributes={} if dtype == "float32" else {"bits_of": dtype},
        dimension_names=["presentation", "unit", "time"][: 1 + len(layer.units)],
    )


def read_root(path: Path) -> dict[str, Any]:
    """Give the attributes of a store of activations.

    Raises
    ------
    UsageError
        The path holds something else.
    FormatError
        The store is of a newer version.
    """
    try:
        attributes = json.loads((path / ROOT).read_text(encoding="utf-8")).get("attributes", {})
    except (OSError, ValueError):
        attributes = {}
    if attributes.get("format") != FORMAT or path.suffix != ZARR:
        raise UsageError(
            f"{path} exists and is not a store of activations. Choose another path, or remove it."
        )
    if attributes["format_version"] > FORMAT_VERSION:
        raise FormatError(
            f"{path} is of version {attributes['format_version']}; this neuroai reads up to "
            f"{FORMAT_VERSION}. Update neuroai."
        )
    return attributes


def check_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Raise a UsageError that names the first field in which a store was begun otherwise."""
    begun = read_root(path)["settings"]
    differing = [key for key in settings if begun.get(key) != settings[key]]
    if differing:
        key = differing[0]
        others = f" (also: {listing(differing[1:])})" if differing[1:] else ""
        raise UsageError(
            f"{path} was begun with {key}={_short(begun.get(key))}; now {key} is "
            f"{_short(settings[key])}{others}. Give the same to go on, or choose another path."
        )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."


def part_name(subject: str, part: int | str) -> str:
    """Name one part in the list of finished parts."""
    return f"{subject} {part}"


def tidy(path: Path) -> frozenset[str]:
    """Make an unsealed store ready to go on, and give the parts that are finished.

    What a kill left half-written beside the chunks is removed; chunks themselves are written
    anew with their part.
    """
    for left in path.glob(".*.tmp"):
        left.unlink()
    finished = finished_parts(path)
    write_atomically(path / PROGRESS, "".join(f"{part}\n" for part in finished).encode())
    return frozenset(finished)


def is_complete(path: Path) -> bool:
    """Say whether every part was finished, sealed or not."""
    return bool(read_root(path).get(FINISHED))


def finish(path: Path) -> None:
    """Note that every part is finished, and seal the store.

    Sealing begins by removing the list of parts; the note keeps a kill in between from costing
    them all.
    """
    if not is_complete(path):
        content = json.loads((path / ROOT).read_text(encoding="utf-8"))
        content["attributes"][FINISHED] = 1
        write_atomically(path / ROOT, json.dumps(content, indent=2).encode())
    seal(path)


@dataclass(eq=False)
class PartWriter:
    """Writes parts of one subject; each is put on disk while the next is computed.

    Used as a context: what is still under way is finished when it ends.

    Attributes
    ----------
    path : pathlib.Path
        The store.
    subject : str
        Group of the arrays.
    """

    path: Path
    subject: str
    _pool: ThreadPoolExecutor = field(init=False, repr=False)
    _pending: Future[None] | None = field(default=None, init=False, repr=False)
    _open: list[BinaryIO] = field(default_factory=list, init=False, repr=False)
    _chunks: dict[str, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False)

    def __enter__(self) -> PartWriter:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="neuroai-sync")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._pool.shutdown(wait=True)
            for handle in self._open:
                handle.close()

    def wait(self) -> None:
        """Wait until the part before is on disk and listed; raise what went wrong."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def put(self, layer: str, values: np.ndarray, first_row: int) -> None:
        """Write the rows of one layer; the last chunk is filled up with NaN."""
        self.wait()
        rows, *units = self._chunk_shape(layer)
        if list(values.shape[1:]) != units:
            raise UsageError(
                f"Layer '{layer}' gives units of shape {values.shape[1:]} for some stimuli and "
                f"{tuple(units)} for others. Choose other layers with layers=..., or let "
                "preprocess bring every stimulus to one shape."
            )
        for start in range(0, len(values), rows):
            chunk = np.ascontiguousarray(values[start : start + rows])
            if len(chunk) < rows:
                empty = np.nan if chunk.dtype.kind == "f" else BFLOAT16_NAN
                padding = np.full((rows - len(chunk), *chunk.shape[1:]), empty, chunk.dtype)
                chunk = np.concatenate([chunk, padding])
            place = (first_row + start) // rows
            key = "/".join(["c", str(place), *["0"] * (chunk.ndim - 1)])
            self._write(self.path / self.subject / layer / key, chunk)

    def _chunk_shape(self, layer: str) -> tuple[int, ...]:
        if layer not in self._chunks:
            text = (self.path / self.subject / layer / ROOT).read_text(encoding="utf-8")
            shape = json.loads(text)["chunk_grid"]["configuration"]["chunk_shape"]
            self._chunks[layer] = tuple(shape)
        return self._chunks[layer]

    def _write(self, path: Path, chunk: np.ndarray) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("wb", buffering=0)
        self._open.append(handle)
        write_chunk(handle, chunk)

    def end_part(self, part: int) -> None:
        """Put what was written on disk and list the part, while the caller goes on."""
        handles, self._open = self._open, []
        name = part_name(self.subject, part)
        self._pending = self._pool.submit(_put_on_disk, self.path, name, handles)


def write_chunk(handle: BinaryIO, chunk: np.ndarray) -> None:
    """Write a chunk: its values, then their CRC32C, both little-endian."""
    import google_crc32c

    data = _little(chunk).reshape(-1).view(np.uint8)
    checksum = google_crc32c.value(data).to_bytes(4, "little")
    for piece in (memoryview(data), memoryview(checksum)):
        written = 0
        while written < len(piece):
            written += handle.write(piece[written:])


def _little(chunk: np.ndarray) -> np.ndarray:
    return chunk if sys.byteorder == "little" else chunk.astype(chunk.dtype.newbyteorder("<"))


def _put_on_disk(path: Path, name: str, handles: Sequence[BinaryIO]) -> None:
    try:
        for handle in handles:
            os.fsync(handle.fileno())
    finally:
        for handle in handles:
            handle.close()
    mark_finished(path, name)
