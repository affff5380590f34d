"""Contributions of regions, layers and groups of units: planted shares are found on both kinds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from neuroai.analyses.implementation.contributions import contributions
from neuroai.cards import ChoiceTask
from neuroai.errors import UnknownName, UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model

EXACT = 1e-10  # float64 algebra
N = 40
TASK = ChoiceTask("sides", ("0", "1"), truth="side", readout=True)


def shown():
    """Forty stimuli of two sides."""
    rows = {"stimulus_id": [f"s{i:02d}" for i in range(N)], "side": [str(i % 2) for i in range(N)]}
    values = {
        key: np.full((2,), 1.0 if i % 2 else -1.0) for i, key in enumerate(rows["stimulus_id"])
    }
    return stimulus_set(pd.DataFrame(rows), name="sides", load=values.__getitem__)


def brain(strength):
    """Make a brain whose regions know the side as well as their strength says."""
    rng = np.random.default_rng(0)
    stimuli = shown()
    side = (stimuli.column("side").astype(int) * 2 - 1)[:, None]
    parts = []
    for power in strength.values():
        parts.append(rng.normal(size=(N, 6)) + power * side)
    recording = build.recording(
        np.concatenate(parts, axis=1),
        stimulus_id=list(stimuli.ids),
        unit_id=[f"{region}/{i}" for region in strength for i in range(6)],
        region=[region for region in strength for _ in range(6)],
        system="planted", kind="brain", stimulus_set="sides", subject="s1",
    )  # fmt: skip
    data = SystemData(name="planted", kind="brain", species="none", recordings=(recording,))
    return Recorded(data=data, stimuli=stimuli)


def test_the_region_that_knows_contributes():
    """V1 knows nothing and adds nothing; IT adds what there is; values add up."""
    data = contributions(brain({"V1": 0.0, "IT": 3.0}), task=TASK).data.isel(subject=0, region=0)
    v1, it = (float(data["value"].sel(element=name)) for name in ("V1", "IT"))
    assert it > 0.4 and abs(v1) < 0.05
    assert abs(v1 + it - float(data["whole"] - data["nothing"])) <= EXACT
    assert float(data["n_evaluations"]) == 4 and not data["error"].values.any()


def test_regions_that_know_the_same_share_it_and_make_up_for_each_other():
    """Two equal regions: equal shares, and less together than apart (interaction below 0)."""
    data = contributions(brain({"a": 3.0, "b": 3.0}), task=TASK).data.isel(subject=0, region=0)
    shares = data["value"].values
    assert np.abs(shares - 0.25).max() < 0.05
    assert float(data["interaction"].sel(pair="a & b")) < -0.4


def test_groups_of_units_and_single_units():
    """Six units in three groups or as units; more than twelve are sampled, with errors."""
    one = brain({"IT": 1.0})
    groups = contributions(one, task=TASK, n_groups=3).data
    assert groups["element"].values.tolist() == ["group 0", "group 1", "group 2"]
    units = contributions(one, task=TASK, n_groups=6).data
    assert units["element"].values.tolist() == [f"unit {i}" for i in range(6)]
    many = brain({"a": 1.0, "b": 1.0})
    merged = many.data.recordings[0].assign_coords(region=("unit", np.array(["IT"] * 12, object)))
    assert merged.sizes["unit"] == 12
    wide = Recorded(
        data=SystemData(name="wide", kind="brain", species="none", recordings=(_doubled(merged),)),
        stimuli=many.stimuli,
    )
    sampled = contributions(wide, task=TASK, n_groups=24, n_permutations=8)
    assert "orders were drawn at random" in sampled.notes and "interaction" not in sampled.data
    assert (sampled.data["error"].values > 0).any()


def _doubled(recording):
    import xarray as xr

    other = recording.assign_coords(unit_id=("unit", recording["unit_id"].values + "'"))
    return xr.concat([recording, other], dim="unit").assign_attrs(recording.attrs)


class Ways(nn.Module):
    """Two ways from the input to the output; the second is blocked."""

    labels = ("0", "1")

    def __init__(self):
        super().__init__()
        self.open, self.blocked = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
        self.out = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.open.weight.copy_(torch.eye(2))
            self.blocked.weight.zero_()
            self.out.weight.copy_(torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))

    def forward(self, x):
        """Give logits of the two sides."""
        return self.out(self.open(x) + self.blocked(x))


def test_the_layer_that_carries_the_task():
    """All of a network's accuracy passes through one layer of two; half of it is chance."""
    to_tensor = lambda x: torch.tensor(x, dtype=torch.float32)  # noqa: E731
    net = load_model(Ways(), name="ways", layers=["open", "blocked", "out"], preprocess=to_tensor)
    answer = contributions(net, task=TASK, stimuli=shown(), kind="zero")
    data = answer.data.isel(subject=0, region=0)
    assert float(data["value"].sel(element="open")) == pytest.approx(0.5)
    assert float(data["value"].sel(element="blocked")) == pytest.approx(0.0)
    assert answer.notes[0] == "choices by outputs" and answer.parameters["origin"] == "simulated"
    units = contributions(net, task=TASK, stimuli=shown(), regions=["open"], n_groups=2).data
    assert units["region"].values.tolist() == ["open"]
    # Either feature tells the side alone.
    assert units["value"].values.ravel() == pytest.approx([0.25, 0.25])


def test_what_cannot_be_asked_is_told():
    """Unknown kinds, kinds that take nothing away, single groups, tasks without stimuli."""
    one = brain({"IT": 1.0})
    with pytest.raises(UnknownName, match="Did you mean 'mean'"):
        contributions(one, task=TASK, kind="meen")
    with pytest.raises(UsageError, match="'rotate' takes nothing away"):
        contributions(one, task=TASK, kind="rotate")
    with pytest.raises(UsageError, match="n_groups must be 2 or more; got 1"):
        contributions(one, task=TASK, n_groups=1)
    other = ChoiceTask("other", ("0", "1"), truth="colour", readout=True)
    answer = contributions(one, task=other)
    assert isinstance(answer, NotMeasurable) and "column 'colour'" in answer.reason
