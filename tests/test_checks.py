"""Tests of the shared checks: what they let through, and every word of what they refuse."""

from __future__ import annotations

import math
import types

import pytest

from neuroai import checks
from neuroai.errors import AlignmentError, MissingExtra, UnknownName, UsageError

METRICS = ("rdm-pearson", "rdm-spearman", "cka")


@pytest.mark.parametrize(
    ("names", "shown", "text"),
    [
        ([], 2, ""),
        (["a"], 2, "a"),
        (["a", "b"], 2, "a, b"),
        (["a", "b", "c"], 2, "a, b and 1 more"),
        ([3, 1], 5, "3, 1"),
    ],
)
def test_listing_names_the_first_and_counts_the_rest(names, shown, text):
    """Order is kept and everything beyond `shown` is counted."""
    assert checks.listing(names, shown=shown) == text


def test_near_miss_ignores_case():
    """A name in the wrong case is the nearest of all, and is given as it is registered."""
    assert checks.near_miss("CKA", METRICS) == "Did you mean 'cka'?"


def test_near_miss_offers_every_close_name():
    """Two names that are equally close are both offered."""
    text = checks.near_miss("rdm-pearman", METRICS)
    assert "'rdm-spearman'" in text
    assert "'rdm-pearson'" in text


def test_near_miss_lists_what_there_is_when_nothing_is_close():
    """Without a close name the known ones are listed, sorted."""
    assert checks.near_miss("zzzz", METRICS) == "There is: cka, rdm-pearson, rdm-spearman."


def test_near_miss_of_nothing_says_so():
    """An empty registry offers no name."""
    assert checks.near_miss("x", []) == "There is none."


def test_known_name_says_what_where_and_what_to_do():
    """The message holds the kind, the name, the near miss and the remedy, in this order."""
    with pytest.raises(UnknownName) as caught:
        checks.known_name(
            "rdm-persn", ("cka", "rdm-pearson"), kind="metric", do="See 'neuroai ls metrics'."
        )
    assert str(caught.value) == (
        "No metric is called 'rdm-persn'. Did you mean 'rdm-pearson'? See 'neuroai ls metrics'."
    )


def test_one_of_lists_the_allowed_values():
    """An option outside its values names the option, the values and what came."""
    with pytest.raises(UsageError, match="--lesions") as caught:
        checks.one_of("some", ("first", "full", "none"), option="--lesions")
    assert all(word in str(caught.value) for word in ("'first'", "'full'", "'none'", "some"))


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_in_range_refuses_what_lies_outside(value):
    """Values beyond either end, and NaN, are refused with the range and the value."""
    with pytest.raises(UsageError) as caught:
        checks.in_range(value, option="dose", low=0, high=1)
    assert str(caught.value) == f"dose must lie in [0, 1]; got {value}."


def test_in_range_can_leave_out_its_lower_end():
    """A half-open range refuses its lower end and takes its upper one."""
    assert checks.in_range(1.0, option="dose", low=0, high=1, low_open=True) == 1.0
    with pytest.raises(UsageError, match=r"dose must lie in \(0, 1\]; got 0.0"):
        checks.in_range(0.0, option="dose", low=0, high=1, low_open=True)


def test_no_duplicates_names_each_repeated_id_once():
    """An id that occurs three times is named once; single ids are not named."""
    with pytest.raises(AlignmentError) as caught:
        checks.no_duplicates(["b", "a", "b", "c", "b"], where="the brain")
    assert str(caught.value).startswith("1 id(s) occur more than once in the brain: b.")


def test_need_gives_the_module():
    """A package that is here is returned."""
    assert isinstance(checks.need("json", extra="hf", purpose="Reading"), types.ModuleType)


def test_need_gives_the_very_line_to_type():
    """A missing package is named with its purpose and the pip line of its extra."""
    with pytest.raises(MissingExtra) as caught:
        checks.need("no_such_package", extra="hf", purpose="A model from Hugging Face")
    assert "A model from Hugging Face needs the package 'no_such_package'" in str(caught.value)
    assert 'pip install "neuroai-compare[hf]"' in str(caught.value)
