"""The demonstration: a simulated brain of known truth beside small networks, all three levels."""

from __future__ import annotations

import dataclasses
import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from neuroai.experiment.demo_brain import (
    CARD,
    DOSES,
    N_PLANTED,
    SILENCING,
    choice_columns,
    demo_stimuli,
    digit_images,
    held_out,
    layer_patterns,
)
from neuroai.experiment.demo_files import (
    N_SILENCED,
    NEURONS,
    SCALP,
    Truth,
    write_files,
)
from neuroai.experiment.demo_signals import LASER_LEFT, SCALP_SPAN
from neuroai.experiment.demo_truth import truth_lines
from neuroai.experiment.options import Options
from neuroai.experiment.run import compare_holdings
from neuroai.format.holdings import Holdings
from neuroai.format.results import Results
from neuroai.format.stimuli import StimulusSet
from neuroai.sources.description import load_description
from neuroai.systems.base import System
from neuroai.systems.catalogue import MODELS
from neuroai.systems.load import load_model
from neuroai.systems.model import Model
from neuroai.systems.training import train_classifier

SEEDS = (0, 1, 2)
GENERATOR_SEED = 77
# After the nonlinearity: before it, a layer has nearly the same geometry as after it.
LAYERS = ("relu1", "relu2", "relu3", "fc2")
PLACES = (("V1", "relu1"), ("IT", "relu3"), (SCALP, "relu3"), (NEURONS, "relu3"))
N_EACH = 6
N_SAMPLES = 60

__all__ = ["DOSES", "SILENCING", "run_demo"]


def run_demo(*, seed: int = 0, folder: str | Path | None = None, progress: bool = False) -> Results:
    """Recover what was planted in a simulated brain, through the files a laboratory has.

    Real digit images; a small network trained on other digits with three seeds, and its untrained
    twin; a brain of four subjects simulated from a network of another seed. Its fMRI is written
    as BIDS NIfTI with events, its EEG as FIF, its spikes under a laser as NWB and its choices as
    BIDS tables; all of them are read back as a laboratory's own files are, and compared.

    Parameters
    ----------
    seed : int
        Seed of the simulation, the bootstrap and the null; the networks' seeds are fixed.
    folder : path, optional
        Where the files are kept; in a folder that is removed afterwards by default.
    progress : bool
        Show progress bars on stderr.

    Returns
    -------
    Results
        With what was planted beside what was recovered.
    """
    images, labels = digit_images()
    stimuli = demo_stimuli(images, labels, n_each=N_EACH)
    rest = np.setdiff1d(np.arange(len(labels)), held_out(labels, n_each=N_EACH))
    trained = _trained({f"seed{s}": s for s in SEEDS}, images[rest], labels[rest])
    generator = _trained({"generator": GENERATOR_SEED}, images[rest], labels[rest])
    listed = ",".join(str(s) for s in SEEDS)
    untrained = load_model(f"builtin:small_convnet?init=random&seeds={listed}", layers=LAYERS)
    options = Options(n_bootstrap=N_SAMPLES, n_null=N_SAMPLES, seed=seed)
    kept = tempfile.TemporaryDirectory() if folder is None else nullcontext(folder)
    with kept as place:
        holdings = through_files(Path(place), generator, stimuli, seed=seed)
        results = compare_holdings(
            holdings, (trained, untrained), options=options, progress=progress
        )
        lines = truth_lines(holdings, results, network=trained.name)
    return dataclasses.replace(results, truth=lines)


def through_files(folder: Path, generator: System, stimuli: StimulusSet, *, seed: int) -> Holdings:
    """Simulate four subjects, write their files, and load what the description of them names.

    Parameters
    ----------
    folder : pathlib.Path
        Where the files are written.
    generator : System
        The network whose layers the brain mixes; its last region is the evidence of choices.
    stimuli : StimulusSet
        What is shown.
    seed : int
        Seed of mixtures, noise and choices.

    Returns
    -------
    Holdings
        As read from the files, with the planted truth beside them.
    """
    read = {layer: layer_patterns(generator, layer, stimuli) for layer in dict(PLACES).values()}
    looped = stimuli.column("loop") == "1"
    evidence = layer_patterns(generator, generator.regions[-1], stimuli)
    choices, accuracy = choice_columns(
        evidence, looped, stimuli.column("digit"), stimuli.ids, seed=seed
    )
    layers = {place: read[layer] for place, layer in PLACES}
    path = write_files(folder, stimuli, Truth(layers, looped, choices, seed))
    planted = {
        "layers": dict(PLACES),
        "modules": {"IT": N_PLANTED, NEURONS: N_SILENCED},
        "accuracy": accuracy,
        "laser_left": LASER_LEFT,
        "scalp_span": SCALP_SPAN,
        "n_choices": len(choices["choice"]),
    }
    return dataclasses.replace(load_description(path), card=CARD, truth=planted)


def _trained(seeds: dict[str, int], images: np.ndarray, labels: np.ndarray) -> Model:
    build = MODELS.get("small_convnet").function
    networks = {}
    for name, seed in seeds.items():
        module = build(seed=seed)
        inputs = torch.stack([module.preprocess(image) for image in images])
        networks[name] = train_classifier(module, inputs, torch.from_numpy(labels), seed=seed)
    return load_model(networks, name="small_convnet", layers=LAYERS)
