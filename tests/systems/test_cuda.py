"""On a graphics card: activity, choices, lesions and stores are those of the processor."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from interventions import ON_ACTIVITY, ON_WEIGHTS, example
from tiny_networks import save_gpt

from neuroai.cards import ChoiceTask
from neuroai.errors import ResourceError
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.catalogue import MODELS
from neuroai.systems.driving import driving_input
from neuroai.systems.extract import extract
from neuroai.systems.heads import with_heads
from neuroai.systems.intervention import Intervention
from neuroai.systems.load import load_model
from neuroai.systems.surprisal import surprisal

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no cuda device is here")

# float32 through a whole network, relative to the largest value of a layer; TF32 gives 1e-3.
AGREES = 1e-5
# Sixty steps along a gradient, each rounded.
CLIMBED = 1e-3
# Eight bits of mantissa through four layers.
BF16 = 0.02
# Ranks of distances that all but tie may change places.
RANKED = 1e-4
DIGITS = ChoiceTask(name="digits", options=("0", "1", "2"), truth="digit")


def _both(spec: str, **options):
    return tuple(load_model(spec, device=device, **options) for device in ("cpu", "cuda"))


def _relative(got, wanted) -> float:
    return float(np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-30))


@pytest.mark.parametrize("name", MODELS.names())
def test_every_layer_of_every_network_agrees(name, stimuli):
    """Activity and outputs of the registered networks, and the weights' hash."""
    here, there = _both(f"builtin:{name}")
    for wanted, got in zip(here.recordings(stimuli), there.recordings(stimuli), strict=True):
        assert _relative(got.values, wanted.values) <= AGREES, wanted.attrs["region"]
    assert _relative(there.outputs(stimuli), here.outputs(stimuli)) <= AGREES
    assert here.weights_sha256() == there.weights_sha256()
    assert next(there.module().parameters()).device.type == "cuda"


def test_choices_agree(stimuli):
    """The same options are chosen, with the same confidence."""
    tables = [model.choices(DIGITS, stimuli) for model in _both("builtin:small_convnet?seeds=0,1")]
    assert tables[0]["choice"].values.tolist() == tables[1]["choice"].values.tolist()
    assert _relative(tables[1]["confidence"].values, tables[0]["confidence"].values) <= AGREES


@pytest.mark.parametrize("kind", ON_ACTIVITY)
def test_lesions_of_activity_agree(kind, stimuli):
    """Every kind, by a whole pass and by a bench."""
    half = stimuli.restrict(stimuli.ids[::2])
    found = []
    for model in _both("builtin:small_convnet"):
        lesion = example(kind, "conv2", (1, 5), ids=stimuli.ids, sources=half.ids, n_features=32)
        outputs = model.with_lesion(lesion, half).outputs(stimuli)
        bench = model.lesion_bench("conv2", stimuli, reference=half)
        assert bench.cached and _relative(bench.run(lesion)[0], outputs) <= AGREES
        found.append(outputs)
    assert _relative(found[1], found[0]) <= AGREES


@pytest.mark.parametrize("kind", ON_WEIGHTS)
def test_lesions_of_weights_agree_and_are_undone(kind, stimuli):
    """Every kind; the weights on the card are afterwards what they were."""
    found = []
    for model in _both("builtin:small_convnet"):
        before = model.weights_sha256()
        lesion = example(kind, "fc1", tuple(range(64)), of="weights", seed=9)
        found.append(model.with_lesion(lesion).outputs(stimuli))
        assert model.weights_sha256() == before
    assert _relative(found[1], found[0]) <= AGREES


def test_heads_agree(stimuli):
    """An attention head silenced."""
    lesion = Intervention("blocks.0.attention.heads", (1,), "zero", of="heads")
    here, there = (
        with_heads(model).with_lesion(lesion).outputs(stimuli)
        for model in _both("builtin:small_transformer")
    )
    assert _relative(there, here) <= AGREES


