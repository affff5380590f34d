"""Attention heads as a layer of their own, so that they are read and lesioned like any other."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuroai.errors import UsageError
from neuroai.systems.layers import Heads
from neuroai.systems.model import Model

# How networks call the projection that reads all heads, from the attention or its parent.
PROJECTIONS = ("o_proj", "out_proj", "c_proj", "proj", "out_lin", "output.dense")
HEAD_WIDTH = ("head_dim", "attention_head_size")


def with_heads(model: Model) -> Model:
    """Give the same network with a layer ``<attention>.heads`` for every attention in it.

    The layer gives what all heads of a token found, one after the other, before they are mixed:
    its features h d to (h + 1) d - 1 are head h. Weights are shared with the model, outputs are
    those of the model.

    Parameters
    ----------
    model : Model
        A network with ``nn.MultiheadAttention``, or with attentions that state the width of their
        heads (``head_dim``) and have a projection after them, as those of transformers do.

    Returns
    -------
    Model

    Raises
    ------
    UsageError
        The network has no such attention.

    Examples
    --------
    >>> from neuroai.systems.intervention import Intervention
    >>> from neuroai.systems.load import load_model
    >>> shown = with_heads(load_model("builtin:small_transformer"))
    >>> [name for name, _ in shown.module().named_modules() if name.endswith("heads")]
    ['blocks.0.attention.heads', 'blocks.1.attention.heads']
    >>> lesion = Intervention("blocks.0.attention.heads", (1,), "zero", of="heads")
    >>> shown.with_lesion(lesion).lesions[0][0].describe()
    'zero lesion of 1 head(s) of blocks.0.attention.heads, strength 1'
    """
    modules = tuple((name, _shown(model.module(name), model.name)) for name in model.subjects)
    return replace(model, modules=modules)


def _shown(module: nn.Module, name: str) -> nn.Module:
    kept = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    twin = copy.deepcopy(module, kept)
    sites = list(_sites(twin))
    if not sites:
        raise UsageError(
            f"'{name}' has no attention whose heads can be told apart: neither "
            "nn.MultiheadAttention nor one that states head_dim and has a projection after it."
        )
    for attention, projection, n_heads in sites:
        attention.heads = Heads(n_heads)
        if projection is None:
            attention.forward = _ThroughHeads(attention)
        else:
            projection.register_forward_pre_hook(_Before(attention.heads))
    return twin


def _sites(module: nn.Module) -> Iterator[tuple[nn.Module, nn.Module | None, int]]:
    """Give every attention, the projection that reads its heads, and how many these are."""
    for name, part in list(module.named_modules()):
        if isinstance(part, nn.MultiheadAttention):
            yield part, None, part.num_heads
            continue
        width = next((getattr(part, key) for key in HEAD_WIDTH if hasattr(part, key)), None)
        if not isinstance(width, int):
            continue
        projection = _projection(module, name)
        if projection is not None:
            wide = getattr(projection, "in_features", projection.weight.shape[0])
            yield part, projection, int(wide) // width


def _projection(module: nn.Module, name: str) -> nn.Module | None:
    parent = name.rpartition(".")[0]
    for place in (name, parent):
        for end in PROJECTIONS:
            try:
                return module.get_submodule(f"{place}.{end}".strip("."))
            except AttributeError:
                continue
    return None


class _Before:
    """A hook that sends what reaches a projection through the layer of heads."""

    def __init__(self, heads: nn.Module) -> None:
        self.heads = heads

    def __call__(self, _: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.heads(given[0]), *given[1:])


class _ThroughHeads:
    """The pass of ``nn.MultiheadAttention`` with the mixing of heads taken apart.

    Torch's attention mixes heads by weights and never calls a layer. With the identity in the
    place of these weights it gives the heads; then the weights are applied.
    """

    def __init__(self, part: nn.MultiheadAttention) -> None:
        self.part = part

    def __call__(self, *given: Any, **options: Any) -> tuple[Tensor, Tensor | None]:
        part, mixing = self.part, self.part.out_proj
        own = dict(mixing._parameters)
        like = own["weight"]
        same = torch.eye(part.embed_dim, dtype=like.dtype, device=like.device)
        try:
            mixing._parameters["weight"] = nn.Parameter(same, requires_grad=False)
            mixing._parameters["bias"] = None
            heads, weights = nn.MultiheadAttention.forward(part, *given, **options)
        finally:
            mixing._parameters.update(own)
        # The layer of heads has stimuli first.
        turned = heads.ndim == 3 and not part.batch_first
        heads = part.heads(heads.transpose(0, 1) if turned else heads)
        heads = heads.transpose(0, 1) if turned else heads
        return functional.linear(heads, own["weight"], own["bias"]), weights
