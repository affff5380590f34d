"""Every registered network keeps what its card claims and builds the same from the same seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from neuroai.format.stimuli import stimulus_set
from neuroai.format.validate import validate
from neuroai.systems.base import System
from neuroai.systems.catalogue import MODELS
from neuroai.systems.load import load_model
from neuroai.systems.weights import weights_sha256

N_STIMULI = 4


@pytest.fixture(params=MODELS.names())
def entry(request):
    """One registered network."""
    return MODELS.get(request.param)


def _stimuli(entry):
    rng = np.random.default_rng(0)
    shape = (*entry.card.input_shape[1:], 3)
    images = {f"s{i}": rng.integers(0, 256, shape, dtype=np.uint8) for i in range(N_STIMULI)}
    return stimulus_set(pd.DataFrame({"stimulus_id": list(images)}), name="toy", load=images.get)


def test_seed_decides_the_weights(entry):
    """The same seed gives the same weights, another seed others."""
    first, again, other = (weights_sha256(entry.function(seed=seed)) for seed in (3, 3, 4))
    assert first == again != other


def test_building_leaves_the_generator_alone(entry):
    """Building draws nothing from the user's generator."""
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    entry.function(seed=0)
    assert torch.equal(torch.rand(3), wanted)


def test_preprocess_gives_the_shape_of_the_card(entry):
    """A stimulus becomes a tensor of the card's input shape, within [0, 1] for an image."""
    stimuli = _stimuli(entry)
    tensor = entry.function(seed=0).preprocess(stimuli.content("s0"))
    assert tuple(tensor.shape) == entry.card.input_shape
    assert 0 <= float(tensor.min()) and float(tensor.max()) <= 1


def test_is_a_system_with_valid_recordings(entry):
    """The network is a system, and every recording of every default layer keeps the form."""
    model = load_model(f"builtin:{entry.card.name}?seeds=0,1")
    assert isinstance(model, System)
    recordings = list(model.recordings(_stimuli(entry)))
    parts = [(r.attrs["subject"], r.attrs["region"]) for r in recordings]
    assert parts == [(s, r) for s in model.subjects for r in model.regions]
    for recording in recordings:
        validate(recording)
        assert recording.sizes["presentation"] == N_STIMULI
        assert np.isfinite(recording.values).all()


def test_registered_networks_are_marked_untrained(entry):
    """Random weights are a control and say so."""
    model = load_model(f"builtin:{entry.card.name}")
    assert model.candidate_kind == "untrained" and model.name.endswith("(untrained)")
