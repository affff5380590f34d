"""Comparisons that several tests read, each run once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from simulated_brain import Plan, simulate_brain

from neuroai.errors import ResourceError
from neuroai.experiment.demo_brain import demo_stimuli, digit_images, held_out
from neuroai.experiment.options import Asked, Options
from neuroai.experiment.run import compare_holdings
from neuroai.format.holdings import Holdings
from neuroai.format.results import Results
from neuroai.sources.catalogue import load_dataset
from neuroai.systems.brain import brains_of, published_networks
from neuroai.systems.catalogue import MODELS
from neuroai.systems.load import load_model
from neuroai.systems.model import Model
from neuroai.systems.training import train_classifier

PLAN = Plan(region_layers=(("V1", "relu1"), ("IT", "relu3")))
LAYERS = ("relu1", "relu3", "fc2")
QUICK = Options(n_bootstrap=60, n_null=19, n_controls=100)


def _trained(name: str, seed: int) -> Model:
    """Train the small network for two epochs on digits that are no stimuli."""
    images, labels = digit_images()
    rest = np.setdiff1d(np.arange(len(labels)), held_out(labels))
    module = MODELS.get("small_convnet").function(seed=seed)
    inputs = torch.stack([module.preprocess(images[i]) for i in rest])
    classes = torch.from_numpy(labels[rest])
    trained = train_classifier(module, inputs, classes, seed=seed, epochs=2)
    return load_model({f"seed{seed}": trained}, name=name, layers=LAYERS)


@pytest.fixture(scope="session")
def network() -> Model:
    """The small network, trained for two epochs."""
    return _trained("net", 1)


@pytest.fixture(scope="session")
def untrained() -> Model:
    """Its untrained twin."""
    return load_model("builtin:small_convnet?init=random&seeds=0,1", layers=LAYERS)


@pytest.fixture(scope="session")
def simulation() -> Holdings:
    """A simulated brain of 40 digits whose regions mix layers of another network."""
    images, labels = digit_images()
    stimuli = demo_stimuli(images, labels, n_each=4)
    return simulate_brain(_trained("generator", 7), stimuli, plan=PLAN)


@pytest.fixture(scope="session")
def asked_of(simulation):
    """Give a function that makes what the levels are asked with."""

    def make(*networks, holdings: Holdings = simulation, **options: object) -> Asked:
        return Asked(
            holdings=holdings,
            brains=brains_of(holdings),
            published=published_networks(holdings),
            networks=networks,
            options=dataclasses.replace(QUICK, **options),
        )

    return make


@pytest.fixture(scope="session")
def quick() -> Options:
    """Few samples."""
    return QUICK


@pytest.fixture(scope="session")
def results(simulation, network, untrained) -> Results:
    """The simulated brain beside a trained and an untrained network, all three levels."""
    return compare_holdings(simulation, (network, untrained), options=QUICK)


@pytest.fixture(scope="session")
def dataset_of():
    """Give a function that loads real data, or skips with the reason."""

    def load(name: str) -> Holdings:
        try:
            return load_dataset(name)
        except ResourceError as error:
            pytest.skip(str(error))

    return load


@pytest.fixture(scope="session")
def mobilenet(models_root, require) -> str:
    """The small ImageNet network, by the name that the command line takes."""
    pytest.importorskip("transformers", reason="the extra 'hf' is not installed")
    folder = models_root / "mobilenet_v1_0.25_224"
    require(folder.is_dir(), "mobilenet_v1_0.25_224 is not here")
    return f"hf:{folder}"
