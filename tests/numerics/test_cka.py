"""Centred kernel alignment against its written-out formulas and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neuroai.errors import DataError, UsageError
from neuroai.numerics.cka import cka, debiased_hsic, jackknife_cka, permute_cka
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.resample import stimulus_permutations

EXACT = 1e-10


def responses(seed, n_stimuli=12, n_units=30):
    """Return read-only responses with a mean."""
    array = np.random.default_rng(seed).standard_normal((n_stimuli, n_units)) + 1.0
    array.setflags(write=False)
    return array


def raw_gram(array):
    """Return the Gram matrix without centring."""
    return array @ array.T


def song(k, m):
    """Return the unbiased HSIC from its definition with explicit loops over stimuli."""
    n = len(k)
    k, m = k * (1 - np.eye(n)), m * (1 - np.eye(n))
    one = np.ones(n)
    middle = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ m) + middle - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))


def unrelated_four(k, m):
    """Return the unbiased HSIC as the mean over all ordered sets of four stimuli."""
    from itertools import permutations

    terms = [
        k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q]) for i, j, q, r in permutations(range(len(k)), 4)
    ]
    return np.mean(terms)


def written_out(a, b, estimator):
    """Return CKA from the definition of its three terms."""
    if estimator == "debiased":
        return song(a, b) / np.sqrt(song(a, a) * song(b, b))
    centring = np.eye(len(a)) - 1 / len(a)
    a, b = centring @ a @ centring, centring @ b @ centring
    return (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())


def test_debiased_hsic_is_the_u_statistic():
    """The estimate is the mean over all ordered sets of four distinct stimuli."""
    k, m = raw_gram(responses(0, 7)), raw_gram(responses(1, 7))
    assert debiased_hsic(k, m) == pytest.approx(unrelated_four(k, m), abs=EXACT * 1e3)
    assert debiased_hsic(k, m) == pytest.approx(song(k, m), abs=EXACT * 1e3)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize("centred", [True, False])
def test_cka_is_the_formula_for_raw_and_centred_grams(estimator, centred):
    """Every pair has the CKA of the definition, whichever Gram matrices are given."""
    make = centred_gram if centred else raw_gram
    a = np.stack([make(responses(seed)) for seed in (0, 1)])
    b = np.stack([make(responses(seed, n_units=9)) for seed in (1, 2, 3)])
    result = cka(a, b, estimator=estimator)
    wanted = [[written_out(x, y, estimator) for y in b] for x in a]
    np.testing.assert_allclose(result, wanted, rtol=0, atol=EXACT)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_torch_equals_numpy(estimator):
    """Tensors give a tensor with the numbers that NumPy gives."""
    a, b = raw_gram(responses(4)), raw_gram(responses(5))
    result = cka(torch.from_numpy(a), torch.from_numpy(b), estimator=estimator)
    assert isinstance(result, torch.Tensor)
    np.testing.assert_allclose(result.numpy(), cka(a, b, estimator=estimator), atol=EXACT)
    assert debiased_hsic(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(
        debiased_hsic(a, b), abs=EXACT * 1e3
    )


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_rotation_scale_shift_and_order_change_nothing(estimator):
    """A rotated, scaled and shifted copy agrees fully; a common order of stimuli is free."""
    x, y = responses(6), responses(7)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((30, 30)))
    moved = raw_gram(3 * x @ rotation + 2.0)
    assert cka(raw_gram(x), moved, estimator=estimator)[0, 0] == pytest.approx(1.0, abs=1e-12)
    wanted = cka(raw_gram(x), raw_gram(y), estimator=estimator)
    order = np.random.default_rng(1).permutation(12)
    result = cka(raw_gram(x[order]), raw_gram(y[order]), estimator=estimator)
    np.testing.assert_allclose(result, wanted, rtol=0, atol=1e-12)


def test_debiased_is_zero_for_independent_responses():
    """Over independent responses with more units than stimuli only the debiased mean is 0."""
    debiased, biased = [], []
    for seed in range(200):
        a, b = raw_gram(responses(2 * seed, 20, 100)), raw_gram(responses(2 * seed + 1, 20, 100))
        debiased.append(cka(a, b)[0, 0])
        biased.append(cka(a, b, estimator="biased")[0, 0])
    assert abs(np.mean(debiased)) < 4 * np.std(debiased) / np.sqrt(200)
    assert np.mean(biased) > 0.7


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_jackknife_is_leaving_out_one_by_one(estimator):
    """Values without a stimulus are CKA of the others; the error is the jackknife formula."""
    a, b = raw_gram(responses(8)), raw_gram(responses(9))
    result = jackknife_cka(a, b, estimator=estimator)
    kept = [np.delete(np.arange(12), i) for i in range(12)]
    wanted = [written_out(a[np.ix_(k, k)], b[np.ix_(k, k)], estimator) for k in kept]
    np.testing.assert_allclose(result.left_out, wanted, rtol=0, atol=EXACT)
    assert result.standard_error == pytest.approx(np.sqrt(11 * np.var(wanted)), abs=EXACT)
    assert result.value == pytest.approx(written_out(a, b, estimator), abs=EXACT)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_permutation_moves_rows_and_columns(estimator):
    """Each null value is CKA with the second Gram matrix relabelled."""
    a, b = raw_gram(responses(10)), raw_gram(responses(11))
    orders = stimulus_permutations(6, 12, rng=np.random.default_rng(0))
    null = permute_cka(a, b, permutations=orders, estimator=estimator)
    wanted = [written_out(a, b[np.ix_(order, order)], estimator) for order in orders]
    np.testing.assert_allclose(null, wanted, rtol=0, atol=EXACT)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
def test_responses_that_do_not_vary_are_undefined(estimator):
    """The CKA of a dead layer is NaN, not 0."""
    a = np.stack([raw_gram(np.full((12, 5), 0.1)), raw_gram(responses(12))])
    result = cka(a, a, estimator=estimator)
    np.testing.assert_array_equal(np.isnan(result), [[True, True], [True, False]])


def test_wrong_calls_say_what_to_do():
    """Too few stimuli, other stimuli, other estimators and entries that are not finite."""
    gram = raw_gram(responses(13))
    with pytest.raises(UsageError, match="at least 4 stimuli; grams_a holds 3"):
        cka(gram[:3, :3], gram)
    with pytest.raises(UsageError, match="12 and 11 stimuli"):
        cka(gram, gram[:11, :11])
    with pytest.raises(UsageError, match="must be Gram matrices"):
        cka(gram[:, :5], gram)
    with pytest.raises(UsageError, match="estimator must be one of 'debiased', 'biased'"):
        cka(gram, gram, estimator="unbiased")
    with pytest.raises(UsageError, match="at least 5 stimuli; got 4"):
        jackknife_cka(gram[:4, :4], gram[:4, :4])
    with pytest.raises(UsageError, match="one Gram matrix each; got 2 and 1"):
        permute_cka(np.stack([gram, gram]), gram, permutations=np.arange(12)[None])
    broken = gram.copy()
    broken[0, 0] = np.nan
    with pytest.raises(DataError, match="1 of 144 entries of grams_b are not finite"):
        cka(gram, broken)
