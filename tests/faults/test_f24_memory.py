"""F24: what an extraction takes is told beforehand, and stays within what it may take."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from fault_cases import Fault, Outcome, assert_held
from memory_networks import images, networks, peak_of

from neuroai.systems.extract import extract
from neuroai.systems.load import load_model
from neuroai.systems.store_run import estimate, make_job

BUDGETS = (96, 256, 512)
MIB = 2**20
NEAR, OVER = 0.2, 0.1
# What an interpreter takes beside tensors scatters by this much from run to run.
ASIDE = 20 * MIB


def run(cases, _rng):
    """Compare the estimate with the peak of a forked process: ten networks, three budgets."""
    found, shown = Outcome(), images(96)
    pairs = [(name, budget) for budget in BUDGETS for name in networks()]
    # A tenth takes every third network, with one budget each.
    chosen = pairs if cases >= len(pairs) else pairs[:: len(pairs) // max(1, cases)][:cases]
    for name, budget in chosen:
        net, layers = networks()[name]
        model = load_model(net, preprocess=_tensor, layers=layers, name=name, batch_size=32)
        limit = budget * MIB
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            job = make_job(model, shown, layers=None, reduction=None, dtype="float32", device=None)
            told = estimate(job, path / "a.zarr", max_memory=limit)
            expected = told.need.memory(told.batch_size)
            took = peak_of(
                lambda path=path, limit=limit, model=model: extract(
                    model, shown, path / "a.zarr", max_memory=limit
                ),
                warm=lambda path=path, model=model: extract(
                    model, shown.restrict(shown.ids[:2]), path / "w.zarr"
                ),
            )
        off = abs(took - expected)
        found.check(
            off <= NEAR * took + ASIDE,
            f"{name}, {budget} MiB: told {expected / MIB:.0f}, took {took / MIB:.0f} MiB",
        )
        found.check(
            took <= (1 + OVER) * limit + ASIDE,
            f"{name}: took {took / MIB:.0f} of {budget} MiB",
        )
    return found


def _tensor(image):
    import torch

    return torch.from_numpy(image)


FAULT = Fault("F24", "memory: told within 20 % beforehand, and within the budget", 30, run)


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux, not mps")
def test_f24():
    """Ten networks, three budgets."""
    assert_held(FAULT)
