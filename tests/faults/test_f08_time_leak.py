"""F8: time series are cut into blocks with a gap, so that slow noise does not leak."""

from __future__ import annotations

import numpy as np
from fault_cases import Fault, Outcome, assert_held
from scipy.signal import lfilter

from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import block_folds, shuffled_folds

N_TIMES, N_FEATURES, N_TARGETS, GAP, MEMORY = 600, 100, 10, 50, 0.9
# Slow series of 120 samples a block have about 120 (1 - .81) / (1 + .81) = 13 independent ones;
# averaged over five blocks and ten targets, four standard errors.
CHANCE = 4 / np.sqrt(13 * 5 * 10)


def _slow(rng, n):
    """Simulated: series that remember 0.9 of the sample before."""
    return lfilter([1.0], [1.0, -MEMORY], rng.standard_normal((N_TIMES, n)), axis=0)


def run(cases, rng):
    """Predict independent slow series from each other in blocks and, for contrast, shuffled."""
    found = Outcome()
    for case in range(cases):
        x, y = _slow(rng, N_FEATURES), _slow(rng, N_TARGETS)
        folds = block_folds(["run"] * N_TIMES, n_folds=5, gap=GAP)
        apart = min(np.abs(a[:, None] - b).min() for a, b in folds)
        r = float(np.mean(encode(x, y, folds=folds, penalties=[10.0, 1e4]).mean_r()))
        found.check(apart == GAP + 1, f"case {case}: learnt {apart} rows from what is tested")
        found.check(r < CHANCE, f"case {case}: r = {r:.2f} between independent series")
        if case == 0:
            shuffled = shuffled_folds(N_TIMES)
            leaked = float(np.mean(encode(x, y, folds=shuffled, penalties=[10.0]).mean_r()))
            found.check(leaked > 0.5, f"shuffled rows gave {leaked:.2f}: the leak is not there")
            said = "not independent of repeats or time" in shuffled.how
            found.check(said, "shuffled rows are not named in the result")
    return found


FAULT = Fault("F8", "time series: contiguous blocks with a gap; shuffled rows are named", 500, run)


def test_f8():
    """Independent slow series do not predict each other."""
    assert_held(FAULT)
