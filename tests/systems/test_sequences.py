"""How positions of a layer are read: averaged over tokens, or called frames."""

from __future__ import annotations

import torch
from torch import nn

from neuroai.systems.layout import Layout
from neuroai.systems.sequences import SEQUENCE, Frames, Tokens, sequence_of, time_unit_of

TOKENS = Layout(0, ("row", "feature_map"))


def test_padding_may_hold_anything():
    """A token of weight 0 does not count, whatever it holds."""
    reader = Tokens(torch.tensor([[0.5, 0.5, 0.0]]))
    rows = torch.tensor([[[1.0], [3.0], [float("nan")]]])
    values, layout = reader.read(rows, TOKENS)
    assert values.tolist() == [[2.0]] and layout.axes == ("feature_map",)


def test_layers_without_tokens_stay_as_they_are():
    """Another number of positions, or no positions, is left alone."""
    reader = Tokens(torch.ones(1, 3) / 3)
    for rows, layout in ((torch.ones(1, 4, 2), TOKENS), (torch.ones(1, 3), Layout(0, ("x",)))):
        assert reader.read(rows, layout) == (rows, layout)
    assert Tokens().output(rows) is rows


def test_the_whole_output_can_be_asked_for():
    """Within the context nothing is averaged; after it everything is as before."""
    reader, output = Tokens(torch.tensor([[0.0, 1.0]])), torch.arange(4.0).reshape(1, 2, 2)
    with reader.whole():
        assert reader.output(output) is output
    assert reader.output(output).tolist() == [[2.0, 3.0]]


def test_frames_are_times_with_features_as_units():
    """Features first or last, the axes are named alike."""
    rows = torch.arange(6.0).reshape(1, 2, 3)
    for given, layout in ((rows, TOKENS), (rows.movedim(1, 2), Layout(0, ("feature_map", "row")))):
        values, found = Frames().read(given, layout)
        assert torch.equal(values, rows) and found.axes == ("time", "feature_map")
    assert Frames().read(rows[0], Layout(0, ("feature_map",)))[1].axes == ("feature_map",)


def test_a_network_says_how_it_is_read():
    """Without a word on it, a network's time runs in steps."""
    module = nn.Linear(1, 1)
    assert sequence_of(module) is None and time_unit_of(module) == "step"
    setattr(module, SEQUENCE, Frames())
    assert time_unit_of(module) == "frame"
