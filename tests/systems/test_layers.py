"""Layers are named as in named_modules() and chosen by name or glob."""

from __future__ import annotations

import pytest
from torch import nn

from neuroai.errors import UnknownName
from neuroai.systems.layers import choose_layers, default_layers


class Staged(nn.Module):
    """A stem, stages of unlike size, and a list as the head, as residual networks have."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        self.body = nn.Module()
        self.body.stages = nn.ModuleList(
            nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 9)) for _ in range(2)
        )
        self.body.norm = nn.LayerNorm(2)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(2, 2))


def test_defaults_are_the_stages_and_what_stands_around_them():
    """The list with most parameters is taken apart; everything else stays whole."""
    wanted = ("stem", "body.stages.0", "body.stages.1", "body.norm", "head")
    assert default_layers(Staged()) == wanted


def test_siblings_of_the_largest_list_are_taken_apart_too():
    """Stages that are lists beside each other all give their blocks."""
    net = nn.Module()
    net.stem = nn.Linear(1, 1)
    net.first = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net.second = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5))
    assert default_layers(net) == ("stem", "first.0", "first.1", "second.0", "second.1")


def test_a_plain_network_gives_its_innermost_layers():
    """Without a list every leaf is a layer, but not dropout, identity or flattening."""
    net = nn.Module()
    net.a = nn.Linear(2, 2)
    net.drop = nn.Dropout()
    net.inner = nn.Module()
    net.inner.b = nn.ReLU()
    net.inner.same = nn.Identity()
    net.attention = nn.MultiheadAttention(4, 2)
    assert default_layers(net) == ("a", "inner.b", "attention")


def test_globs_stay_within_a_part_and_keep_the_order():
    """'*' does not cross a dot, '**' does; layers come in the network's own order."""
    net = Staged()
    assert choose_layers(net, ["head", "body.stages.*"]) == (
        "body.stages.0",
        "body.stages.1",
        "head",
    )
    assert choose_layers(net, ["body.**.1"]) == (
        "body.stages.0.1",
        "body.stages.1",
        "body.stages.1.1",
    )


def test_a_misspelt_layer_lists_the_nearest():
    """The message names what was asked for and the nearest layers."""
    with pytest.raises(UnknownName) as error:
        choose_layers(Staged(), ["body.stage.1"])
    assert str(error.value).startswith(
        "No layer is called 'body.stage.1'. Did you mean 'body.stages.1'"
    )


def test_a_glob_without_a_match_says_how_globs_work():
    """The message explains '*' and '**'."""
    with pytest.raises(UnknownName, match=r"No layer matches 'x\*'. '\*' stays within one dotted"):
        choose_layers(Staged(), ["x*"])
