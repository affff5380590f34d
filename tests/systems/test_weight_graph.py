"""A network's weights as a graph: kernels' norms, shortcuts, groups, and what has no such graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from neuroai.errors import ResourceError, UnknownName
from neuroai.format.answers import NotMeasurable
from neuroai.format.validate import validate
from neuroai.systems import weight_graph as home
from neuroai.systems.load import load_model
from neuroai.systems.weight_graph import weight_blocks, weight_graph
from neuroai.systems.weights import weights_sha256

SINGLE = 1e-6  # float32 weights, norms in float64
IMAGE = torch.ones(1, 8, 8)


class Shortcut(nn.Module):
    """A block whose input is added to its output, then pooled and read out."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.inner = nn.Conv2d(4, 4, 3, padding=1)
        self.each = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.head = nn.Linear(4 * 4, 3)

    def forward(self, x):
        """Give logits."""
        first = torch.relu(self.first(x))
        both = torch.relu(self.inner(first) + first)
        return self.head(nn.functional.adaptive_avg_pool2d(self.each(both), 2).flatten(1))


def model_of(net, layers):
    """Wrap a module that takes tensors."""
    return load_model(net, name="net", layers=layers, preprocess=torch.as_tensor)


@pytest.fixture(scope="module")
def net():
    """The network with a shortcut."""
    torch.manual_seed(0)
    return Shortcut()


def test_blocks_are_norms_of_kernels(net):
    """From map i to map o the norm of the kernel; a shortcut connects past the block."""
    blocks = {
        (b.source, b.target): b.weights for b in weight_blocks(model_of(net, ["head"]), IMAGE)
    }
    assert set(blocks) == {
        ("input", "first"), ("first", "inner"), ("first", "each"), ("inner", "each"),
        ("each", "head"),
    }  # fmt: skip
    kernel = net.inner.weight.detach().double().numpy()
    wanted = np.linalg.norm(kernel.reshape(4, 4, -1), axis=2).T
    assert np.abs(blocks["first", "inner"] - wanted).max() <= SINGLE
    assert np.array_equal(blocks["first", "each"], blocks["inner", "each"])


def test_groups_connect_each_map_to_its_own(net):
    """A depthwise convolution is a diagonal."""
    blocks = {(b.source, b.target): b.weights for b in weight_blocks(model_of(net, []), IMAGE)}
    own = np.linalg.norm(net.each.weight.detach().double().numpy().reshape(4, -1), axis=1)
    assert np.abs(blocks["inner", "each"] - np.diag(own)).max() <= SINGLE


def test_flattened_maps_are_summed_over_places(net):
    """A linear layer reads four places of each map: one norm over them."""
    blocks = {(b.source, b.target): b.weights for b in weight_blocks(model_of(net, []), IMAGE)}
    weight = net.head.weight.detach().double().numpy().reshape(3, 4, 4)
    assert np.abs(blocks["each", "head"] - np.linalg.norm(weight, axis=2).T).max() <= SINGLE


def test_the_graph_is_a_directed_connectome_and_leaves_the_network_alone(net):
    """Nodes by layer and map; weights, gradients, modes and hooks as before."""
    before, net.training = weights_sha256(net), True
    graph = validate(weight_graph(model_of(net, ["head"]), IMAGE))
    assert graph.attrs["directed"] == 1 and graph.sizes["unit"] == 1 + 4 + 4 + 4 + 3
    assert graph["unit_id"].values[:2].tolist() == ["input/0", "first/0"]
    assert weights_sha256(net) == before and net.training
    assert all(p.grad is None for p in net.parameters())
    assert not any(part._forward_hooks for part in net.modules())


def test_some_layers_alone(net):
    """Connections among the named layers; misspelt names are told."""
    graph = weight_graph(model_of(net, ["head"]), IMAGE, layers=["first", "inner"])
    assert graph.sizes["unit"] == 8
    with pytest.raises(UnknownName, match="Did you mean 'first'"):
        weight_graph(model_of(net, ["head"]), IMAGE, layers=["frist"])
    apart = weight_graph(model_of(net, ["head"]), IMAGE, layers=["first", "head"])
    assert isinstance(apart, NotMeasurable) and "no weights lead from one" in apart.reason


def test_what_has_no_such_graph_says_so(monkeypatch, net):
    """Attention and recurrence mix features by no weight of a layer; too many nodes are told."""
    attention = load_model("builtin:small_transformer")
    answer = weight_graph(attention, IMAGE)
    assert isinstance(answer, NotMeasurable) and "which no weight" in answer.reason
    bare = weight_graph(model_of(nn.Sequential(nn.ReLU()), ["0"]), IMAGE)
    assert isinstance(bare, NotMeasurable) and "no linear or convolution layer" in bare.reason
    monkeypatch.setattr(home, "MOST_NODES", 5)
    with pytest.raises(ResourceError, match="16 feature maps are too many"):
        weight_graph(model_of(net, ["head"]), IMAGE)
