"""Correlation of profiles against numpy, with gaps and weights."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError
from neuroai.numerics.profile_correlation import profile_correlation
from neuroai.testing import EXACT, readonly

RNG = np.random.default_rng(0)
A, B = readonly(RNG.normal(5, 1, (3, 40))), readonly(RNG.normal(-2, 3, (2, 40)))


def test_equals_numpy():
    """Every pair of rows."""
    expected = np.corrcoef(A, B)[:3, 3:]
    np.testing.assert_allclose(profile_correlation(A, B), expected, atol=EXACT)


def test_gaps_are_left_out_by_pair():
    """A pair with missing stimuli correlates over the others."""
    a, b = A.copy(), B.copy()
    a[0, :6], b[1, 30:] = np.nan, np.nan
    expected = np.corrcoef(a[0, 6:30], b[1, 6:30])[0, 1]
    assert profile_correlation(a, b)[0, 1] == pytest.approx(expected, abs=EXACT)


def test_weights_repeat_stimuli():
    """Multiplicities count as copies, in every resample."""
    counts = RNG.multinomial(40, np.full(40, 1 / 40), 4)
    expected = [
        np.corrcoef(np.repeat(A, c, axis=1), np.repeat(B, c, axis=1))[:3, 3:] for c in counts
    ]
    np.testing.assert_allclose(profile_correlation(A, B, weights=counts), expected, atol=EXACT)


def test_constant_profiles_have_no_correlation():
    """NaN, never 0; and shapes that differ are refused."""
    assert np.isnan(profile_correlation(np.full((1, 40), 0.1), B)).all()
    with pytest.raises(DataError, match="Restrict both sides to the same stimuli"):
        profile_correlation(A, B[:, 1:])
