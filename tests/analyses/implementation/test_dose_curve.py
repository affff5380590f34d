"""Dose curves find a planted target, and random targets are no better than their controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy import stats

from neuroai.analyses.implementation.dose_curve import (
    MIN_CONTROLS,
    activity_strata,
    dose_curve,
)
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.answers import NotMeasurable

N_ELEMENTS = 200
TARGET = tuple(range(20))
N_NULL = 200


def weighted(seed: int, *, planted: float = 0.0) -> Callable[[tuple[int, ...]], dict[str, float]]:
    """Make a measure that loses each lesioned element's weight; the target may weigh more."""
    weights = np.random.default_rng(seed).normal(size=N_ELEMENTS)
    weights[list(TARGET)] += planted

    def ask(hit: tuple[int, ...]) -> dict[str, float]:
        return {"accuracy": -float(weights[list(hit)].sum())}

    return ask


def test_planted_module_is_found_from_a_fifth_of_it_on() -> None:
    """Where the target carries the measure, p is the smallest there is at dose .2 and above."""
    doses = (0.05, 0.2, 0.5, 1.0)
    curve = dose_curve(
        weighted(0, planted=4.0), targets=TARGET, elements=range(N_ELEMENTS), doses=doses
    )["accuracy"]
    assert curve["n_targets"].tolist() == [1, 4, 10, 20]
    assert (curve["p"][1:] == 1 / (1 + MIN_CONTROLS)).all()
    assert (np.diff(curve["targeted"]) < 0).all() and curve["baseline"] == 0
    assert (curve["targeted"][1:] < curve["controls"].min(axis=1)[1:]).all()


def test_random_target_has_a_uniform_p() -> None:
    """Under the null p is uniform: nothing is found where nothing was planted."""
    p = []
    for seed in range(N_NULL):
        targets = np.random.default_rng([seed, 1]).choice(N_ELEMENTS, 5, replace=False)
        curve = dose_curve(
            weighted(seed), targets=targets, elements=range(N_ELEMENTS), doses=(1.0,), seed=seed
        )
        p.append(curve["accuracy"]["p"].item())
    # p has steps of 1 / 101; half a step makes it continuous.
    jitter = np.random.default_rng(0).uniform(-1, 0, N_NULL) / (1 + MIN_CONTROLS)
    assert stats.kstest(np.array(p) + jitter, "uniform").pvalue > 0.01
    assert min(p) >= 1 / (1 + MIN_CONTROLS) and max(p) <= 1


def recorded_questions(**options: object) -> list[tuple[int, ...]]:
    """Give every set of elements that was lesioned."""
    asked: list[tuple[int, ...]] = []

    def ask(hit: tuple[int, ...]) -> Mapping[str, float]:
        asked.append(hit)
        return {"accuracy": 0.0}

    dose_curve(ask, **options)
    return asked


def test_controls_are_of_the_targets_size_and_from_the_whole_region() -> None:
    """A random target is one of the controls' kind: they may hold elements of the target."""
    targets = (3, 1, 4, 15, 9)
    asked = recorded_questions(targets=targets, elements=range(40), doses=(0.2, 1.0))
    assert asked[:3] == [(), (3,), targets]
    controls = asked[3:]
    assert [len(hit) for hit in controls] == [1] * 100 + [5] * 100
    assert all(len(set(hit)) == len(hit) for hit in controls)
    assert set().union(*controls) == set(range(40))
    assert len({frozenset(hit) for hit in controls[100:]}) > 90


def test_doses_take_the_strongest_first() -> None:
    """A dose is a share of the target, at least one element, in the order of the target."""
    asked = recorded_questions(targets=(9, 2, 7, 4), elements=range(30), doses=(0.01, 0.5, 0.75))
    assert asked[1:4] == [(9,), (9, 2), (9, 2, 7)]


def test_p_counts_controls_that_drop_as_much() -> None:
    """p is (1 + controls with as large a drop) / (1 + controls), ties included."""
    tied = dose_curve(lambda hit: {"m": 1.0}, targets=(0,), elements=range(5), doses=(1.0,))
    assert tied["m"]["p"].tolist() == [1.0]
    curve = dose_curve(weighted(5), targets=TARGET, elements=range(N_ELEMENTS), seed=3)["accuracy"]
    for dose in range(3):
        as_large = sum(control <= curve["targeted"][dose] for control in curve["controls"][dose])
        assert curve["p"][dose] == (1 + as_large) / 101


