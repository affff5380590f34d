"""F4: NaN and infinite values are counted and refused, and never become zeros."""

from __future__ import annotations

import numpy as np
from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import DataError
from neuroai.format.align import stimulus_means
from neuroai.format.audit import audit, usable_units
from neuroai.testing import random_recording

LEAST, MOST = 0.001, 0.5


def run(cases, rng):
    """Spoil 0.1 to 50 % of the entries, and follow them through audit, means and refusal."""
    found = Outcome()
    for case in range(cases):
        clean = random_recording(n_stimuli=12, n_units=30, n_repeats=2, seed=case)
        bad = rng.random(clean.shape) < np.exp(rng.uniform(np.log(LEAST), np.log(MOST)))
        bad.flat[rng.integers(bad.size)] = True
        spoiled = clean.copy(data=np.where(bad, rng.choice([np.nan, np.inf, -np.inf]), clean))
        wanted = set(clean["unit_id"].values[bad.any(0)])
        counted = set(audit(spoiled).nan_units) == wanted
        try:
            usable_units(spoiled)
            refused = False
        except DataError as error:
            refused = f"{len(wanted)} of 30 units" in str(error)
        means = stimulus_means(spoiled)
        hit = np.isin(spoiled["stimulus_id"].values[:, None], means["stimulus"].values) & bad
        silent = 0
        for row, unit in np.argwhere(hit):
            key = spoiled["stimulus_id"].values[row]
            silent += bool(np.isfinite(means.sel(stimulus=key).values[unit]))
        found.check(
            counted and refused and not silent,
            f"case {case}: counted {counted}, refused {refused}, {silent} silent",
        )
    return found


FAULT = Fault("F4", "NaN and infinite values are counted and refused, never zeros", 300, run)


def test_f4():
    """No value that is not finite becomes a number."""
    assert_held(FAULT)
