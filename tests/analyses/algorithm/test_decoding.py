"""Decoding finds what was planted, where and when it was, and nothing in noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier

from neuroai.analyses.algorithm.decoding import decoding
from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded

N_STIMULI, N_UNITS, N_TIMES, N_RUNS = 24, 10, 4, 3
# Balanced accuracies are ratios of small integers, averaged in float64.
EXACT = 1e-12
# Accuracy of noise: 3 repeats of 24 stimuli in 20 draws have a standard error below 0.02.
NOISE = 0.06
STIMULI = stimulus_set(
    pd.DataFrame(
        {
            "stimulus_id": [f"i{i:02d}" for i in range(N_STIMULI)],
            "animate": np.array(["yes", "no"])[np.arange(N_STIMULI) % 2],
            "one": "same",
        }
    ),
    name="images",
)


def recorded(values, *, subject="p1", region="IT", simultaneous=True):
    """Label (presentations, units[, times]): every stimulus once a run."""
    timed = values.ndim == 3
    return build.recording(
        values,
        stimulus_id=list(STIMULI.ids) * N_RUNS,
        unit_id=[f"{region}/{i}" for i in range(values.shape[1])],
        region=region,
        subject=subject,
        system="person",
        kind="brain",
        stimulus_set="images",
        simultaneous=simultaneous,
        unit={"session": [str(i) for i in range(values.shape[1])]} if not simultaneous else None,
        time=np.arange(values.shape[2]) / 10 if timed else None,
        time_unit="s" if timed else "",
        presentation={"run": np.repeat([str(r) for r in range(N_RUNS)], N_STIMULI)},
    )


def brain(*recordings):
    facts = SystemData("person", "brain", "Homo sapiens", recordings=recordings)
    return Recorded(data=facts, stimuli=STIMULI)


def activity(seed, *, effect=0.0, times=()):
    """Noise of a unit's own and a stimulus's own, and an effect of the class at some times."""
    rng = np.random.default_rng(seed)
    shape = (N_STIMULI, N_UNITS, N_TIMES) if times else (N_STIMULI, N_UNITS)
    own = rng.standard_normal(shape)
    values = np.concatenate([own + rng.standard_normal(shape) for _ in range(N_RUNS)])
    animate = np.tile(STIMULI.column("animate") == "yes", N_RUNS)
    if times:
        values[np.ix_(animate, range(3), times)] += effect
    else:
        values[animate, :3] += effect
    return values


def test_what_is_planted_in_a_region_is_found_there():
    """What is planted in a region is found there."""
    system = brain(recorded(activity(0, effect=4.0)), recorded(activity(1), region="V1"))
    answer = decoding(system, label="animate", n_permutations=39)
    value, p = (answer.data[name].sel(subject="p1") for name in ("value", "p"))
    assert value.sel(region="IT") > 0.95 and p.sel(region="IT") == 1 / 40
    assert p.sel(region="V1") > 1 / 40
    assert answer.regions == ("IT", "V1") and answer.parameters["chance"] == 0.5
    assert answer.data["n_showings"].values.tolist() == [[72, 72]]


def test_repeats_of_a_stimulus_never_straddle_a_fold():
    """Every stimulus has a pattern of its own: decoding it across repeats would be easy."""
    values = [
        decoding(brain(recorded(activity(seed))), label="animate").data["value"].item()
        for seed in range(20)
    ]
    assert abs(np.mean(values) - 0.5) < NOISE


def test_stimuli_are_decoded_across_runs():
    """Stimuli are decoded across runs."""
    answer = decoding(brain(recorded(3 * activity(0))), label="stimulus_id", groups="run")
    assert answer.data["value"].item() > 10 / N_STIMULI
    assert answer.parameters["chance"] == pytest.approx(1 / N_STIMULI, abs=1e-6)


def test_at_each_time_it_is_scikit_learns_of_the_same_folds():
    """At each time it is scikit-learns of the same folds."""
    values = activity(2, effect=1.0, times=(1, 2))
    answer = decoding(brain(recorded(values)), label="animate", groups="run", over_time="each")
    truth, run = np.tile(STIMULI.column("animate"), N_RUNS), np.repeat(range(N_RUNS), N_STIMULI)
    for at in range(N_TIMES):
        right = []
        for held in range(N_RUNS):
            rule = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            rule.fit(values[run != held, :, at], truth[run != held])
            right.append((rule.predict(values[run == held, :, at]) == truth[run == held]).mean())
        ours = answer.data["value"].sel(time=at / 10).item()
        assert ours == pytest.approx(np.mean(right), abs=EXACT)


def test_what_holds_at_two_times_generalises_between_them_alone():
    """What holds at two times generalises between them alone."""
    values = activity(3, effect=5.0, times=(1, 2))
    answer = decoding(brain(recorded(values)), label="animate", over_time="generalise")
    grid = answer.data["value"].squeeze().transpose("time", "time_tested").values
    assert grid[1:3, 1:3].min() > 0.9
    assert np.abs(grid[0] - 0.5).max() < 0.25 and np.abs(grid[3] - 0.5).max() < 0.25


def test_the_permutation_p_of_noise_is_not_small_too_often():
    """At .05 of 40 noise recordings no more than 7 are significant (binomial, p < .001)."""
    p = [
        decoding(brain(recorded(activity(s))), label="animate", n_permutations=19).data["p"].item()
        for s in range(100, 140)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 7 / 40 and min(p) >= 1 / 20


def test_units_not_recorded_together_need_pseudo_and_say_so():
    """Units not recorded together need pseudo and say so."""
    system = brain(recorded(activity(0, effect=4.0), simultaneous=False))
    refused = decoding(system, label="animate")
    assert isinstance(refused, NotMeasurable) and "pseudo=True" in refused.reason
    answer = decoding(system, label="animate", pseudo=True)
    assert answer.data["value"].item() > 0.9
    assert any("as if they had been" in note for note in answer.notes)


def test_what_cannot_be_decoded_is_said_in_words():
    """What cannot be decoded is said in words."""
    system = brain(recorded(activity(0)))
    assert "one class only: 'same'" in decoding(system, label="one").reason
    assert "no time to decode over" in decoding(system, label="animate", over_time="each").reason
    with pytest.raises(UnknownName, match="Did you mean 'animate'"):
        decoding(system, label="animat")
    with pytest.raises(UsageError, match="over_time must be one of"):
        decoding(system, label="animate", over_time="all")
    with pytest.raises(DataError, match="needs at least two groups of every class"):
        decoding(system, label="run", groups="run")


@pytest.mark.parametrize("classifier", ["ridge", "correlation", KNeighborsClassifier(3)], ids=str)
@pytest.mark.parametrize("over_time", ["flatten", "each", "generalise"])
def test_every_classifier_finds_what_is_planted_when_it_was(classifier, over_time):
    """Names and estimators alike, for one pattern, at each time and across times."""
    values = activity(3, effect=5.0, times=(1, 2))
    system = brain(recorded(values))
    answer = decoding(system, label="animate", over_time=over_time, classifier=classifier)
    found = answer.data["value"].squeeze()
    planted = found if over_time == "flatten" else found.sel(time=[0.1, 0.2])
    planted = planted.sel(time_tested=[0.1, 0.2]) if over_time == "generalise" else planted
    # A correlation is blind to the common rise of units, which the planted effect partly is.
    assert planted.min() > (0.65 if classifier == "correlation" else 0.85)
    assert answer.parameters["classifier"] == str(classifier)
    assert ("penalty" in answer.parameters) == (classifier == "ridge")


def test_pseudo_trials_raise_a_weak_effect():
    """Averages of four showings are told apart better than single ones, and the answer says so."""
    system = brain(recorded(activity(5, effect=1.2)))
    single = decoding(system, label="animate", groups="run").data["value"].item()
    answer = decoding(system, label="animate", groups="run", n_averaged=4)
    assert answer.data["value"].item() > single + 0.05
    assert "pseudo-trials of 4 showings, made within folds" in answer.notes


def test_an_unknown_classifier_is_refused_with_the_near_miss():
    """The names are listed."""
    with pytest.raises(UsageError, match="classifier must be one of 'lda', 'ridge', 'correlation'"):
        decoding(brain(recorded(activity(0))), label="animate", classifier="svm")


def test_regions_without_time_are_left_out_of_a_question_about_time():
    """One region was recorded over time and another was not: the answer is about the first."""
    system = brain(
        recorded(activity(3, effect=5.0, times=(1, 2))), recorded(activity(1), region="V1")
    )
    answer = decoding(system, label="animate", over_time="each")
    assert answer.regions == ("IT",)
    assert "left out, p1 V1: V1 has no time to decode over" in answer.notes
