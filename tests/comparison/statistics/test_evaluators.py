"""Evaluators against copies of stimuli, permuted data and the textbook's jackknife."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from neuroai.comparison.metrics.error_consistency import error_consistency
from neuroai.comparison.statistics.choice_evaluators import (
    ConfusionEvaluator,
    MatrixEvaluator,
    TripletEvaluator,
    mean_of_pairs,
)
from neuroai.comparison.statistics.evaluators import (
    MANY_STIMULI,
    GramEvaluator,
    RdmEvaluator,
    without_each,
)
from neuroai.numerics.cka import cka
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.first_order import first_order
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.odd_one_out import choice_agreement
from neuroai.numerics.rdm_pairs import resampled_pairs
from neuroai.numerics.rdm_vectors import to_square, to_vector
from neuroai.testing import EXACT, STANDARD_ERRORS

N = 10


def _rdm_evaluator(method: str) -> RdmEvaluator:
    rng = np.random.default_rng(1)
    pairs = N * (N - 1) // 2
    return RdmEvaluator(
        data=rng.random((3, pairs)), models=rng.random((2, pairs)), method=method, n_stimuli=N
    )


@pytest.mark.parametrize("method", ["pearson", "spearman", "rho-a", "cosine"])
def test_resampled_rdms_leave_out_pairs_of_copies(method):
    """A sample equals the RDM written out with its copies, pairs of copies taken away."""
    evaluator = _rdm_evaluator(method)
    counts = np.random.default_rng(2).multinomial(N, np.full(N, 1 / N), 4)
    found = evaluator.resampled(counts)
    for row, sample in zip(counts, found, strict=True):
        drawn = np.repeat(np.arange(N), row)
        kept = to_vector((drawn[:, None] != drawn).astype(float)) > 0
        a, b = (
            to_vector(to_square(rdms)[:, drawn][:, :, drawn])[:, kept]
            for rdms in (evaluator.data, evaluator.models)
        )
        np.testing.assert_allclose(sample, compare_rdms(a, b, method=method), atol=EXACT)


@pytest.mark.parametrize(("method", "kept"), [("pearson", 0.5), ("cosine", 0.5), ("rho-a", 0)])
def test_samples_of_rdms_are_of_first_order_in_the_stimuli(method, kept):
    """Ranks keep nothing of what pairs add beyond single stimuli, plain distances half of it."""
    evaluator = _rdm_evaluator(method)
    counts = np.random.default_rng(2).multinomial(N, np.full(N, 1 / N), 60)
    pairs = (evaluator.data, evaluator.models)
    whole = resampled_pairs(*pairs, method=method, stimulus_counts=counts)
    expected = first_order(whole, counts, kept=kept)
    np.testing.assert_allclose(evaluator.resampled(counts), expected, atol=EXACT)
    assert (expected.var(axis=0) < whole.var(axis=0)).all()


def test_rdms_without_each_stimulus():
    """Row and column are taken out; of other evaluators, and of very many stimuli, none are."""
    evaluator = _rdm_evaluator("spearman")
    for i, found in enumerate(without_each(evaluator)):
        kept = np.delete(np.arange(N), i)
        a, b = (
            to_vector(to_square(rdms)[:, kept][:, :, kept])
            for rdms in (evaluator.data, evaluator.models)
        )
        np.testing.assert_allclose(found, compare_rdms(a, b, method="spearman"), atol=EXACT)
    many = MANY_STIMULI + 1
    rdms = np.random.default_rng(0).random((1, many * (many - 1) // 2))
    assert RdmEvaluator(data=rdms, models=rdms, method="cosine", n_stimuli=many).left_out() is None
    choices = np.ones((2, 5))
    other = MatrixEvaluator(a=choices, b=choices, metric=error_consistency)
    assert without_each(other) is None


def test_the_null_moves_rows_and_columns_together():
    """A permutation relabels the candidates' stimuli; the mean over subjects is what is kept."""
    evaluator = _rdm_evaluator("pearson")
    order = np.random.default_rng(3).permutation(N)
    moved = to_vector(to_square(evaluator.models)[:, order][:, :, order])
    expected = compare_rdms(evaluator.data, moved, method="pearson").mean(axis=0)
    inverse = to_vector(to_square(evaluator.models)[:, np.argsort(order)][:, :, np.argsort(order)])
    other = compare_rdms(evaluator.data, inverse, method="pearson").mean(axis=0)
    found = evaluator.permuted(order[None])
    assert found.shape == (1, 1, 2)
    assert np.allclose(found[0, 0], expected, atol=EXACT) or np.allclose(found, other, atol=EXACT)


