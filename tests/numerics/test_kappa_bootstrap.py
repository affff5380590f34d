"""The bootstrap of kappa against stimuli drawn one by one."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.agreement import cohen_kappa
from neuroai.numerics.kappa_bootstrap import bootstrap_kappa
from neuroai.numerics.resample import bootstrap_counts
from neuroai.testing import EXACT, STANDARD_ERRORS, readonly


@pytest.fixture
def observers() -> tuple[np.ndarray, np.ndarray]:
    """Three and two observers on 80 stimuli, of whom some missed a few."""
    rng = np.random.default_rng(5)
    hard = rng.random(80)
    a = (rng.random((3, 80)) < 0.3 + 0.5 * hard).astype(float)
    b = (rng.random((2, 80)) < 0.2 + 0.6 * hard).astype(float)
    a[0, :5] = np.nan
    return readonly(a), readonly(b)


def test_every_sample_is_the_kappa_of_a_repeated_set(observers):
    """With the same draws of patterns, repeated columns give the same kappas, pair by pair."""
    a, b = observers
    both = np.where(np.isnan(np.concatenate([a, b])), 2, np.concatenate([a, b]))
    _, first, counts = np.unique(both.astype(np.uint8).T, axis=0, return_index=True,
                                 return_counts=True)  # fmt: skip
    order = np.argsort(-counts, kind="stable")
    first, counts = first[order], counts[order]
    drawn = np.random.default_rng(1).multinomial(80, counts / 80, size=6)
    expected = [
        cohen_kappa(np.repeat(a[:, first], w, axis=1), np.repeat(b[:, first], w, axis=1)).ravel()
        for w in drawn
    ]
    found = bootstrap_kappa(a, b, n_samples=6, rng=np.random.default_rng(1))
    np.testing.assert_allclose(found, expected, atol=EXACT)


def test_law_is_that_of_stimuli_drawn_one_by_one(observers):
    """Mean and spread of the samples agree with the plain bootstrap within 4 standard errors."""
    a, b = observers
    n = 4000
    counts = bootstrap_counts(n, 80, rng=np.random.default_rng(2))
    plain = cohen_kappa(a, b, weights=counts).reshape(n, -1)
    found = bootstrap_kappa(a, b, n_samples=n, rng=np.random.default_rng(3))
    error = plain.std(axis=0, ddof=1) * np.sqrt(2 / n)
    assert (np.abs(found.mean(axis=0) - plain.mean(axis=0)) < STANDARD_ERRORS * error).all()
    ratio = found.std(axis=0, ddof=1) / plain.std(axis=0, ddof=1)
    assert (np.abs(np.log(ratio)) < STANDARD_ERRORS / np.sqrt(n)).all()


def test_pairs_within_a_group_are_those_between_copies(observers):
    """Without a second group the pairs above the diagonal come, from the same draws."""
    a, _ = observers
    found = bootstrap_kappa(a, n_samples=5, rng=np.random.default_rng(0))
    whole = bootstrap_kappa(a, a, n_samples=5, rng=np.random.default_rng(0)).reshape(5, 3, 3)
    rows, columns = np.triu_indices(3, 1)
    np.testing.assert_allclose(found, whole[:, rows, columns], atol=EXACT)


def test_what_cannot_be_resampled_is_refused(observers):
    """Shapes that differ, averages of trials, and no samples at all are errors in words."""
    a, b = observers
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="Restrict both sides to the same stimuli"):
        bootstrap_kappa(a, b[:, 1:], n_samples=2, rng=rng)
    with pytest.raises(DataError, match="0.5 among the entries"):
        bootstrap_kappa(np.full((1, 3), 0.5), np.ones((1, 3)), n_samples=2, rng=rng)
    with pytest.raises(UsageError, match="n_samples must be at least 1; got 0"):
        bootstrap_kappa(a, b, n_samples=0, rng=rng)
