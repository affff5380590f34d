"""Poisson regression equal to scikit-learn's, and its share of deviance."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from neuroai.errors import DataError, UsageError
from neuroai.numerics.folds import group_folds
from neuroai.numerics.poisson_glm import encode_poisson, fit_poisson
from neuroai.numerics.poisson_scores import pseudo_r2
from neuroai.testing import EQUAL, readonly


def _problem(seed, *, n=60, t=3):
    rng = np.random.default_rng(seed)
    p = int(rng.integers(1, 8))
    x = rng.standard_normal((n, p)) + rng.standard_normal(p)
    rate = np.exp(1 + 0.4 * (x - x.mean(axis=0)) @ rng.standard_normal((p, t)))
    return readonly(x), readonly(rng.poisson(rate).astype(float)), 10 ** rng.uniform(-2, 2, t)


@pytest.mark.parametrize("seed", range(200))
def test_weights_are_those_of_scikit_learn(seed):
    """Coefficients and intercepts; scikit-learn's penalty is divided by the rows."""
    x, y, penalties = _problem(seed)
    found = fit_poisson(x, y, penalties=penalties)
    for unit, penalty in enumerate(penalties):
        peer = PoissonRegressor(
            alpha=penalty / len(x), solver="newton-cholesky", tol=1e-12, max_iter=500
        ).fit(x, y[:, unit])
        assert np.abs(found.weights[:, unit] - peer.coef_).max() < EQUAL
        assert abs(found.intercept[unit] - peer.intercept_) < EQUAL * 10
    assert np.allclose(found.predict(x)[:, -1], peer.predict(x), rtol=EQUAL * 10)


def test_own_features_that_all_share_are_features():
    """A design of its own for every target, all alike, is one design."""
    x, y, penalties = _problem(4)
    own = np.repeat(x[:, :1, None] ** 2, y.shape[1], axis=2)
    found = fit_poisson(x, y, penalties=penalties, own=own)
    beside = fit_poisson(np.hstack([x, x[:, :1] ** 2]), y, penalties=penalties)
    np.testing.assert_allclose(found.weights, beside.weights[:-1], atol=EQUAL)
    np.testing.assert_allclose(found.own_weights, beside.weights[-1:], atol=EQUAL)
    np.testing.assert_allclose(found.intercept, beside.intercept, atol=EQUAL)
    np.testing.assert_allclose(
        found.predict(x, own), beside.predict(np.hstack([x, x[:, :1] ** 2])), rtol=EQUAL
    )


@pytest.mark.parametrize("seed", range(20))
def test_own_weights_are_those_of_scikit_learn(seed):
    """Unit by unit, with the columns of that unit put beside the shared ones."""
    x, y, penalties = _problem(seed)
    own = np.random.default_rng(seed).standard_normal((len(x), 2, y.shape[1]))
    found = fit_poisson(x, y, penalties=penalties, own=own)
    for unit, penalty in enumerate(penalties):
        peer = PoissonRegressor(
            alpha=penalty / len(x), solver="newton-cholesky", tol=1e-12, max_iter=500
        ).fit(np.hstack([x, own[:, :, unit]]), y[:, unit])
        ours = np.r_[found.weights[:, unit], found.own_weights[:, unit]]
        assert np.abs(ours - peer.coef_).max() < EQUAL


def test_where_a_fit_begins_does_not_matter():
    """From another penalty's weights, with features of its own and a target that was silent."""
    x, y, penalties = _problem(5)
    own = np.random.default_rng(5).standard_normal((len(x), 2, y.shape[1]))
    silent = y.copy()
    silent[:, 1] = 0
    before = fit_poisson(x, silent, penalties=1e4, own=own)
    found = fit_poisson(x, y, penalties=penalties, own=own, start=before)
    plain = fit_poisson(x, y, penalties=penalties, own=own)
    np.testing.assert_allclose(found.weights, plain.weights, atol=EQUAL)
    np.testing.assert_allclose(found.own_weights, plain.own_weights, atol=EQUAL)
    np.testing.assert_allclose(found.intercept, plain.intercept, atol=EQUAL)


def test_counts_are_predicted_and_noise_is_not():
    """Of planted and unrelated units, penalties chosen inside each fold."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((300, 4))
    rate = np.exp(1 + x @ np.array([[0.6, 0.0], [0.3, 0.0], [0.0, 0.0], [0.0, 0.0]]))
    y = rng.poisson(rate).astype(float)
    folds = group_folds([str(i) for i in range(300)], n_folds=3)
    found, scores = encode_poisson(x, y, folds=folds, keep_predictions=True)
    explained, best = scores.pseudo_r2, pseudo_r2(y, rate)
    assert explained[:, 0].mean() == pytest.approx(best[0], abs=0.05) and found.mean_r()[0] > 0.6
    assert abs(explained[:, 1].mean()) < 0.05
    assert (scores.bits_per_count[:, 0] > 0.05).all() and (scores.bits_per_count[:, 1] < 0.01).all()
    # Noise wants to be shrunk more than signal.
    assert (found.penalties[:, 1] > found.penalties[:, 0]).all()
    assert (found.predictions > 0).all() and found.how.startswith("3 folds")


def test_a_silent_unit_is_undefined():
    """Without a count there is no rate to fit: NaN, and the others stay."""
    x, y, _ = _problem(3)
    y = y.copy()
    y[:, 1] = 0
    found = fit_poisson(x, y, penalties=1.0)
    assert np.isnan(found.weights[:, 1]).all() and np.isfinite(found.weights[:, [0, 2]]).all()
    folds = group_folds([str(i) for i in range(len(x))], n_folds=3)
    encoded, scores = encode_poisson(x, y, folds=folds)
    assert np.isnan(scores.bits_per_count[:, 1]).all()
    assert np.isnan(scores.pseudo_r2[:, 1]).all() and np.isnan(encoded.r[:, 1]).all()


def test_wrong_input_is_told():
    """Counts below 0, and penalties."""
    x, y, _ = _problem(0)
    with pytest.raises(DataError, match="Counts are 0 or more; got -1"):
        fit_poisson(x, -np.ones_like(y))
    folds = group_folds([str(i) for i in range(len(x))], n_folds=3)
    with pytest.raises(UsageError, match="one or more numbers above 0"):
        encode_poisson(x, y, folds=folds, penalties=[0.0])
    with pytest.raises(UsageError, match=r"own has the shape \(60 rows, features, 3 targets\)"):
        fit_poisson(x, y, own=np.zeros((60, 2)))