@pytest.mark.parametrize("reduce", [None, "mean", "count-sketch:8", "pca:3:fit=half=A"])
def test_stores_agree(reduce, stimuli, tmp_path):
    """What is extracted on the card is what is extracted here; components up to their sign."""
    options = {"layers": ["conv1", "relu3", "fc2"], "batch_size": 4}
    stores = [
        extract(model, stimuli, tmp_path / f"{model.device}.zarr", reduce=reduce)
        for model in _both("builtin:small_convnet", **options)
    ]
    for here, there in zip(*(store.recordings(stimuli) for store in stores), strict=True):
        a, b = here.values, there.values
        if reduce and reduce.startswith("pca"):
            a, b = np.abs(a), np.abs(b)
        assert _relative(b, a) <= AGREES * (100 if reduce and "pca" in reduce else 1)


def test_half_precision_is_near_and_named(stimuli, tmp_path):
    """bfloat16 on the card: within its eight bits of what float32 gives, and not equal to it."""
    model = load_model("builtin:small_convnet", layers=["fc2"], device="cuda")
    whole = extract(model, stimuli, tmp_path / "a.zarr")
    short = extract(model, stimuli, tmp_path / "b.zarr", dtype="bfloat16")
    [a], [b] = whole.recordings(stimuli), short.recordings(stimuli)
    assert 0 < _relative(b.values, a.values) <= BF16


def test_a_user_s_tf32_does_not_reach_the_activity(stimuli):
    """Products in TF32, allowed by the caller, stay out of float32 passes and are given back."""
    _, there = _both("builtin:small_convnet")
    wanted = there.outputs(stimuli)
    torch.set_float32_matmul_precision("high")
    try:
        assert np.array_equal(there.outputs(stimuli), wanted)
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_driving_inputs_agree():
    """A gradient climbed on the card ends where it ends here."""
    found = [
        driving_input(model, "conv2", 7, shape=(1, 8, 8), norm=4.0, n_steps=60)
        for model in _both("builtin:small_convnet", layers=["conv2"])
    ]
    assert found[1].response == pytest.approx(found[0].response, rel=CLIMBED)


def test_surprisal_agrees(tmp_path):
    """Bits of the last words from a language model on the card."""
    texts = {"a": "the old man", "b": "the old man the boats on", "c": "unforgettable"}
    stimuli = stimulus_set(pd.DataFrame({"stimulus_id": list(texts)}), name="texts", load=texts.get)
    folder = save_gpt(tmp_path / "gpt")
    here, there = (surprisal(model, stimuli)["surprisal"] for model in _both(f"hf:{folder}"))
    assert _relative(there.to_numpy(), here.to_numpy()) <= AGREES


def test_a_batch_beyond_the_card_is_refused(stimuli, tmp_path, monkeypatch):
    """Too little memory there is told before the work, with a batch that fits."""
    model = load_model("builtin:small_convnet", device="cuda", layers=["fc2"], batch_size=12)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (30_000, 10**9))
    with pytest.raises(ResourceError, match=r"on cuda; .* free there\. Batches of \d+ fit"):
        extract(model, stimuli, tmp_path / "a.zarr")


def test_mobilenet_compares_alike_on_both(mobilenet, tmp_path):
    """The whole comparison with human IT: scores, lesions and choices of both devices."""
    import neuroai as nai

    if not Path(os.environ.get("NEUROAI_DATA", "")).is_dir():
        pytest.skip("set NEUROAI_DATA to the folder of the data sets")
    layers = ["mobilenet_v1.layer.20", "mobilenet_v1.layer.24"]
    here, there = (
        nai.compare(
            "kriegeskorte2008", f"hf:{mobilenet}", device=device, layers=layers,
            n_bootstrap=100, n_null=99,
        )
        for device in ("cpu", "cuda")
    )  # fmt: skip
    assert len(here.scores) > 5
    for wanted, got in zip(here.scores, there.scores, strict=True):
        assert got.value == pytest.approx(wanted.value, abs=RANKED, nan_ok=True), wanted
    for wanted, got in zip(here.dose_curves, there.dose_curves, strict=True):
        assert _relative(got.targeted, wanted.targeted) <= RANKED
