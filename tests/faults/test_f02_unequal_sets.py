"""F2: stimulus sets that differ are refused, naming the ids; dropping is opted into and counted."""

from __future__ import annotations

import numpy as np
from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import AlignmentError
from neuroai.format.align import align
from neuroai.format.answers import rdm_answer

LISTED = 5  # a message lists as many ids and counts the rest


def answer(ids, system, kind):
    """Make an answer about these stimuli."""
    number = np.array([float(key[1:]) for key in ids])
    return rdm_answer(
        np.abs(number[:, None] - number)[None, None],
        subjects=["p"],
        regions=["IT"],
        stimuli=list(ids),
        parameters={},
        system=system,
        kind=kind,
        stimulus_set="toy",
    )


def run(cases, rng):
    """Drop some stimuli of either side, or of both."""
    found, ids = Outcome(), [f"i{i:02d}" for i in range(14)]
    for case in range(cases):
        lost = rng.permutation(ids)[: rng.integers(1, LISTED + 1)]
        cut = rng.integers(0, len(lost) + 1)
        a, b = (sorted(set(ids) - set(part)) for part in (lost[:cut], lost[cut:]))
        sides = answer(a, "brain", "brain"), answer(b, "net", "model")
        try:
            align(*sides)
        except AlignmentError as error:
            named = all(key in str(error) for key in lost)
        else:
            named = False
        kept, _, dropped = align(*sides, stimuli="shared")
        counted = dropped == len(lost) and set(kept.stimuli) == set(a) & set(b)
        found.check(named and counted, f"case {case}: {sorted(lost)} named {named}, {dropped}")
    return found


FAULT = Fault("F2", "stimulus sets that differ are refused by id; dropping is counted", 200, run)


def test_f2():
    """No set is cut in silence."""
    assert_held(FAULT)
