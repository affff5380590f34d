"""Whitened comparators against the covariance over pairs, written out."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs, compare
from rsatoolbox.rdm.compare import _get_v
from rsatoolbox.util.inference_util import pool_rdm

from neuroai.errors import DataError, UsageError
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.rdm_ceiling import noise_ceiling, pool
from neuroai.numerics.rdm_pairs import resampled_pairs
from neuroai.numerics.rdm_vectors import pair_indices, to_square, to_vector
from neuroai.numerics.rdm_whitened import WHITENED_METHODS, whitened

# Float64; the covariance over pairs is solved for, with a condition number of about n.
EXACT = 1e-8
THEIRS = {"whitened-cosine": "cosine_cov", "whitened-pearson": "corr_cov"}


def rdms_of(rng, n_rdms, n):
    """Return read-only RDM vectors of n stimuli, some entries negative as those of crossnobis."""
    rdms = rng.normal(0.5, 1, (n_rdms, n * (n - 1) // 2))
    rdms.setflags(write=False)
    return rdms


def written_out(a, b, method, v):
    """Whiten by solving for the covariance v of the pairs."""
    if method == "whitened-pearson":
        a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    solved_a, solved_b = np.linalg.solve(v, a.T), np.linalg.solve(v, b.T)
    own_a, own_b = np.sum(a.T * solved_a, axis=0), np.sum(b.T * solved_b, axis=0)
    return a @ solved_b / np.sqrt(np.outer(own_a, own_b))


@pytest.mark.parametrize("method", WHITENED_METHODS)
@pytest.mark.parametrize("seed", range(200))
def test_equal_to_rsatoolbox_and_to_its_covariance(method, seed):
    """Without a covariance; with a full one, by rsatoolbox's V; and with pairs left out."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 12))
    a, b = rdms_of(rng, 3, n), rdms_of(rng, 2, n)
    found = compare_rdms(a, b, method=method)
    np.testing.assert_allclose(found, compare(RDMs(a), RDMs(b), THEIRS[method]), atol=EXACT)
    np.testing.assert_allclose(found, written_out(a, b, method, _get_v(n, None).toarray()))
    sigma = np.cov(rng.standard_normal((n, 4 * n))) + 0.1 * np.eye(n)
    for covariance in (sigma, np.diag(sigma)):
        found = compare_rdms(a, b, method=method, covariance=covariance)
        wanted = written_out(a, b, method, _get_v(n, covariance).toarray())
        np.testing.assert_allclose(found, wanted, atol=EXACT)
    gone = rng.permutation(a.shape[1])[: n // 2]
    gappy_a, gappy_b = a.copy(), b.copy()
    gappy_a[:, gone] = gappy_b[:, gone] = np.nan
    found = compare_rdms(gappy_a, gappy_b, method=method)
    wanted = compare(RDMs(gappy_a), RDMs(gappy_b), THEIRS[method])
    np.testing.assert_allclose(found, wanted, atol=EXACT)


@pytest.mark.parametrize("method", WHITENED_METHODS)
def test_each_pair_of_rdms_leaves_out_its_own_gaps(method):
    """Pairwise, a gap in one RDM leaves the comparisons of the others as they are."""
    rng = np.random.default_rng(0)
    a, b = rdms_of(rng, 3, 7), rdms_of(rng, 2, 7)
    gappy = a.copy()
    gappy[1, 4] = np.nan
    found, whole = compare_rdms(gappy, b, method=method), compare_rdms(a, b, method=method)
    np.testing.assert_allclose(found[[0, 2]], whole[[0, 2]], atol=EXACT)
    v = np.delete(np.delete(_get_v(7, None).toarray(), 4, axis=0), 4, axis=1)
    kept = np.arange(21) != 4
    wanted = written_out(a[[1]][:, kept], b[:, kept], method, v)
    np.testing.assert_allclose(found[[1]], wanted, atol=EXACT)


def test_whitening_makes_the_noise_of_distances_white():
    """Simulated: squared distances of pure noise, 40,000 draws, whitened to one unit matrix."""
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((40_000, 4, 30))
    rows, columns = pair_indices(4)
    other = rng.standard_normal((40_000, 4, 30))
    products = (
        (patterns[:, rows] - patterns[:, columns]) * (other[:, rows] - other[:, columns])
    ).sum(-1)
    found = np.cov(whitened(products).T)
    # Each entry of a covariance of 40,000 draws has a standard error of 0.5 to 0.7 %.
    np.testing.assert_allclose(found / found.diagonal().mean(), np.eye(6), atol=0.03)


def _copied_pool(data, drawn, method):
    """Give the best RDM of the copied stimuli, and what V of the pairs kept is."""
    n = len(drawn)
    kept = to_vector((drawn[:, None] != drawn[None]).astype(float)) == 1
    v = _get_v(n, None).toarray()[kept][:, kept]
    data = to_vector(to_square(data)[:, drawn][:, :, drawn])[:, kept]
    if method == "whitened-pearson":
        data = data - data.mean(axis=1, keepdims=True)
    own = np.sum(data.T * np.linalg.solve(v, data.T), axis=0)
    return data / np.sqrt(own)[:, None], v


@pytest.mark.parametrize("method", WHITENED_METHODS)
@pytest.mark.parametrize("seed", range(10))
def test_ceilings_of_bootstrap_samples_are_those_of_the_copies(method, seed):
    """The pool is the mean of RDMs of whitened length 1, with and without the subject."""
    rng = np.random.default_rng(seed)
    data, counts = rdms_of(rng, 4, 9), rng.multinomial(9, np.full(9, 1 / 9), size=3)
    found = bootstrap_rdms(data, data[:1], method=method, stimulus_counts=counts)
    for sample, row in enumerate(counts):
        unit, v = _copied_pool(data, np.repeat(np.arange(9), row), method)
        upper = written_out(unit, unit.mean(axis=0)[None], method, v).mean()
        lower = [
            written_out(unit[[s]], np.delete(unit, s, axis=0).mean(axis=0)[None], method, v)
            for s in range(4)
        ]
        assert found.upper[sample] == pytest.approx(upper, abs=EXACT)
        assert found.lower[sample] == pytest.approx(np.mean(lower), abs=EXACT)


@pytest.mark.parametrize("method", WHITENED_METHODS)
def test_no_model_beats_the_upper_ceiling(method):
    """The pool fits better than rsatoolbox's, which is scaled as if nothing were whitened."""
    rng = np.random.default_rng(3)
    data = rdms_of(rng, 6, 8)
    upper = noise_ceiling(data, method=method).upper
    ours = compare_rdms(data, pool(data, method=method)[None], method=method).mean()
    theirs = pool_rdm(RDMs(data), method=THEIRS[method]).get_vectors()
    theirs = compare_rdms(data, theirs, method=method).mean()
    assert upper == pytest.approx(ours, abs=EXACT) and theirs < upper - 1e-4


@pytest.mark.parametrize("method", WHITENED_METHODS)
@pytest.mark.parametrize("counts", [[4, 1, 1, 0, 0, 0], [3, 1, 1, 1, 0, 0], [5, 1, 1, 0, 0, 0]])
def test_one_stimulus_that_fills_a_sample(method, counts):
    """Also where the copies of one leave nothing to divide by, the copies written out agree."""
    rng = np.random.default_rng(1)
    a, b = rdms_of(rng, 2, 6), rdms_of(rng, 2, 6)
    found = resampled_pairs(a, b, method=method, stimulus_counts=[counts])[0]
    drawn = np.repeat(np.arange(6), counts)
    gaps = to_vector(np.where(drawn[:, None] == drawn[None], np.nan, 0.0))
    copies = (to_vector(to_square(x)[:, drawn][:, :, drawn]) + gaps for x in (a, b))
    np.testing.assert_allclose(found, compare_rdms(*copies, method=method), atol=EXACT)


@pytest.mark.parametrize("method", WHITENED_METHODS)
def test_what_is_constant_is_undefined(method):
    """An RDM of zeros has no direction; an even one has none for Pearson."""
    rdms = np.array([[0.0] * 6, [2.0] * 6, [1.0, 2, 3, 4, 5, 6]])
    for covariance in (None, np.ones(4)):
        defined = np.isfinite(compare_rdms(rdms, rdms[2:], method=method, covariance=covariance))
        assert defined.ravel().tolist() == [False, method == "whitened-cosine", True]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"method": "pearson", "covariance": np.eye(4)}, UsageError, "got method='pearson'"),
        ({"method": "whitened-cosine", "covariance": np.eye(3)}, UsageError, r"got \(3, 3\)"),
        ({"method": "whitened-cosine", "covariance": np.zeros(4)}, DataError, "shrink it first"),
    ],
)
def test_a_covariance_that_cannot_serve_is_told(options, error, said):
    """A plain method, another number of stimuli, and a matrix without an inverse."""
    rdm = np.array([[1.0, 2, 3, 4, 5, 6]])
    with pytest.raises(error, match=said):
        compare_rdms(rdm, rdm, **options)


def test_gaps_and_a_covariance_are_told():
    """Whitening by a covariance needs complete RDMs; the message says what to do."""
    rdm = np.array([[1.0, np.nan, 3, 4, 5, 6]])
    with pytest.raises(UsageError, match="Drop the stimuli concerned"):
        compare_rdms(rdm, rdm, method="whitened-cosine", covariance=np.ones(4))
