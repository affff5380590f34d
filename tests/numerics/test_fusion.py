"""Fusion: commonality against regressions, groups against pooled RDMs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.fusion import commonality, fusion_products
from neuroai.testing import EQUAL, EXACT, readonly

N_PAIRS = 45


def _problem(seed=0, shape=(3, 4, 2, 2, 3)):
    rng = np.random.default_rng(seed)
    s_t, t, s_r, r, m = shape
    shared = rng.random(N_PAIRS)
    return tuple(
        readonly(shared + rng.random(axes))
        for axes in ((s_t, t, N_PAIRS), (s_r, r, N_PAIRS), (m, N_PAIRS))
    )


def _r_squared(y, *columns):
    design = np.vstack([*columns, np.ones(len(y))]).T
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - left.var() / y.var()


@pytest.mark.parametrize("seed", range(200))
def test_commonality_is_what_two_regressions_share(seed):
    """200 random triples: variance explained by either alone, less that by both together."""
    rng = np.random.default_rng(seed)
    t, f, m = rng.random((3, 30)) + rng.random(30)
    r = np.corrcoef([t, f, m])
    expected = _r_squared(t, f) + _r_squared(t, m) - _r_squared(t, f, m)
    np.testing.assert_allclose(commonality(r[0, 1], r[0, 2], r[1, 2]), expected, atol=EQUAL)


def test_commonality_of_unrelated_and_of_same_predictors():
    """Uncorrelated predictors share nothing; one and the same have no share that is defined."""
    assert float(commonality(0.4, 0.3, 0.0)) == pytest.approx(0.0, abs=EXACT)
    assert np.isnan(commonality(0.4, 0.4, 1.0))
    assert float(commonality(0.5, 0.0, 0.5)) < 0  # suppression


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize("weights", [(1, 1, 1), (2, 0, 1)])
def test_a_groups_similarity_is_that_of_its_mean_rdm(method, weights):
    """Any weighting of subjects gives the correlation of the mean of standardised RDMs."""
    over_time, regions, layers = _problem()
    g = np.array([1.0, 2.0])
    found, shared = fusion_products(over_time, regions, layers, method=method).fused(weights, g)

    def z(x):
        x = stats.rankdata(x, axis=-1) if method == "spearman" else np.asarray(x)
        return stats.zscore(x, axis=-1)

    time_mean = np.einsum("s,stp->tp", weights, z(over_time))
    region_mean, layer = np.einsum("s,srp->rp", g, z(regions)), z(layers)
    for t in range(4):
        for r in range(2):
            tf = np.corrcoef(time_mean[t], region_mean[r])[0, 1]
            np.testing.assert_allclose(found[t, r], tf, atol=EQUAL)
            for m in range(3):
                expected = commonality(
                    tf,
                    np.corrcoef(time_mean[t], layer[m])[0, 1],
                    np.corrcoef(region_mean[r], layer[m])[0, 1],
                )
                np.testing.assert_allclose(shared[t, r, m], expected, atol=EQUAL)


def test_wrong_calls_say_what_to_do():
    """Other stimuli, missing axes and NaN."""
    over_time, regions, layers = _problem()
    with pytest.raises(UsageError, match="45 and 36 pairs"):
        fusion_products(over_time, regions[..., :36], layers)
    with pytest.raises(UsageError, match="layers must have 2 axes"):
        fusion_products(over_time, regions, layers[0])
    with pytest.raises(DataError, match="of regions are undefined"):
        fusion_products(over_time, regions * np.nan, layers)
    with pytest.raises(UsageError, match="method must be one of"):
        fusion_products(over_time, regions, layers, method="cosine")
