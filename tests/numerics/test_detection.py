"""Signal detection against scipy's normal distribution and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from neuroai.errors import DataError
from neuroai.numerics.detection import a_prime, criterion, d_prime, d_prime_2afc, log_beta
from neuroai.testing import EXACT

COUNTS = np.array([[0, 10, 3, 7], [10, 0, 0, 10], [12, 5, 4, 30], [50, 50, 50, 50]]).T


def _z(yes, no):
    return norm.ppf((yes + 0.5) / (yes + no + 1))


def test_d_prime_equals_scipy():
    """d' is the difference of normal quantiles of the corrected rates, finite at 0 and 1."""
    hits, misses, false_alarms, rejections = COUNTS
    expected = _z(hits, misses) - _z(false_alarms, rejections)
    np.testing.assert_allclose(d_prime(*COUNTS), expected, atol=EXACT)
    assert np.isfinite(d_prime(*COUNTS)).all()


def test_criterion_and_beta_equal_scipy():
    """The criterion is minus the mean quantile; beta is the ratio of the two densities there."""
    hits, misses, false_alarms, rejections = COUNTS
    z_hit, z_false = _z(hits, misses), _z(false_alarms, rejections)
    np.testing.assert_allclose(criterion(*COUNTS), -(z_hit + z_false) / 2, atol=EXACT)
    ratio = norm.logpdf(z_hit) - norm.logpdf(z_false)
    np.testing.assert_allclose(log_beta(*COUNTS), ratio, atol=EXACT)


def test_d_prime_recovers_a_simulated_observer():
    """An observer with d' = 1.5 and 40,000 trials is recovered within 4 standard errors."""
    rng, truth, n = np.random.default_rng(3), 1.5, 20_000
    hits = int((rng.normal(truth, 1, n) > 0.6).sum())
    false_alarms = int((rng.normal(0, 1, n) > 0.6).sum())
    variance = sum(
        p * (1 - p) / n / norm.pdf(norm.ppf(p)) ** 2 for p in (hits / n, false_alarms / n)
    )
    found = d_prime(hits, n - hits, false_alarms, n - false_alarms)
    assert abs(found - truth) < 4 * np.sqrt(variance)


def test_two_alternatives_equal_scipy():
    """In two-alternative forced choice d' is sqrt(2) z(p)."""
    n_correct, n = np.array([0, 13, 20]), 20
    expected = np.sqrt(2) * norm.ppf((n_correct + 0.5) / (n + 1))
    np.testing.assert_allclose(d_prime_2afc(n_correct, n), expected, atol=EXACT)


def test_a_prime_is_the_mean_of_the_areas_that_are_possible():
    """A' adds half of the two triangles a proper ROC curve may still cover to the sure area."""
    hit, false_alarm = 0.8, 0.3
    sure = (1 + hit - false_alarm) / 2
    # The lines from (0, 0) and from (1, 1) through the point, prolonged to the edges of the
    # square, bound every proper curve: above the point up to the top, and left of it.
    above = (false_alarm / hit, 1.0)
    beside = (0.0, 1 - (1 - hit) / (1 - false_alarm))
    point = (false_alarm, hit)
    open_area = _triangle(point, above, (1.0, 1.0)) + _triangle(point, beside, (0.0, 0.0))
    expected = sure + open_area / 2
    np.testing.assert_allclose(a_prime(80, 20, 30, 70), expected, atol=EXACT)
    np.testing.assert_allclose(a_prime(30, 70, 80, 20), 1 - expected, atol=EXACT)


def _triangle(p, q, r):
    return abs((q[0] - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (q[1] - p[1])) / 2


def test_no_trials_are_undefined():
    """Without noise trials the log-linear correction must not invent a rate of one half."""
    assert np.isnan(d_prime(5, 5, 0, 0)) and np.isnan(a_prime(5, 5, 0, 0))
    assert np.isnan(d_prime_2afc(0, 0))


def test_negative_counts_are_refused():
    """More correct trials than trials is an error."""
    with pytest.raises(DataError, match="at least 0; got a negative one"):
        d_prime_2afc(6, 5)
