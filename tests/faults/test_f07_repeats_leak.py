"""F7: repeats of a stimulus never straddle a fold, so that noise is not predicted from itself."""

from __future__ import annotations

import numpy as np
from fault_cases import Fault, Outcome, assert_held

from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import group_folds, shuffled_folds

N_STIMULI, N_REPEATS, N_FEATURES = 60, 4, 100
# r of independent targets, averaged over 20 of them with 48 rows a fold: four standard errors.
CHANCE = 4 / np.sqrt(20 * 48)


def _simulate(rng):
    """Simulated: each stimulus has features and a response of its own, unrelated to each other."""
    features = rng.standard_normal((N_STIMULI, N_FEATURES))
    responses = rng.standard_normal((N_STIMULI, 20))
    stimulus = np.repeat(np.arange(N_STIMULI), N_REPEATS)
    noise = 0.3 * rng.standard_normal((len(stimulus), 20))
    return features[stimulus], responses[stimulus] + noise, stimulus.astype(str)


def run(cases, rng):
    """Predict what cannot be predicted, with the repeats together and, for contrast, apart."""
    found = Outcome()
    for case in range(cases):
        x, y, stimulus = _simulate(rng)
        folds = group_folds(stimulus, n_folds=5, seed=case)
        split = [set(stimulus[train]) & set(stimulus[test]) for train, test in folds]
        # The inner folds, by which penalties are chosen, are held to the same.
        for train, _ in folds:
            names = stimulus[train]
            split += [set(names[a]) & set(names[b]) for a, b in folds.within(train)]
        r = float(np.mean(encode(x, y, folds=folds, penalties=[1.0, 1e3]).mean_r()))
        found.check(not any(split), f"case {case}: repeats of {split[0]} straddle a fold")
        found.check(r < CHANCE, f"case {case}: r = {r:.2f} from unrelated features")
        if case == 0:
            shuffled = shuffled_folds(len(x), seed=case)
            leaked = float(np.mean(encode(x, y, folds=shuffled, penalties=[1.0]).mean_r()))
            found.check(leaked > 0.5, f"shuffled rows gave {leaked:.2f}: the leak is not there")
            said = "not independent of repeats" in shuffled.how
            found.check(said, "shuffled rows are not named in the result")
    return found


FAULT = Fault("F7", "repeats of a stimulus never straddle a fold, outer or inner", 500, run)


def test_f7():
    """Unrelated features predict nothing, though every stimulus comes four times."""
    assert_held(FAULT)
