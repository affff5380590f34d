"""A network's weights as a connectome: a node is a feature map, a weight its kernel's norm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from neuroai.checks import listing
from neuroai.errors import ResourceError
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import connectome
from neuroai.systems.hooks import first_tensor
from neuroai.systems.layers import choose_layers
from neuroai.systems.model import Model
from neuroai.systems.weights import WEIGHTED

INPUT = "input"
MOST_NODES = 20_000
# What mixes features between layers by no weight of a linear or convolution layer.
MIXING = (
    "Bmm", "ScaledDot", "Softmax", "Cat", "AddmmB", "MmB", "Convolution", "Rnn", "Lstm", "Gru",
    "Embedding", "Stack",
)  # fmt: skip
MEANING = "L2 norm of the kernel from feature map to feature map"


@dataclass(frozen=True)
class _Call:
    """One call of a weighted layer: its name, and its input and output in the graph of autograd."""

    name: str
    source: Any
    made: Any


@dataclass(frozen=True)
class Block:
    """The weights from one layer's feature maps to another's.

    Attributes
    ----------
    source, target : str
        Names of the layers; ``input`` for the channels of the stimulus.
    weights : array, shape (n_source, n_target)
        Norms, at least 0.
    """

    source: str
    target: str
    weights: np.ndarray


def weight_blocks(
    model: Model, example: Tensor, *, subject: str | None = None
) -> tuple[Block, ...] | NotMeasurable:
    r"""Read the weights between successive linear and convolution layers of a network.

    .. math:: w_{io} = \sqrt{\sum_k K_{oik}^2}

    with K the kernel from input map i to output map o; a linear layer that reads flattened maps
    sums over their positions. Which layer feeds which is read from the graph that one pass
    through the network leaves, so that shortcuts that are added count as connections.

    Parameters
    ----------
    model : Model
        A network.
    example : Tensor
        One preprocessed stimulus, without an axis of stimuli.
    subject : str, optional
        Which of the model's seeds.

    Returns
    -------
    tuple of Block, or NotMeasurable
        In the order of the pass. NotMeasurable where layers are connected by other operations,
        such as attention or recurrence, or feature maps cannot be told apart.
    """
    module = model.module(subject)
    calls, start = _trace(module, example.to(model.device))
    if not calls:
        return NotMeasurable(f"'{model.name}' has no linear or convolution layer")
    blocks, widths = [], {INPUT: int(example.shape[0])}
    made_by = {id(call.made): call.name for call in calls}
    for call in calls:
        sources, mixing = _sources(call.source, made_by, start)
        if mixing:
            return NotMeasurable(
                f"what reaches layer '{call.name}' of '{model.name}' passes through "
                f"{listing(sorted(mixing))}, which no weight from feature map to feature map holds"
            )
        layer = module.get_submodule(call.name)
        for source in sources:
            weights = _norms(layer, widths[source])
            if weights is None:
                return NotMeasurable(
                    f"layer '{call.name}' of '{model.name}' reads {_width_in(layer)} features of "
                    f"{widths[source]} maps of '{source}': they cannot be told apart"
                )
            blocks.append(Block(source, call.name, weights))
        widths[call.name] = int(layer.weight.shape[0])
    return tuple(blocks)


def weight_graph(
    model: Model,
    example: Tensor,
    *,
    subject: str | None = None,
    layers: Sequence[str] | None = None,
) -> xr.DataArray | NotMeasurable:
    """Give the weights between feature maps as one labelled, directed connectome.

    Parameters
    ----------
    model, example, subject
        As for `weight_blocks`.
    layers : sequence of str, optional
        Names or globs: connections among these layers alone, and the input if it is named.

    Returns
    -------
    xarray.DataArray or NotMeasurable
        Form ``connectome``; nodes are called ``layer/feature map``.

    Raises
    ------
    ResourceError
        There are too many nodes for one matrix.

    Examples
    --------
    >>> from neuroai.systems.load import load_model
    >>> net = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> net[0].weight.data = torch.tensor([[3.0, -4.0]])
    >>> model = load_model(net, name="line", layers=["0"], preprocess=torch.as_tensor)
    >>> graph = weight_graph(model, torch.zeros(2))
    >>> graph.unit_id.values.tolist(), graph.values.tolist()
    (['input/0', 'input/1', '0/0'], [[0.0, 0.0, 3.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]])
    """
    blocks = weight_blocks(model, example, subject=subject)
    if isinstance(blocks, NotMeasurable):
        return blocks
    if layers is not None:
        named = [name for name in layers if name != INPUT]
        chosen = {*choose_layers(model.module(subject), named)} if named else set()
        chosen |= {INPUT} & set(layers)
        blocks = tuple(b for b in blocks if {b.source, b.target} <= chosen)
        if not blocks:
            return NotMeasurable(f"no weights lead from one to another of {listing(layers)}")
    return _joined(blocks, model.name)


def _joined(blocks: Iterable[Block], system: str) -> xr.DataArray:
    sizes: dict[str, int] = {}
    for block in blocks:
        sizes.setdefault(block.source, block.weights.shape[0])
        sizes.setdefault(block.target, block.weights.shape[1])
    total = sum(sizes.values())
    if total > MOST_NODES:
        raise ResourceError(
            f"{total} feature maps are too many for one matrix of weights ({MOST_NODES}). Choose "
            "layers=..."
        )
    first = dict(zip(sizes, np.cumsum([0, *sizes.values()]), strict=False))
    weights = np.zeros((total, total))
    for block in blocks:
        rows = slice(first[block.source], first[block.source] + block.weights.shape[0])
        columns = slice(first[block.target], first[block.target] + block.weights.shape[1])
        weights[rows, columns] = block.weights
    return connectome(
        weights,
        unit_id=[f"{name}/{i}" for name, size in sizes.items() for i in range(size)],
        system=system,
        kind="model",
        directed=True,
        weight_meaning=MEANING,
    )


def _trace(module: nn.Module, example: Tensor) -> tuple[list[_Call], Any]:
    """Run one stimulus, and note where weighted layers stand in the graph of operations."""
    calls: list[_Call] = []
    handles = []
    modes = [(part, part.training) for part in module.modules()]
    # A fresh view: writing into a leaf in place is forbidden.
    x = example.detach().clone().float().requires_grad_()
    start = x[None]

    def note(name: str) -> Any:
        def hook(_: nn.Module, given: Any, output: Any) -> None:
            calls.append(_Call(name, first_tensor(given).grad_fn, first_tensor(output).grad_fn))

        return hook

    try:
        module.eval()
        for name, part in module.named_modules():
            if isinstance(part, WEIGHTED):
                handles.append(part.register_forward_hook(note(name)))
        with torch.enable_grad():
            module(start)
    finally:
        for handle in handles:
            handle.remove()
        for part, mode in modes:
            part.training = mode
    return calls, start.grad_fn


def _sources(source: Any, made_by: dict[int, str], start: Any) -> tuple[list[str], set[str]]:
    """Walk back from a layer's input to the layers that made it, and name what mixes on the way."""
    found: dict[str, None] = {}
    mixing: set[str] = set()
    # Nodes are kept, since the id of one that is gone may be given to another.
    queue, seen = [source], {}
    while queue:
        node = queue.pop()
        if node is None or id(node) in seen:
            continue
        seen[id(node)] = node
        if id(node) in made_by:
            found[made_by[id(node)]] = None
        elif node is start:
            found[INPUT] = None
        else:
            name = type(node).__name__
            mixing |= {name.removesuffix("0")} if any(m in name for m in MIXING) else set()
            queue += [parent for parent, _ in node.next_functions]
    return list(found), mixing


def _width_in(layer: nn.Module) -> int:
    return int(layer.weight.shape[1]) * int(getattr(layer, "groups", 1))


def _norms(layer: nn.Module, n_source: int) -> np.ndarray | None:
    """Give the norms (n_source, n_target), or None where inputs do not divide into maps."""
    weight = layer.weight.detach().double().cpu().numpy()
    groups, n_target = int(getattr(layer, "groups", 1)), weight.shape[0]
    width = _width_in(layer)
    if width % n_source:
        return None
    squares = (weight**2).reshape(n_target, weight.shape[1], -1).sum(axis=2)
    full = np.zeros((n_target, width))
    each, out = weight.shape[1], n_target // groups
    for group in range(groups):
        rows = slice(group * out, (group + 1) * out)
        full[rows, group * each : (group + 1) * each] = squares[rows]
    return np.sqrt(full.reshape(n_target, n_source, -1).sum(axis=2)).T
