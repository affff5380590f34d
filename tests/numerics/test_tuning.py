"""Tuning: means by hand, nothing chosen and tested on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import UsageError
from neuroai.numerics.tuning import explained_variance, held_out_tuning, tuning_curves
from neuroai.testing import EXACT, STANDARD_ERRORS

N_LABELS, N_EACH = 6, 20
CODES = np.repeat(np.arange(N_LABELS), N_EACH)
HALF = np.arange(N_LABELS * N_EACH) % 2 == 0


def test_curves_are_means_of_the_labels(random_array):
    """Label by label; what was not shown is NaN, not 0."""
    values = random_array(len(CODES), 7)
    curves = tuning_curves(values, CODES, n_labels=N_LABELS + 1)
    for label in range(N_LABELS):
        np.testing.assert_allclose(curves[label], values[CODES == label].mean(axis=0))
    assert np.isnan(curves[N_LABELS]).all()


def test_explained_variance_is_that_of_the_analysis_of_variance(random_array):
    """From scipy's F: omega squared = (k - 1)(F - 1) / ((k - 1)(F - 1) + N)."""
    values = random_array(len(CODES), 5) + CODES[:, None] * np.linspace(0, 1, 5)
    found = explained_variance(values, CODES, n_labels=N_LABELS)
    groups = [values[CODES == label] for label in range(N_LABELS)]
    top = (N_LABELS - 1) * (stats.f_oneway(*groups).statistic - 1)
    np.testing.assert_allclose(found, top / (top + len(CODES)), atol=EXACT)


def test_noise_is_not_selective_on_the_half_that_did_not_choose(random_array):
    """2,000 units of pure noise: d' of 0 held out, but far above on the half that chose."""
    values = random_array(len(CODES), 2000)
    found = held_out_tuning(values, CODES, HALF, n_labels=N_LABELS)
    error = found.d_prime.std() / np.sqrt(2000)
    assert abs(found.d_prime.mean()) < STANDARD_ERRORS * error
    assert found.d_prime_chosen.mean() > 0.3
    assert abs(np.nanmean(found.reliability)) < STANDARD_ERRORS / np.sqrt(2000)


def test_planted_preferences_are_found(random_array):
    """Unit u prefers label u by 4 SD: found, with a d' near 4 and curves that repeat."""
    values = random_array(len(CODES), N_LABELS) + 4 * (CODES[:, None] == np.arange(N_LABELS))
    found = held_out_tuning(values, CODES, HALF, n_labels=N_LABELS)
    assert found.preferred.tolist() == list(range(N_LABELS))
    # The SD of d' from 10 and 50 rows is about 0.5.
    assert np.abs(found.d_prime - 4).max() < 2 and (found.reliability > 0.8).all()


def test_a_unit_that_never_varies_prefers_nothing():
    """It is undefined, and does not disturb others."""
    values = np.column_stack([np.full(len(CODES), 0.1), CODES.astype(float)])
    found = held_out_tuning(values, CODES, HALF, n_labels=N_LABELS)
    assert found.preferred.tolist() == [-1, N_LABELS - 1]
    assert np.isnan(found.d_prime[0]) and np.isnan(found.reliability[0])
    assert np.isnan(explained_variance(values, CODES, n_labels=N_LABELS)[0])


def test_wrong_input_is_told():
    """Shapes and codes out of range."""
    with pytest.raises(UsageError, match="whole codes"):
        tuning_curves(np.zeros((3, 2)), np.zeros(3), n_labels=1)
    with pytest.raises(UsageError, match="from 0 to 1; got up to 2"):
        tuning_curves(np.zeros((3, 2)), np.arange(3), n_labels=2)
