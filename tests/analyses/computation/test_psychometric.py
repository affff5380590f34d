"""Psychometric functions as a question: subjects, pools, options, interventions, networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.computation.psychometric import psychometric
from neuroai.cards import ChoiceTask
from neuroai.errors import UnknownName, UsageError
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.psychometric import fit_psychometric
from neuroai.numerics.sigmoids import psychometric_function
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model
from neuroai.systems.sampling import by_sampling
from neuroai.testing import EXACT, chooser

TASK = ChoiceTask(name="task", options=("left", "right"), truth="truth")
LEVELS = np.array([1.0, 2, 3, 4, 5])


def person(**more):
    """Two subjects with 40 trials a level, the second with a higher threshold."""
    rng = np.random.default_rng(0)
    rows = []
    for subject, threshold in (("p", 2.5), ("q", 3.5)):
        p = psychometric_function(LEVELS, threshold=threshold, width=2.0, guess=0.5)
        for level, chance in zip(LEVELS, p, strict=True):
            for i in range(40):
                truth = ("left", "right")[i % 2]
                wrong = ("right", "left")[i % 2]
                rows.append((subject, level, truth, truth if rng.random() < chance else wrong))
    subject, level, truth, choice = zip(*rows, strict=True)
    return chooser(
        {"subject": subject, "intensity": level, "truth": truth, "choice": choice, **more}
    )


def test_every_subject_is_fitted_to_its_own_shares():
    """Shares are counted by level, and the fit is that of the counts."""
    system = person()
    answer = psychometric(system, task=TASK, lapse=0.0, n_samples=100)
    table = system.data.behaviour[0].to_dataframe()
    for name in ("p", "q"):
        mine = table[table["subject"] == name]
        right = (mine["choice"] == mine["truth"]).groupby(mine["intensity"]).sum().to_numpy()
        here = answer.data.sel(subject=name, region="behaviour")
        np.testing.assert_allclose(here.share_by_level, right / 40, atol=EXACT)
        fit = fit_psychometric(LEVELS, right, np.full(5, 40), lapse=0.0)
        assert here.value.item() == pytest.approx(fit.threshold[0], abs=EXACT)
        low, high = here.interval.sel(parameter="threshold").values
        assert low < here.value.item() < high
        np.testing.assert_allclose(
            here.curve_by_place, fit.at(answer.data.level_of_place.values)[0], atol=EXACT
        )
    low, high = answer.data.value.values[:, 0]
    assert low < 3 < high
    assert answer.parameters["guess"] == 0.5 and answer.parameters["choice_by"] == "recorded"


def test_pooled_subjects_are_one():
    """The shares of the pool are those of all trials."""
    system = person()
    one = psychometric(system, task=TASK, lapse=0.0, n_samples=50, pool=True)
    each = psychometric(system, task=TASK, lapse=0.0, n_samples=50)
    assert one.subjects == ("group",) and one.data.n.item() == 400
    np.testing.assert_allclose(
        one.data.share_by_level.values[0, 0], each.data.share_by_level.values[:, 0].mean(axis=0),
        atol=EXACT,
    )  # fmt: skip
    assert any("2 subjects are pooled" in note for note in one.notes)


def test_the_choice_of_an_option_is_a_response():
    """With a signed level the choice of one option is fitted, its guess rate free."""
    rng = np.random.default_rng(2)
    level = np.tile([-2.0, -1, 0, 1, 2], 60)
    p = psychometric_function(level, threshold=0.5, width=2.0)
    choice = np.where(rng.random(300) < p, "right", "left")
    answer = psychometric(
        chooser({"intensity": level, "choice": choice, "truth": ["right"] * 300}),
        task=TASK, response="right", lapse=0.0, n_samples=50,
    )  # fmt: skip
    assert answer.parameters["guess"] is None
    low, high = answer.data.interval.sel(parameter="threshold").values.squeeze()
    assert low < 0.5 < high


def test_levels_may_be_those_of_an_intervention():
    """With under='each' the dose of what was measured is the level, and the rest is left out."""
    rng = np.random.default_rng(3)
    dose = np.repeat([np.nan, 1.0, 2.0, 3.0, 4.0], 80)
    p = psychometric_function(np.nan_to_num(dose), threshold=2.5, width=2.0, guess=0.5)
    right = rng.random(400) < np.where(np.isnan(dose), 0.9, p)
    system = chooser({
        "truth": ["left"] * 400, "choice": np.where(right, "left", "right"), "latency": dose,
        "intervention": np.where(np.isnan(dose), "none", [f"laser-{d:.0f}" for d in dose]),
    })  # fmt: skip
    ask = {"task": TASK, "level": "latency", "n_samples": 50}
    answer = psychometric(system, under="each", **ask)
    assert answer.data.level.values.tolist() == [1, 2, 3, 4]
    assert answer.data.n.item() == 320
    assert answer.undefined["trials without a level or a response"] == 80
    assert isinstance(psychometric(system, **ask), NotMeasurable)
    none = psychometric(person(), under="each", task=TASK)
    assert none == NotMeasurable("no intervention was measured in the behaviour of 'toy'")


def test_intervals_of_psignifit_lie_near_ours():
    """The middle of either interval lies in the other; the Bayesian ones are no narrower."""
    pytest.importorskip("psignifit")
    ask = {"task": TASK, "lapse": 0.02, "n_samples": 200}
    ours, theirs = (
        psychometric(person(), interval=name, **ask).data.interval.sel(parameter="threshold")
        for name in ("bootstrap", "psignifit")
    )
    for one, other in ((ours.values, theirs.values), (theirs.values, ours.values)):
        middle = one.mean(axis=-1)
        assert ((other[..., 0] < middle) & (middle < other[..., 1])).all()
    # Overdispersion is free there, which widens the interval.
    assert (np.diff(theirs.values) > 0.9 * np.diff(ours.values)).all()


def test_a_network_draws_choices_from_its_softmax(small_images):
    """The same question goes to a network that samples; its shares follow the levels shown."""
    pixels = {key: small_images.content(key) for key in small_images.ids}
    rows = small_images.table.reset_index().assign(intensity=[1.0 + i % 3 for i in range(30)])
    images = stimulus_set(pd.DataFrame(rows), name="images", load=pixels.__getitem__)
    task = ChoiceTask(name="digits", options=("0", "1", "2"), truth="category")
    network = by_sampling(load_model("builtin:small_convnet?seeds=0"), n_samples=30, seed=1)
    answer = psychometric(network, task=task, stimuli=images, n_samples=50)
    assert answer.parameters["choice_by"] == "sampling"
    assert answer.parameters["guess"] == pytest.approx(1 / 3, abs=EXACT)
    assert answer.data.n_by_level.values.tolist() == [[[300, 300, 300]]]


@pytest.mark.parametrize("kind", ["brain", "model"])
def test_recorded_activity_chooses_through_a_readout(kind):
    """Cells, or units of a layer, that know the side the better the stronger the stimulus is."""
    rng = np.random.default_rng(5)
    strength, side = np.repeat([0.0, 0.5, 1.0, 2.0], 60), np.tile([-1.0, 1.0], 120)
    values = rng.normal(size=(240, 10))
    values[:, 0] += 1.5 * side * strength
    ids = [f"s{i:03d}" for i in range(240)]
    cells = recording(
        values, stimulus_id=ids, unit_id=[f"u{i}" for i in range(10)], region="IT", system="m",
        kind=kind, stimulus_set="toy", subject="m1",
    )  # fmt: skip
    truth = np.where(side > 0, "right", "left")
    table = pd.DataFrame({"stimulus_id": ids, "truth": truth, "intensity": strength})
    system = Recorded(
        data=SystemData("m", kind, "none", recordings=(cells,)),
        stimuli=stimulus_set(table, name="toy"),
    )
    task = ChoiceTask(name="task", options=("left", "right"), truth="truth", readout=True)
    answer = psychometric(system, task=task, readout_region="IT", lapse=0.0, n_samples=50)
    assert answer.parameters["choice_by"] == "readout" and answer.regions == ("IT",)
    share = answer.data.share_by_level.values[0, 0]
    assert abs(share[0] - 0.5) < 4 * 0.5 / np.sqrt(60) and share[-1] > 0.95
    assert 0 < answer.data.value.item() < 1.5


def test_too_few_levels_and_misuse_are_told_in_words():
    """Two levels make no function; responses and options must exist."""
    two = chooser({"truth": ["left"] * 4, "choice": ["left"] * 4, "intensity": [1.0, 2, 1, 2]})
    assert "takes 2 levels" in psychometric(two, task=TASK).reason
    assert "state a contrast" in psychometric(two, task=TASK, level="contrast").reason
    with pytest.raises(UnknownName, match="Did you mean 'right'"):
        psychometric(two, task=TASK, response="rihgt")
    with pytest.raises(UsageError, match="under must be one of"):
        psychometric(two, task=TASK, under="all")
    with pytest.raises(UsageError, match="interval must be one of"):
        psychometric(two, task=TASK, interval="jackknife")
