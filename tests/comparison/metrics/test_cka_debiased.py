"""Debiased alignment: perfect for rotated copies, 0 for noise, where the biased one is near 1."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroai.comparison.metrics.cka_debiased import cka_debiased
from neuroai.testing import EXACT, STANDARD_ERRORS


def _hsic(k: np.ndarray, m: np.ndarray) -> float:
    """Song's unbiased estimator, term by term."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    ones = np.ones(n)
    return (
        np.trace(k @ m)
        + (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2))
        - 2 * (ones @ k @ m @ ones) / (n - 2)
    ) / (n * (n - 3))


def test_equals_the_unbiased_estimator_of_song(random_array):
    """The value is the ratio of Song's three unbiased estimates on uncentred Gram matrices."""
    a, b = random_array(15, 6, seed=1), random_array(15, 9, seed=2)
    k, m = a @ a.T, b @ b.T
    expected = _hsic(k, m) / math.sqrt(_hsic(k, k) * _hsic(m, m))
    assert cka_debiased(a, b) == pytest.approx(expected, abs=EXACT)


def test_a_rotated_scaled_and_shifted_copy_is_perfect(random_array):
    """Rotation, scale and offset of the responses are ignored."""
    a = random_array(20, 8, seed=3)
    rotation = np.linalg.qr(random_array(8, 8, seed=4))[0]
    assert cka_debiased(a, 3 * a @ rotation + 2) == pytest.approx(1, abs=EXACT)


def _biased(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of the centred Gram matrices."""
    k, m = ((x - x.mean(axis=0)) @ (x - x.mean(axis=0)).T for x in (a, b))
    return float((k * m).sum() / math.sqrt((k * k).sum() * (m * m).sum()))


def test_noise_of_many_units_scores_zero(random_array):
    """Independent responses of 2,000 units average 0, where the biased alignment is near 1."""
    pairs = [
        (random_array(30, 2000, seed=2 * i), random_array(30, 2000, seed=2 * i + 1))
        for i in range(30)
    ]
    values = [cka_debiased(a, b) for a, b in pairs]
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values)) < STANDARD_ERRORS * error < 0.05
    assert min(_biased(a, b) for a, b in pairs) > 0.9


def test_constant_responses_are_undefined(random_array):
    """A side that never varies has no alignment: NaN, never 0."""
    assert math.isnan(cka_debiased(np.ones((8, 3)), random_array(8, 3)))
