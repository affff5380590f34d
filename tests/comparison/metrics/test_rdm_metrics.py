"""Metrics of RDMs against scipy and rsatoolbox."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.comparison.catalogue import METRICS
from neuroai.testing import EQUAL, EXACT

ORACLES = {
    "rdm-pearson": lambda a, b: stats.pearsonr(a, b).statistic,
    "rdm-spearman": lambda a, b: stats.spearmanr(a, b).statistic,
    "rdm-cosine": lambda a, b: a @ b / np.sqrt((a @ a) * (b @ b)),
}
THEIRS = {
    "rdm-pearson": "corr", "rdm-spearman": "spearman", "rdm-cosine": "cosine",
    "rdm-rho-a": "rho-a", "rdm-tau-a": "tau-a",
    "rdm-whitened-cosine": "cosine_cov", "rdm-whitened-pearson": "corr_cov",
}  # fmt: skip


@pytest.fixture(params=[False, True], ids=["untied", "tied"])
def pair(request):
    """RDMs of 10 stimuli, three and two, without and with ties."""
    rng = np.random.default_rng(1)
    a, b = rng.random((3, 45)) + 0.1, rng.random((2, 45)) + 0.1
    found = (np.ceil(a * 4), np.ceil(b * 3)) if request.param else (a, b)
    for values in found:
        values.setflags(write=False)
    return found


@pytest.mark.parametrize("name", ORACLES)
def test_equals_scipy(name, pair):
    """Every pair of RDMs has the value of an independent implementation."""
    a, b = pair
    expected = [[ORACLES[name](x, y) for y in b] for x in a]
    np.testing.assert_allclose(METRICS.get(name).function(a, b), expected, atol=EXACT)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", THEIRS)
def test_equals_rsatoolbox(name, pair):
    """Every pair of RDMs has rsatoolbox's value, ties included."""
    rsatoolbox = pytest.importorskip("rsatoolbox", reason="rsatoolbox is not installed")
    a, b = (rsatoolbox.rdm.RDMs(values.copy()) for values in pair)
    expected = rsatoolbox.rdm.compare(a, b, method=THEIRS[name])
    np.testing.assert_allclose(METRICS.get(name).function(*pair), expected, atol=EQUAL)


def test_tau_a_by_hand():
    """Of six pairs of pairs four agree, one disagrees and one is tied: 3 / 6."""
    a, b = np.array([[1.0, 2, 3, 4]]), np.array([[1.0, 1, 4, 3]])
    assert METRICS.get("rdm-tau-a").function(a, b).item() == pytest.approx(0.5, abs=EXACT)


@pytest.mark.parametrize("name", ["rdm-pearson", "rdm-spearman"])
def test_a_constant_rdm_is_undefined(name):
    """An RDM that tells nothing apart gives NaN, never 0."""
    assert np.isnan(METRICS.get(name).function(np.ones((1, 6)), np.arange(6.0)[None])).all()
