"""Forced choice among m alternatives against quadrature, closed forms and a simulated observer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from neuroai.errors import DataError, UsageError
from neuroai.numerics.detection import d_prime_2afc
from neuroai.numerics.mafc import mafc_accuracy, mafc_d_prime
from neuroai.testing import EXACT, STANDARD_ERRORS

# Halving to 60 binary digits of a width of 24 leaves rounding alone.
INVERTED = 1e-9


@pytest.mark.parametrize("m", [2, 3, 4, 16])
@pytest.mark.parametrize("d", [-1.0, 0.0, 0.7, 3.0])
def test_equals_quadrature(m: int, d: float) -> None:
    """The integral is that of scipy's adaptive quadrature."""
    expected, _ = quad(
        lambda x: norm.pdf(x - d) * norm.cdf(x) ** (m - 1), -12, 15, epsabs=1e-13, limit=200
    )
    assert mafc_accuracy(d, n_alternatives=m) == pytest.approx(expected, abs=EXACT)


def test_two_alternatives_are_the_closed_form() -> None:
    """For m = 2 the integral is sqrt(2) z(p), with the same correction."""
    right = np.array([0, 13, 40, 50])
    found = mafc_d_prime(right, np.full(4, 50), n_alternatives=2)
    np.testing.assert_allclose(found, d_prime_2afc(right, 50), atol=INVERTED)


@pytest.mark.parametrize("m", [3, 8])
def test_is_the_inverse_of_the_accuracy(m: int) -> None:
    """What a sensitivity gives is turned back into it, the correction undone."""
    d = np.array([-0.5, 0.0, 1.0, 2.5])
    n = 1e6
    right = mafc_accuracy(d, n_alternatives=m) * (n + 1) - 1 / m
    np.testing.assert_allclose(mafc_d_prime(right, n, n_alternatives=m), d, atol=INVERTED)


def test_recovers_a_simulated_observer() -> None:
    """20,000 choices among four of an observer with d' = 1.2, within 4 standard errors."""
    rng, n, m, truth = np.random.default_rng(8), 20_000, 4, 1.2
    evidence = rng.normal(size=(n, m))
    evidence[:, 0] += truth
    right = int((evidence.argmax(axis=1) == 0).sum())
    p, step = right / n, 1e-4
    slope = np.diff(mafc_accuracy(np.array([truth, truth + step]), n_alternatives=m))[0] / step
    found = mafc_d_prime(right, n, n_alternatives=m)
    assert abs(found - truth) < STANDARD_ERRORS * np.sqrt(p * (1 - p) / n) / slope


def test_no_trials_are_undefined_and_wrong_counts_refused() -> None:
    """Without trials NaN; more right than trials, or one alternative, is an error."""
    assert np.isnan(mafc_d_prime(0, 0, n_alternatives=3))
    with pytest.raises(DataError, match="between 0 and the number of trials"):
        mafc_d_prime(3, 2, n_alternatives=3)
    with pytest.raises(UsageError, match="at least 2; got 1"):
        mafc_accuracy(1.0, n_alternatives=1)
