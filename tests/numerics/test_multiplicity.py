"""Tests of many cells at once: against mne and scipy, by hand, and on simulated nulls."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mne.stats import fdr_correction, permutation_t_test
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.multiplicity import (
    clusters_in_time,
    false_discovery,
    max_t,
    t_over_subjects,
)
from neuroai.testing import EXACT, STANDARD_ERRORS, readonly

ALPHA = 0.05


def _values(seed=0, shape=(8, 6)):
    return readonly(np.random.default_rng(seed).standard_normal(shape) + 0.4)


def test_t_is_that_of_scipy():
    """The t of every cell; where subjects do not differ it is undefined."""
    x = np.array(_values())
    np.testing.assert_allclose(t_over_subjects(x), stats.ttest_1samp(x, 0).statistic, atol=EXACT)
    x[:, 2] = 1.0
    assert np.isnan(t_over_subjects(x)).tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize("side", ["greater", "two-sided"])
def test_all_signs_of_few_subjects_are_those_of_brute_force(side):
    """With eight subjects: the largest t of scipy under each of the 256 sign patterns."""
    x = _values()
    size = np.abs if side == "two-sided" else np.asarray
    largest = np.array([
        size(stats.ttest_1samp(x * np.array(signs)[:, None], 0).statistic).max()
        for signs in itertools.product([1, -1], repeat=len(x))
    ])  # fmt: skip
    observed = size(stats.ttest_1samp(x, 0).statistic)
    expected = (largest[:, None] >= observed - EXACT).mean(axis=0)
    np.testing.assert_allclose(max_t(x, side=side), expected, atol=EXACT)


def test_two_sided_is_near_mne():
    """mne goes through half of the patterns, and leaves one of them out."""
    x = _values()
    _, expected, _ = permutation_t_test(x, n_permutations="all", tail=0, verbose="ERROR")
    np.testing.assert_allclose(max_t(x, side="two-sided"), expected, atol=1 / (2**7 - 1))


def test_all_signs_by_hand():
    """Four subjects that agree: one of 16 patterns is as large, and the p value is 1 / 16."""
    assert max_t(np.array([[1.0], [1.2], [0.9], [1.1]])).tolist() == [1 / 16]


def test_drawn_signs_come_near_all_signs():
    """Twelve subjects by all 4,096 patterns; the same doubled to 24 is drawn, and reproducible."""
    x = _values(shape=(13, 5))
    drawn = max_t(x, n_permutations=4000, seed=3)
    np.testing.assert_array_equal(drawn, max_t(x, n_permutations=4000, seed=3))
    signs = 1 - 2.0 * ((np.arange(2**13)[:, None] >> np.arange(13)) & 1)
    means = signs @ x / 13
    t = means / np.sqrt(((x**2).mean(0) - means**2) / 12)
    observed = t_over_subjects(x)
    exact = (t.max(axis=1)[:, None] >= observed - 1e-9).mean(axis=0)
    error = np.sqrt(exact * (1 - exact) / 4000) + 1 / 4000
    assert (np.abs(drawn - exact) < STANDARD_ERRORS * error).all()


def test_max_t_holds_the_level_for_all_cells_together():
    """400 simulated nulls of 30 cells that depend on each other: one is found in at most 5 %."""
    rng = np.random.default_rng(5)
    found = 0
    for _ in range(400):
        shared = rng.standard_normal((10, 1))
        found += max_t(rng.standard_normal((10, 30)) + shared).min() <= ALPHA
    assert found / 400 < ALPHA + STANDARD_ERRORS * np.sqrt(ALPHA * (1 - ALPHA) / 400)


def test_undefined_cells_count_nowhere():
    """A cell without a value is NaN and changes no other."""
    x = np.array(_values())
    expected = max_t(np.delete(x, 2, axis=1))
    x[3, 2] = np.nan
    found = max_t(x)
    assert np.isnan(found[2])
    np.testing.assert_allclose(np.delete(found, 2), expected, atol=EXACT)
    assert np.isnan(max_t(np.full((4, 2), np.nan))).all()


@pytest.mark.parametrize(("dependent", "theirs"), [(False, "indep"), (True, "negcorr")])
def test_false_discoveries_are_those_of_mne(dependent, theirs):
    """Adjusted p values of any shape, whatever is undefined among them."""
    p = np.random.default_rng(0).random((5, 6)) ** 3
    _, expected = fdr_correction(p, method=theirs)
    np.testing.assert_allclose(false_discovery(p, dependent=dependent), expected, atol=EXACT)
    with_gap = np.append(p.ravel(), np.nan)
    np.testing.assert_allclose(
        false_discovery(with_gap, dependent=dependent), np.append(expected.ravel(), np.nan),
        atol=EXACT,
    )  # fmt: skip
    assert np.isnan(false_discovery(np.array([np.nan]))).all()


def test_a_planted_cluster_is_found_at_its_times():
    """Planted at ten of forty times: those are found, and far times are not."""
    x = np.random.default_rng(1).standard_normal((12, 40))
    x[:, 15:25] += 1.5
    p = clusters_in_time(x, n_permutations=500)
    assert (p[16:24] < ALPHA).all() and (p[:10] > ALPHA).all() and (p[30:] > ALPHA).all()
    down = clusters_in_time(-x, n_permutations=500, side="two-sided")
    assert (down[16:24] < ALPHA).all()
    assert (clusters_in_time(-x, n_permutations=500)[16:24] > ALPHA).all()


def test_clusters_hold_the_level_over_time():
    """100 simulated nulls of smooth time courses: clusters in 5 % and 4 errors at most."""
    rng = np.random.default_rng(2)
    found = 0
    for seed in range(100):
        noise = rng.standard_normal((10, 40))
        smooth = np.cumsum(noise, axis=1)
        smooth = smooth[:, 5:] - smooth[:, :-5]
        found += clusters_in_time(smooth, n_permutations=199, seed=seed).min() <= ALPHA
    assert found / 100 <= ALPHA + STANDARD_ERRORS * np.sqrt(ALPHA * (1 - ALPHA) / 100)


def test_wrong_calls_say_what_to_do():
    """One subject, values and p values out of range, and a misspelt side."""
    with pytest.raises(UsageError, match="For one subject permute the labels"):
        max_t(np.zeros((1, 3)))
    with pytest.raises(UsageError, match="side must be one of"):
        max_t(np.zeros((3, 3)), side="less")
    with pytest.raises(DataError, match="p values must lie from 0 to 1"):
        false_discovery(np.array([1.5]))
    with pytest.raises(DataError, match="undefined at some times"):
        clusters_in_time(np.full((3, 3), np.nan))
