"""Attention heads as a layer: outputs stay, a head's lesion is that head's weights cut out."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tiny_networks import save_bert, save_gpt

from neuroai.errors import UsageError
from neuroai.systems.heads import with_heads
from neuroai.systems.intervention import Intervention
from neuroai.systems.load import load_model

BERT = "encoder.layer.0.attention"
SINGLE = 1e-5  # relative; float32 sums in another order


def relative(got, wanted):
    """Give the largest difference relative to the largest value."""
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


@pytest.fixture(scope="module")
def transformer():
    """The registered transformer, its heads as layers."""
    return with_heads(load_model("builtin:small_transformer"))


def test_outputs_and_weights_stay(transformer, stimuli):
    """The network with heads shown gives what it gave, from the same weights."""
    plain = load_model("builtin:small_transformer")
    assert relative(transformer.outputs(stimuli), plain.outputs(stimuli)) <= SINGLE
    shared = {p.data_ptr() for p in transformer.module().parameters()}
    assert len(shared) == len(list(plain.module().parameters()))
    assert transformer.weights_sha256() == plain.weights_sha256()


@pytest.mark.parametrize("head", [0, 1])
def test_silencing_a_head_cuts_its_columns(transformer, stimuli, head):
    """Zero of a head equals a network whose output projection has no weights from it."""
    name = "blocks.0.attention"
    by_hand = load_model("builtin:small_transformer")
    net = copy.deepcopy(by_hand.module())
    with torch.no_grad():
        net.blocks[0].attention.out_proj.weight[:, head * 8 : (head + 1) * 8] = 0
    wanted = load_model(net, name="cut", preprocess=by_hand.preprocess).outputs(stimuli)
    lesion = Intervention(f"{name}.heads", (head,), "zero", of="heads")
    assert relative(transformer.with_lesion(lesion).outputs(stimuli), wanted) <= SINGLE
    bench = transformer.lesion_bench(f"{name}.heads", stimuli)
    assert bench.cached and relative(bench.run(lesion)[0], wanted) <= SINGLE


def test_heads_are_read_and_replaced_by_their_mean(transformer, stimuli):
    """The layer has a column a feature and a row a token; a mean lesion is a constant head."""
    layer = "blocks.1.attention.heads"
    lesioned = transformer.with_lesion(Intervention(layer, (1,), "mean", of="heads"), stimuli)
    [whole] = transformer.recordings(stimuli, regions=[layer])
    [got] = lesioned.recordings(stimuli, regions=[layer])
    maps = whole["feature_map"].values.astype(int)
    assert whole.sizes["unit"] == 8 * 16
    assert np.ptp(got.values[:, maps >= 8], axis=0).max() == 0
    assert np.array_equal(got.values[:, maps < 8], whole.values[:, maps < 8])


@pytest.mark.parametrize(
    ("save", "layer", "weight"),
    [
        (save_gpt, "transformer.h.0.attn.heads", "transformer.h.0.attn.c_proj"),
        (
            save_bert,
            "encoder.layer.0.attention.self.heads",
            "encoder.layer.0.attention.output.dense",
        ),
    ],
)
def test_networks_of_transformers(tmp_path, save, layer, weight):
    """Heads of language models, whatever they call their projection."""
    model = with_heads(load_model(f"hf:{save(tmp_path / 'net')}"))
    tokens = torch.tensor([[3, 5, 8, 6], [9, 4, 7, 7]])
    module = model.module().eval()
    seen = {}
    handle = module.get_submodule(layer).register_forward_hook(
        lambda _, given, out: seen.update(heads=out.detach())
    )
    with torch.no_grad():
        module(input_ids=tokens)
    handle.remove()
    assert seen["heads"].shape == (2, 4, 16) and module.get_submodule(layer).n_heads == 2
    assert module.get_submodule(weight)._forward_pre_hooks


def test_a_network_without_attention_says_so(model):
    """And heads cannot be lesioned in a layer that shows none."""
    with pytest.raises(UsageError, match="no attention whose heads can be told apart"):
        with_heads(model)


def test_heads_beyond_the_last_are_told(transformer, stimuli):
    """Two heads, counted from 0; and a layer that shows none."""
    lesion = Intervention("blocks.0.attention.heads", (2,), "zero", of="heads")
    with pytest.raises(UsageError, match="has 2 heads, counted from 0 to 1"):
        transformer.with_lesion(lesion, stimuli)
    with pytest.raises(UsageError, match="shows no attention heads"):
        transformer.with_lesion(Intervention("readout", (0,), "zero", of="heads"), stimuli)
