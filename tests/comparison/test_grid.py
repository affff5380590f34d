"""Grids from cached factors equal the metric pair by pair, whoever is compared with whom."""

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.analyses.algorithm.responses import responses
from neuroai.comparison.catalogue import METRICS
from neuroai.comparison.grid import similarity_grid
from neuroai.errors import AlignmentError, UsageError
from neuroai.experiment.grid import grid
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model
from neuroai.testing import EQUAL, random_recording, toy_brain, toy_stimuli

NAMES = [entry.card.name for entry in METRICS.entries() if entry.card.compares == "responses"]


def brain(*, n_stimuli=16, seed=0):
    """Two subjects with two regions each, but for one part that was not recorded."""
    parts = [("p1", "V1", 5), ("p1", "IT", 7), ("p2", "V1", 40)]
    made = tuple(
        random_recording(n_stimuli=n_stimuli, n_units=n, subject=s, region=r, seed=seed + k)
        for k, (s, r, n) in enumerate(parts)
    )
    ids = sorted(set(made[0]["stimulus_id"].values))
    shown = stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="noise")
    facts = SystemData("noise", "brain", "none", recordings=made)
    return Recorded(data=facts, stimuli=shown)


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_is_the_metric_of_its_pair(name):
    """What is cached changes no number; cells are found by label."""
    a, b = responses(brain()), responses(brain(seed=7), regions=["IT", "V1"])
    found = similarity_grid(a, b, metric=name)
    function = METRICS.get(name).function
    for mine in a.responses:
        for other in b.responses:
            at = {
                "subject": mine.attrs["subject"], "region": mine.attrs["region"],
                "subject_to": other.attrs["subject"], "region_to": other.attrs["region"],
            }  # fmt: skip
            wanted = function(mine.sortby("stimulus_id").values, other.sortby("stimulus_id").values)
            np.testing.assert_allclose(found["value"].sel(at).item(), wanted, atol=EQUAL)


def test_what_was_not_recorded_is_counted():
    """Three of four parts on either side leave 16 - 9 cells without a value."""
    answer = responses(brain())
    found = similarity_grid(answer, answer)
    assert found.attrs["n_unmeasured"] == 7 == int(np.isnan(found["value"]).sum())
    assert found["n_units"].sel(subject="p2").values.tolist() == [40, 0]


def test_a_network_with_itself_and_with_a_brain():
    """Layers of a network against each other, and against a recording of the same images."""
    net = load_model("builtin:small_convnet")
    own = grid(net, stimuli=toy_stimuli(8))
    diagonal = [own["value"].sel(region=r, region_to=r).item() for r in own["region"].values]
    np.testing.assert_allclose(diagonal, 1, atol=EQUAL)
    layer = own["region"].values[:1]
    both = grid(toy_brain(), net, metric="procrustes", regions_to=layer)
    assert both.attrs["system"] == "toy" and both["value"].shape == (1, 1, 1, 1)
    back = grid(net, toy_brain(), metric="procrustes", regions=layer)
    assert back["value"].item() == pytest.approx(both["value"].item(), abs=EQUAL)


def test_wrong_calls_say_what_to_do():
    """Another form, a metric of RDMs, other stimuli, and networks without stimuli."""
    answer = responses(brain())
    with pytest.raises(UsageError, match="the metric 'rdm-cosine' compares rdm"):
        similarity_grid(answer, answer, metric="rdm-cosine")
    with pytest.raises(UsageError, match="answered 'rdm' in the form 'rdm'"):
        similarity_grid(rdm(toy_brain(), distance="squared-euclidean"), answer)
    with pytest.raises(AlignmentError, match="only in brain 'noise'"):
        similarity_grid(answer, responses(brain(n_stimuli=12)))
    shared = similarity_grid(answer, responses(brain(n_stimuli=12)), stimuli="shared")
    assert shared.attrs["n_stimuli"] == 12 and shared.attrs["n_stimuli_dropped"] == 4
    with pytest.raises(UsageError, match="Two networks need stimuli to be shown"):
        grid(load_model("builtin:small_convnet"))
