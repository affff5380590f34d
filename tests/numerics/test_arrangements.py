"""Inverse MDS against rsatoolbox and known maps."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs
from rsatoolbox.rdm.combine import rescale
from scipy.spatial.distance import pdist, squareform

from neuroai.errors import DataError
from neuroai.numerics.arrangements import combine_arrangements
from neuroai.testing import EXACT

# rsatoolbox stops where an estimate of unit length changes by less than 1e-10.
STOPPED = 1e-7


def arrangements(*, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Place eight items on a plane and show six subsets of them, each filling the arena."""
    rng = np.random.default_rng(seed)
    truth = squareform(pdist(rng.normal(size=(8, 2))))
    shown = np.full((6, 8, 8), np.nan)
    for part in shown:
        rows = np.sort(rng.permutation(8)[:6])
        scale = rng.uniform(3, 9)
        jitter = np.triu(np.exp(noise * rng.normal(size=(6, 6))), 1)
        part[np.ix_(rows, rows)] = scale * truth[np.ix_(rows, rows)] * (jitter + jitter.T)
        np.fill_diagonal(part, np.where(np.isin(np.arange(8), rows), 0, np.nan))
    return truth, shown


def test_noiseless_arrangements_give_the_map():
    """Whatever scale each arrangement had, the distances of the map come back up to one factor."""
    truth, shown = arrangements(noise=0.0)
    found = combine_arrangements(shown)
    i, j = np.triu_indices(8, 1)
    ratio = found[i, j] / truth[i, j]
    known = np.isfinite(ratio)
    assert known.sum() >= 24
    np.testing.assert_allclose(ratio[known], ratio[known][0], rtol=STOPPED)
    assert (found[i, j][known] ** 2).mean() == pytest.approx(1, abs=EXACT)


def test_equals_rsatoolbox():
    """Its evidence-weighted alignment, averaged with its weights, is ours up to one factor."""
    _, shown = arrangements(noise=0.3, seed=1)
    i, j = np.triu_indices(8, 1)
    aligned = rescale(RDMs(shown[:, i, j]), method="evidence", threshold=1e-20)
    weights = aligned.rdm_descriptors["rescalingWeights"]
    assert np.nanmin(weights) > 0.04  # below it rsatoolbox lifts weights, and ours does not
    mean = np.nansum(aligned.dissimilarities * weights, axis=0) / np.nansum(weights, axis=0)
    found = combine_arrangements(shown)[i, j]
    known = np.isfinite(mean)
    np.testing.assert_array_equal(known, np.isfinite(found))
    mean = mean[known] / np.sqrt((mean[known] ** 2).mean())
    np.testing.assert_allclose(found[known], mean, atol=STOPPED)


def test_pairs_never_shown_together_are_undefined():
    """What no arrangement holds is NaN, on both sides of the diagonal."""
    shown = np.full((1, 3, 3), np.nan)
    shown[0, :2, :2] = [[0, 4], [4, 0]]
    found = combine_arrangements(shown)
    np.testing.assert_array_equal(np.isnan(found), [[0, 0, 1], [0, 0, 1], [1, 1, 0]])
    assert found[0, 1] == pytest.approx(1, abs=EXACT)


def test_what_is_no_arrangement_is_refused():
    """Shapes, negative distances, and all items in one place."""
    with pytest.raises(DataError, match="n_arrangements, n_items, n_items"):
        combine_arrangements(np.zeros((3, 3)))
    with pytest.raises(DataError, match="at least 0"):
        combine_arrangements(-np.ones((1, 2, 2)))
    with pytest.raises(DataError, match="in one place"):
        combine_arrangements(np.zeros((1, 2, 2)))
