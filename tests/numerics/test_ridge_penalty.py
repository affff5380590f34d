"""Penalties as scikit-learn and himalaya choose them, target by target."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from himalaya.ridge import RidgeCV as Himalaya
from himalaya.scoring import r2_score
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import PredefinedSplit

from neuroai.errors import UsageError
from neuroai.numerics.folds import group_folds
from neuroai.numerics.ridge import predict_ridge
from neuroai.numerics.ridge_path import penalty_modes
from neuroai.numerics.ridge_penalty import choose_penalties, fit_ridge_cv

EXACT = 1e-8  # float64, relative
PENALTIES = np.logspace(-2, 4, 13)


def _problem(seed):
    rng = np.random.default_rng(seed)
    n, p, t = rng.integers(20, 50), rng.integers(2, 60), rng.integers(1, 6)
    x = rng.standard_normal((n, p)) + 1
    noise = rng.uniform(0.1, 20, t)
    return x, x @ rng.standard_normal((p, t)) + noise * rng.standard_normal((n, t))


@pytest.mark.parametrize("seed", range(200))
def test_leaving_one_out_chooses_as_scikit_learn(seed):
    """Penalties chosen, and the errors behind them."""
    x, y = _problem(seed)
    found = choose_penalties(x, y, penalties=PENALTIES, rule="leave-one-out")
    peer = RidgeCV(alphas=PENALTIES, alpha_per_target=True, store_cv_results=True).fit(x, y)
    errors = peer.cv_results_.reshape(len(x), y.shape[1], len(PENALTIES)).mean(axis=0).T
    assert np.abs(found.scores + errors).max() < EXACT * errors.max()
    assert np.array_equal(found.penalties, np.atleast_1d(peer.alpha_))


@pytest.mark.parametrize("seed", range(200))
def test_folds_choose_as_himalaya(seed):
    """Penalties chosen and mean R² of every penalty, with an intercept in every fold."""
    x, y = _problem(seed)
    folds = group_folds([str(i) for i in range(len(x))], n_folds=4, seed=seed)
    found = choose_penalties(x, y, folds=folds, penalties=PENALTIES)
    peer = Himalaya(
        alphas=PENALTIES, fit_intercept=True, cv=PredefinedSplit(folds.test.argmax(axis=0)),
        solver_params={"local_alpha": True, "score_func": r2_score, "warn": False},
    )  # fmt: skip
    peer.fit(x, y)
    # himalaya keeps the logarithm of what it chose.
    assert np.allclose(found.penalties, np.asarray(peer.best_alphas_), rtol=EXACT, atol=0)
    best = found.scores.max(axis=0)
    assert np.abs(best - np.asarray(peer.cv_scores_)).max() < EXACT * 10


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("score", ["r2", "r"])
def test_scores_are_those_of_plain_predictions(seed, score):
    """R² and r of each penalty, computed one by one with the plain definition."""
    x, y = _problem(seed)
    folds = group_folds([str(i) for i in range(len(x))], n_folds=3)
    found = choose_penalties(x, y, folds=folds, penalties=[0.5, 50.0], score=score).scores
    for row, alpha in enumerate((0.5, 50.0)):
        expected = []
        for train, test in folds:
            p, t = predict_ridge(x[train], y[train], x[test], penalties=alpha), y[test]
            if score == "r":
                expected.append([np.corrcoef(a, b)[0, 1] for a, b in zip(p.T, t.T, strict=True)])
            else:
                expected.append(1 - ((t - p) ** 2).sum(0) / ((t - t.mean(0)) ** 2).sum(0))
        assert np.abs(found[row] - np.mean(expected, axis=0)).max() < EXACT * 100


@pytest.mark.parametrize("seed", range(20))
def test_the_generalised_rule_follows_its_formula(seed):
    """n |(I - H) y|² / trace(I - H)², with H made in full."""
    x, y = _problem(seed)
    found = choose_penalties(x, y, penalties=[2.0], rule="generalised").scores[0]
    n, centred = len(x), x - x.mean(axis=0)
    hat = centred @ np.linalg.solve(centred.T @ centred + 2.0 * np.eye(x.shape[1]), centred.T)
    left = np.eye(n) - hat - 1 / n
    expected = n * ((left @ y) ** 2).sum(axis=0) / np.trace(left) ** 2
    assert np.abs(found + expected).max() < EXACT * expected.max()


def test_a_constant_target_is_undefined_and_takes_the_largest_penalty():
    """Its scores are NaN, and it stands at no edge."""
    x, y = _problem(0)
    y = np.column_stack([y[:, :1], np.ones(len(y))])
    for rule in ("leave-one-out", "generalised"):
        found = choose_penalties(x, y, penalties=PENALTIES, rule=rule)
        assert np.isnan(found.scores[:, 1]).all() and found.penalties[1] == PENALTIES[-1]
    folds = group_folds([str(i) for i in range(len(x))])
    found = choose_penalties(x, y, folds=folds, penalties=PENALTIES)
    assert np.isnan(found.scores[:, 1]).all()


def test_choices_at_the_edge_are_counted():
    """Pure noise wants more than the largest penalty offered."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 20)), rng.standard_normal((60, 30))
    found = choose_penalties(x, y, penalties=[1e-6, 1e-5, 1e-4], rule="leave-one-out")
    assert found.at_edge == 30


