"""Outputs are read and replaced by hooks that leave nothing behind."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import pytest
import torch
from torch import nn

from neuroai.errors import UsageError
from neuroai.systems.hooks import (
    activities,
    capture,
    first_tensor,
    inference,
    map_tensors,
    replaced,
    with_first_tensor,
)

Pair = namedtuple("Pair", "weights tokens")


@pytest.mark.parametrize(
    "output",
    [
        torch.ones(2),
        (torch.ones(2), torch.zeros(1)),
        [None, torch.ones(2)],
        Pair(None, torch.ones(2)),
        OrderedDict(loss=None, logits=torch.ones(2), state=(torch.zeros(1),)),
        {"deep": (None, [torch.ones(2)])},
    ],
)
def test_first_tensor_is_found_and_exchanged(output):
    """The first tensor is exchanged, the structure stays, the original is untouched."""
    changed = with_first_tensor(output, torch.full((2,), 3.0))
    assert type(changed) is type(output)
    assert first_tensor(changed).tolist() == [3.0, 3.0]
    assert first_tensor(output).tolist() == [1.0, 1.0]


def test_map_tensors_reaches_every_tensor():
    """Every tensor in a nest is changed, everything else stays."""
    got = map_tensors({"a": (torch.ones(1), None), "b": [torch.ones(1)]}, lambda t: t + 1)
    assert float(got["a"][0]) == 2 and got["a"][1] is None and float(got["b"][0]) == 2


def test_inference_restores_each_mode_and_the_fused_attention():
    """A network partly in eval mode is so again, also after an error."""
    net = nn.Sequential(nn.Dropout(), nn.Dropout())
    net[1].eval()
    with pytest.raises(ZeroDivisionError), inference(net):
        assert not net[0].training and not torch.is_grad_enabled()
        raise ZeroDivisionError
    assert net[0].training and not net[1].training and net.training
    assert torch.backends.mha.get_fastpath_enabled()


def test_captured_tensors_are_not_aliased():
    """A later layer that writes in place does not change what was read."""
    net = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True))
    with capture(net, ["0"], n_stimuli=1) as read:
        net(torch.tensor([[-1.0, 2.0]]))
    assert read["0"][0].tolist() == [[-1.0, 2.0]]


def test_a_layer_asked_for_twice_is_read_once():
    """Naming a layer twice does not look like calling it twice."""
    net = nn.Sequential(nn.Identity())
    with capture(net, ["0", "0"], n_stimuli=1) as read:
        net(torch.ones(1, 2))
    assert len(read["0"]) == 1


def test_replacing_counts_calls():
    """A change is told which call of the pass it is in."""
    net = nn.Sequential(nn.Identity())
    with replaced(net, [("0", lambda part, output, call: output + call)]):
        got = [float(net(torch.zeros(1, 1))) for _ in range(3)]
    assert got == [0.0, 1.0, 2.0] and not net[0]._forward_hooks


def test_a_layer_that_is_never_called_is_named():
    """A layer without activity is an error that says so."""
    net = nn.Sequential(nn.Identity(), nn.Identity())
    with capture(net, ["1"], n_stimuli=1) as read:
        net[0](torch.ones(1, 2))
    with pytest.raises(UsageError, match="Layer '1' is never called in a forward pass"):
        activities(net, read)


def test_an_output_without_an_axis_of_stimuli_is_refused():
    """A table of positions has no row for each stimulus."""
    net = nn.Sequential(nn.Embedding(5, 2))
    with (
        pytest.raises(UsageError, match="axis 0 does not run along stimuli"),
        capture(net, ["0"], n_stimuli=2),
    ):
        net(torch.arange(5))
