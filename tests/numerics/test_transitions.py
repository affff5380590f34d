"""Transitions of labelled behaviour against chains of known law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from neuroai.errors import DataError, UnknownName, UsageError
from neuroai.numerics.transitions import (
    transition_counts,
    transition_divergence,
    transition_test,
)
from neuroai.testing import EXACT, STANDARD_ERRORS

NAMES = ("groom", "rear", "run")
LAW = np.array([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.3, 0.3, 0.4]])
OTHER = LAW[[1, 2, 0]]


def chains(law: np.ndarray, *, n_sequences: int, length: int, seed: int) -> np.ndarray:
    """Draw sequences of a Markov chain and count their transitions."""
    rng, counts = np.random.default_rng(seed), np.zeros((n_sequences, 3, 3))
    for table in counts:
        state = rng.integers(3)
        for _ in range(length):
            new = rng.choice(3, p=law[state])
            table[state, new] += 1
            state = new
    return counts


def test_counts_stay_within_sequences():
    """The last event of one session is not followed by the first of the next; gaps break too."""
    counts = transition_counts(
        ["run", "rear", "groom", "", "run"], ["a", "a", "b", "b", "b"], options=NAMES
    )
    assert counts.sum() == 1 and counts[0, 2, 1] == 1


def test_counts_of_a_chain_are_its_law():
    """Rows of 3,000 transitions are the chain's probabilities within 4 standard errors."""
    counts = chains(LAW, n_sequences=1, length=3000, seed=0)[0]
    n = counts.sum(axis=1, keepdims=True)
    error = np.sqrt(LAW * (1 - LAW) / n)
    assert (np.abs(counts / n - LAW) < STANDARD_ERRORS * error).all()


def test_divergence_equals_scipy():
    """The Jensen-Shannon divergence of rows in bits, weighted by mean usage."""
    rng = np.random.default_rng(1)
    a, b = rng.integers(1, 30, (2, 3, 3)).astype(float)
    usage = (a.sum(axis=1) / a.sum() + b.sum(axis=1) / b.sum()) / 2
    expected = usage @ [jensenshannon(x, y, base=2) ** 2 for x, y in zip(a, b, strict=True)]
    assert transition_divergence(a, b) == pytest.approx(expected, abs=EXACT)
    assert transition_divergence(b, a) == pytest.approx(expected, abs=EXACT)


def test_a_behaviour_that_one_never_showed_is_left_out():
    """A row without a count on either side has no law to compare."""
    a = np.array([[1.0, 2], [0, 0]])
    assert transition_divergence(a, np.array([[1.0, 2], [5, 1]])) == pytest.approx(0, abs=EXACT)
    assert np.isnan(transition_divergence(a, a[::-1]))


def test_difference_is_found_and_null_is_uniform():
    """Other laws give the smallest p; one law gives p that are uniform over 60 draws."""
    a = chains(LAW, n_sequences=5, length=60, seed=2)
    value, p, null = transition_test(
        a, chains(OTHER, n_sequences=5, length=60, seed=3), n_permutations=99
    )
    assert p <= 0.02 and value > null.mean()
    many = [
        transition_test(
            chains(LAW, n_sequences=4, length=25, seed=10 + s),
            chains(LAW, n_sequences=4, length=25, seed=500 + s),
            n_permutations=39,
            seed=s,
        )[1]
        for s in range(60)
    ]
    assert stats.kstest(many, "uniform").pvalue > 1e-3


def test_what_cannot_be_compared_is_refused():
    """Unknown behaviours, one sequence a side, and other shapes."""
    with pytest.raises(UnknownName, match="Did you mean 'rear'"):
        transition_counts(["reer"], ["a"], options=NAMES)
    with pytest.raises(DataError, match="give one an event"):
        transition_counts(["rear"], [], options=NAMES)
    with pytest.raises(UsageError, match="at least two on each side"):
        transition_test(np.ones((1, 3, 3)), np.ones((2, 3, 3)))
    with pytest.raises(DataError, match="of the same behaviours"):
        transition_divergence(np.ones((2, 2)), np.ones((3, 3)))
