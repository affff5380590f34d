"""Interventions in weights: silenced, scaled, quantised or frozen while a pass lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from torch import Tensor, nn

from neuroai.checks import listing
from neuroai.errors import UsageError
from neuroai.systems.catalogue import LESIONS
from neuroai.systems.intervention import CONNECTIONS, Intervention
from neuroai.systems.weights import WEIGHTED, reinitialised


@contextmanager
def weights_changed(module: nn.Module, changes: Sequence[Intervention]) -> Iterator[None]:
    """Put changed weights in the place of a network's own while the context lasts.

    The network's own parameters are set aside untouched and put back, also after an exception.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    changes : sequence of Intervention
        Of ``weights`` or ``connections``, applied in order.

    Raises
    ------
    UsageError
        The layer is neither linear nor a convolution, or a target lies beyond it.

    Examples
    --------
    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> net[0].weight.data = torch.tensor([[3.0, 4.0]])
    >>> cut = Intervention("0", ((1, 0),), "zero", of="connections")
    >>> with weights_changed(net, [cut]):
    ...     net(torch.ones(1, 2)).item()
    3.0
    >>> net(torch.ones(1, 2)).item()
    7.0
    """
    with ExitStack() as stack:
        for change in changes:
            part = module.get_submodule(change.region)
            own = _weight_of(part, change.region)
            new = changed_weight(module, change)
            part._parameters["weight"] = nn.Parameter(new, requires_grad=False)
            stack.callback(part._parameters.__setitem__, "weight", own)
        yield


def changed_weight(module: nn.Module, change: Intervention) -> Tensor:
    """Give the weight that an intervention leaves of a layer's, of the same shape."""
    weight = _weight_of(module.get_submodule(change.region), change.region).detach()
    card = change.card
    given: dict[str, Any] = {n: getattr(change, n) for n in ("amount", "seed") if n in card.needs}
    if "source" in card.needs:
        fresh = reinitialised(module, seed=change.seed).get_submodule(change.region)
        given["source"] = fresh.weight.detach()[None]
    mask = _mask(change, tuple(weight.shape))
    function: Any = LESIONS.get(change.kind).function
    return function(weight[None], mask, strength=change.strength, **given)[0]


def _weight_of(part: nn.Module, region: str) -> Tensor:
    weight = part._parameters.get("weight") if isinstance(part, WEIGHTED) else None
    if weight is None:
        raise UsageError(
            f"Layer '{region}' is {type(part).__name__}; weights are changed of linear and "
            "convolution layers alone."
        )
    return weight


def _mask(change: Intervention, shape: tuple[int, ...]) -> np.ndarray:
    """Give the mask of the changed weights (output feature, input feature, ...)."""
    mask = np.zeros(shape[:2], dtype=bool)
    pairs = change.of == CONNECTIONS
    ends = [(target, source) for source, target in change.targets] if pairs else [
        (target, 0) for target in change.targets
    ]  # fmt: skip
    beyond = [end for end in ends if end[0] >= shape[0] or end[1] >= shape[1]]
    if beyond:
        raise UsageError(
            f"Layer '{change.region}' has weights from {shape[1]} input features into {shape[0]} "
            f"features, counted from 0; {listing(change.targets)} lie beyond."
        )
    for target, source in ends[: len(change.struck)]:
        mask[target, source if pairs else slice(None)] = True
    return mask.reshape(*shape[:2], *[1] * (len(shape) - 2))
