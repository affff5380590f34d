"""Room before work: what reading layers will take of memory and disk, and the remedy."""

from __future__ import annotations

import os
import re
import shutil
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from neuroai.errors import ResourceError, UsageError

FLOAT32_BYTES = 4
_MIB = 2**20
# Beside tensors: chunks on their way to disk, threads, and what the allocator cannot give back.
ASIDE = 16 * _MIB
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(r"\s*(?P<number>\d+(\.\d+)?)\s*(?P<unit>[kmgt]?)(i?b)?\s*", re.IGNORECASE)
REMEDIES = "Read fewer layers with layers=..., or make them smaller with reduce='mean' or "
REMEDIES += "reduce='count-sketch:4096'"


def in_mib(size: float) -> str:
    """Write bytes as MiB.

    Examples
    --------
    >>> in_mib(3 * 2**20)
    '3 MiB'
    """
    mib = size / _MIB
    return f"{mib:,.0f} MiB" if mib >= 1 or not mib else f"{mib:.2g} MiB"


def read_size(size: int | str | None) -> int | None:
    """Read a number of bytes; k, M, G and T are powers of 1024.

    Raises
    ------
    UsageError
        It is no number of bytes above 0.

    Examples
    --------
    >>> read_size("1.5GiB") == read_size("1.5 G") == 3 * 2**29
    True
    """
    if size is None:
        return None
    match = _SIZE.fullmatch(str(size))
    n_bytes = int(float(match["number"]) * _UNITS[match["unit"].lower()]) if match else 0
    if n_bytes < 1:
        raise UsageError(
            f"max_memory must be a number of bytes above 0, such as 2GiB or 500MiB; got {size!r}."
        )
    return n_bytes