def _gram_evaluator(*, n: int = 12, shared: float = 1.0) -> GramEvaluator:
    rng = np.random.default_rng(4)
    common = shared * rng.standard_normal((n, 5))
    a, b = (
        np.array([centred_gram(common + rng.standard_normal((n, 5))) for _ in range(k)])
        for k in (2, 1)
    )
    return GramEvaluator(data=a, models=b)


def _weighted_cka(k: np.ndarray, x: np.ndarray, weights: np.ndarray) -> float:
    """Average over all sets of four distinct stimuli, each as often as its weights say."""
    i, j, a, b = np.array(list(itertools.permutations(range(len(k)), 4))).T
    times = weights[i] * weights[j] * weights[a] * weights[b]

    def hsic(k: np.ndarray, x: np.ndarray) -> float:
        terms = k[i, j] * (x[i, j] + x[a, b] - 2 * x[i, a])
        return float((times * terms).sum() / times.sum())

    return hsic(k, x) / math.sqrt(hsic(k, k) * hsic(x, x))


def test_pseudo_samples_follow_the_weight_of_each_stimulus():
    """Worked out over all sets of four of 11 stimuli: the slope of the weighted score."""
    evaluator = _gram_evaluator(n=11, shared=3.0)
    n, step = evaluator.n_stimuli, 1e-4
    data, model = evaluator.data[0], evaluator.models[0]
    whole = _weighted_cka(data, model, np.ones(n))
    assert whole == pytest.approx(evaluator.observed()[0, 0], abs=EXACT)
    heavier = np.ones((n, n)) + np.eye(n)
    found = (evaluator.resampled(heavier) - evaluator.observed())[:, 0, 0]
    slopes = [(_weighted_cka(data, model, 1 + step * one) - whole) / step for one in np.eye(n)]
    np.testing.assert_allclose(found.sum(), 0, atol=EXACT)
    # The score is a ratio, of which leaving one of 11 stimuli out is no small step.
    assert np.corrcoef(found, slopes)[0, 1] > 0.98
    assert np.std(found) == pytest.approx(np.std(slopes), rel=0.15)
    overstated = np.std(found) * (n - 1) / (n - 4)
    assert abs(overstated - np.std(slopes)) > 2 * abs(np.std(found) - np.std(slopes))


def test_pseudo_samples_scatter_as_they_should():
    """Drawn counts give the variance of the effects within 4 standard errors."""
    evaluator = _gram_evaluator()
    n, n_samples = evaluator.n_stimuli, 4000
    counts = np.random.default_rng(5).multinomial(n, np.full(n, 1 / n), n_samples)
    theta = evaluator.left_out()
    textbook = n / (n - 1) * (((n - 4) / n * (theta - theta.mean(axis=0))) ** 2).sum(axis=0)
    found = evaluator.resampled(counts).var(axis=0, ddof=1) * n / (n - 1)
    # Relative error of a variance of near-normal draws; kurtosis of the counts may double it.
    error = 2 * math.sqrt(2 / n_samples)
    np.testing.assert_allclose(found, textbook, rtol=STANDARD_ERRORS * error)


def test_alignment_of_independent_responses_is_near_zero():
    """Debiased alignment of noise has mean 0, however many units there are."""
    rng = np.random.default_rng(6)
    grams = np.array([centred_gram(rng.standard_normal((24, 500))) for _ in range(40)])
    found = GramEvaluator(data=grams[:20], models=grams[20:]).observed()
    # Rows and columns share data, so the error is that of 20 independent pairs at best.
    error = np.diag(found).std(ddof=1) / math.sqrt(20)
    assert abs(found.mean()) < STANDARD_ERRORS * error
    assert abs(found.mean()) < 0.02


