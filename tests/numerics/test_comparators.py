"""Comparators of RDMs against rsatoolbox and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from neuroai.errors import DataError, UsageError
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.rdm_whitened import WHITENED_METHODS

EXACT = 1e-10
THEIRS = {"pearson": "corr", "whitened-cosine": "cosine_cov", "whitened-pearson": "corr_cov"}
# To the others it is all one which pair of stimuli an entry belongs to.
PLAIN = [method for method in METHODS if method not in WHITENED_METHODS]


def rdms_of(seed, n_rdms, levels=None, n_stimuli=9):
    """Return read-only RDM vectors, with heavy ties if `levels` is small."""
    rng = np.random.default_rng(seed)
    rdms = rng.random((n_rdms, n_stimuli * (n_stimuli - 1) // 2))
    if levels:
        rdms = np.floor(rdms * levels) / levels
    rdms.setflags(write=False)
    return rdms


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_equal_to_rsatoolbox(method, levels, seed):
    """All comparators are those of rsatoolbox, with ties and without."""
    rsatoolbox = pytest.importorskip("rsatoolbox")
    a, b = rdms_of(seed, 4, levels), rdms_of(seed + 100, 3, levels)
    wanted = rsatoolbox.rdm.compare(
        rsatoolbox.rdm.RDMs(a), rsatoolbox.rdm.RDMs(b), THEIRS.get(method, method)
    )
    np.testing.assert_allclose(compare_rdms(a, b, method=method), wanted, rtol=0, atol=EXACT)


def test_rho_a_is_spearman_with_ties_broken_at_random():
    """The mean of Spearman's coefficient over random orders of ties approaches rho-a."""
    rng = np.random.default_rng(0)
    a, b = rdms_of(0, 1, 3, n_stimuli=5), rdms_of(1, 1, 3, n_stimuli=5)
    broken = [
        np.corrcoef(*(rankdata(x[0] + rng.random(10) * 1e-6) for x in (a, b)))[0, 1]
        for _ in range(4000)
    ]
    error = np.std(broken) / np.sqrt(len(broken))
    value = compare_rdms(a, b, method="rho-a")[0, 0]
    assert abs(value - np.mean(broken)) < 4 * error


@pytest.mark.parametrize("method", METHODS)
def test_scale_of_an_rdm_does_not_matter(method):
    """Multiplying an RDM by a positive number, however large or small, changes nothing."""
    a, b = rdms_of(2, 2), rdms_of(3, 2)
    wanted = compare_rdms(a, b, method=method)
    for factor in (1e-200, 3.0, 1e200):
        np.testing.assert_allclose(
            compare_rdms(a * factor, b, method=method), wanted, rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("method", PLAIN)
def test_itself_is_one_and_order_of_pairs_is_free(method):
    """An RDM without ties agrees fully with itself; pairs may be listed in any common order."""
    a, b = rdms_of(4, 3), rdms_of(5, 2)
    np.testing.assert_allclose(np.diag(compare_rdms(a, a, method=method)), 1.0, atol=1e-12)
    order = np.random.default_rng(0).permutation(a.shape[1])
    np.testing.assert_allclose(
        compare_rdms(a[:, order], b[:, order], method=method),
        compare_rdms(a, b, method=method),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("method", PLAIN)
def test_pairwise_leaves_out_what_either_lacks(method):
    """Each pair of RDMs is compared on the entries that both have, ranked after that."""
    a, b = rdms_of(6, 3, 6).copy(), rdms_of(7, 3, 6).copy()
    a[0, :4], a[1, 7], b[2, 3:9] = np.nan, np.nan, np.nan
    result = compare_rdms(a, b, method=method)
    for i in range(3):
        for j in range(3):
            kept = ~(np.isnan(a[i]) | np.isnan(b[j]))
            alone = compare_rdms(a[i : i + 1, kept], b[j : j + 1, kept], method=method)
            assert result[i, j] == pytest.approx(alone[0, 0], abs=1e-12)


@pytest.mark.parametrize("method", PLAIN)
def test_listwise_leaves_out_what_any_lacks(method):
    """Listwise keeps only the entries that every RDM has."""
    a, b = rdms_of(8, 2).copy(), rdms_of(9, 2)
    a[0, 5] = np.nan
    kept = np.arange(a.shape[1]) != 5
    np.testing.assert_allclose(
        compare_rdms(a, b, method=method, undefined="listwise"),
        compare_rdms(a[:, kept], b[:, kept], method=method),
        rtol=0,
        atol=1e-12,
    )


def test_raise_counts_undefined_entries():
    """With "raise" undefined entries are counted in the error."""
    a = rdms_of(10, 2).copy()
    a[0, :3] = np.nan
    with pytest.raises(DataError, match="3 of 144 entries of the RDMs are undefined"):
        compare_rdms(a, rdms_of(11, 2), method="pearson", undefined="raise")


@pytest.mark.parametrize("method", METHODS)
def test_constant_rdm_is_undefined(method):
    """A constant RDM gives NaN, not 0; for cosine only an RDM of zeros does."""
    a, b = np.full((1, 36), 0.1), rdms_of(12, 2)
    if method.endswith("cosine"):
        assert np.isfinite(compare_rdms(a, b, method=method)).all()
        a = np.zeros((1, 36))
    assert np.isnan(compare_rdms(a, b, method=method)).all()


@pytest.mark.parametrize("method", METHODS)
def test_too_few_entries_are_undefined(method):
    """Fewer than two common entries compare to NaN."""
    a, b = rdms_of(13, 1).copy(), rdms_of(14, 1).copy()
    a[0, 1:], b[0, :-1] = np.nan, np.nan
    assert np.isnan(compare_rdms(a, b, method=method)).all()
    assert np.isnan(compare_rdms(a, rdms_of(14, 1), method=method)).all()


def test_wrong_calls_say_what_to_do():
    """Misspelt methods, other shapes and infinity each have their message."""
    a = rdms_of(15, 1)
    with pytest.raises(UsageError, match="method must be one of.*Did you mean 'spearman'"):
        compare_rdms(a, a, method="speerman")
    with pytest.raises(UsageError, match="undefined must be one of"):
        compare_rdms(a, a, method="cosine", undefined="drop")
    with pytest.raises(UsageError, match="36 and 35 pairs"):
        compare_rdms(a, a[:, 1:], method="cosine")
    with pytest.raises(UsageError, match=r"a must be RDM vectors.*to_vector"):
        compare_rdms(a[0], a, method="cosine")
    with pytest.raises(DataError, match="36 of 36 entries of b are infinite"):
        compare_rdms(a, a + np.inf, method="cosine")
