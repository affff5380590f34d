"""The layers that are read where nobody names any."""

from __future__ import annotations

import pytest
from tiny_networks import save_bert
from torch import nn

from neuroai.systems.defaults import read_by_default
from neuroai.systems.layers import default_layers
from neuroai.systems.load import load_model


def test_a_network_of_images_is_read_at_its_blocks():
    """Nothing is run, and the blocks are those of default_layers."""
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    assert read_by_default(module, pytest.fail) == default_layers(module) == ("0", "1")


def test_the_probe_leaves_no_hook(tmp_path):
    """The layers were read once; nothing stays on them."""
    model = load_model(f"hf:{save_bert(tmp_path / 'bert')}")
    assert "encoder.layer.0" in model.regions
    parts = [part for name, part in model.module().named_modules() if name]
    assert not any(part._forward_hooks for part in parts)
