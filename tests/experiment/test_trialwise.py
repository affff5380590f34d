"""Trial by trial: a planted relation of distance, choice and time is found; none is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.cards import ChoiceTask
from neuroai.errors import UsageError
from neuroai.experiment.trialwise import NO_TIME, Trialwise, trialwise, within_auc
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded

TASK = ChoiceTask("side", ("left", "right"), "side", readout=True)
N_CONDITIONS, N_TRIALS = 8, 30


def brain(*, coupled: bool, simultaneous: bool = True, seed: int = 0) -> Recorded:
    """Make four units that lean to the side; choices follow their noise, or a coin."""
    rng = np.random.default_rng(seed)
    ids = [f"c{i}" for i in range(N_CONDITIONS)]
    side = np.array(["left", "right"] * (N_CONDITIONS // 2))
    shown = np.repeat(np.arange(N_CONDITIONS), N_TRIALS)
    sign = np.where(side[shown] == "right", 1.0, -1.0)
    noise = rng.standard_normal(len(shown))
    values = (0.4 * sign + noise)[:, None] + 0.1 * rng.standard_normal((len(shown), 4))
    evidence = sign * (0.4 * sign + noise)
    drive = evidence if coupled else rng.standard_normal(len(shown))
    right = drive + 0.3 * rng.standard_normal(len(shown)) > -0.2
    activity = recording(
        values, stimulus_id=[ids[i] for i in shown], unit_id=[f"u{i}" for i in range(4)],
        region="SC", system="mouse", kind="brain", stimulus_set="toy", subject="m1",
        presentation={
            "outcome": np.where(right, "hit", "error").astype(object),
            "response_time": 1 - 0.2 * drive + 0.05 * rng.standard_normal(len(shown)),
        },
        simultaneous=simultaneous,
    )  # fmt: skip
    table = pd.DataFrame({"stimulus_id": ids, "side": side}, dtype=object)
    data = SystemData("mouse", "brain", "Mus musculus", recordings=(activity,))
    return Recorded(data=data, stimuli=stimulus_set(table, name="toy"))


def test_choices_that_follow_the_cells_go_with_the_distance() -> None:
    """Right trials lie further on the side of the truth, and are answered sooner."""
    found = trialwise(brain(coupled=True), task=TASK)
    assert isinstance(found, Trialwise)
    assert found.by_subject("auc")["m1"] > 0.8
    assert found.by_subject("time")["m1"] < -0.5
    assert found.time_reason == ""
    total = found.table["n_right"].item() + found.table["n_wrong"].item()
    assert total == N_CONDITIONS * N_TRIALS


def test_choices_by_a_coin_do_not() -> None:
    """Within four standard errors of no relation (error of an AUC of these sizes: .04)."""
    found = trialwise(brain(coupled=False), task=TASK)
    assert abs(found.by_subject("auc")["m1"] - 0.5) < 4 * 0.04
    assert abs(found.by_subject("time")["m1"]) < 4 / np.sqrt(N_CONDITIONS * N_TRIALS / 2)


def test_easy_stimuli_alone_make_no_relation() -> None:
    """Pairs of one stimulus are compared: a difference between stimuli cannot show."""
    distance = np.array([5.0, 5.0, 5.0, 1.0, 1.0, 1.0])
    right = np.array([True, True, False, True, False, False])
    groups = np.array(list("aaabbb"))
    assert within_auc(distance, right, groups) == 0.5
    assert within_auc(distance, right, np.array(["all"] * 6)) == pytest.approx(6 / 9)
    assert np.isnan(within_auc(distance, np.ones(6, dtype=bool), groups))


def test_cells_of_other_days_have_no_single_trials() -> None:
    """A pseudo-population is refused in words."""
    with pytest.raises(UsageError, match="not recorded together"):
        trialwise(brain(coupled=True, simultaneous=False), task=TASK)


def test_a_network_has_choices_but_no_times(network, simulation) -> None:
    """Of a layer before its outputs: right answers lie further from the bound."""
    task = next(t for t in simulation.tasks if not t.where)
    found = trialwise(network, task=task, stimuli=simulation.stimuli, regions=["relu3"])
    assert isinstance(found, Trialwise | NotMeasurable)
    if isinstance(found, Trialwise):
        assert found.time_reason == NO_TIME
        assert found.by_subject("time") == {}
        assert 0 <= next(iter(found.by_subject("auc").values())) <= 1
