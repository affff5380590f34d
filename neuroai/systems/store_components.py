"""Principal components beside the activations that were projected on them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from neuroai.format.seal import mark_finished
from neuroai.numerics.reductions import PrincipalComponents
from neuroai.systems.reduction import Reducer
from neuroai.systems.store import part_name

COMPONENTS = "components"


def group_name(subject: str) -> str:
    """Name the group of a subject's components."""
    return f"{COMPONENTS} of {subject}"


def write_components(path: Path, subject: str, reducer: Reducer) -> None:
    """Write mean and components of every layer, and list them as finished."""
    import zarr
    from zarr.codecs import Crc32cCodec

    root = zarr.open_group(path, mode="r+")
    group = root.create_group(group_name(subject), overwrite=True)
    for layer, fitted in reducer.fitted.items():
        arrays = {"mean": fitted.mean, "components": fitted.components}  # type: ignore[attr-defined]
        for name, values in arrays.items():
            group.create_array(
                f"{layer}/{name}",
                data=values.numpy(),
                compressors=[Crc32cCodec()],
                filters=None,
                fill_value=np.nan,
            )
    for file in sorted((path / group_name(subject)).rglob("*")):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
    mark_finished(path, part_name(subject, COMPONENTS))


def read_components(
    path: Path, subject: str, layers: Sequence[str]
) -> dict[str, PrincipalComponents]:
    """Read the components of every layer, as they were written."""
    import zarr

    group = zarr.open_group(path / group_name(subject), mode="r")
    return {
        layer: PrincipalComponents(
            *(torch.from_numpy(np.asarray(group[f"{layer}/{n}"][:])) for n in ("mean", COMPONENTS))
        )
        for layer in layers
    }
