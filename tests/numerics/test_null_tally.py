"""Counts of null scores: the p-values of the whole table, from blocks of it."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.numerics.intervals import permutation_p
from neuroai.numerics.null_tally import null_tally
from neuroai.testing import EXACT, readonly


@pytest.fixture
def scores():
    """Six observed scores, and forty of chance for each."""
    rng = np.random.default_rng(0)
    return readonly(rng.standard_normal(6) + 1), readonly(rng.standard_normal((40, 6)))


@pytest.mark.parametrize("size", [1, 7, 40])
def test_blocks_give_the_p_values_of_the_whole(scores, size):
    """Against the plain formulas on the whole table."""
    observed, null = scores
    groups = np.array([0, 1, 0, 1, 1, 0])
    blocks = (null[i : i + size] for i in range(0, 40, size))
    found = null_tally(observed, blocks, groups=groups)
    np.testing.assert_allclose(found.p, permutation_p(observed, null), atol=EXACT)
    largest = np.tile(null.max(axis=1)[:, None], 6)
    np.testing.assert_allclose(found.p_max, permutation_p(observed, largest), atol=EXACT)
    means = np.stack([null[:, groups == g].mean(axis=1) for g in (0, 1)], axis=1)
    np.testing.assert_allclose(found.means, means, atol=EXACT)


def test_scores_that_differ_by_rounding_are_equal(scores):
    """A relabelling that changes nothing counts, whatever the order of its sums."""
    observed, _ = scores
    found = null_tally(observed, [observed[None] - 1e-13])
    assert found.p.tolist() == [1.0] * 6


def test_undefined_scores_of_chance_count_as_reaching(scores):
    """One draw undefined for one target: its p grows, and that of the largest for all."""
    observed, null = (part.copy() for part in scores)
    observed[:] = 10.0
    null[3, 2] = np.nan
    found = null_tally(observed, [null])
    assert found.p.tolist() == pytest.approx([1 / 41] * 2 + [2 / 41] + [1 / 41] * 3)
    assert found.p_max.tolist() == pytest.approx([2 / 41] * 6)
    assert found.n_undefined == 1
    assert np.isinf(found.means[3, 0]) and np.isfinite(np.delete(found.means[:, 0], 3)).all()


def test_undefined_targets_take_no_part(scores):
    """Neither in the largest nor in a mean; a group without any has none."""
    observed, null = (part.copy() for part in scores)
    observed[1], null[:, 1] = np.nan, 99.0
    null[0, 1] = np.nan
    found = null_tally(observed, [null], groups=np.array([0, 1, 0, 0, 0, 0]))
    assert np.isnan(found.p[1]) and np.isnan(found.p_max[1]) and np.isnan(found.means[:, 1]).all()
    assert found.n_undefined == 0
    rest = null_tally(np.delete(observed, 1), [np.delete(null, 1, axis=1)])
    np.testing.assert_allclose(np.delete(found.p_max, 1), rest.p_max, atol=EXACT)
    np.testing.assert_allclose(found.means[:, 0], rest.means[:, 0], atol=EXACT)
