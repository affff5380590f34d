"""The divergence of Poisson rates, as rsatoolbox computes it."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm

from neuroai.errors import DataError, UsageError
from neuroai.numerics.poisson_kl import poisson_kl

EXACT = 1e-8  # float64


@pytest.mark.parametrize("seed", range(50))
def test_divergences_are_those_of_rsatoolbox(seed):
    """With its prior, and with another."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.uniform(0, 5, (6, 9))).astype(float)
    for rate, weight in ((1.0, 0.1), (2.0, 0.5)):
        peer = calc_rdm(Dataset(counts), method="poisson", prior_lambda=rate, prior_weight=weight)
        found = poisson_kl(counts, prior_rate=rate, prior_weight=weight)
        assert np.abs(found - peer.get_matrices()[0]).max() < EXACT


@pytest.mark.parametrize("wrong", [np.array([[-1.0], [2.0]]), np.array([[np.nan], [2.0]])])
def test_what_is_no_rate_is_told(wrong):
    """Negative or not finite."""
    with pytest.raises(DataError, match="Take another distance"):
        poisson_kl(wrong)


def test_shapes_and_priors_are_told():
    """A vector, and a prior of 0."""
    with pytest.raises(UsageError, match=r"got \(3,\)"):
        poisson_kl(np.ones(3))
    with pytest.raises(UsageError, match="prior_weight"):
        poisson_kl(np.ones((2, 2)), prior_weight=0)
