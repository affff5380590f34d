"""Sealed stores of activations, read layer by layer when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neuroai.errors import DataError, ResourceError
from neuroai.format.schema import STIMULUS_ID
from neuroai.format.seal import check_seal
from neuroai.systems.activations import Activations
from neuroai.systems.layout import Activity
from neuroai.systems.preflight import FLOAT32_BYTES, free_memory, in_mib
from neuroai.systems.store import ROOT, read_root


@dataclass(frozen=True, eq=False)
class StoredLayer:
    """One layer of one subject on disk; nothing is read before rows are asked for.

    Attributes
    ----------
    array : zarr.Array
        Values (n_stimuli, n_units[, n_times]), float32 or the bits of bfloat16.
    element : tuple of int
        Shape of the elements that the units are.
    axes : tuple of str
        Names of the axes of `element`.
    """

    array: Any
    element: tuple[int, ...]
    axes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return tuple(self.array.shape)

    def activity(self, rows: Sequence[int]) -> Activity:
        """Read rows, float32.

        Raises
        ------
        ResourceError
            They do not fit into memory.
        DataError
            A chunk is not what was written.
        """
        needed = int(np.prod(self.shape[1:])) * len(rows) * FLOAT32_BYTES
        if needed > free_memory():
            raise ResourceError(
                f"Layer '{self.array.basename}' takes {in_mib(needed)} for {len(rows)} stimuli; "
                f"{in_mib(free_memory())} are free. Take fewer stimuli or another layer, or "
                "extract it again with reduce='count-sketch:4096'."
            )
        whole = list(rows) == list(range(self.shape[0]))
        try:
            values = self.array[:] if whole else self.array.oindex[np.asarray(rows)]
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(
                f"Layer '{self.array.basename}' of {self.array.store_path} cannot be read "
                f"({error}). Extract it again."
            ) from error
        found = _float32(np.asarray(values))
        # What overflows is never written: a value that is not finite is a chunk that is missing.
        if not np.isfinite(found).all():
            raise DataError(
                f"Layer '{self.array.basename}' of {self.array.store_path} lacks chunks that were "
                "written. Extract it again."
            )
        return Activity(found, self.element, self.axes)


def _float32(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        return values
    # bfloat16 is the upper half of float32.
    return (values.astype(np.uint32) << 16).view(np.float32)


def is_activation_store(path: Path) -> bool:
    """Say whether a folder is a store that ``extract`` made."""
    if not (path / ROOT).is_file():
        return False
    try:
        read_root(path)
    except ValueError:
        return False
    return True


def open_store(path: Path, *, check: bool = True) -> Activations:
    """Open a sealed store as a system.

    Parameters
    ----------
    check : bool
        Compare every file with the seal first.

    Raises
    ------
    FormatError
        The store is not sealed.
    IntegrityError
        A file was changed, is missing or was added.
    """
    import zarr

    if check:
        check_seal(path)
    about = read_root(path)
    group = zarr.open_group(path, mode="r")
    layers = {
        subject: {
            name: StoredLayer(group[f"{subject}/{name}"], tuple(d["shape"]), tuple(d["axes"]))
            for name, d in about["layers"].items()
        }
        for subject in about["settings"]["subjects"]
    }
    return Activations(
        name=about["settings"]["system"],
        ids=tuple(str(key) for key in group[STIMULUS_ID][:]),
        layers=next(iter(layers.values())),
        seeds=layers,
        facts=about["facts"],
        settings=about["settings"],
    )
