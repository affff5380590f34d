"""F1: the order of showings changes no result."""

from __future__ import annotations

import pandas as pd
from fault_cases import Fault, Outcome, assert_held

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.format.align import align
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.systems.brain import Recorded
from neuroai.testing import random_recording

UNCHANGED = 1e-12  # sums in another order, in double precision


def score(first, second):
    """Compare the RDMs of two recordings, aligned by id."""
    answers = []
    for name, recording in (("one", first), ("other", second)):
        facts = SystemData(name, "brain", "none", recordings=(recording,))
        answers.append(rdm(Recorded(data=facts, stimuli=_shown(recording))))
    a, b, _ = align(*answers)
    vectors = [to_vector(answer.data["rdm"].values[:, 0]) for answer in (a, b)]
    return compare_rdms(*vectors, method="spearman").item()


def _shown(recording):
    ids = sorted(set(recording["stimulus_id"].values))
    return stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="noise")


def run(cases, rng):
    """Permute the showings of both sides, each in its own order."""
    found = Outcome()
    sides = [random_recording(n_stimuli=10, n_repeats=2, seed=seed) for seed in (0, 1)]
    ordered = score(*sides)
    for case in range(cases):
        moved = [r.isel(presentation=rng.permutation(r.sizes["presentation"])) for r in sides]
        change = abs(score(*moved) - ordered)
        found.check(change <= UNCHANGED, f"order {case} changed the score by {change:.3g}")
    return found


FAULT = Fault("F1", "the order of showings changes no result", 1_000, run)


def test_f1():
    """No order changes the score."""
    assert_held(FAULT)
