"""Kendall's tau-a against all pairs of entries."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError
from neuroai.numerics.concordance import dense_codes, paired_tau_a, tau_a

# Counts are whole; one division rounds.
SAME = 1e-14


def counted(x, y):
    """Return tau-a from the sign of every pair of entries."""
    n_entries = len(x)
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    return signs.sum() / (n_entries * (n_entries - 1))


@pytest.mark.parametrize("n_entries", [2, 3, 7, 8, 9, 16, 17, 33, 64, 100, 200, 333])
@pytest.mark.parametrize("levels", [2, 6, 10**6])
def test_equal_to_counting_all_pairs(n_entries, levels):
    """Tau-a is the count over all pairs, with heavy ties and without, at any length."""
    rng = np.random.default_rng(n_entries)
    a, b = rng.integers(0, levels, (2, 4, n_entries)) / 3
    a[:, 0], b[:, 0] = -1, -1
    wanted = [[counted(x, y) for y in b] for x in a]
    varied = (np.ptp(a, axis=1) > 0)[:, None] & (np.ptp(b, axis=1) > 0)
    np.testing.assert_allclose(tau_a(a, b)[varied], np.array(wanted)[varied], rtol=0, atol=SAME)


def test_weights_are_copies():
    """Weights count entries several times; copies of one entry tie."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, (2, 3, 50))
    weights = rng.integers(0, 4, 50)
    copies = np.repeat(np.arange(50), weights)
    wanted = [[counted(x, y) for y in b[:, copies]] for x in a[:, copies]]
    np.testing.assert_allclose(tau_a(a, b, weights=weights), wanted, rtol=0, atol=SAME)


def test_constant_is_undefined():
    """A constant row has no order, so its tau-a is NaN and not 0."""
    a = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(np.isnan(tau_a(a, a)), [[True, True], [True, False]])
    assert np.isnan(tau_a(a[:, :1], a[:, :1])).all()


def test_large_codes_fit():
    """Codes beyond 31 bits give the tau-a of their order."""
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 2**40, (2, 3, 40))
    wanted = [counted(p, q) for p, q in zip(x, y, strict=True)]
    np.testing.assert_allclose(paired_tau_a(x, y), wanted, rtol=0, atol=SAME)


def test_nan_has_no_order():
    """NaN raises an error that counts it."""
    with pytest.raises(DataError, match="1 of 2 entries of values are not finite"):
        dense_codes(np.array([[1.0, np.nan]]))
