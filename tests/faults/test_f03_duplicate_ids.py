"""F3: an id that comes twice, or names two contents, is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import NeuroaiError
from neuroai.format.stimuli import stimulus_set


def run(cases, rng):
    """Double an id in the table, or change the content behind one after it was hashed."""
    found = Outcome()
    for case in range(cases):
        ids = [f"i{i}" for i in range(8)]
        pixels = {key: rng.integers(0, 256, (4, 4), dtype=np.uint8) for key in ids}
        victim = str(rng.choice(ids))
        try:
            if case % 2:
                doubled = pd.DataFrame({"stimulus_id": [*ids, victim]})
                stimulus_set(doubled, name="twice", load=pixels.__getitem__)
            else:
                table = pd.DataFrame({"stimulus_id": ids})
                shown = stimulus_set(table, name="images", load=pixels.__getitem__)
                pixels[victim] = pixels[victim] ^ np.uint8(1)
                shown.content(victim)
        except NeuroaiError as error:
            found.check(victim in str(error), f"case {case}: {victim} is not named: {error}")
        else:
            found.check(False, f"case {case}: {victim} passed in silence")  # noqa: FBT003
    return found


FAULT = Fault("F3", "an id that comes twice or has two contents is refused", 100, run)


def test_f3():
    """Every duplicate is named."""
    assert_held(FAULT)
