"""F24: what an extraction takes is told beforehand, and stays within what it may take."""

from __future__ import annotations

import os

import pytest
from fault_cases import Fault, Outcome, assert_held
from memory_networks import MIB, networks, peaks_of_fresh_process

BUDGETS = (96, 256, 512)
NEAR, OVER = 0.2, 0.1
# What an interpreter takes beside tensors scatters by this much from run to run.
ASIDE = 20 * MIB


def run(cases, _rng):
    """Compare the estimate with the peak in a fresh process: ten networks, three budgets."""
    found = Outcome()
    pairs = [(name, budget) for budget in BUDGETS for name in networks()]
    # A step that is no multiple of ten: a tenth takes another network with each budget.
    chosen = pairs if cases >= len(pairs) else pairs[:: len(pairs) // cases + 1][:cases]
    for (name, budget), peak in zip(chosen, peaks_of_fresh_process(chosen), strict=True):
        told, took, limit = peak["told"], peak["took"], budget * MIB
        found.check(
            abs(took - told) <= NEAR * took + ASIDE,
            f"{name}, {budget} MiB: told {told / MIB:.0f}, took {took / MIB:.0f} MiB",
        )
        found.check(
            took <= (1 + OVER) * limit + ASIDE,
            f"{name}: took {took / MIB:.0f} of {budget} MiB",
        )
    return found


FAULT = Fault("F24", "memory: told within 20 % beforehand, and within the budget", 30, run)


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux, not mps")
def test_f24():
    """Ten networks, three budgets."""
    assert_held(FAULT)
