"""Correlation of mistakes against scipy."""

from __future__ import annotations

import numpy as np
from scipy.stats import pearsonr

from neuroai.comparison.metrics.confusion_correlation import confusion_correlation
from neuroai.numerics.confusion import pooled_confusions
from neuroai.testing import EXACT, readonly


def _mistakes(counts):
    rates = counts / counts.sum(axis=1, keepdims=True)
    return rates[~np.eye(len(counts), dtype=bool)]


def test_equals_scipy():
    """Every pair of subjects has scipy's correlation of the off-diagonal rates."""
    rng = np.random.default_rng(2)
    a = readonly(rng.integers(1, 40, size=(3, 4, 4)), dtype=float)
    b = readonly(rng.integers(1, 40, size=(2, 4, 4)), dtype=float)
    expected = [[pearsonr(_mistakes(x), _mistakes(y)).statistic for y in b] for x in a]
    np.testing.assert_allclose(confusion_correlation(a, b), expected, atol=EXACT)


def test_resamples_are_confusions_made_anew():
    """A bootstrap over stimuli scores the confusions of the drawn stimuli."""
    rng = np.random.default_rng(3)
    choices, truth = rng.integers(3, size=(4, 60)), rng.integers(3, size=60)
    counts = (choices[:, :, None] == np.arange(3)).astype(float)
    weights = rng.multinomial(60, np.full(60, 1 / 60), size=5)
    pooled = pooled_confusions(counts, truth, weights=weights)
    found = confusion_correlation(pooled[:, :2], pooled[:, 2:])
    drawn = [np.repeat(np.arange(60), w) for w in weights]
    again = [pooled_confusions(counts[:, rows], truth[rows]) for rows in drawn]
    expected = [confusion_correlation(c[:2], c[2:]) for c in again]
    np.testing.assert_allclose(found, expected, atol=EXACT)


def test_an_observer_without_mistakes_is_undefined():
    """Nothing can be said of the mistakes of an observer who makes none."""
    perfect = readonly(np.eye(3)[None] * 5)
    other = readonly([[[5, 2, 1], [0, 6, 3], [1, 1, 4]]], dtype=float)
    assert np.isnan(confusion_correlation(perfect, other)).all()
