"""Deficit profiles: planted ones are found, measured ones counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neuroai.cards import ChoiceTask, Contrast
from neuroai.errors import UnknownName, UsageError
from neuroai.experiment.profiles import Profile, find_profile, sensitivity
from neuroai.experiment.profiles_measured import measured_profile
from neuroai.experiment.profiles_network import network_profiles
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import behaviour
from neuroai.numerics.detection import d_prime
from neuroai.testing import EXACT

TASKS = ("a", "b", "c")


def profile(change: list[float], *, seed: int = 0, tasks: tuple[str, ...] = TASKS) -> Profile:
    """Make a profile of 200 controls that scatter by 1, with a given change."""
    n = len(tasks)
    controls = np.random.default_rng(seed).standard_normal((200, n))
    return Profile(
        "net", "layer", f"target {seed}", "simulated", 1.0, tasks, ("d'",) * n, np.zeros(n),
        np.array(change), controls, np.zeros((2, n)), np.zeros((200, n)), 3, (20,) * n,
    )  # fmt: skip


def test_the_planted_profile_is_found_among_others() -> None:
    """The lesion with the brain's own profile comes first, with a small p; noise does not."""
    brain = profile([-6.0, -1.0, 3.0])
    others = [profile(list(np.random.default_rng(s).standard_normal(3)), seed=s) for s in (5, 6)]
    search = find_profile(brain, [*others, profile([-3.0, -0.5, 1.5], seed=9)])
    assert search.candidates[0].target == "target 9"
    assert search.matches[0].measure == "cosine"
    assert search.matches[0].value > 0.95
    assert search.p_best == pytest.approx(3 * search.matches[0].p)
    values = [match.value for match in search.matches]
    assert values == sorted(values, reverse=True)


def test_six_tasks_are_compared_by_correlation() -> None:
    """Below that only the direction counts: a common shift of all deficits is then no likeness."""
    tasks = tuple("abcdef")
    brain = profile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], tasks=tasks)
    shifted = profile([6.0, 7.0, 8.0, 9.0, 10.0, 11.0], seed=2, tasks=tasks)
    match = find_profile(brain, [shifted]).matches[0]
    assert (match.measure, match.n_tasks) == ("correlation", 6)
    assert match.value > 0.9


def test_reliability_bounds_a_correlation_and_nothing_else() -> None:
    """Subjects that agree give a ceiling of 1; under six tasks there is none."""
    tasks = tuple("abcdef")
    change = np.arange(6.0)
    brain = replace(profile(list(change), tasks=tasks), repeats=np.stack([change, change]))
    other = profile(list(change), seed=3, tasks=tasks)
    assert find_profile(brain, [other]).ceiling == pytest.approx(1.0)
    few = brain.restrict(tasks[:3])
    assert few.repeats.shape == (2, 3)
    assert np.isnan(find_profile(few, [other.restrict(tasks[:3])]).ceiling)


def test_the_best_of_many_noise_lesions_is_no_finding() -> None:
    """T15: with the search counted, noise is called a match in at most the nominal share."""
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)
        brain = profile(list(rng.standard_normal(3)), seed=seed)
        noise = [
            profile(list(rng.standard_normal(3)), seed=7000 + 50 * seed + i) for i in range(10)
        ]
        hits += find_profile(brain, noise).p_best <= 0.05
    # 60 draws at .05: four standard errors above three.
    assert hits <= 3 + 4 * np.sqrt(60 * 0.05 * 0.95)


def test_tasks_must_be_the_same_in_one_order() -> None:
    """Another order or another task is refused; tasks can be chosen by name."""
    brain = profile([1.0, 2.0, 3.0])
    with pytest.raises(UsageError, match="Ask both for the same tasks"):
        find_profile(brain, [profile([1.0, 2.0, 3.0], tasks=("b", "a", "c"))])
    with pytest.raises(UsageError, match="got none"):
        find_profile(brain, [])
    assert brain.restrict(["c", "a"]).change.tolist() == [3.0, 1.0]
    with pytest.raises(UnknownName, match="task of this profile"):
        brain.restrict(["d"])


