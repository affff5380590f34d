"""Deviance, its explained share and bits a count, against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
from scipy.stats import poisson
from sklearn.metrics import d2_tweedie_score, mean_poisson_deviance

from neuroai.numerics.poisson_scores import bits_per_count, deviance, pseudo_r2
from neuroai.testing import EXACT, readonly


def _counts():
    rng = np.random.default_rng(0)
    y = rng.poisson(np.exp(rng.standard_normal((60, 3)))).astype(float)
    return readonly(y), readonly(rng.uniform(0.5, 5, y.shape))


def test_deviance_and_its_share_are_those_of_scikit_learn():
    """mean_poisson_deviance and d2_tweedie_score, zeros among the counts."""
    y, rate = _counts()
    expected = [mean_poisson_deviance(a, b) * len(y) for a, b in zip(y.T, rate.T, strict=True)]
    np.testing.assert_allclose(deviance(y, rate), expected, rtol=EXACT)
    expected = [d2_tweedie_score(a, b, power=1) for a, b in zip(y.T, rate.T, strict=True)]
    np.testing.assert_allclose(pseudo_r2(y, rate), expected, rtol=EXACT)


def test_bits_are_the_gain_in_likelihood():
    """scipy's Poisson likelihood of both rates, a count; a silent unit has none."""
    y, rate = _counts()
    mean = np.array([0.5, 1.0, 2.0])
    gain = (poisson.logpmf(y, rate) - poisson.logpmf(y, mean)).sum(axis=0)
    found = bits_per_count(y, rate, mean=mean)
    np.testing.assert_allclose(found, gain / y.sum(axis=0) / np.log(2), rtol=EXACT)
    assert np.isnan(bits_per_count(0 * y, rate, mean=mean)).all()
    assert np.isnan(bits_per_count(y, rate, mean=0 * mean)).all()