def free_memory() -> int:
    """Give the bytes of memory that can be taken now."""
    # Linux alone tells what is free; elsewhere the memory of the machine is the only bound.
    if os.path.exists("/proc/meminfo"):
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def free_disk(path: Path) -> int:
    """Give the free bytes of the disk that a path is on or will be on."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(there).free


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of tensors that operations make and that still live, and their peak.

    What a convolution holds while it runs, beside its output, is counted too: its input and
    output in the layout of the processor's library.

    Attributes
    ----------
    peak : dict of str to int
        Largest number of live bytes, by type of device.

    Examples
    --------
    >>> with LiveBytes() as live:
    ...     x = torch.zeros(1000) + 1
    >>> live.peak["cpu"] >= 4000
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self._seen: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Nothing is compiled here, and to skip it torch would first import its compiler (seconds).
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation and count what it made."""
        # A view of a weight is no new memory.
        tree_map_only(Tensor, self._know, (args, dict(kwargs or {})))
        result = func(*args, **(kwargs or {}))
        tree_map_only(Tensor, self._count, result)
        if "convolution" in func.__name__ and isinstance(result, Tensor):
            held = result.nbytes + args[0].nbytes if result.device.type == "cpu" else 0
            self._raise_peak(result.device.type, held)
        return result

    def _know(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self._seen:
            self._seen.add(key)
            weakref.finalize(storage, self._seen.discard, key)
        return tensor

    def _count(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        key, kind = storage._cdata, tensor.device.type
        if key not in self._seen:
            self._seen.add(key)
            size = storage.nbytes()
            self._now[kind] = self._now.get(kind, 0) + size
            weakref.finalize(storage, self._drop, key, kind, size)
            self._raise_peak(kind, 0)
        return tensor

    def _raise_peak(self, kind: str, beside: int) -> None:
        self.peak[kind] = max(self.peak.get(kind, 0), self._now.get(kind, 0) + beside)

    def _drop(self, key: int, kind: str, size: int) -> None:
        self._seen.discard(key)
        self._now[kind] -= size


@dataclass(frozen=True)
class Took:
    """Bytes that a batch takes: whatever its size, and for each stimulus."""

    fixed: int
    per_stimulus: int


@dataclass(frozen=True)
class Need:
    """What one extraction takes.

    Attributes
    ----------
    fixed : int
        Bytes of memory whatever the batch.
    per_stimulus : int
        Bytes of memory for each stimulus of a batch.
    disk : mapping of str to int
        Bytes that each layer takes on disk.
    device : Took
        Bytes on an accelerator; 0 on the processor.
    """

    fixed: int
    per_stimulus: int
    disk: Mapping[str, int]
    device: Took = Took(0, 0)

    def memory(self, batch_size: int) -> int:
        """Bytes of memory at the peak, beside what the process held before."""
        return self.fixed + batch_size * self.per_stimulus

    @property
    def total_disk(self) -> int:
        """Bytes on disk of all layers."""
        return sum(self.disk.values())


def measured(run: Callable[[int], Any], *, n_stimuli: int, device: str) -> tuple[Took, Took]:
    """Run one stimulus, then two, and give what they took of memory, here and on the device.

    Parameters
    ----------
    run : callable
        ``run(n)`` does all that is done with a batch of n stimuli.
    n_stimuli : int
        Stimuli at hand.
    device : str
        Where the network runs; the second result is 0 for the processor.
    """
    peaks = []
    for size in range(1, min(2, n_stimuli) + 1):
        with LiveBytes() as live:
            run(size)
        peaks.append(live.peak)
    kind = torch.device(device).type
    here = _took(peaks, "cpu")
    return Took(here.fixed + ASIDE, here.per_stimulus), Took(0, 0) if kind == "cpu" else _took(
        peaks, kind
    )


def _took(peaks: Sequence[Mapping[str, int]], kind: str) -> Took:
    found = [peak.get(kind, 0) for peak in peaks]
    each = max(0, found[-1] - found[0]) if len(found) > 1 else found[0]
    return Took(max(0, found[0] - each), each)


def fitting_batch(need: Need, *, wanted: int, given: bool, max_memory: int | None) -> int:
    """Give the stimuli of a batch: `wanted`, or fewer if that alone does not fit.

    Parameters
    ----------
    need : Need
        What a batch takes.
    wanted : int
        Stimuli of a batch.
    given : bool
        Whether the caller fixed `wanted`, so that it is refused and not made smaller.
    max_memory : int, optional
        Bytes that may be taken; what is free by default.

    Raises
    ------
    ResourceError
        Not even one stimulus fits, or not the batch that was given; the remedy is named.
    """
    limit = free_memory() if max_memory is None else min(max_memory, free_memory())
    allowed = "are free" if max_memory is None or limit < max_memory else "may be taken"
    fits = (limit - need.fixed) // max(1, need.per_stimulus)
    if wanted <= fits:
        return wanted
    told = (
        f"Reading {len(need.disk)} layers in batches of {wanted} takes about "
        f"{in_mib(need.memory(wanted))} of memory; {in_mib(limit)} {allowed}."
    )
    if fits < 1:
        raise ResourceError(
            f"{told} One stimulus takes {in_mib(need.memory(1))}. {REMEDIES}; or give more memory "
            "with max_memory=..."
        )
    if given:
        raise ResourceError(
            f"{told} Batches of {fits} fit: say batch_size={fits}, or give more memory with "
            "max_memory=..."
        )
    # Powers of two change little from one budget to the next.
    return 1 << (int(fits).bit_length() - 1)


def check_device_memory(need: Need, batch_size: int, device: str) -> None:
    """Raise a ResourceError if a batch does not fit on an accelerator.

    Raises
    ------
    ResourceError
        It does not; a batch that fits is named.
    """
    if torch.device(device).type != "cuda":
        return
    free = torch.cuda.mem_get_info(device)[0]
    needed = need.device.fixed + batch_size * need.device.per_stimulus
    if needed > free:
        fits = max(0, free - need.device.fixed) // max(1, need.device.per_stimulus)
        raise ResourceError(
            f"A batch of {batch_size} takes about {in_mib(needed)} on {device}; {in_mib(free)} are "
            f"free there. Batches of {fits} fit: say batch_size={max(1, fits)}, or run on "
            "device='cpu'."
        )


def check_disk(need: Need, path: Path, *, done: float = 0.0) -> None:
    """Raise a ResourceError if the disk has no room for what is still to be written.

    Parameters
    ----------
    done : float
        Share that is on disk already, in [0, 1].
    """
    needed, free = int(need.total_disk * (1 - done)), free_disk(path)
    if needed <= free:
        return
    largest = max(need.disk, key=lambda name: need.disk[name])
    raise ResourceError(
        f"The activity of {len(need.disk)} layers takes {in_mib(needed)} on disk; "
        f"{in_mib(free)} are free where {path} is to lie. The largest layer is '{largest}' "
        f"({in_mib(need.disk[largest])}). {REMEDIES}, or choose another disk."
    )


@contextmanager
def disk_full_told(path: Path) -> Iterator[None]:
    """Turn the system's words for a full disk into a ResourceError that says what to do."""
    import errno

    try:
        yield
    except OSError as error:
        full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if error.errno not in full:
            raise
        raise ResourceError(
            f"{path} could not be written to the end: {error.strerror}. What was finished is kept. "
            "Free some disk and run the same call again to go on, or choose another path."
        ) from error
