"""Networks and stimuli that the tests of systems share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from neuroai.format.stimuli import stimulus_set
from neuroai.systems.load import load_model

N_STIMULI = 12


@pytest.fixture(scope="session")
def images():
    """Random images of 8 by 8 pixels, not to be written to."""
    rng = np.random.default_rng(5)
    made = {f"s{i:02d}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(N_STIMULI)}
    for image in made.values():
        image.setflags(write=False)
    return made


@pytest.fixture(scope="session")
def stimuli(images):
    """A stimulus set of these images, with a class and a half for each."""
    table = pd.DataFrame(
        {
            "stimulus_id": list(images),
            "digit": [str(i % 3) for i in range(N_STIMULI)],
            "half": ["A" if i % 2 else "B" for i in range(N_STIMULI)],
        }
    )
    return stimulus_set(table, name="toy", load=images.__getitem__)


@pytest.fixture
def model():
    """The registered convolutional network with two seeds."""
    return load_model("builtin:small_convnet?seeds=0,1")


@pytest.fixture
def net():
    """A module of two linear layers, without preprocessing."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))


@pytest.fixture(scope="session")
def mobilenet():
    """Folder of the small ImageNet network, or a skip that says what is missing."""
    pytest.importorskip("transformers", reason="the extra 'hf' is not installed")
    beside = os.environ.get("NEUROAI_DATA", "")
    roots = [os.environ.get("NEUROAI_MODELS", ""), beside and str(Path(beside).parent / "models")]
    for root in filter(None, roots):
        folder = Path(root) / "mobilenet_v1_0.25_224"
        if folder.is_dir():
            return folder
    pytest.skip("mobilenet_v1_0.25_224 is not here; set NEUROAI_MODELS to the folder that holds it")
