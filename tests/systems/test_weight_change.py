"""Interventions in weights: what is computed under them, and that weights come back."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from interventions import ON_WEIGHTS, example

from neuroai.errors import UsageError
from neuroai.systems.intervention import Intervention
from neuroai.systems.load import load_model
from neuroai.systems.weights import reinitialised, weights_sha256

EXACT = 1e-6  # relative; the same float32 operations


def by_hand(model, change):
    """Give the outputs of a copy whose weights are changed for good."""
    net = copy.deepcopy(model.module("seed0"))
    with torch.no_grad():
        change(net)
    return load_model(net, name="changed", preprocess=model.preprocess)


def under(model, lesion, stimuli):
    """Give the outputs under an intervention."""
    return model.with_lesion(lesion, stimuli).outputs(stimuli, subject="seed0")


def test_cut_connections(model, stimuli):
    """A kernel and a row of weights that are 0, and no others."""
    pairs = Intervention("conv2", ((1, 3), (2, 0)), "zero", of="connections")

    def cut(net):
        net.conv2.weight[3, 1] = 0
        net.conv2.weight[0, 2] = 0

    wanted = by_hand(model, cut).outputs(stimuli)
    assert np.abs(under(model, pairs, stimuli) - wanted).max() <= EXACT
    rows = Intervention("fc1", (4, 7), "scale", of="weights", amount=-2.0, strength=0.5)

    def scale(net):
        net.fc1.weight[[4, 7]] *= 0.5 + 0.5 * -2.0

    wanted = by_hand(model, scale).outputs(stimuli)
    assert np.abs(under(model, rows, stimuli) - wanted).max() <= EXACT


def test_frozen_weights_are_those_before_training(model, stimuli):
    """The whole layer as a fresh network with the intervention's seed draws it."""
    every = tuple(range(10))
    lesion = Intervention("fc2", every, "freeze", of="weights", seed=5)

    def freeze(net):
        net.fc2.weight.copy_(reinitialised(net, seed=5).fc2.weight)

    wanted = by_hand(model, freeze).outputs(stimuli)
    assert np.abs(under(model, lesion, stimuli) - wanted).max() <= EXACT


def test_many_bits_change_little_and_few_change_much(model, stimuli):
    """Quantising to 16 bits leaves the outputs, to 2 bits it does not."""
    intact = model.outputs(stimuli, subject="seed0")
    every = tuple(range(64))
    fine, coarse = (
        np.abs(
            under(model, Intervention("fc1", every, "quantise", of="weights", amount=b), stimuli)
            - intact
        ).max()
        / np.abs(intact).max()
        for b in (16, 2)
    )
    # Sixteen bits round to 3e-5 of the largest weight.
    assert fine < 1e-3 < 0.05 < coarse


@pytest.mark.parametrize("kind", ON_WEIGHTS)
def test_weights_come_back(model, stimuli, kind):
    """After a pass, and after an error in one, every parameter is the same object and bytes."""
    module = model.module("seed0")
    before, own = weights_sha256(module), dict(module.fc1.named_parameters())
    lesion = example(kind, "fc1", tuple(range(64)), of="weights", seed=9)
    lesioned = model.with_lesion(lesion)
    outputs = lesioned.outputs(stimuli, subject="seed0")
    assert np.abs(outputs - model.outputs(stimuli, subject="seed0")).max() > 0
    bench = model.lesion_bench("fc1", stimuli, subject="seed0")
    assert np.array_equal(bench.run(lesion)[0], outputs)
    broken = module.fc2.register_forward_hook(_fail)
    with pytest.raises(ZeroDivisionError):
        lesioned.outputs(stimuli, subject="seed0")
    broken.remove()
    assert weights_sha256(module) == before
    assert all(own[name] is p for name, p in module.fc1.named_parameters())


def _fail(part, args, output):
    raise ZeroDivisionError("injected")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (("relu1", (0,), "zero", "weights", None), "weights are changed of linear and convolution"),
        (("fc2", (10,), "zero", "weights", None), "from 64 input features into 10 features"),
        (("fc2", ((64, 0),), "zero", "connections", None), "lie beyond"),
        (("fc2", (0,), "mean", "weights", None), "'mean' acts on activity; of='weights'"),
        (("fc2", (0,), "quantise", "features", 4), "'quantise' acts on weights"),
        (("fc2", (0,), "quantise", "weights", None), "needs amount="),
        (("fc2", (0,), "quantise", "weights", 1.5), "a whole number from 2; got 1.5"),
        (("fc2", (0,), "zero", "connections", None), "are pairs"),
    ],
)
def test_what_cannot_be_changed_is_told(model, stimuli, facts, said):
    """Layers without weights, targets beyond them, kinds of another place."""
    region, targets, kind, of, amount = facts
    before = model.weights_sha256()
    with pytest.raises(UsageError, match=said):
        model.with_lesion(Intervention(region, targets, kind, of=of, amount=amount), stimuli)
    assert model.weights_sha256() == before and not model.lesions
