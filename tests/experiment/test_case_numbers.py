"""The one number of a cell: means over subjects, tests taken over, intervals by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from neuroai.errors import UnknownName, UsageError
from neuroai.experiment.case_numbers import answer_numbers, t_numbers
from neuroai.experiment.case_words import verdict
from neuroai.format.answers import Answer
from neuroai.format.cases import Cell
from neuroai.testing import EQUAL


def answer(values: list[list[float]], *, kind: str = "brain", **more: object) -> Answer:
    """Make a table of subjects by regions."""
    data = xr.Dataset(
        {"value": (("subject", "region"), values), **more},
        coords={
            "subject": [f"s{i}" for i in range(len(values))],
            "region": [f"r{i}" for i in range(len(values[0]))],
        },
    )
    return Answer("table", data, "question", {}, "system", kind, "toy")


def test_sessions_are_averaged_within_subjects_first() -> None:
    """A subject with two sessions counts once; one without any is left out."""
    nan = float("nan")
    found = answer_numbers(answer([[1.0, 3.0], [5.0, nan], [8.0, nan], [nan, nan]]), neutral=0.0)
    own = [2.0, 5.0, 8.0]
    test = stats.ttest_1samp(own, 0.0)
    interval = test.confidence_interval()
    assert (found.value, found.n, found.unit) == (5.0, 3, "subjects")
    assert found.p == pytest.approx(test.pvalue, abs=EQUAL)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high), abs=EQUAL)


def test_one_network_is_tested_over_stimuli() -> None:
    """Right and wrong answers: the exact binomial test and Wilson's interval."""
    right = [1.0] * 9 + [0.0]
    each = (("subject", "region", "stimulus"), [[right]])
    found = answer_numbers(answer([[0.9]], kind="model", per_stimulus=each), neutral=0.5)
    assert (found.n, found.unit) == (10, "stimuli")
    assert found.p == pytest.approx(stats.binomtest(9, 10, 0.5).pvalue)
    assert found.ci_low < 0.9 < found.ci_high < 1


def test_a_test_that_the_answer_made_is_taken_over() -> None:
    """Its interval follows from its statistic; it says nothing of the level before."""
    before, after = np.array([2.0, 3.0, 4.0, 2.5]), np.array([1.5, 2.0, 3.8, 2.4])
    test = stats.ttest_rel(after, before)
    dims = ("subject", "region", "effect")
    data = xr.Dataset(
        {
            "before": (dims, [[[before.mean(), 0.0]]]),
            "difference": (dims, [[[(after - before).mean(), 0.0]]]),
            "statistic": (dims, [[[test.statistic, 0.0]]]),
            "p": (dims, [[[test.pvalue, 1.0]]]),
            "n": (dims, [[[4, 4]]]),
        },
        coords={
            "subject": ["group"], "region": ["all"], "effect": ["a", "b"],
            "test": ("effect", ["paired t over sessions"] * 2), "site": ("effect", ["x", "y"]),
        },
    )  # fmt: skip
    made = Answer("table", data, "perturbation", {}, "monkey", "brain", "toy")
    found = answer_numbers(made, measure="difference", select={"site": "x"})
    interval = test.confidence_interval()
    assert found.p == pytest.approx(test.pvalue)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))
    assert (found.n, found.unit) == (4, "sessions")
    assert math.isnan(answer_numbers(made, measure="before", select={"site": "x"}).p)
    with pytest.raises(UsageError, match="choose one value with select"):
        answer_numbers(made, measure="difference")
    with pytest.raises(UnknownName, match="value of 'site'"):
        answer_numbers(made, measure="difference", select={"site": "z"})
    with pytest.raises(UnknownName, match="Did you mean 'difference'"):
        answer_numbers(made, measure="diference")


def test_what_the_levels_do_not_determine_is_undefined() -> None:
    """A psychometric function at ceiling has a threshold on paper; the cell has none."""
    for loose, wanted in (([[0.0]], 0.4), ([[1.0]], math.nan)):
        made = answer([[0.4]], kind="model", undetermined=(("subject", "region"), loose))
        assert answer_numbers(made).value == pytest.approx(wanted, nan_ok=True)


def test_equal_values_have_no_spread() -> None:
    """No p where a t cannot be, and p 1 where nothing differs."""
    assert t_numbers([1.0, 1.0, 1.0], neutral=1.0, unit="mice").p == 1.0
    assert math.isnan(t_numbers([1.0, 1.0, 1.0], neutral=0.0, unit="mice").p)
    assert math.isnan(t_numbers([], unit="mice").value)


@pytest.mark.parametrize(
    ("brain", "network", "compared", "said"),
    [
        ((-0.2, 0.01), (-0.1, 0.02), False, "both, in one direction"),
        ((-0.2, 0.01), (0.1, 0.02), False, "both, but opposed"),
        ((-0.2, 0.01), (0.1, 0.2), False, "brain, not the network"),
        ((-0.2, 0.3), (0.1, 0.01), False, "network, not the brain"),
        ((-0.2, 0.3), (0.1, 0.2), False, "neither is beyond its null"),
        ((-0.2, None), (0.1, 0.01), False, "side by side: brain untested, network beyond its null"),
        (None, (0.1, 0.01), False, "network only: beyond its null"),
        (None, None, False, "not measurable on either side"),
        ((0.5, None), (0.25, 0.01), True, "alike beyond chance: 50% of what another"),
        ((0.5, None), (0.25, 0.3), True, "no likeness beyond chance"),
    ],
)
def test_one_rule_gives_every_verdict(
    brain: tuple | None, network: tuple | None, compared: bool, said: str
) -> None:
    """From status, p and direction of both cells alone."""

    def cell(side: str, facts: tuple | None) -> Cell:
        if facts is None:
            return Cell(side, "d", "s", "m", status="not_measurable", note="none")
        value, p = facts
        return Cell(side, "d", "s", "m", value=value, p=float("nan") if p is None else p)

    assert verdict(cell("brain", brain), cell("network", network), compared=compared).startswith(
        said
    )
