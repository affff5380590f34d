"""T14: a brain in the network's place and a network in the brain's go the same way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.analyses.algorithm.responses import responses
from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.format.answers import Answer
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.testing import random_recording

# Sums in another order, in double precision.
SAME = 1e-12
CONTEXT = Context(level="algorithm", dataset="drawn")
QUICK = Inference(n_bootstrap=50, n_null=0)
ASK = {"rdm": lambda s: rdm(s, distance="squared-euclidean"), "responses": responses}
METRICS_OF_TWO_SYSTEMS = [
    entry.card.name
    for entry in METRICS.entries()
    if entry.card.compares in ASK and entry.card.symmetric
]


def _system(name: str, kind: str, seeds: tuple[int, ...], n_units: int) -> Recorded:
    activity = tuple(
        random_recording(n_stimuli=16, n_units=n_units, subject=f"{name}{s}", seed=s) for s in seeds
    )
    data = SystemData(name=name, kind=kind, species="none", recordings=activity)
    ids = sorted(set(activity[0]["stimulus_id"].values))
    return Recorded(data, stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="noise"))


def _asked(system: Recorded, form: str) -> Answer:
    answer = ASK[form](system)
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.parametrize("name", METRICS_OF_TWO_SYSTEMS)
def test_symmetric_metrics_are_equal_with_the_roles_swapped(name):
    """Two subjects of a brain and three seeds of a network, either in the other's place."""
    form = METRICS.get(name).card.compares
    brain = _asked(_system("brain", "brain", (1, 2), 12), form)
    network = _asked(_system("network", "model", (3, 4, 5), 9), form)
    [there] = compare(brain, network, metric=name, context=CONTEXT, inference=QUICK)
    [back] = compare(network, brain, metric=name, context=CONTEXT, inference=QUICK)
    assert np.isfinite(there.value)
    assert abs(there.value - back.value) <= SAME
    np.testing.assert_allclose(there.pairs.values, back.pairs.values.T, atol=SAME)
