"""Selectivity: closed forms, ranges, and what is undefined."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.selectivity import circular_selectivity, d_prime_units, sparseness
from neuroai.testing import EXACT, STANDARD_ERRORS


def test_d_prime_of_known_normals(random_array):
    """Two normals 1.5 SD apart."""
    group = np.arange(4000) % 2 == 0
    values = random_array(4000, 1) * 2 + 3 * group[:, None]
    assert d_prime_units(values, group)[0] == pytest.approx(1.5, abs=STANDARD_ERRORS * 0.04)
    assert d_prime_units(values, ~group)[0] == -d_prime_units(values, group)[0]


def test_d_prime_is_undefined_without_variance_or_rows():
    """A constant unit, even one whose mean is rounded, and a group of one."""
    group = np.array([True, True, True, False, False])
    assert np.isnan(d_prime_units(np.full((5, 1), 0.1), group)).all()
    assert np.isnan(d_prime_units(np.arange(5.0)[:, None], np.arange(5) == 0)).all()
    with pytest.raises(DataError, match="boolean group"):
        d_prime_units(np.zeros((5, 1)), np.arange(5))


@pytest.mark.parametrize("n", [2, 5, 100])
def test_sparseness_from_one_response_to_all_equal(n):
    """k of n equal responses: a = k / n, S = (1 - k / n) / (1 - 1 / n)."""
    k = np.arange(1, n + 1)
    responses = 1e200 * (np.arange(n) < k[:, None])  # squares of which would overflow
    ratio = sparseness(responses, method="treves-rolls")
    np.testing.assert_allclose(ratio, k / n, atol=EXACT)
    np.testing.assert_allclose(sparseness(responses), (1 - k / n) / (1 - 1 / n), atol=EXACT)


def test_sparseness_of_exponential_rates(random_array):
    """Exponential rates have E[r]^2 / E[r^2] = 1/2."""
    rates = np.random.default_rng(0).exponential(size=(1, 100_000))
    assert sparseness(rates, method="treves-rolls")[0] == pytest.approx(0.5, abs=0.01)


def test_sparseness_without_response_or_below_zero():
    """Silence is undefined; negative responses are refused."""
    assert np.isnan(sparseness(np.zeros((1, 3)))).all()
    with pytest.raises(DataError, match="1 responses are negative"):
        sparseness(np.array([[1.0, -1.0]]))
    with pytest.raises(UsageError, match="method must be one of"):
        sparseness(np.ones((1, 2)), method="rolls")


def test_orientation_of_a_von_mises_curve():
    """exp(k cos 2(t - 60)): strength I1(k) / I0(k), preferred 60 degrees."""
    from scipy.special import ive

    angles = np.arange(0, 180, 5.0)
    kappas = np.array([0.5, 2.0, 8.0])
    curves = np.exp(kappas * (np.cos(np.deg2rad(2 * (angles - 60)))[:, None] - 1))
    strength, preferred = circular_selectivity(curves, angles)
    np.testing.assert_allclose(strength, ive(1, kappas) / ive(0, kappas), rtol=1e-9)
    np.testing.assert_allclose(preferred, 60, rtol=1e-9)


def test_flat_and_silent_units_prefer_no_angle():
    """A flat curve has strength 0 and no angle; silence has neither."""
    strength, preferred = circular_selectivity(
        np.array([[1.0, 0.0]] * 4), np.array([0.0, 45.0, 90.0, 135.0])
    )
    assert strength[0] == pytest.approx(0, abs=EXACT) and np.isnan(strength[1])
    assert np.isnan(preferred).all()
