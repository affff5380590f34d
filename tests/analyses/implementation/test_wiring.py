"""Wiring of connectomes and of networks' weights, beside random graphs of their degrees."""

from __future__ import annotations

import os
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

from neuroai.analyses.implementation.wiring import LAYER_DENSITY, _of_network, wiring
from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.experiment.demo_brain import demo_stimuli, digit_images, held_out
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import connectome
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.catalogue import load_dataset
from neuroai.systems.brain import Recorded, brains_of
from neuroai.systems.catalogue import MODELS
from neuroai.systems.load import load_model
from neuroai.systems.training import train_classifier

EXACT = 1e-12  # the same sums in float64


def brain(weights, *, directed=False):
    """Make a brain of one connectome."""
    names = [f"n{i}" for i in range(len(weights))]
    matrix = connectome(
        weights, unit_id=names, system="b", kind="brain", directed=directed, weight_meaning="w"
    ).assign_attrs(note="whole")
    data = SystemData(name="b", kind="brain", species="none", connectomes=(matrix,))
    table = stimulus_set(pd.DataFrame({"stimulus_id": ["none"]}), name="none")
    return Recorded(data=data, stimuli=table)


def test_a_modular_graph_is_found_and_its_numbers_are_networkx_s():
    """Four planted modules: Q far above rewired graphs; clustering and efficiency by networkx."""
    theirs = nx.planted_partition_graph(4, 10, 0.7, 0.05, seed=0)
    answer = wiring(brain(nx.to_numpy_array(theirs)), n_nulls=39)
    data = answer.data.sel(region="whole").isel(subject=0)
    assert float(data["p"].sel(measure="modularity")) == pytest.approx(2 / 40)
    assert float(data["z"].sel(measure="modularity")) > 5
    wanted = {"clustering": nx.average_clustering, "efficiency": nx.global_efficiency}
    for name, function in wanted.items():
        assert float(data["value"].sel(measure=name)) == pytest.approx(function(theirs), abs=EXACT)
    assert float(data["n_edges"]) == 2 * theirs.number_of_edges()


def test_options_and_what_is_left_out():
    """Density keeps the strongest; negative weights are counted; a clique cannot be rewired."""
    weights = np.random.default_rng(0).normal(size=(30, 30))
    weights = np.triu(weights, 1) + np.triu(weights, 1).T
    answer = wiring(brain(weights), density=0.2, n_nulls=5)
    assert float(answer.data["density"].item()) == pytest.approx(0.2, abs=0.01)
    assert answer.undefined["negative weights left out"] == int((weights < 0).sum())
    full = wiring(brain(1 - np.eye(6)), n_nulls=5)
    assert isinstance(full, NotMeasurable) and "too dense" in full.reason
    with pytest.raises(UsageError, match="density must lie in"):
        wiring(brain(weights), density=0)
    with pytest.raises(UnknownName, match="Did you mean 'whole'"):
        wiring(brain(weights), regions=["whol"])


def test_cat_cortex_is_modular_small_world_with_a_rich_club(require):
    """Scannell's 52 areas: more modular and clustered than its degrees alone make a graph."""
    try:
        cat = next(b for b in brains_of(load_dataset("connectomes")) if b.name == "cat")
    except DataError as error:
        require(None, str(error))
    data = wiring(cat, n_nulls=19).data.isel(subject=0, region=0)
    z = {str(m): float(data["z"].sel(measure=m)) for m in data["measure"].values}
    assert min(z["modularity"], z["clustering"], z["small_world"]) > 3
    assert float(data["value"].sel(measure="small_world")) > 1


@pytest.fixture(scope="module")
def demo():
    """The demo's network, trained for two epochs, and its untrained twin."""
    images, labels = digit_images()
    rest = np.setdiff1d(np.arange(len(labels)), held_out(labels))
    module = MODELS.get("small_convnet").function(seed=1)
    inputs = torch.stack([module.preprocess(images[i]) for i in rest])
    trained = train_classifier(module, inputs, torch.from_numpy(labels[rest]), seed=1, epochs=2)
    both = {"trained": trained, "untrained": MODELS.get("small_convnet").function(seed=1)}
    return load_model(both, name="net", layers=["fc2"]), demo_stimuli(images, labels, n_each=2)


def test_learning_leaves_its_trace_in_the_demo_s_weights(demo):
    """Trained against untrained: modularity stands farther above its nulls after training."""
    net, stimuli = demo
    data = wiring(net, stimuli=stimuli, n_nulls=9).data.isel(region=0)
    z = data["z"].sel(measure="modularity")
    assert float(z.sel(subject="trained")) > float(z.sel(subject="untrained")) + 1
    assert (data["changed"] > 0.2).all()
    assert "clustering" not in data["measure"].values


def test_each_two_layers_keep_a_share_of_their_edges(demo):
    """A fifth of every block by default: no pair of layers crowds out another."""
    net, stimuli = demo
    graph = next(_of_network(net, stimuli, None, None))
    for source in range(int(graph.layer.max())):
        block = graph.weights[np.ix_(graph.layer == source, graph.layer == source + 1)]
        assert (block > 0).mean() == pytest.approx(LAYER_DENSITY, abs=1 / block.size)


def test_mobilenet_trained_and_untrained(require):
    """Two stages of the ImageNet network: learnt weights are less even than drawn ones."""
    folder = Path(os.environ.get("NEUROAI_DATA", "")).parent / "models" / "mobilenet_v1_0.25_224"
    require(folder.is_dir(), "mobilenet_v1_0.25_224 is not here")
    image = {"a": np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)}
    shown = stimulus_set(pd.DataFrame({"stimulus_id": ["a"]}), name="noise", load=image.get)
    layers = [f"mobilenet_v1.layer.{i}.convolution" for i in (9, 10, 11, 12, 13)]
    q = {}
    for init in ("trained", "random"):
        extra = "" if init == "trained" else "?init=random"
        net = load_model(f"hf:{folder}{extra}")
        data = wiring(net, stimuli=shown, regions=layers, n_nulls=5).data.isel(subject=0, region=0)
        # Where every null has the same modules z is undefined, and the measure is left out.
        q[init] = data["z"].to_series().to_dict()
        assert float(data["n_nodes"]) == 4 * 128
    assert q["trained"]["modularity"] > 3
    assert abs(q["random"].get("modularity", 0.0)) < 3
    assert abs(q["trained"]["efficiency"]) > abs(q["random"]["efficiency"]) + 3


def test_what_has_no_wiring_says_so(demo):
    """No stimulus to see which layer feeds which, and attention."""
    net, stimuli = demo
    answer = wiring(net)
    assert isinstance(answer, NotMeasurable) and "shown one stimulus" in answer.reason
    answer = wiring(load_model("builtin:small_transformer"), stimuli=stimuli)
    assert isinstance(answer, NotMeasurable) and "which no weight" in answer.reason
