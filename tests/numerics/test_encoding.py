"""Encoding: nothing leaks from what is tested, and scores are means over folds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score

from neuroai.errors import UsageError
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import block_folds, group_folds
from neuroai.numerics.ridge import as_kernel
from neuroai.numerics.ridge_penalty import choose_penalties

EXACT = 1e-8  # float64, against another factorisation
SINGLE = 1e-5  # float32, of scores of at most 1 and of predictions relative to their size
PENALTIES = np.logspace(-1, 3, 5)


def _problem(seed, *, n=40, p=12, t=3):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p))
    y = x @ rng.standard_normal((p, t)) + 2 * rng.standard_normal((n, t))
    return x, y, group_folds([str(i) for i in range(n)], n_folds=4, seed=seed)


@pytest.mark.parametrize("seed", range(20))
def test_each_fold_is_a_fit_of_scikit_learn(seed):
    """Penalties by leave-one-out within the fold; predictions and scores of the rest."""
    x, y, folds = _problem(seed)
    found = encode(x, y, folds=folds, penalties=PENALTIES, rule="leave-one-out",
                   keep_predictions=True)  # fmt: skip
    for place, (train, test) in enumerate(folds):
        peer = RidgeCV(alphas=PENALTIES, alpha_per_target=True).fit(x[train], y[train])
        expected = peer.predict(x[test])
        assert np.array_equal(found.penalties[place], peer.alpha_)
        assert np.abs(found.predictions[test] - expected).max() < EXACT
        r2 = r2_score(y[test], expected, multioutput="raw_values")
        assert np.abs(found.r2[place] - r2).max() < EXACT
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(expected.T, y[test].T, strict=True)]
        assert np.abs(found.r[place] - r).max() < EXACT
    assert np.allclose(found.mean_r(), found.r.mean(axis=0))


@pytest.mark.parametrize("penalty", [1e-3, 1e6])
@pytest.mark.parametrize("rule", ["folds", "generalised"])
def test_single_precision_keeps_its_digits_beside_a_mean_and_a_large_penalty(rule, penalty):
    """What a large penalty leaves of a prediction is a thousandth of the mean."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((60, 200)) + 3
    y = x @ rng.standard_normal((200, 10)) / 20 + rng.standard_normal((60, 10)) + 10
    folds = group_folds([str(i) for i in range(60)], n_folds=4)
    how = {"folds": folds, "penalties": [penalty], "rule": rule, "keep_predictions": True}
    exact, single = encode(x, y, **how), encode(x.astype("f"), y.astype("f"), **how)
    assert np.abs(exact.r - single.r).max() < SINGLE and np.abs(exact.r2 - single.r2).max() < SINGLE
    assert single.predictions.dtype == np.float32
    np.testing.assert_allclose(single.predictions, exact.predictions, rtol=SINGLE)


@pytest.mark.parametrize("rule", ["folds", "leave-one-out", "generalised"])
def test_what_is_tested_does_not_touch_what_is_chosen(rule):
    """Replacing the tested rows of a fold by noise leaves its penalties as they are."""
    x, y, folds = _problem(1)
    before = encode(x, y, folds=folds, penalties=PENALTIES, rule=rule)
    train, test = next(iter(folds))
    rng = np.random.default_rng(9)
    x2, y2 = x.copy(), y.copy()
    x2[test], y2[test] = rng.standard_normal(x[test].shape) * 50, rng.standard_normal(y[test].shape)
    after = encode(x2, y2, folds=folds, penalties=PENALTIES, rule=rule)
    assert np.array_equal(before.penalties[0], after.penalties[0])
    assert not np.allclose(before.r[0], after.r[0])


def test_inner_folds_of_one_s_own_are_used():
    """Penalties are those that the given inner folds choose."""
    x, y, folds = _problem(2)
    groups = np.array([str(i) for i in range(len(x))])
    found = encode(x, y, folds=folds, penalties=PENALTIES,
                   inner=lambda rows: group_folds(groups[rows], n_folds=3, seed=5))  # fmt: skip
    train, _ = next(iter(folds))
    inner = group_folds(groups[train], n_folds=3, seed=5)
    expected = choose_penalties(x[train], y[train], folds=inner, penalties=PENALTIES)
    assert np.array_equal(found.penalties[0], expected.penalties)


def test_rows_in_a_gap_are_predicted_too():
    """Each row of a time series is tested once, whatever the gap leaves out of learning."""
    x, y, _ = _problem(3, n=60)
    found = encode(x, y, folds=block_folds(["r"] * 60, n_folds=3, gap=4), keep_predictions=True)
    assert np.isfinite(found.predictions).all()
    assert found.how == "3 contiguous blocks with a gap of 4 rows"


def test_a_target_that_does_not_vary_within_a_fold_is_undefined():
    """NaN in that fold and in the mean; the others stay."""
    x, y, folds = _problem(4)
    _, test = next(iter(folds))
    y[test, 1] = 3.0
    found = encode(x, y, folds=folds, penalties=PENALTIES)
    assert np.isnan(found.r[0, 1]) and np.isnan(found.mean_r()[1]) and np.isnan(found.r2[0, 1])
    assert np.isfinite(found.mean_r()[[0, 2]]).all()


def test_features_without_variance_predict_nothing():
    """A prediction that is the mean of what was learnt has no correlation, and R² about 0."""
    _, y, folds = _problem(5)
    found = encode(np.ones((40, 3)), y, folds=folds, penalties=PENALTIES, rule="leave-one-out")
    assert np.isnan(found.r).all() and (found.r2 <= 0).all()


@pytest.mark.parametrize("rule", ["folds", "leave-one-out", "generalised"])
@pytest.mark.parametrize("p", [5, 80])
def test_inner_products_serve_as_well_as_features(rule, p):
    """A Gram matrix about the mean of all rows gives what the features give."""
    x, y, folds = _problem(6, p=p)
    centred = x - x.mean(axis=0)
    options = {"folds": folds, "penalties": PENALTIES, "rule": rule, "keep_predictions": True}
    plain, by_gram = encode(x, y, **options), encode(as_kernel(centred @ centred.T), y, **options)
    assert np.array_equal(plain.penalties, by_gram.penalties)
    assert np.abs(plain.predictions - by_gram.predictions).max() < EXACT
    assert np.abs(plain.r - by_gram.r).max() < EXACT


def test_a_gram_matrix_is_square():
    """Features given for inner products are told."""
    with pytest.raises(UsageError, match=r"A Gram matrix \(n_rows, n_rows\) is wanted"):
        as_kernel(np.zeros((3, 4)))