def test_single_precision_chooses_alike_where_features_are_many():
    """With more features than rows, leaving one out keeps its digits in float32."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 400))
    y = x @ rng.standard_normal((400, 50)) + 10 * rng.standard_normal((60, 50))
    exact = choose_penalties(x, y, rule="leave-one-out", penalties=PENALTIES)
    single = choose_penalties(
        x.astype("f"), y.astype("f"), rule="leave-one-out", penalties=PENALTIES
    )
    # Two penalties whose errors agree to six digits may change places.
    assert (exact.penalties == single.penalties).mean() > 0.9
    assert np.allclose(exact.scores, single.scores, rtol=1e-3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rule": "folds"}, "folds are needed for rule='folds'"),
        ({"rule": "loo"}, "rule must be one of"),
        ({"rule": "leave-one-out", "penalties": [0.0, 1.0]}, "one or more numbers above 0"),
        ({"rule": "leave-one-out", "score": "mse"}, "score must be one of"),
    ],
)
def test_wrong_options_are_told(options, said):
    """An option that would be ignored is refused."""
    with pytest.raises(UsageError, match=said):
        choose_penalties(np.eye(4), np.eye(4), **options)


@pytest.mark.parametrize("seed", range(200))
def test_coefficients_are_those_of_scikit_learn(seed):
    """Leaving one out, then fitting all rows: coefficients and intercepts."""
    x, y = _problem(seed)
    found, chosen = fit_ridge_cv(x, y, penalties=PENALTIES, rule="leave-one-out")
    peer = RidgeCV(alphas=PENALTIES, alpha_per_target=True).fit(x, y)
    scale = max(1.0, np.abs(peer.coef_).max())
    assert np.array_equal(chosen.penalties, np.atleast_1d(peer.alpha_))
    assert np.abs(found.weights - np.atleast_2d(peer.coef_).T).max() < EXACT * scale
    assert np.abs(found.intercept - peer.intercept_).max() < EXACT * scale * 10


@pytest.mark.parametrize("seed", range(200))
def test_coefficients_are_those_of_himalaya(seed):
    """By folds, then fitting all rows: coefficients and intercepts."""
    x, y = _problem(seed)
    folds = group_folds([str(i) for i in range(len(x))], n_folds=4, seed=seed)
    found, _ = fit_ridge_cv(x, y, folds=folds, penalties=PENALTIES)
    peer = Himalaya(
        alphas=PENALTIES, fit_intercept=True, cv=PredefinedSplit(folds.test.argmax(axis=0)),
        solver_params={"local_alpha": True, "score_func": r2_score, "warn": False},
    ).fit(x, y)  # fmt: skip
    scale = max(1.0, np.abs(peer.coef_).max())
    assert np.abs(found.weights - peer.coef_).max() < EXACT * scale * 10
    assert np.abs(found.intercept - peer.intercept_).max() < EXACT * scale * 100


def test_modes_of_penalties_keep_single_precision():
    """Half of the products serve all penalties, and their scores stay those of float64."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((100, 300))
    y = x @ rng.standard_normal((300, 20)) + 10 * rng.standard_normal((100, 20))
    folds = group_folds([str(i) for i in range(100)], n_folds=4)
    many = np.logspace(-2, 5, 20)
    exact = choose_penalties(x, y, folds=folds, penalties=many).scores
    single = choose_penalties(x.astype("f"), y.astype("f"), folds=folds, penalties=many).scores
    assert np.abs(exact - single).max() < 1e-4
    values = torch.linspace(50, 600, 80)
    shrink = 1 / (values + torch.as_tensor(many, dtype=torch.float32)[:, None])
    mix, modes = penalty_modes(shrink, torch.ones(80))
    assert len(modes) <= 10 and torch.allclose(mix @ modes, shrink, rtol=1e-5)
