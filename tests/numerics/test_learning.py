"""Learning curves against simulated learners."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from neuroai.errors import DataError
from neuroai.numerics.learning import fit_learning, order_agreement
from neuroai.testing import EXACT

STAGES = np.arange(12.0)


def simulated(seed: int, *, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Draw a learner who rises from 0.5 to 0.9 at 0.35 a session."""
    p = 0.9 - 0.4 * np.exp(-0.35 * STAGES)
    return np.random.default_rng(seed).binomial(n, p), np.full(12, n)


def test_recovers_learners():
    """Over 12 learners the medians lie near the truth, closer than their spread."""
    fits = [fit_learning(STAGES, *simulated(seed)) for seed in range(12)]
    for name, truth in (("start", 0.5), ("asymptote", 0.9), ("rate", 0.35)):
        values = np.array([getattr(fit, name) for fit in fits])
        assert abs(np.median(values) - truth) < values.std()
        assert values.std() < 0.3 * truth
    assert min(fit.gain for fit in fits) > 100


def test_stage_may_start_anywhere():
    """Shifting the sessions changes nothing, stretching them the rate alone."""
    k, n = simulated(0)
    one, other = fit_learning(STAGES, k, n), fit_learning(100 + 10 * STAGES, k, n)
    assert other.rate == pytest.approx(one.rate / 10, rel=1e-3)  # where the optimiser stops
    assert other.asymptote == pytest.approx(one.asymptote, abs=1e-3)
    np.testing.assert_allclose(other.at(100 + 10 * STAGES, first=100), one.at(STAGES), atol=1e-3)


def test_nothing_learnt_gains_nothing():
    """A learner at 0.7 throughout gains no more than two parameters do by chance."""
    rng = np.random.default_rng(1)
    gains = [fit_learning(STAGES, rng.binomial(200, 0.7, 12), np.full(12, 200)).gain
             for _ in range(8)]  # fmt: skip
    assert np.median(gains) < 4


def test_order_is_kendalls_tau():
    """Without things that never came, tau-b of scipy; those that never came are last."""
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 5, (2, 9)).astype(float)
    expected = kendalltau(a, b).statistic
    np.testing.assert_allclose(order_agreement(a, b), expected, atol=EXACT)
    assert order_agreement([1, 2, np.nan], [9, 8, 7]) == pytest.approx(-1, abs=EXACT)
    assert np.isnan(order_agreement([1, 1], [1, 2]))


def test_counts_that_make_no_curve_are_refused():
    """Two stages, repeated stages, too many right choices, other things."""
    with pytest.raises(DataError, match="at 3 stages or more"):
        fit_learning([0, 1], [1, 2], [3, 3])
    with pytest.raises(DataError, match="Add up the trials of each stage"):
        fit_learning([0, 0, 1], [1, 2, 3], [3, 3, 3])
    with pytest.raises(DataError, match="between 0 and the number of trials"):
        fit_learning([0, 1, 2], [1, 2, 4], [3, 3, 3])
    with pytest.raises(DataError, match="the same things"):
        order_agreement([1, 2], [1, 2, 3])
