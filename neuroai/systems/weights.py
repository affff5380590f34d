"""Weights of a network: their hash, and fresh ones from a seed."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from neuroai.errors import UsageError

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def weights_sha256(module: nn.Module) -> str:
    """Hash every parameter and buffer of a module: names, types, shapes and bytes.

    Examples
    --------
    >>> a, b = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> _ = b.load_state_dict(a.state_dict())
    >>> weights_sha256(a) == weights_sha256(b)
    True
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if not isinstance(tensor, torch.Tensor):
            continue
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}:".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch while the context lasts; then give its generator the state it had."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def built(factory: Callable[[], nn.Module], *, seed: int) -> nn.Module:
    """Build a module whose random weights hang on the seed alone."""
    with seeded(seed):
        return factory()


def reinitialised(module: nn.Module, *, seed: int) -> nn.Module:
    """Give a copy of a module with fresh random weights, as each of its parts draws them.

    Raises
    ------
    UsageError
        A part holds parameters and does not say how to draw them (``reset_parameters``).

    Examples
    --------
    >>> a = reinitialised(nn.Linear(2, 2), seed=1)
    >>> weights_sha256(a) == weights_sha256(reinitialised(nn.Linear(2, 2), seed=1))
    True
    """
    where = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    # Drawn here and moved, since a graphics card draws other numbers from the same seed.
    fresh = copy.deepcopy(module).cpu()
    with seeded(seed):
        for name, part in fresh.named_modules():
            reset = getattr(part, "reset_parameters", getattr(part, "_reset_parameters", None))
            if callable(reset):
                reset()
            elif any(True for _ in part.parameters(recurse=False)):
                raise UsageError(
                    f"Part '{name or 'the network itself'}' ({type(part).__name__}) holds "
                    "parameters and has no reset_parameters(), so an untrained control cannot be "
                    "drawn. Add that method, or give untrained networks yourself."
                )
    return fresh.to(where)
