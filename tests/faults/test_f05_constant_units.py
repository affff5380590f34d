"""F5: units and patterns that never vary are counted, and give no score."""

from __future__ import annotations

import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.format.audit import audit
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.testing import random_recording


def run(cases, rng):
    """Hold some units, or the whole pattern of some stimuli, at one value."""
    found = Outcome()
    for case in range(cases):
        recording = random_recording(n_stimuli=10, n_units=12, seed=case)
        values, level = recording.values.copy(), rng.choice([0.0, -3.5, 1e9])
        chosen = rng.permutation(10)[: rng.integers(1, 6)]
        if case % 2:
            values[:, chosen] = level
            names = set(recording["unit_id"].values[chosen])
            held = set(audit(recording.copy(data=values)).constant_units) == names
        else:
            values[chosen] = level
            held = _counted(recording.copy(data=values), chosen)
        found.check(held, f"case {case}: {len(chosen)} at {level} went unnoticed")
    return found


def _counted(recording, chosen):
    ids = list(recording["stimulus_id"].values)
    shown = stimulus_set(pd.DataFrame({"stimulus_id": sorted(ids)}), name="noise")
    facts = SystemData("noise", "brain", "none", recordings=(recording,))
    answer = rdm(Recorded(data=facts, stimuli=shown), distance="correlation")
    rows = answer.data["rdm"].values[0, 0]
    flat = sorted(np.array(answer.stimuli)[np.isnan(np.diag(rows))])
    kept = [i for i, key in enumerate(answer.stimuli) if key not in flat]
    return (
        flat == sorted(ids[i] for i in chosen)
        and answer.undefined["constant patterns"] == len(chosen)
        and np.isfinite(rows[np.ix_(kept, kept)]).all()
    )


FAULT = Fault("F5", "units and patterns without variance are counted, never scored", 200, run)


def test_f5():
    """Nothing constant is scored unnoticed."""
    assert_held(FAULT)
