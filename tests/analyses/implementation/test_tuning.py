"""Tuning as an analysis: planted preferences found, noise unselective, on brains and networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.implementation.tuning import tune, tuning
from neuroai.errors import ResourceError, UnknownName, UsageError
from neuroai.experiment.demo_brain import demo_stimuli, digit_images
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.sources.catalogue import load_dataset
from neuroai.systems.brain import Recorded, brains_of
from neuroai.systems.load import load_model
from neuroai.testing import STANDARD_ERRORS

N_STIMULI, N_UNITS, N_PLANTED, LABELS = 80, 60, 4, ("0", "45", "90", "135")


def _brain(effect: float, *, repeats: int = 1, seed: int = 0) -> Recorded:
    """Units 0 to 3 prefer one of four angles each; the rest are noise."""
    rng = np.random.default_rng(seed)
    ids = [f"s{i:02d}" for i in range(N_STIMULI)]
    angle = np.array(LABELS, dtype=object)[np.arange(N_STIMULI) % 4]
    values = rng.standard_normal((N_STIMULI * repeats, N_UNITS))
    for unit in range(N_PLANTED):
        values[:, unit] += effect * np.tile(angle == LABELS[unit], repeats)
    activity = recording(
        values, stimulus_id=ids * repeats, unit_id=[f"V1/{u}" for u in range(N_UNITS)],
        region="V1", system="b", kind="brain", stimulus_set="gratings", subject="m1",
        presentation={"repeat": np.repeat(np.arange(repeats), N_STIMULI)},
    )  # fmt: skip
    table = pd.DataFrame({"stimulus_id": ids, "angle": angle, "one": "x"})
    data = SystemData(name="b", kind="brain", species="none", recordings=(activity,))
    return Recorded(data=data, stimuli=stimulus_set(table, name="gratings"))


def test_planted_preferences_are_named() -> None:
    """The four best elements are the planted ones, each with its own angle."""
    answer = tuning(_brain(4.0), label="angle", n_best=N_PLANTED)
    best = answer.data.isel(subject=0, region=0)
    found = dict(zip(best["best"].values, best["best_label"].values, strict=True))
    assert found == {str(u): LABELS[u] for u in range(N_PLANTED)}
    assert (best["best_d_prime"] > 2).all()
    shares = best["preferred_share"]
    assert float(shares.sum()) == pytest.approx(1)
    assert answer.parameters["split"] == "stimuli"


def test_noise_is_not_selective_where_it_was_not_chosen() -> None:
    """Means over 60 units of noise and 20 brains: d' of 0 on half B, above 0.3 on half A."""
    answers = [tuning(_brain(0.0, seed=s), label="angle").data for s in range(20)]
    held = np.array([float(a["value"].item()) for a in answers])
    assert abs(held.mean()) < STANDARD_ERRORS * held.std() / np.sqrt(len(held))
    assert min(float(a["d_prime_chosen"].item()) for a in answers) > 0.3
    bits = np.array([float(a["information"].item()) for a in answers])
    assert abs(bits.mean()) < 0.02


def test_single_elements_can_be_read() -> None:
    """Curves, bits and driving stimuli of each unit; a tuned unit's best stimulus has its angle."""
    brain = _brain(6.0)
    (row,) = tune(brain, label="angle", n_best=3)
    assert row.driving.shape == (N_UNITS, 3)
    for unit in range(N_PLANTED):
        angles = brain.stimuli.column("angle", row.driving[unit].tolist())
        assert set(angles) == {LABELS[unit]}
        assert row.labels[row.held_out.preferred[unit]] == LABELS[unit]
    assert row.information[:N_PLANTED].min() > row.information[N_PLANTED:].max()
    assert row.omega[:N_PLANTED].min() > 0.7 and row.curves.shape == (4, N_UNITS)


def test_showings_are_split_where_every_label_is_one_stimulus() -> None:
    """By stimulus_id, with six showings each: reliability of the curves over stimuli."""
    answer = tuning(_brain(2.0, repeats=6), label="stimulus_id")
    assert answer.parameters["split"] == "showings"
    assert 0 < float(answer.data["reliability"].item()) < 1


def test_what_cannot_be_split_says_so() -> None:
    """One showing of each stimulus, one label in all, and a label that is not there."""
    few = tuning(_brain(0.0), label="stimulus_id")
    assert isinstance(few, NotMeasurable) and "80 of 80 labels" in few.reason
    one = tuning(_brain(0.0), label="one")
    assert isinstance(one, NotMeasurable) and "nothing to prefer" in one.reason
    with pytest.raises(UnknownName, match="Did you mean 'angle'"):
        tuning(_brain(0.0), label="angel")
    with pytest.raises(UsageError, match="correction must be one of"):
        tuning(_brain(0.0), label="angle", correction="bayes")
    with pytest.raises(UsageError, match="n_best must be 1"):
        tuning(_brain(0.0), label="angle", n_best=0)


def test_networks_are_asked_alike() -> None:
    """Every layer, feature maps as elements, two seeds; the counts say what was left out."""
    stimuli = demo_stimuli(*digit_images(), n_each=8)
    model = load_model("builtin:small_convnet?seeds=0,1", layers=["relu1", "fc2"])
    answer = tuning(model, label="digit", stimuli=stimuli)
    assert answer.data["n_elements"].values.tolist() == [[16, 10], [16, 10]]
    assert np.isfinite(answer.data["value"]).all() and answer.kind == "model"
    assert set(answer.undefined) >= {"elements without a preference", "units"}


@pytest.mark.slow
def test_monkey_it_units_hold_what_they_prefer(require: Callable[[object, str], None]) -> None:
    """IT units' object preferences chosen on half of the showings hold on the other."""
    try:
        monkey = brains_of(load_dataset("zhang2011"))[0]
    except ResourceError as error:
        require(None, str(error))
    answer = tuning(monkey, label="stimulus_id", undefined="drop")
    assert not isinstance(answer, NotMeasurable), answer.reason
    data = answer.data
    assert (data["value"] > 0.3).all() and (data["value"] < data["d_prime_chosen"]).all()
    assert (data["reliability"] > 0.1).all() and (data["information"] > 0).all()
