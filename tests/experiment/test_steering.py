"""Steering: a planted direction decides, both ways; random directions of its length do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from neuroai.cards import ChoiceTask, Contrast
from neuroai.errors import UsageError
from neuroai.experiment.steering import contrast_direction, steering_effects
from neuroai.format.answers import NotMeasurable
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.load import load_model
from neuroai.testing import toy_brain

N, WIDTH = 80, 40
TASK = ChoiceTask("side", ("a", "b"), truth="side")
OTHER = ChoiceTask("colour", ("c", "d"), truth="colour")
NAMES = ("side", "colour")
SIDES = Contrast("side", ("b",), ("a",))


@pytest.fixture(scope="module")
def planted():
    """A network that tells sides from the first feature and colours from the second."""
    rng = np.random.default_rng(0)
    side, colour = np.arange(N) % 2, np.arange(N) // 2 % 2
    values = rng.normal(size=(N, WIDTH)).astype(np.float32) * 0.3
    values[:, 0] += 2 * side - 1
    values[:, 1] += 2 * colour - 1
    ids = [f"s{i:02d}" for i in range(N)]
    table = pd.DataFrame(
        {"stimulus_id": ids, "side": np.array(["a", "b"])[side],
         "colour": np.array(["c", "d"])[colour]}
    )  # fmt: skip
    made = dict(zip(ids, values, strict=True))
    net = nn.Sequential(nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, 4, bias=False))
    with torch.no_grad():
        net[0].weight.copy_(torch.eye(WIDTH))
        net[1].weight.zero_()
        net[1].weight[0, 0], net[1].weight[1, 0] = -1, 1
        net[1].weight[2, 1], net[1].weight[3, 1] = -1, 1
    model = load_model(
        net, name="planted", layers=["0", "1"], preprocess=torch.as_tensor,
        output_map={"a": (0,), "b": (1,), "c": (2,), "d": (3,)},
    )  # fmt: skip
    return model, stimulus_set(table, name="toy", load=made.get)


def test_the_direction_is_the_difference_of_means(planted):
    """By hand, over the stimuli given; the first feature holds nearly all of it."""
    model, stimuli = planted
    vector = contrast_direction(model, stimuli, region="0", contrast=SIDES)
    rows = np.stack([stimuli.content(key) for key in stimuli.ids])
    side = stimuli.column("side") == "b"
    wanted = rows[side].mean(axis=0) - rows[~side].mean(axis=0)
    assert np.abs(vector - wanted).max() <= 1e-6
    assert abs(vector[0]) > 0.95 * np.linalg.norm(vector)


def test_steering_decides_both_ways_and_touches_the_other_task_less(planted):
    """Two lengths either way leave half right; random directions and colours stay as they were."""
    model, stimuli = planted
    found = steering_effects(model, stimuli, [TASK, OTHER], region="0", contrast=SIDES)
    assert [(e.task, e.dose) for e in found] == [
        (t, a) for t in NAMES for a in (-2.0, -1.0, 1.0, 2.0)
    ]
    ends = [e for e in found if e.task == "side" and abs(e.dose) == 2]
    assert all(e.lesioned == 0.5 and e.p < 0.05 for e in ends)
    assert all(e.kind == "add" and e.readout == "outputs" for e in found)
    assert all(len(e.controls) == 100 and e.controls.mean() > 0.75 for e in found)
    # Half A holds more of one colour on one side, so that two lengths lean on colours too.
    at_one = {t: [e.lesioned for e in found if (e.task, abs(e.dose)) == (t, 1)] for t in NAMES}
    assert min(at_one["colour"]) > max(at_one["side"])


def test_what_cannot_be_steered_is_told(planted):
    """Brains, sides alike, steps without their negative, too few controls."""
    model, stimuli = planted
    brain = steering_effects(toy_brain(), stimuli, [TASK], region="V1", contrast=SIDES)
    assert isinstance(brain, NotMeasurable) and "is measured" in brain.reason
    for options, said in (
        ({"steps": (1.0,)}, "needs its negative"),
        ({"n_controls": 99}, "at least 100 controls; got 99"),
    ):
        with pytest.raises(UsageError, match=said):
            steering_effects(model, stimuli, [TASK], region="0", contrast=SIDES, **options)
    with pytest.raises(UsageError, match="a task or more"):
        steering_effects(model, stimuli, [], region="0", contrast=SIDES)
