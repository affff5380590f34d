"""One door to every network: sentences, modules, mappings, files."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import zarr
from safetensors.numpy import save_file
from torch import nn

from neuroai.errors import AlignmentError, DataError, UnknownName, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.validate import validate
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model, untrained_twin
from neuroai.systems.training import train_classifier
from neuroai.systems.weights import reinitialised, weights_sha256

FACTORY = """
import torch
from neuroai.systems.model import Model

def net():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
    net.preprocess = lambda stimulus: torch.tensor(stimulus, dtype=torch.float32)
    return net

def number():
    return 3
"""


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("small_convnet", "A scheme and a colon come first. The forms are: hf:FOLDER or"),
        ("builtn:net", "'builtn:net' does not name a network. Did you mean 'builtin'"),
        ("builtin:small_convnet?sed=1", "no option 'sed'. Did you mean 'seeds'"),
        ("builtin:small_convnet?seeds=0,0", "seeds are different whole numbers"),
        ("builtin:small_convnet?seeds=", "needs one value; write seeds=VALUE once"),
        ("builtin:small_convnet?init=zero", "init must be 'random'; got 'zero'"),
        ("builtin:small_convnet?reduce=max", "reduce='max' is not known. There is: count-sketch"),
        ("hf:./nowhere", "neither an existing folder nor ORG/NAME@REVISION"),
        ("py:factory", "must read py:MODULE:FACTORY"),
        ("py:nowhere.py:net", "There is no file 'nowhere.py'"),
        ("py:no_such_module_here:net", "No module is called 'no_such_module_here'"),
        ("acts:nowhere.npz", "There is no file 'nowhere.npz'"),
    ],
)
def test_a_wrong_sentence_says_what_is_wrong(sentence, text):
    """Every mistake has a message with the way out."""
    with pytest.raises(UsageError) as error:
        load_model(sentence)
    assert text in str(error.value)


def test_unknown_names_have_near_misses():
    """A misspelt network and a misspelt layer name the nearest."""
    with pytest.raises(UnknownName, match="No model is called 'small_convne'. Did you mean"):
        load_model("builtin:small_convne")
    with pytest.raises(UnknownName, match="No layer is called 'conv9'. Did you mean"):
        load_model("builtin:small_convnet?layers=conv9")


def test_the_query_sets_layers_and_reduction():
    """Options in the sentence arrive in the model."""
    model = load_model("builtin:small_convnet?layers=conv*,fc2&reduce=mean&seeds=4,2")
    assert model.regions == ("conv1", "conv2", "fc2")
    assert (model.reduce, model.subjects) == ("mean", ("seed4", "seed2"))


def test_a_module_needs_preprocessing(net):
    """A bare module says nothing about its input."""
    with pytest.raises(UsageError, match="Sequential says nothing about preprocessing"):
        load_model(net)


def test_other_objects_are_refused():
    """What is no network is named."""
    with pytest.raises(UsageError, match="got int"):
        load_model(3)


def test_a_mapping_of_seeds_makes_subjects(net):
    """Seed names are the subjects, in order."""
    model = load_model({"seed0": net, "seed7": net}, preprocess=torch.tensor, name="twins")
    assert model.subjects == ("seed0", "seed7") and model.candidate_kind == "model"


def test_a_factory_is_called_and_can_be_untrained(tmp_path, stimuli):
    """A function of a file gives the network; init=random draws its weights anew by seed."""
    path = tmp_path / "nets.py"
    path.write_text(FACTORY)
    model = load_model(f"py:{path}:net")
    assert model.name == "net" and model.outputs(stimuli).shape == (12, 3)
    first, again = (load_model(f"py:{path}:net?init=random&seeds=0,1") for _ in range(2))
    assert first.weights_sha256() == again.weights_sha256()
    assert first.untrained and first.name == "net (untrained)"
    with pytest.raises(UsageError, match="has no function 'nett'. Did you mean 'net'"):
        load_model(f"py:{path}:nett")
    with pytest.raises(UsageError, match="it gave int"):
        load_model(f"py:{path}:number")


def test_untrained_twin_keeps_the_generator_and_the_original(model):
    """Seeds decide the weights; neither torch's generator nor the trained network changes."""
    state, before = torch.random.get_rng_state(), model.weights_sha256()
    twin = untrained_twin(model, seeds=(5, 6))
    hashes = twin.weights_sha256()
    assert torch.equal(torch.random.get_rng_state(), state) and model.weights_sha256() == before
    assert twin.name == "small_convnet (untrained)" and twin.subjects == ("seed5", "seed6")
    assert len(set(hashes.values())) == 2 and set(hashes.values()).isdisjoint(before.values())


