"""Activations that were computed once: found again by everything that they hang on.

An entry is a folder named by the digest of its key: ``key.json`` (the fields of the key, and the
hash of the store's seal) beside ``activations.zarr`` (sealed). An entry serves only if its fields
give its name, its seal is the one noted, and every file is as the seal says.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import shutil
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from neuroai.checks import listing
from neuroai.errors import DataError, IntegrityError, UsageError
from neuroai.experiment.cache_key import CacheKey, key_of
from neuroai.format.seal import SEAL, check_seal, is_sealed, write_atomically
from neuroai.format.stimuli import StimulusSet
from neuroai.sources.download import cache_folder
from neuroai.systems.activations import Activations
from neuroai.systems.extract import extract
from neuroai.systems.model import Model
from neuroai.systems.reduction import read_reduction
from neuroai.systems.store_read import open_store
from neuroai.systems.store_run import make_job

KEY, STORE, LOCK = "key.json", "activations.zarr", ".lock"
SHORT = 12


def activations_folder() -> Path:
    """Give the folder of cached activations, beside the downloads."""
    return cache_folder() / "activations"


@dataclass(frozen=True)
class Entry:
    """One entry of the cache, finished or not.

    Attributes
    ----------
    folder : pathlib.Path
        Where it lies; its name is the digest of the key.
    key : CacheKey
        What the values hang on.
    seal_sha256 : str
        Hash of the seal of the store, '' while it is being written.
    """

    folder: Path
    key: CacheKey
    seal_sha256: str

    @property
    def short(self) -> str:
        """First twelve digits of the digest."""
        return self.folder.name[:SHORT]

    @property
    def store(self) -> Path:
        """Folder of the activations."""
        return self.folder / STORE

    @property
    def finished(self) -> bool:
        """Whether it was written to the end."""
        return bool(self.seal_sha256)

    @property
    def n_bytes(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    @property
    def last_used(self) -> datetime.datetime:
        """When it was last read or written."""
        stamp = (self.folder / KEY).stat().st_mtime
        return datetime.datetime.fromtimestamp(stamp, datetime.UTC)

    def check(self) -> None:
        """Compare the entry with its name, its seal and every file with the seal.

        Raises
        ------
        DataError
            It was not finished.
        IntegrityError
            Anything in it was changed, is missing or was added.
        """
        if self.key.digest != self.folder.name:
            raise IntegrityError(f"{self.folder / KEY} is not as it was written. {_ANEW}")
        if not self.finished or not is_sealed(self.store):
            raise DataError(f"The cache entry {self.short} was not finished.")
        if _sha256(self.store / SEAL) != self.seal_sha256:
            raise IntegrityError(f"The seal of {self.store} is not the one noted. {_ANEW}")
        check_seal(self.store)


_ANEW = "Remove it with 'neuroai cache gc'; it is then computed anew."


def read_entry(folder: Path) -> Entry | None:
    """Read an entry; None where its key is missing or cannot be read."""
    try:
        content = json.loads((folder / KEY).read_text(encoding="utf-8"))
        return Entry(folder, CacheKey(dict(content["fields"])), str(content["seal_sha256"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class ActivationCache:
    """Activations of networks, kept on disk between runs.

    Attributes
    ----------
    folder : pathlib.Path
        ``activations`` in the folder of downloads by default.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, pandas as pd
    >>> from neuroai.format.stimuli import stimulus_set
    >>> from neuroai.systems.load import load_model
    >>> shown = stimulus_set(
    ...     pd.DataFrame({"stimulus_id": ["a", "b"]}), name="s", load=lambda key: np.ones((8, 8))
    ... )
    >>> model = load_model("builtin:small_convnet")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = ActivationCache(Path(folder))
    ...     first = cache.activations(model, shown, layers=["fc2"])
    ...     again = cache.activations(model, shown, layers=["fc2"])
    ...     len(cache.entries()), again.regions
    (1, ('fc2',))
    """

    folder: Path = field(default_factory=activations_folder)

    def activations(
        self,
        model: Model,
        stimuli: StimulusSet,
        *,
        layers: Sequence[str] | None = None,
        dtype: str = "float32",
        progress: bool = False,
    ) -> Activations:
        """Give the activations from the cache; compute and keep them where they are not there.

        Of several processes that ask for the same, one computes and the others wait. An entry
        that was damaged is computed anew, with a warning.

        Parameters
        ----------
        model : Model
            The network, with its reduction, device and lesions.
        stimuli : StimulusSet
            Those at hand are shown.
        layers : sequence of str, optional
            Names or globs; the model's `regions` by default.
        dtype : {"float32", "bfloat16"}
            As in `neuroai.systems.extract.extract`.
        progress : bool
            Show progress on stderr.
        """
        key = self.key(model, stimuli, layers=layers, dtype=dtype)
        serving = self._serving(key)
        if serving is not None:
            return serving.restrict(key.fields["layers"])
        from filelock import FileLock

        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / f"{key.digest}{LOCK}"):
            # Another process may have finished it while this one waited.
            serving = self._serving(key)
            if serving is not None:
                return serving.restrict(key.fields["layers"])
            if progress:
                tqdm.write(self._why_missed(key), file=sys.stderr)
            return self._compute(key, model, stimuli, dtype=dtype, progress=progress)

    def key(
        self,
        model: Model,
        stimuli: StimulusSet,
        *,
        layers: Sequence[str] | None = None,
        dtype: str = "float32",
    ) -> CacheKey:
        """Give the key under which the activations are kept."""
        reduction = read_reduction(model.reduce)
        job = make_job(model, stimuli, layers=layers, reduction=reduction, dtype=dtype, device=None)
        return key_of(job, batch_size=min(model.batch_size, len(job.ids)))

    def _serving(self, key: CacheKey) -> Activations | None:
        entry = self.find(key)
        if entry is None:
            return None
        try:
            entry.check()
            os.utime(entry.folder / KEY)
            # Checked just now, file by file.
            return open_store(entry.store, check=False)
        except (DataError, IntegrityError, OSError) as error:
            warnings.warn(
                f"The cache entry {entry.short} cannot be used and is computed anew: {error}",
                stacklevel=4,
            )
            return None

    def find(self, key: CacheKey) -> Entry | None:
        """Give the finished entry of a key, or one that differs by holding more layers alone."""
        exact = read_entry(self.folder / key.digest)
        if exact is not None and exact.finished:
            return exact
        wanted = set(key.fields["layers"])
        for entry in self.entries():
            held = entry.key.fields.get("layers", ())
            if entry.finished and key.differing(entry.key) == ("layers",) and wanted <= set(held):
                return entry
        return None

    def _why_missed(self, key: CacheKey) -> str:
        near = self.nearest(key)
        if near is None:
            return f"Keeping activations in {self.folder}"
        entry, names = near
        return (
            f"Not in the cache; the nearest entry {entry.short} differs in {listing(names)}. "
            f"Keeping activations as {key.digest[:SHORT]}"
        )

    def _compute(
        self, key: CacheKey, model: Model, stimuli: StimulusSet, *, dtype: str, progress: bool
    ) -> Activations:
        folder = self.folder / key.digest
        begun = read_entry(folder)
        # A finished entry that comes here was found damaged; an unfinished one is taken up again.
        if begun is None or begun.finished or begun.key.digest != key.digest:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        _write_key(folder, key, seal_sha256="")
        started = time.perf_counter()
        found = extract(
            model,
            stimuli,
            folder / STORE,
            layers=key.fields["layers"],
            dtype=dtype,
            progress=progress,
        )
        seconds = time.perf_counter() - started
        _write_key(folder, key, seal_sha256=_sha256(folder / STORE / SEAL), seconds=seconds)
        return found

    def entries(self) -> tuple[Entry, ...]:
        """Give all entries whose key can be read, the last used first."""
        folders = self.folder.iterdir() if self.folder.is_dir() else ()
        found = [read_entry(folder) for folder in folders if folder.is_dir()]
        return tuple(
            sorted((entry for entry in found if entry), key=lambda e: e.last_used, reverse=True)
        )

    def strays(self) -> tuple[Path, ...]:
        """Give folders that are no entry: their key is missing or cannot be read."""
        folders = sorted(self.folder.iterdir()) if self.folder.is_dir() else ()
        return tuple(f for f in folders if f.is_dir() and read_entry(f) is None)

    def entry(self, start: str) -> Entry:
        """Give the entry whose digest begins so.

        Raises
        ------
        UsageError
            None or several do.
        """
        matching = [entry for entry in self.entries() if entry.folder.name.startswith(start)]
        if len(matching) != 1:
            found = "none does" if not matching else f"{len(matching)} do"
            raise UsageError(
                f"'{start}' must begin the digest of one entry; {found}. "
                "See 'neuroai cache ls' for them."
            )
        return matching[0]

    def nearest(self, key: CacheKey) -> tuple[Entry, tuple[str, ...]] | None:
        """Give the entry that differs from a key in the fewest fields, and these fields."""
        entries = self.entries()
        if not entries:
            return None
        near = min(entries, key=lambda entry: len(key.differing(entry.key)))
        return near, key.differing(near.key)

    def remove(self, entry: Entry | Path) -> bool:
        """Remove an entry; False if a process is writing it just now."""
        from filelock import FileLock, Timeout

        folder = entry.folder if isinstance(entry, Entry) else entry
        lock = self.folder / f"{folder.name}{LOCK}"
        try:
            with FileLock(lock, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            return False
        return True


def _write_key(folder: Path, key: CacheKey, *, seal_sha256: str, seconds: float = 0.0) -> None:
    content: dict[str, Any] = {
        "fields": dict(key.fields),
        "seal_sha256": seal_sha256,
        "seconds": round(seconds, 3),
    }
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomically(folder / KEY, text.encode("utf-8"))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