def trials(rows: list[tuple[str, str, str]], intervention: str):
    """Make a behaviour table of subject, choice and truth."""
    subject, choice, truth = zip(*rows, strict=True)
    return behaviour(
        {
            "subject": list(subject), "choice": list(choice), "truth": list(truth),
            "stimulus_id": list(truth), "intervention": [intervention] * len(rows),
        },
        system="mouse", kind="brain", stimulus_set="toy", task="side", options=("left", "right"),
    )  # fmt: skip


def test_a_measured_profile_is_the_change_of_d_prime() -> None:
    """Two subjects by hand; misses are left out; shuffles scatter around no change."""
    pairs = [("left", "left")] * 8 + [("right", "left")] * 2
    pairs += [("right", "right")] * 8 + [("left", "right")] * 2
    worse = [("left", "left")] * 5 + [("right", "left")] * 5
    worse += [("right", "right")] * 6 + [("left", "right")] * 4
    without = trials([(s, *pair) for s in "xy" for pair in pairs] + [("x", "", "left")], "none")
    under = trials([(s, *pair) for s in "xy" for pair in worse], "laser")
    found = measured_profile(
        {"side": (without, under)}, system="mouse", intervention="laser", n_null=500
    )
    assert isinstance(found, Profile)
    wanted = d_prime(5, 5, 4, 6) - d_prime(8, 2, 2, 8)
    assert found.change[0] == pytest.approx(float(wanted), abs=EXACT)
    assert found.accuracy[:, 0] == pytest.approx([0.8, 0.55])
    assert found.n_trials == (80,)
    # Two subjects with the same trials: each changes by as much.
    assert found.repeats == pytest.approx(np.full((2, 1), float(wanted)), abs=EXACT)
    error = found.controls[:, 0].std() / np.sqrt(len(found.controls))
    assert abs(found.controls[:, 0].mean()) < 4 * error
    assert found.p[0] < 0.05
    nobody = trials([("z", "left", "left"), ("z", "right", "right")], "laser")
    lacking = measured_profile({"side": (without, nobody)}, system="mouse", intervention="laser")
    assert isinstance(lacking, NotMeasurable)


def test_logit_of_accuracy_stays_finite() -> None:
    """All right and all wrong of ten are mirror images."""
    right = (5.0, 0.0, 0.0, 5.0)
    wrong = (0.0, 5.0, 5.0, 0.0)
    a, b = (float(sensitivity(c, measure="logit accuracy")) for c in (right, wrong))
    assert a == pytest.approx(np.log(21.0))
    assert a == pytest.approx(-b)


def test_a_networks_lesion_takes_more_than_nothing(network, simulation) -> None:
    """On the digits: the profile of a large lesion over two tasks, dose by dose."""
    stimuli = simulation.stimuli
    contrast = Contrast(column="loop", positive=("1",), negative=("0",))
    [task] = [t for t in simulation.tasks if not t.where][:1]
    found = network_profiles(
        network, stimuli, [task], contrast=contrast, region="fc1", fraction=0.3,
        sign="absolute", doses=(0.5, 1.0),
    )  # fmt: skip
    assert [one.dose for one in found] == [0.5, 1.0]
    assert [one.n_lesioned for one in found] == [10, 19]
    for one in found:
        assert one.controls.shape == (100, 1)
        assert one.n_trials == (len(stimuli.ids),)
        assert one.accuracy[0, 0] > 1 / len(task.options)
    two = ChoiceTask("none", ("x", "y"), task.truth, readout=True)
    with pytest.raises(UsageError, match="no two options"):
        network_profiles(network, stimuli, [two], contrast=contrast, region="fc1", fraction=0.3)