def test_alignment_with_itself_is_perfect_whatever_the_order():
    """Permuting both sides alike changes nothing; the ceiling leaves each subject itself out."""
    evaluator = _gram_evaluator()
    np.testing.assert_allclose(
        np.diag(GramEvaluator(evaluator.data, evaluator.data).observed()), 1, atol=EXACT
    )
    low, high = evaluator.ceiling()
    among = cka(evaluator.data, evaluator.data, estimator="debiased")
    assert low == pytest.approx(among[0, 1], abs=EXACT) and math.isnan(high)
    assert math.isnan(GramEvaluator(evaluator.data[:1], evaluator.models).ceiling()[0])


def test_permuted_alignment_relabels_one_side():
    """The null of the alignment permutes rows and columns of the candidates' Gram matrices."""
    evaluator = _gram_evaluator(shared=5)
    identity = np.arange(evaluator.n_stimuli)
    orders = np.array([identity, np.random.default_rng(7).permutation(identity)])
    same, moved = evaluator.permuted(orders)
    np.testing.assert_allclose(same, evaluator.observed(), atol=EXACT)
    assert (moved < same - 0.3).all()


def test_matrix_evaluator_resamples_and_permutes_stimuli():
    """Weights repeat stimuli, a permutation moves the candidates' alone."""
    rng = np.random.default_rng(8)
    a, b = rng.integers(2, size=(3, 30)).astype(float), rng.integers(2, size=(2, 30)).astype(float)
    evaluator = MatrixEvaluator(a=a, b=b, metric=error_consistency)
    counts = rng.multinomial(30, np.full(30, 1 / 30), 3)
    for row, found in zip(counts, evaluator.resampled(counts), strict=True):
        drawn = np.repeat(np.arange(30), row)
        np.testing.assert_allclose(found, error_consistency(a[:, drawn], b[:, drawn]), atol=EXACT)
    order = rng.permutation(30)
    np.testing.assert_allclose(
        evaluator.permuted(order[None])[0], error_consistency(a, b[:, order]), atol=EXACT
    )
    signed = MatrixEvaluator(a=a, b=b, metric=error_consistency, symmetric=False)
    assert all(math.isnan(bound) for bound in signed.ceiling())


def test_confusions_are_added_up_anew_for_every_sample():
    """A sample's score is that of the choices written out with their copies."""
    rng = np.random.default_rng(9)
    truth = np.arange(40) % 4
    onehot = np.eye(4)[rng.integers(4, size=(3, 40))]
    evaluator = ConfusionEvaluator(a=onehot[:2], b=onehot[2:], truth=truth)
    counts = rng.multinomial(40, np.full(40, 1 / 40), 3)
    for row, found in zip(counts, evaluator.resampled(counts), strict=True):
        drawn = np.repeat(np.arange(40), row)
        copied = ConfusionEvaluator(a=onehot[:2, drawn], b=onehot[2:, drawn], truth=truth[drawn])
        np.testing.assert_allclose(found, copied.observed(), atol=EXACT)
    assert evaluator.n_stimuli == 40 and -1 <= evaluator.ceiling()[0] <= 1


def test_triplets_weigh_by_the_product_of_their_stimuli():
    """A triplet counts once for every way of drawing its three stimuli."""
    members = np.array([[0, 1, 2], [1, 2, 3], [0, 2, 3]])
    a, b = np.array([[0.0, 1, 2]]), np.array([[0.0, 2, 2]])
    evaluator = TripletEvaluator(a=a, b=b, members=members, n_stimuli=4, metric=choice_agreement)
    # Weights 2, 0 and 0 leave the first triplet, weights 1, 2 and 2 make 3 of 5 agree.
    counts = np.array([[1, 1, 2, 0], [1, 1, 1, 2]])
    np.testing.assert_allclose(evaluator.resampled(counts).ravel(), [1, 3 / 5], atol=EXACT)
    with pytest.raises(AttributeError, match="not by permutation"):
        evaluator.permuted(np.arange(4)[None])


def test_means_of_pairs_leave_out_what_is_undefined():
    """The mean is over defined pairs of different subjects; without one it is undefined."""
    assert mean_of_pairs(np.array([[1, 0.2, np.nan], [0.2, 1, 0.4], [np.nan, 0.4, 1]])) == (
        pytest.approx(0.3)
    )
    assert math.isnan(mean_of_pairs(np.ones((1, 1))))