def test_seed_decides_the_controls() -> None:
    """The same seed draws the same controls, another seed others."""
    first, again, other = (
        recorded_questions(targets=(0,), elements=range(50), doses=(1.0,), seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_every_measure_has_its_curve() -> None:
    """Several measures are taken from each lesion; an undefined one has no p and is not 0."""
    curves = dose_curve(
        lambda hit: {"a": -float(len(hit)), "b": float("nan") if len(hit) > 1 else 0.5},
        targets=(0, 1, 2), elements=range(20), doses=(0.1, 1.0),
    )  # fmt: skip
    assert set(curves) == {"a", "b"}
    assert curves["a"]["targeted"].tolist() == [-1, -3]
    assert np.isnan(curves["b"]["targeted"]).tolist() == [False, True]
    assert np.isnan(curves["b"]["p"]).tolist() == [False, True]
    assert curves["b"]["controls"].shape == (2, 100)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_controls": 99}, "A lesion needs at least 100 controls; got 99."),
        ({"doses": (0.5, 0.0)}, "dose must lie in (0, 1]; got 0.0."),
        ({"doses": (1.2,)}, "dose must lie in (0, 1]; got 1.2."),
        ({"doses": ()}, "A dose curve needs at least one dose in (0, 1]."),
    ],
)
def test_options_out_of_range_are_refused(options: dict, message: str) -> None:
    """Fewer than 100 controls and doses outside (0, 1] are refused, before anything is asked."""
    with pytest.raises(UsageError) as caught:
        recorded_questions(**{"targets": (0, 1), "elements": range(20), **options})
    assert str(caught.value) == message


def test_an_element_named_twice_is_refused() -> None:
    """A doubled element would make doses smaller than they say."""
    with pytest.raises(AlignmentError, match="more than once in the target: 3"):
        recorded_questions(targets=(3, 1, 3), elements=range(20))


def test_what_cannot_be_measured_has_a_reason() -> None:
    """No target, or too few elements for controls of its size."""
    nothing = dose_curve(lambda hit: {"m": 1.0}, targets=(), elements=range(5))
    assert nothing == NotMeasurable("the localiser selected nothing to lesion")
    crowded = dose_curve(lambda hit: {"m": 1.0}, targets=(0, 1, 2), elements=range(6))
    assert crowded == NotMeasurable(
        "3 elements outside the target of 3 are too few for random controls of the same size"
    )
    spared = dose_curve(lambda hit: {"m": 1.0}, targets=(0, 1, 2), elements=range(6), doses=(0.3,))
    assert spared["m"]["n_targets"].tolist() == [1]


def test_controls_hold_as_many_elements_of_every_stratum_as_the_target():
    """Simulated: a measure that hangs on activity alone finds nothing special in active targets."""
    activity = np.repeat([1.0, 10.0], 30)
    strata = (activity > 5).astype(int)
    seen = []

    def question(hit):
        seen.append(hit)
        return {"accuracy": 1000 - activity[list(hit)].sum()}

    targets = [30, 31, 32, 0]
    curve = dose_curve(question, targets=targets, elements=range(60), strata=strata, doses=(1.0,))
    drawn = seen[2:]
    assert len(drawn) == 100 and all(len(set(hit)) == 4 for hit in drawn)
    assert all(strata[list(hit)].sum() == 3 for hit in drawn)
    assert curve["accuracy"]["p"].tolist() == [1.0]
    plain = dose_curve(question, targets=targets, elements=range(60), doses=(1.0,))
    assert plain["accuracy"]["p"][0] < 0.5


def test_a_stratum_with_too_few_spared_elements_is_told():
    """Two targets and one spared element that is as active."""
    strata = [1, 1, 1, 0, 0, 0, 0]
    answer = dose_curve(
        lambda hit: {"accuracy": 1.0}, targets=[0, 1], elements=range(7), strata=strata
    )
    assert isinstance(answer, NotMeasurable) and "that are as active" in answer.reason
    with pytest.raises(UsageError, match="one number for each of 7 elements; got 2"):
        dose_curve(lambda hit: {}, targets=[0], elements=range(7), strata=[1, 2])


def test_levels_of_activity_are_as_fine_as_the_target_allows():
    """Deciles for spread targets; coarser levels where the target crowds the most active."""
    activity = np.random.default_rng(0).permutation(100).astype(float)
    order = np.argsort(activity)
    assert activity_strata(activity, range(100), order[::25]).max() == 9
    assert activity_strata(activity, range(100), order[-8:]).max() == 4
    assert activity_strata(activity, range(100), order[-30:]).max() == 0