def test_parameters_that_cannot_be_drawn_are_named():
    """A part that does not say how to draw its weights makes no untrained control."""
    net = nn.Module()
    net.scale = nn.Parameter(torch.ones(1))
    with pytest.raises(UsageError, match="Part 'the network itself'"):
        reinitialised(net, seed=0)


def test_training_is_the_same_on_every_run_and_learns(model, stimuli):
    """Same seed, same weights; the labels are learnt; the given network stays as it was."""
    net = model.module("seed0")
    before = weights_sha256(net)
    inputs = torch.stack([model.preprocess(stimuli.content(key)) for key in stimuli.ids])
    classes = torch.tensor([int(digit) for digit in stimuli.column("digit")])
    nets = [train_classifier(net, inputs, classes, epochs=40) for _ in range(2)]
    assert weights_sha256(nets[0]) == weights_sha256(nets[1]) != before == weights_sha256(net)
    assert nets[0](inputs).argmax(1).tolist() == classes.tolist()


def _save(path, layers, ids):
    if path.suffix == ".npz":
        np.savez(path, stimulus_id=np.array(ids), **layers)
    elif path.suffix == ".safetensors":
        save_file(layers, path, metadata={"stimulus_id": json.dumps(ids)})
    else:
        group = zarr.open_group(path, mode="w")
        for name, values in layers.items():
            group.create_array(name, data=values)
        group.attrs["stimulus_id"] = ids


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".zarr"])
def test_activations_on_disk_are_found_by_id(tmp_path, stimuli, suffix):
    """Rows come sorted by id, whatever the order in the file; layers keep their labels."""
    rng = np.random.default_rng(0)
    ids = list(rng.permutation(stimuli.ids))
    layers = {
        "conv": rng.normal(size=(12, 2, 3, 3)).astype(np.float32),
        "fc": rng.normal(size=(12, 4)).astype(np.float32),
    }
    _save(tmp_path / f"mine{suffix}", layers, ids)
    system = load_model(f"acts:{tmp_path}/mine{suffix}")
    read = {r.attrs["region"]: validate(r) for r in system.recordings(stimuli)}
    row = ids.index("s05")
    assert system.name == "mine" and set(system.regions) == {"conv", "fc"}
    assert np.array_equal(read["fc"].values[5], layers["fc"][row])
    assert np.array_equal(read["conv"].values[5], layers["conv"][row].ravel())
    assert read["conv"]["feature_map"].values[-1] == 1
    assert isinstance(system.choices(None), NotMeasurable)
    assert isinstance(system.with_lesion(Lesion("fc", (0,), "zero")), NotMeasurable)


def test_activations_that_lack_a_stimulus_name_it(tmp_path, stimuli):
    """Stimuli that the file does not hold are an error with their ids."""
    _save(tmp_path / "a.npz", {"fc": np.ones((11, 2))}, list(stimuli.ids[1:]))
    with pytest.raises(AlignmentError, match="lack 1 of 12 stimuli: s00"):
        load_model(f"acts:{tmp_path}/a.npz").recordings(stimuli)


class Boom:
    """Unpickling this would run code."""

    def __reduce__(self):
        """Name code that fails."""
        return (pytest.fail, ("a pickle was read",))


def test_pickled_activations_are_refused(tmp_path):
    """An array of objects is not read, and nothing in it is run."""
    np.savez(tmp_path / "bad.npz", stimulus_id=np.array(["a"]), fc=np.array([[Boom()]], object))
    with pytest.raises(DataError, match="Arrays of objects are pickled and are refused"):
        load_model(f"acts:{tmp_path}/bad.npz")


def test_activations_without_ids_are_refused(tmp_path):
    """Nothing is matched by position."""
    np.savez(tmp_path / "bare.npz", fc=np.ones((2, 2)))
    with pytest.raises(DataError, match="says nothing about its stimuli; it needs 'stimulus_id'"):
        load_model(f"acts:{tmp_path}/bare.npz")
