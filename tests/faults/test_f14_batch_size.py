"""F14: the batch size changes neither activity nor scores, and stands in the provenance."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.systems.catalogue import MODELS
from neuroai.systems.extract import extract
from neuroai.systems.load import load_model

SIZES = (1, 7, 32, 64)
ACTIVITY = 1e-5  # float32 sums in another order, relative to the layer's largest
SCORE = 1e-4


def _shown(rng):
    images = {f"s{i:02d}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(64)}
    return stimulus_set(pd.DataFrame({"stimulus_id": list(images)}), name="s", load=images.get)


def run(cases, rng):
    """Run every built-in network in batches of 1, 7, 32 and 64."""
    found, shown = Outcome(), _shown(rng)
    truth = rng.standard_normal((1, 64 * 63 // 2))
    networks = [name for name in MODELS.names()][: max(2, cases // len(SIZES))]
    for name in networks:
        model = load_model(f"builtin:{name}")
        answers = {n: _answers(replace(model, batch_size=n), shown, truth) for n in SIZES}
        for n in SIZES:
            activity, scores = answers[n]
            far = max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(
                activity, answers[32][0], strict=True))  # fmt: skip
            found.check(far <= ACTIVITY, f"{name}, batch {n}: activity differs by {far:.1e}")
            off = np.abs(scores - answers[32][1]).max()
            found.check(off <= SCORE, f"{name}, batch {n}: scores differ by {off:.1e}")
    with tempfile.TemporaryDirectory() as folder:
        stored = extract(model, shown, Path(folder) / "a.zarr", batch_size=7)
        found.check(stored.settings["batch_size"] == 7, "the batch size is not recorded")
    return found


def _answers(model, shown, truth):
    activity = [r.values.astype(float) for r in model.recordings(shown)]
    answer = rdm(model, stimuli=shown).data["rdm"].transpose("subject", "region", ...).values
    vectors = to_vector(answer.reshape(-1, 64, 64))
    return activity, compare_rdms(truth, vectors, method="spearman")


FAULT = Fault("F14", "batches of 1, 7, 32, 64: activity to 1e-5, scores to 1e-4", 12, run)


def test_f14():
    """Every built-in network, in four batch sizes."""
    assert_held(FAULT)
