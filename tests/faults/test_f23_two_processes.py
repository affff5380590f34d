"""F23: of processes that ask for the same activations at once one computes, and none reads half."""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fault_cases import Fault, Outcome, assert_held

from neuroai.experiment.cache import ActivationCache
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.load import load_model

PROCESSES = 8


def _shown():
    def load(key):
        return np.random.default_rng(int(key[1:])).integers(0, 255, (8, 8), dtype=np.uint8)

    table = pd.DataFrame({"stimulus_id": [f"s{i}" for i in range(24)]})
    return stimulus_set(table, name="noise", load=load)


def _model():
    return load_model("builtin:small_convnet", layers=["conv*", "fc2"], batch_size=8)


def _ask(folder, barrier, queue):
    torch.set_num_threads(1)
    shown, model = _shown(), _model()
    passes = []
    module = model.module()
    module.register_forward_hook(lambda *_: passes.append(1))
    barrier.wait()
    held = ActivationCache(Path(folder)).activations(model, shown)
    digest = tuple(float(r.values.astype(np.float64).sum()) for r in held.recordings(shown))
    queue.put((digest, len(passes)))


def _together(folder):
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(PROCESSES), context.SimpleQueue()
    started = [
        context.Process(target=_ask, args=(folder, barrier, queue)) for _ in range(PROCESSES)
    ]
    for process in started:
        process.start()
    answers = [queue.get() for _ in started]
    for process in started:
        process.join()
    return answers


def run(cases, _rng):
    """Let eight processes ask at once, again and again, each time of an empty cache."""
    found, model, shown = Outcome(), _model(), _shown()
    expected = tuple(float(r.values.astype(np.float64).sum()) for r in model.recordings(shown))
    # What a process runs to make the key, and to size the store, beside the batches themselves.
    for case in range(cases):
        with tempfile.TemporaryDirectory() as folder:
            answers = _together(folder)
            computing = [n for _, n in answers if n >= len(shown.ids) // model.batch_size]
            torn = [digest for digest, _ in answers if digest != expected]
            found.check(not torn, f"case {case}: {len(torn)} processes read something else")
            found.check(len(computing) == 1, f"case {case}: {len(computing)} processes computed")
            found.count("processes", PROCESSES)
    return found


FAULT = Fault("F23", "8 processes at once: one computes, 0 read a torn store", 50, run)


# Python 3.12 warns of forks beside threads; torch computes on one thread here.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_f23():
    """A lock lets one compute while the others wait."""
    assert_held(FAULT)
