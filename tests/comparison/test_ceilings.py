"""Noise ceilings: rsatoolbox's for pooled ranks, a closed form for means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from neuroai.comparison.ceilings import rdm_ceiling
from neuroai.errors import UsageError
from neuroai.testing import EQUAL, EXACT

OURS_TO_THEIRS = {
    "pearson": "corr", "cosine": "cosine", "spearman": "spearman", "rho-a": "rho-a",
}  # fmt: skip


@pytest.fixture(scope="module")
def rdms():
    """Five subjects who share some of their 45 dissimilarities, in units of their own."""
    rng = np.random.default_rng(1)
    values = (rng.uniform(0, 1, 45) + rng.uniform(0, 2, (5, 45))) * rng.uniform(1, 9, (5, 1))
    values.setflags(write=False)
    return values


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", OURS_TO_THEIRS)
def test_pooled_ceiling_equals_rsatoolbox(rdms, method):
    """Pooling as suits the comparator gives rsatoolbox's lower and upper bound."""
    rsatoolbox = pytest.importorskip("rsatoolbox", reason="rsatoolbox is not installed")
    theirs = rsatoolbox.rdm.RDMs(rdms.copy(), rdm_descriptors={"subject": list("abcde")})
    expected = rsatoolbox.inference.boot_noise_ceiling(
        theirs, method=OURS_TO_THEIRS[method], rdm_descriptor="subject"
    )
    found = rdm_ceiling(rdms, method=method, pooling="comparator")
    np.testing.assert_allclose(found, np.ravel(expected), atol=EQUAL)


@pytest.mark.parametrize(("method", "oracle"), [("pearson", pearsonr), ("spearman", spearmanr)])
def test_ceiling_of_means(rdms, method, oracle):
    """Pooling by the mean correlates each subject with the mean of all, and of the others."""
    everyone = rdms.mean(axis=0)
    upper = np.mean([oracle(everyone, rdm).statistic for rdm in rdms])
    lower = np.mean(
        [
            oracle(np.delete(rdms, i, axis=0).mean(axis=0), rdm).statistic
            for i, rdm in enumerate(rdms)
        ]
    )
    found = rdm_ceiling(rdms, method=method, pooling="mean")
    np.testing.assert_allclose(found, (lower, upper), atol=EXACT)


def test_one_subject_has_no_ceiling(rdms):
    """A ceiling needs another subject."""
    assert all(math.isnan(b) for b in rdm_ceiling(rdms[:1], method="pearson", pooling="mean"))


def test_an_unknown_pooling_is_refused(rdms):
    """The poolings that there are are listed."""
    with pytest.raises(UsageError, match="comparator"):
        rdm_ceiling(rdms, method="pearson", pooling="median")
