"""Principal components of layers, fitted on a stated subset of the stimuli."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.errors import ResourceError
from neuroai.numerics.reductions import PrincipalComponents, principal_components
from neuroai.systems.hooks import inference
from neuroai.systems.inputs import Inputs
from neuroai.systems.layout import Activity
from neuroai.systems.passes import mixes_stimuli, on_device, one_pass, precision
from neuroai.systems.preflight import FLOAT32_BYTES, in_mib
from neuroai.systems.reduction import PCA, Reducer, Reduction

# Values, their centred copy, and the parts that the algebra takes to float64.
COPIES = 3


def fitted_reducer(
    reduction: Reduction | None,
    module: nn.Module,
    inputs: Inputs,
    layers: Sequence[str],
    *,
    batch_size: int,
    device: str,
    dtype: str = "float32",
    memory: int,
) -> Reducer:
    """Give the reducer of a sweep; for ``pca`` its components are fitted on the intact network.

    Parameters
    ----------
    inputs : Inputs
        All stimuli; those that the reduction names are run through the network, as often as the
        layers do not fit into memory together.
    memory : int
        Bytes that fitting may take.

    Raises
    ------
    ResourceError
        One layer alone does not fit.
    UsageError, DataError
        Too few stimuli for so many components, or stimuli that vary along too few directions.
    """
    if reduction is None or reduction.kind != PCA or not layers:
        return Reducer(reduction)
    ids = reduction.fit_ids(inputs.stimuli)
    subset = replace(inputs, stimuli=inputs.stimuli.restrict(ids), kept={})
    size = 1 if mixes_stimuli(module) else batch_size
    fitted: dict[str, PrincipalComponents] = {}

    with inference(module):
        with precision(dtype, device):
            read = _read(module, subset, layers, 1, device, first_alone=True)
        needed = {
            name: COPIES * FLOAT32_BYTES * len(ids) * int(np.prod(parts[0].shape[1:]))
            for name, parts in read.items()
        }
        for group in _groups(needed, memory, len(ids)):
            with precision(dtype, device):
                found = _read(module, subset, group, size, device)
            for name in group:
                values = torch.cat(found.pop(name))
                fitted[name] = principal_components(_samples(values), reduction.n_features)
    return Reducer(reduction, fitted)


def _read(
    module: nn.Module,
    inputs: Inputs,
    layers: Sequence[str],
    size: int,
    device: str,
    *,
    first_alone: bool = False,
) -> dict[str, list[Tensor]]:
    read: dict[str, list[Tensor]] = {name: [] for name in layers}
    for ids, batch in inputs.batches(size):
        found: dict[str, Activity]
        _, found = one_pass(module, on_device(batch, device), ids, layers, (), None)
        for name, activity in found.items():
            read[name].append(torch.as_tensor(activity.values).float().cpu())
        if first_alone:
            break
    return read


def _samples(values: Tensor) -> Tensor:
    """Take times for samples of their own, so that one set of components serves every time."""
    if values.ndim < 3:
        return values
    return values.movedim(2, 1).reshape(-1, values.shape[1])


def _groups(needed: dict[str, int], memory: int, n_stimuli: int) -> Iterator[list[str]]:
    """Split layers into groups that fit into memory together."""
    group: list[str] = []
    taken = 0
    for name, size in needed.items():
        if size > memory:
            raise ResourceError(
                f"Fitting components of layer '{name}' on {n_stimuli} stimuli takes "
                f"{in_mib(size)}; {in_mib(memory)} may be taken. Fit on fewer stimuli with "
                "fit=..., use reduce='count-sketch:4096', or give more with max_memory=..."
            )
        if group and taken + size > memory:
            yield group
            group, taken = [], 0
        group.append(name)
        taken += size
    if group:
        yield group
