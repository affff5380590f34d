"""The layers that are read where nobody names any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from neuroai.systems.hooks import first_tensor, inference
from neuroai.systems.layers import default_layers
from neuroai.systems.sequences import Tokens, sequence_of

# Two texts of unlike length, so that no other axis is taken for theirs.
PROBES = ("a", "a b c d")


def read_by_default(module: nn.Module, preprocess: Callable[[Any], Tensor]) -> tuple[str, ...]:
    """Choose the blocks of a network; of a language model those that hang on the text.

    A language model's tables of positions give the same for every text, and so have no axis of
    stimuli. They are found by showing it two short texts.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    preprocess : callable
        Turns a stimulus into what the network takes.
    """
    names = default_layers(module)
    if not isinstance(sequence_of(module), Tokens):
        return names
    seen: set[str] = set()

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            tensor = first_tensor(output)
            if tensor is not None and tensor.ndim and len(tensor) == len(PROBES):
                seen.add(name)

        return hook

    handles = [module.get_submodule(name).register_forward_hook(note(name)) for name in names]
    try:
        with inference(module):
            where = next((parameter.device for parameter in module.parameters()), "cpu")
            module(torch.stack([preprocess(text) for text in PROBES]).to(where))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(name for name in names if name in seen)
