"""Units and times of a layer's output, checked by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from neuroai.errors import UsageError
from neuroai.systems.layout import combine, layout_of, reduced, unit_columns


def test_units_of_a_convolution_run_over_maps_rows_and_columns():
    """Values and labels agree: unit c.r.q holds element [c, r, q]."""
    maps = torch.arange(24.0).reshape(1, 2, 3, 4)
    layout = layout_of(nn.Conv2d(1, 1, 1), 4)
    got = combine([maps], layout, layer="conv")
    ids, columns = unit_columns("conv", got.shape, got.axes)
    place = ids.index("conv/1.2.3")
    assert float(got.values[0, place]) == float(maps[0, 1, 2, 3])
    assert [columns[name][place] for name in ("feature_map", "row", "col")] == [1, 2, 3]


def test_tokens_are_rows_and_features_are_maps():
    """(stimulus, token, feature): the token is the row, the feature the map."""
    tokens = torch.arange(6.0).reshape(1, 2, 3)
    layout = layout_of(nn.LayerNorm(3), 3)
    got = combine([tokens], layout, layer="block")
    ids, columns = unit_columns("block", got.shape, got.axes)
    assert ids[4] == "block/1.1" and (columns["row"][4], columns["feature_map"][4]) == (1, 1)
    assert reduced(tokens, layout, reduce="mean").tolist() == [[1.5, 2.5, 3.5]]


def test_one_dimensional_convolutions_put_maps_first():
    """(stimulus, map, place) of a one-dimensional convolution is not taken for tokens."""
    assert layout_of(nn.Conv1d(1, 1, 1), 3).axes == ("feature_map", "row")


@pytest.mark.parametrize("batch_first", [True, False])
def test_recurrent_layers_tell_which_axis_is_time(batch_first):
    """The module's own batch_first decides; units are features, times are steps."""
    layout = layout_of(nn.GRU(1, 2, batch_first=batch_first), 3)
    steps = torch.arange(6.0).reshape(1, 3, 2)
    got = combine([steps], layout, layer="gru")
    assert layout.batch_axis == (0 if batch_first else 1)
    assert got.shape == (2,) and got.values[0].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_attention_with_batch_second_is_read_by_stimulus():
    """A transformer layer with batch_first=False has stimuli on the second axis."""
    assert layout_of(nn.TransformerEncoderLayer(4, 2, batch_first=False), 3).batch_axis == 1
    assert layout_of(nn.MultiheadAttention(4, 2, batch_first=True), 3).batch_axis == 0


def test_mean_over_rows_and_columns():
    """reduce="mean" leaves one unit a feature map."""
    maps = torch.tensor([[[[1.0, 3.0]], [[5.0, 9.0]]]])
    assert reduced(maps, layout_of(nn.ReLU(), 4), reduce="mean").tolist() == [[2.0, 7.0]]


def test_calls_of_unlike_shape_are_refused():
    """A layer that gives other shapes on other calls has no common units."""
    calls = [torch.ones(1, 2), torch.ones(1, 3)]
    with pytest.raises(UsageError, match="called 2 times in one pass, with outputs of unlike"):
        combine(calls, layout_of(nn.ReLU(), 2), layer="relu")
