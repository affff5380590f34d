"""The demonstration: a simulated brain of known truth beside small networks, all three levels."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from neuroai.experiment.demo_brain import (
    DOSES,
    SILENCING,
    Plan,
    demo_stimuli,
    digit_images,
    held_out,
    simulate_brain,
)
from neuroai.experiment.demo_truth import truth_lines
from neuroai.experiment.options import Options
from neuroai.experiment.run import compare_holdings
from neuroai.format.results import Results
from neuroai.systems.catalogue import MODELS
from neuroai.systems.load import load_model
from neuroai.systems.model import Model
from neuroai.systems.training import train_classifier

SEEDS = (0, 1, 2)
GENERATOR_SEED = 77
# After the nonlinearity: before it, a layer has nearly the same geometry as after it.
LAYERS = ("relu1", "relu2", "pool", "relu3", "fc2")
PLAN = Plan(region_layers=(("V1", "relu1"), ("IT", "relu3")))
N_SAMPLES = 500

__all__ = ["DOSES", "SILENCING", "run_demo"]


def run_demo(*, seed: int = 0, progress: bool = False) -> Results:
    """Recover what was planted in a simulated brain.

    Real digit images; a small network trained on other digits with three seeds, and its untrained
    twin; a brain of four subjects simulated from a network of another seed, with repeats, choices
    and the silencing of a planted module.

    Parameters
    ----------
    seed : int
        Seed of the simulation, the bootstrap and the null; the networks' seeds are fixed.
    progress : bool
        Show progress bars on stderr.

    Returns
    -------
    Results
        With what was planted beside what was recovered.
    """
    images, labels = digit_images()
    stimuli = demo_stimuli(images, labels)
    rest = np.setdiff1d(np.arange(len(labels)), held_out(labels))
    trained = _trained({f"seed{s}": s for s in SEEDS}, images[rest], labels[rest])
    generator = _trained({"generator": GENERATOR_SEED}, images[rest], labels[rest])
    listed = ",".join(str(s) for s in SEEDS)
    untrained = load_model(f"builtin:small_convnet?init=random&seeds={listed}", layers=LAYERS)
    holdings = simulate_brain(generator, stimuli, plan=dataclasses.replace(PLAN, seed=seed))
    options = Options(n_bootstrap=N_SAMPLES, n_null=N_SAMPLES, seed=seed)
    results = compare_holdings(holdings, (trained, untrained), options=options, progress=progress)
    return dataclasses.replace(results, truth=truth_lines(holdings, results, network=trained.name))


def _trained(seeds: dict[str, int], images: np.ndarray, labels: np.ndarray) -> Model:
    build = MODELS.get("small_convnet").function
    networks = {}
    for name, seed in seeds.items():
        module = build(seed=seed)
        inputs = torch.stack([module.preprocess(image) for image in images])
        networks[name] = train_classifier(module, inputs, torch.from_numpy(labels), seed=seed)
    return load_model(networks, name="small_convnet", layers=LAYERS)
