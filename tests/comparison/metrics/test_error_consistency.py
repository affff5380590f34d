"""Error consistency against scikit-learn, as signed and undefined as it must be."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import cohen_kappa_score

from neuroai.comparison.metrics.error_consistency import error_consistency
from neuroai.testing import EXACT, readonly


def test_equals_scikit_learn():
    """Every pair of subjects has scikit-learn's kappa."""
    rng = np.random.default_rng(1)
    a, b = readonly(rng.integers(2, size=(3, 40))), readonly(rng.integers(2, size=(2, 40)))
    expected = [[cohen_kappa_score(x, y) for y in b] for x in a]
    np.testing.assert_allclose(error_consistency(a, b), expected, atol=EXACT)


def test_opposite_errors_are_negative():
    """Observers who fail on opposite stimuli score -1: the sign is kept."""
    a = readonly([[1, 0, 1, 0]], dtype=float)
    np.testing.assert_allclose(error_consistency(a, 1 - a), [[-1]], atol=EXACT)


def test_two_perfect_observers_are_undefined():
    """Two observers without errors have no error consistency, rather than a perfect one."""
    perfect = readonly(np.ones((1, 8)))
    assert np.isnan(error_consistency(perfect, perfect)).all()


def test_bootstrap_interval_covers_independence():
    """Resampled kappa of independent observers spreads as published: SD 0.08 at 160 trials."""
    rng = np.random.default_rng(5)
    a, b = rng.integers(2, size=(2, 1, 160)).astype(float)
    weights = rng.multinomial(160, np.full(160, 1 / 160), size=2000)
    spread = error_consistency(a, b, weights=weights)[:, 0, 0].std(ddof=1)
    assert abs(spread - 0.08) < 0.01
