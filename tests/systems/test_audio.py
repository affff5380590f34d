"""Networks that hear: the rate is theirs, and time runs in frames of each layer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_networks import save_wav2vec

from neuroai.errors import DataError
from neuroai.format.sounds import Sound
from neuroai.format.stimuli import stimulus_set
from neuroai.format.validate import validate
from neuroai.systems.audio import resampled
from neuroai.systems.hooks import inference
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model

SINGLE = 1e-5  # float32 algebra
# A 440 Hz tone through the polyphase filter, away from the ends.
FILTERED = 2e-3


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Two convolutions and two blocks, random weights, at 16 kHz."""
    return load_model(f"hf:{save_wav2vec(tmp_path_factory.mktemp('nets') / 'wav')}")


@pytest.fixture(scope="module")
def sounds():
    """Three sounds of a quarter of a second at 16 kHz."""
    rng = np.random.default_rng(0)
    made = {k: Sound(rng.standard_normal(4000).astype(np.float32), 16000) for k in "abc"}
    return stimulus_set(pd.DataFrame({"stimulus_id": list(made)}), name="noise", load=made.get)


def test_layers_are_courses_in_frames(model, sounds):
    """Features are units and frames are times, in convolutions and in blocks alike."""
    found = {r.attrs["region"]: r for r in model.recordings(sounds)}
    for recording in found.values():
        validate(recording)
        assert recording.attrs["time_unit"] == "frame"
        assert recording.attrs["sound_rate_hz"] == "16000"
    # Strides of 5 and 4 from 4,000 samples: (4000 - 10) // 5 + 1 and (799 - 8) // 4 + 1.
    assert found["feature_extractor.conv_layers.0"].shape == (3, 8, 799)
    assert found["feature_extractor.conv_layers.1"].shape == (3, 8, 198)
    assert found["encoder.layers.1"].shape == (3, 16, 198)


def test_values_are_those_of_transformers(model, sounds):
    """The last block equals its plain output, turned."""
    [found] = model.recordings(sounds, regions=["encoder.layers.1"])
    module, seen = model.module(), []
    handle = module.encoder.layers[1].register_forward_hook(lambda *g: seen.append(g[-1]))
    with inference(module):
        module(torch.stack([model.preprocess(sounds.content(key)) for key in sounds.ids]))
    handle.remove()
    plain = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
    assert np.abs(found.values - plain.numpy().transpose(0, 2, 1)).max() < SINGLE


@pytest.mark.parametrize("layer", ["feature_extractor.conv_layers.0", "encoder.layers.0"])
@pytest.mark.parametrize("kind", ["zero", "mean"])
def test_a_lesion_acts_on_a_feature_at_all_frames(model, sounds, layer, kind):
    """The lesioned feature is constant over stimuli, and the others are as before."""
    lesioned = model.with_lesion(Lesion(layer, (2,), kind), sounds)
    [before] = model.recordings(sounds, regions=[layer])
    [after] = lesioned.recordings(sounds, regions=[layer])
    assert np.ptp(after.values[:, 2], axis=0).max() < SINGLE < np.ptp(before.values[:, 2])
    assert np.array_equal(after.values[:, :2], before.values[:, :2])


def test_a_tone_keeps_its_pitch():
    """Brought from 8 to 16 kHz, a tone of 440 Hz is the tone of 440 Hz."""
    slow, fast = (np.sin(2 * np.pi * 440 * np.arange(n) / n) for n in (8000, 16000))
    found = resampled(Sound(slow, 8000), 16000)
    assert found.dtype == np.float32
    assert np.abs(found - fast)[200:-200].max() < FILTERED


def test_only_sounds_are_taken(model):
    """Samples without a rate are refused, since the rate would be guessed."""
    with pytest.raises(DataError, match="samples with their rate"):
        model.preprocess(np.zeros(100, dtype=np.float32))
