"""Confusions against scikit-learn and numpy's correlation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from neuroai.errors import DataError, UnknownName
from neuroai.numerics.confusion import (
    confusion_counts,
    empty_rows,
    off_diagonal_correlation,
    option_codes,
    pooled_confusions,
)
from neuroai.testing import EXACT

OPTIONS = ("bear", "cat", "dog", "oven")


@pytest.fixture
def trials() -> tuple[list[str], list[str]]:
    """Truth and choice of 200 trials, some choices missing."""
    rng = np.random.default_rng(4)
    truth = [OPTIONS[i] for i in rng.integers(4, size=200)]
    choice = [OPTIONS[i] for i in rng.integers(4, size=200)]
    choice[3] = choice[40] = ""
    return truth, choice


def test_counts_equal_scikit_learn(trials):
    """Counts are those of scikit-learn on the trials that were answered."""
    truth, choice = trials
    answered = [(t, c) for t, c in zip(truth, choice, strict=True) if c]
    expected = confusion_matrix(*zip(*answered, strict=True), labels=OPTIONS)
    np.testing.assert_array_equal(confusion_counts(truth, choice, options=OPTIONS), expected)


def test_weighted_counts_repeat_trials(trials):
    """A trial of weight 3 counts as three."""
    truth, choice = trials
    weights = np.random.default_rng(5).integers(4, size=(6, 200))
    expected = [
        confusion_counts(np.repeat(truth, w), np.repeat(choice, w), options=OPTIONS)
        for w in weights
    ]
    found = confusion_counts(truth, choice, options=OPTIONS, weights=weights)
    np.testing.assert_allclose(found, expected, atol=EXACT)


def test_pooled_confusions_are_the_counts_of_the_trials(trials):
    """Adding stimuli up, with or without weights, gives the confusions of their trials."""
    truth, choice = trials
    codes = option_codes(choice, options=OPTIONS)
    counts = (codes[:, None] == np.arange(4)).astype(float)[None]
    places = option_codes(truth, options=OPTIONS)
    weights = np.random.default_rng(6).integers(3, size=(5, 200))
    np.testing.assert_allclose(
        pooled_confusions(counts, places)[0],
        confusion_counts(truth, choice, options=OPTIONS),
        atol=EXACT,
    )
    np.testing.assert_allclose(
        pooled_confusions(counts, places, weights=weights)[:, 0],
        confusion_counts(truth, choice, options=OPTIONS, weights=weights),
        atol=EXACT,
    )


def test_unknown_option_gets_the_near_miss():
    """A choice outside the options is an error, not a lost trial."""
    with pytest.raises(UnknownName, match="Did you mean 'oven'"):
        confusion_counts(["cat"], ["ovn"], options=OPTIONS)


def _expected(a, b):
    rows = (a.sum(axis=1) > 0) & (b.sum(axis=1) > 0)
    off = ~np.eye(len(a), dtype=bool)[rows]
    a, b = a[rows] / a[rows].sum(1, keepdims=True), b[rows] / b[rows].sum(1, keepdims=True)
    return np.corrcoef(a[off], b[off])[0, 1]


def test_correlation_equals_numpy():
    """Each pair has numpy's correlation of its row-normalised mistakes, empty rows left out."""
    rng = np.random.default_rng(7)
    a = rng.integers(1, 20, size=(3, 5, 5)).astype(float)
    b = rng.integers(1, 20, size=(2, 5, 5)).astype(float)
    a[1, 2], b[0, 4] = 0, 0
    expected = [[_expected(x, y) for y in b] for x in a]
    np.testing.assert_allclose(off_diagonal_correlation(a, b), expected, atol=EXACT)
    assert empty_rows(a).tolist() == [0, 1, 0]


def test_correlation_of_resamples_is_that_of_each():
    """A leading axis of resamples is worked on entry by entry."""
    rng = np.random.default_rng(8)
    a = rng.integers(1, 9, size=(4, 2, 3, 3)).astype(float)
    b = rng.integers(1, 9, size=(4, 3, 3, 3)).astype(float)
    expected = [off_diagonal_correlation(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(off_diagonal_correlation(a, b), expected, atol=EXACT)


def test_the_diagonal_does_not_count():
    """Changing how often an observer is right, mistakes in proportion, changes nothing."""
    a = np.array([[[50.0, 6, 4], [2, 50, 8], [9, 1, 50]]])
    b = np.array([[[90.0, 6, 4], [2, 90, 8], [9, 1, 90]]])
    np.testing.assert_allclose(off_diagonal_correlation(a, b), 1, atol=EXACT)


@pytest.mark.parametrize(
    "constant", [np.eye(3) * 7, np.ones((3, 3)) * 0.1], ids=["no mistakes", "all equally often"]
)
def test_constant_mistakes_are_undefined(constant):
    """An observer whose mistakes do not vary has no correlation."""
    other = np.array([[[5.0, 3, 1], [0, 8, 2], [4, 1, 6]]])
    assert np.isnan(off_diagonal_correlation(constant[None], other)).all()


def test_unlike_shapes_are_refused():
    """Different numbers of options are an error that shows the shapes."""
    with pytest.raises(DataError, match=r"got \(1, 3, 3\) and \(1, 4, 4\)"):
        off_diagonal_correlation(np.ones((1, 3, 3)), np.ones((1, 4, 4)))
