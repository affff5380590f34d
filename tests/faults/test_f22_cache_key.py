"""F22: a change in any one thing that activations hang on misses the cache."""

from __future__ import annotations

import dataclasses
from unittest import mock

import numpy as np
import pandas as pd
import torch
from fault_cases import Fault, Outcome, assert_held
from torch import nn

import neuroai
from neuroai.experiment import cache_key
from neuroai.experiment.cache import ActivationCache
from neuroai.format.stimuli import stimulus_set
from neuroai.systems import store_write
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model

IDS = tuple(f"s{i:02d}" for i in range(12))


def _shown(ids=IDS, *, name="noise", changed="", halves="ab"):
    def load(key):
        rng = np.random.default_rng(int(key[1:]) + (1000 if key == changed else 0))
        return rng.integers(0, 255, size=(8, 8), dtype=np.uint8)

    half = [halves[i % 2] for i in range(len(ids))]
    return stimulus_set(pd.DataFrame({"stimulus_id": ids, "half": half}), name=name, load=load)


def _plain(stimulus):
    return torch.from_numpy(np.asarray(stimulus, dtype=np.float32))[None] / 255


def _darker(stimulus):
    return _plain(stimulus) * 0.5


def _network(activation=nn.ReLU, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), activation(), nn.Flatten(), nn.Linear(144, 5))


def _model(**options):
    module = options.pop("module", None)
    given = {"preprocess": _plain, "layers": ["0", "3"], "name": "net", **options}
    return load_model({"seed0": _network() if module is None else module}, **given)


def _changed_weight():
    module = _network()
    with torch.no_grad():
        module[3].bias[0] = torch.nextafter(module[3].bias[0], torch.tensor(9.0))
    return module


class _Halved(nn.ReLU):
    def forward(self, input):
        return super().forward(input) / 2


class _Masked(nn.ReLU):
    def forward(self, input):
        return super().forward(input) / 4


def _two_forwards(kind):
    # One name and one structure, so that the code alone tells them apart.
    kind.__qualname__ = kind.__name__ = "_Own"
    return _model(module=_network(kind))


LESION = Lesion("0", targets=(0,), kind="zero")


def _lesioned(lesion, reference=None):
    return _model().with_lesion(lesion, reference or _shown())


# Each is (what is changed, the field that must tell, the model, the stimuli, options).
def _changes():
    base, shown = _model(), _shown()
    yield "one weight by one bit", "weights_sha256", _model(module=_changed_weight()), shown, {}
    yield "the activation function", "structure_sha256", _model(module=_network(nn.GELU)), shown, {}
    yield "the code of a part", "forward_sha256", _two_forwards(_Halved), shown, {}
    yield "preprocessing", "preprocess_sha256", _model(preprocess=_darker), shown, {}
    yield "what is given to it", "inputs_sha256", _model(preprocess=_darker), shown, {}
    yield "the content of a stimulus", "stimuli_sha256", base, _shown(changed="s07"), {}
    yield "the first stimulus", "input_sha256", base, _shown(changed="s00"), {}
    yield "the name of a stimulus", "stimuli_sha256", base, _shown((*IDS[:-1], "s99")), {}
    yield "the number of stimuli", "n_stimuli", base, _shown(IDS[:-1]), {}
    yield "the name of the set", "stimulus_set", base, _shown(name="other"), {}
    yield "layers", "layers", base, shown, {"layers": ["0", "1"]}
    yield "a reduction", "reduce", _model(reduce="mean"), shown, {}
    yield "its size", "reduce", _model(reduce="count-sketch:8"), shown, {}
    yield "its seed", "reduce", _model(reduce="count-sketch:8:seed=1"), shown, {}
    yield "what it is fitted on", "reduce_fit", _model(reduce="pca:2:fit=half=a"), shown, {}
    yield "precision", "dtype", base, shown, {"dtype": "bfloat16"}
    yield "the batch", "batch_size", _model(batch_size=5), shown, {}
    yield "the name of the network", "system", _model(name="other"), shown, {}
    yield (
        "the seeds",
        "subjects",
        load_model({"seed1": _network()}, preprocess=_plain, layers=["0", "3"], name="net"),
        shown,
        {},
    )
    yield "the revision", "revision", dataclasses.replace(_model(), revision="r2"), shown, {}
    yield "whether it was trained", "untrained", _model(untrained=True), shown, {}
    yield "a lesion", "lesions", _lesioned(LESION), shown, {}


def _versions():
    yield "the version of neuroai", "neuroai", mock.patch.object(neuroai, "__version__", "9.9")
    yield "its code", "code_sha256", mock.patch.object(cache_key, "code_sha256", lambda: "other")
    yield "torch", "torch", mock.patch.object(store_write.torch, "__version__", "9.9")
    yield "numpy", "numpy", mock.patch.object(cache_key, "_version", lambda name: "9.9")
    yield "the form of stores", "format_version", mock.patch.object(cache_key, "FORMAT_VERSION", 99)
    yield "the form of keys", "key_version", mock.patch.object(cache_key, "KEY_VERSION", 99)


def run(cases, _rng):
    """Change one thing at a time; the key must differ, and in the field that was changed."""
    found, cache = Outcome(), ActivationCache()
    base = cache.key(_model(), _shown())
    again = cache.key(_model(), _shown())
    found.check(again.digest == base.digest, "the same request missed")
    for what, name, model, shown, options in _changes():
        differing = base.differing(cache.key(model, shown, **options))
        found.check(name in differing, f"{what} left the key as it was ({differing})")
    for what, name, patch in _versions():
        with patch:
            differing = base.differing(cache.key(_model(), _shown()))
        found.check(name in differing, f"{what} left the key as it was ({differing})")
    one, other = (cache.key(_two_forwards(kind), _shown()) for kind in (_Halved, _Masked))
    found.check(one.differing(other) == ("forward_sha256",), "two forwards of one name were one")
    return found


# All of them are run in either size: they are few.
FAULT = Fault("F22", "any one field of the key changed: a miss; none changed: a hit", 30, run)


def test_f22():
    """Nothing that activations hang on is missing from the key."""
    assert_held(FAULT)
