"""F6: means over unequal repeats are weighted by showings, and carry their number."""

from __future__ import annotations

import numpy as np
from fault_cases import Fault, Outcome, assert_held

from neuroai.format import build
from neuroai.format.align import stimulus_means

CLOSED_FORM = 1e-12  # sums of a few numbers in another order


def run(cases, rng):
    """Draw unbalanced designs of single showings and averages, and work the means out by hand."""
    found = Outcome()
    for case in range(cases):
        n_rows, n_units = int(rng.integers(10, 60)), 5
        ids = [f"i{k}" for k in rng.integers(0, 8, n_rows)]
        weights = rng.integers(1, 5, n_rows).astype(float)
        values = rng.standard_normal((n_rows, n_units))
        recording = build.recording(
            values,
            stimulus_id=ids,
            unit_id=[f"u{k}" for k in range(n_units)],
            region="V1",
            system="s",
            kind="brain",
            stimulus_set="toy",
            subject="p",
            presentation={"n_repeats": weights},
        )
        means = stimulus_means(recording)
        gap, counts = 0.0, True
        for key in sorted(set(ids)):
            own = np.array([one == key for one in ids])
            by_hand = (values[own] * weights[own, None]).sum(0) / weights[own].sum()
            gap = max(gap, np.abs(means.sel(stimulus=key).values - by_hand).max())
            counts &= float(means["n_repeats"].sel(stimulus=key)) == weights[own].sum()
        found.check(gap <= CLOSED_FORM and counts, f"case {case}: off by {gap:.3g}, {counts}")
    return found


FAULT = Fault("F6", "means over unequal repeats are weighted and carry their counts", 100, run)


def test_f6():
    """Every mean is that of its showings."""
    assert_held(FAULT)
