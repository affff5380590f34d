"""Known errors of published code for similarity, each told apart from the numbers here."""

import numpy as np
import pytest

from neuroai.numerics.canonical import canonical_basis, canonical_grid
from neuroai.numerics.cka import cka, debiased_hsic
from neuroai.numerics.gram import centred_gram
from neuroai.testing import EXACT, readonly

# What is wrong must differ by far more than rounding.
APART = 1e-3


@pytest.fixture(scope="module")
def sides():
    """20 and 15 units that share a signal, over 100 stimuli, centred."""
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((100, 12))
    a, b = (
        signal @ rng.standard_normal((12, p)) + 0.5 * rng.standard_normal((100, p))
        for p in (20, 15)
    )
    return readonly((a - a.mean(0)) * np.geomspace(1, 30, 20)), readonly(b - b.mean(0))


def pwcca(a, b):
    """Give PWCCA with a's weights."""
    bases = canonical_basis(a), canonical_basis(b)
    return canonical_grid(bases[:1], bases[1:], summary="projection").item()


def variates(a, b):
    """Give a's canonical variates and the canonical correlations."""
    (qa, _), (qb, _) = np.linalg.qr(a), np.linalg.qr(b)
    left, rho, _ = np.linalg.svd(qa.T @ qb, full_matrices=False)
    return qa @ left, rho


def test_pwcca_whitens_its_directions(sides):
    """Directions without the whitening matrix, as in the reference code, give another number."""
    a, b = sides
    h, rho = variates(a, b)
    right = np.abs(h.T @ a).sum(1)
    values, vectors = np.linalg.eigh(a.T @ a)
    root = (vectors / np.sqrt(values)) @ vectors.T
    rotated = np.linalg.svd(root @ (a.T @ np.linalg.qr(b)[0]), full_matrices=False)[0]
    unwhitened = a @ rotated
    wrong = np.abs((unwhitened / np.linalg.norm(unwhitened, axis=0)).T @ a).sum(1)
    assert pwcca(a, b) == pytest.approx((right * rho).sum() / right.sum(), abs=EXACT)
    assert abs(pwcca(a, b) - (wrong * rho).sum() / wrong.sum()) > APART


def test_pwcca_takes_the_larger_side_first(sides):
    """With more units on the first side the reference code fails; here there is a number."""
    a, b = sides
    assert a.shape[1] > b.shape[1]
    assert 0 < pwcca(a, b) < 1 and 0 < pwcca(b, a) < 1


def test_pwcca_weights_sum_to_one_over_the_kept_variates(sides):
    """Weights normalised over 20 units and then cut to 15 would lower the number."""
    a, b = sides
    qa, qb = np.linalg.qr(a)[0], np.linalg.qr(b)[0]
    left, rho, _ = np.linalg.svd(qa.T @ qb)
    weights = np.abs((qa @ left).T @ a).sum(1)
    cut = (weights[:15] / weights.sum() * rho).sum()
    kept = (weights[:15] * rho).sum() / weights[:15].sum()
    assert pwcca(a, b) == pytest.approx(kept, abs=EXACT) and kept - cut > APART


def test_the_diagonal_is_removed_and_not_spread(sides):
    """`K - diag(K)` takes a row from every row where it should take the diagonal away."""
    k, m = (x @ x.T for x in sides)

    def unbiased(k, m):
        n = len(k)
        middle = k.sum() * m.sum() / ((n - 1) * (n - 2))
        cross = (k @ m).sum() * 2 / (n - 2)
        return (np.trace(k @ m) + middle - cross) / (n * (n - 3))

    off = 1 - np.eye(len(k))
    right, wrong = unbiased(k * off, m * off), unbiased(k - np.diag(k), m - np.diag(m))
    assert debiased_hsic(k, m) == pytest.approx(right, rel=EXACT)
    assert abs(wrong / right - 1) > APART


def test_the_denominator_has_its_root_and_no_constant(sides):
    """Without the root, alignment is not 1 with itself; a constant shrinks quiet responses."""
    gram = centred_gram(sides[1])
    assert cka(gram, gram, estimator="biased")[0, 0] == pytest.approx(1, abs=EXACT)
    quiet = gram * 1e-6
    assert cka(quiet, quiet)[0, 0] == pytest.approx(1, abs=EXACT)
    shrunk = (quiet * quiet).sum() / ((quiet * quiet).sum() + 1e-6)
    assert shrunk < 1 - APART


def test_dropping_the_diagonal_after_centring_is_a_third_estimator():
    """Of independent responses of many units it is far from 0, where the debiased one is not."""
    k, m = (centred_gram(wishart(seed)) for seed in (0, 1))
    off = 1 - np.eye(len(k))
    third = (k * m * off).sum() / np.sqrt((k * k * off).sum() * (m * m * off).sum())
    assert third > 0.2 and abs(cka(k, m)[0, 0]) < 0.1


def wishart(seed, n_stimuli=100, n_units=5000):
    """Draw a root of the Gram matrix of normal responses, by Bartlett's decomposition."""
    rng = np.random.default_rng([20, seed])
    root = np.tril(rng.standard_normal((n_stimuli, n_stimuli)), -1)
    return root + np.diag(np.sqrt(rng.chisquare(n_units - np.arange(n_stimuli))))


def test_debiased_alignment_of_many_units_is_zero():
    """Of independent responses at 100 x 5,000 the mean of 200 draws is below .005."""
    roots = [wishart(seed) for seed in range(400)]
    pairs = zip(roots[::2], roots[1::2], strict=True)
    values = [cka(a @ a.T, b @ b.T)[0, 0] for a, b in pairs]
    biased = cka(roots[0] @ roots[0].T, roots[1] @ roots[1].T, estimator="biased")[0, 0]
    assert abs(np.mean(values)) < 0.005 and biased > 0.95
