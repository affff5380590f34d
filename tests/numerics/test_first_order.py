"""The part of bootstrap scores that is linear in the stimuli, and how well a variance is known."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics.first_order import first_order, variance_dof
from neuroai.numerics.resample import bootstrap_counts
from neuroai.testing import EXACT

N, SAMPLES = 12, 400
# Relative scatter of a variance over 20,000 samples of 60 pairs' sums, four standard errors.
SCATTER = 0.06


def _counts(n_samples=SAMPLES, n=N, seed=0):
    return bootstrap_counts(n_samples, n, rng=np.random.default_rng(seed))


def test_what_is_linear_in_the_counts_stays():
    """Means over stimuli have no other part."""
    counts = _counts()
    scores = counts @ np.random.default_rng(1).standard_normal((N, 3)) / N
    np.testing.assert_allclose(first_order(scores, counts), scores, atol=EXACT)


@pytest.mark.parametrize("kept", [0.0, 0.25, 1.0])
def test_it_is_the_least_squares_fit(kept):
    """scipy's way of the same: all counts and no intercept, which their sum stands for."""
    counts, rng = _counts(), np.random.default_rng(2)
    scores = rng.standard_normal((SAMPLES, 2, 3)) + counts.prod(axis=1)[:, None, None]
    flat = scores.reshape(SAMPLES, -1)
    weights, *_ = np.linalg.lstsq(counts.astype(float), flat, rcond=None)
    linear = counts @ weights
    expected = linear + np.sqrt(kept) * (flat - linear)
    found = first_order(scores, counts, kept=kept)
    np.testing.assert_allclose(found.reshape(SAMPLES, -1), expected, atol=EXACT)


def test_what_is_proper_to_pairs_counts_twice_instead_of_three_times():
    """A mean over pairs of pure noise: Var(c_i c_j) is 3 for many stimuli, its linear part's 2."""
    n = 60
    counts, rng = _counts(20_000, n), np.random.default_rng(3)
    noise = rng.standard_normal((n, n))
    noise = np.triu(noise + noise.T, k=1)
    # Each stimulus's mean is taken out, so that nothing is left but pairs.
    full = noise + noise.T
    rows = full.sum(axis=1) / (n - 2)
    full = full - rows[:, None] - rows + full.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(full, 0)
    assert np.abs(full.sum(axis=1)).max() < EXACT * n
    scores = np.einsum("bi,ij,bj->b", counts, full, counts)
    # All of a sum without single stimuli's means is of second order: nothing linear stays.
    assert first_order(scores, counts).var() < SCATTER * scores.var()
    # With them, as every draw of pairs has them, two thirds do.
    free = noise + noise.T
    scores = np.einsum("bi,ij,bj->b", counts, free - free.sum() / (n * (n - 1)), counts)
    share = first_order(scores, counts).var() / scores.var()
    linear, pairs = 4 * (rows**2).sum() * (n - 2) ** 2, 2 * (full**2).sum()
    assert share == pytest.approx(linear / (linear + pairs), rel=SCATTER)


def test_undefined_samples_stay_so_and_leave_the_others_alone():
    """Each column is fitted on the samples that define it; too few are returned as they are."""
    counts, rng = _counts(), np.random.default_rng(4)
    scores = rng.standard_normal((SAMPLES, 3))
    scores[:50, 1] = np.nan
    scores[N:, 2] = np.nan
    found = first_order(scores, counts)
    assert np.isnan(found[:50, 1]).all() and np.isfinite(found[50:, 1]).all()
    np.testing.assert_allclose(found[50:, 1], first_order(scores[50:, 1], counts[50:]), atol=EXACT)
    np.testing.assert_allclose(found[:, 0], first_order(scores[:, 0], counts), atol=EXACT)
    assert np.array_equal(found[:, 2], scores[:, 2], equal_nan=True)


def test_bad_input_is_named():
    """Other numbers of samples, and a share above 1."""
    with pytest.raises(UsageError, match="hold 5 and 400 bootstrap samples"):
        first_order(np.zeros(5), _counts())
    with pytest.raises(UsageError, match="kept"):
        first_order(np.zeros(SAMPLES), _counts(), kept=1.5)


def test_degrees_of_freedom_are_those_of_the_closed_form():
    """2 n / (k - (n - 3) / (n - 1)) where tails are heavy, n - 1 where they are not."""
    rng = np.random.default_rng(5)
    d = rng.standard_t(3, (40, 6)) + 5
    centred = d - d.mean(axis=0)
    k = 40 * (centred**4).sum(axis=0) / (centred**2).sum(axis=0) ** 2
    expected = np.where(k > 3, 80 / (k - 37 / 39), 39)
    np.testing.assert_allclose(variance_dof(d), np.clip(expected, 1, 39), rtol=EXACT)
    assert variance_dof(np.linspace(-1, 1, 30)) == pytest.approx(29)


def test_degrees_of_freedom_are_those_of_simulated_variances():
    """Of exponential draws, whose kurtosis is 9: twice the mean squared over the variance."""
    rng, n = np.random.default_rng(6), 400
    variances = rng.exponential(size=(20_000, n)).var(axis=1, ddof=1)
    simulated = 2 * variances.mean() ** 2 / variances.var()
    found = np.median(variance_dof(rng.exponential(size=(n, 500))))
    # The kurtosis of 400 draws is known to a fifth or so, and tends to be too small.
    assert simulated < found < 1.5 * simulated


def test_without_a_deviation_the_variance_has_all_its_degrees_of_freedom():
    """Nothing deviates, or something is undefined; one deviation is none."""
    assert variance_dof(np.ones(5)) == 4 and variance_dof(np.array([0, 1, np.nan])) == 2
    with pytest.raises(UsageError, match="at least 2 deviations; got 1"):
        variance_dof(np.ones(1))
