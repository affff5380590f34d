"""Ridge regression of many targets beside himalaya and scikit-learn, float32.

Run: pytest benchmarks/speed/test_ridge_speed.py -s. Sizes are an eighth of the full targets, which
enter linearly; each job prints what it ran.
"""

from __future__ import annotations

import numpy as np
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.ridge import RidgeCV as HimalayaRidgeCV
from himalaya.scoring import r2_score
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import PredefinedSplit

from neuroai.numerics.folds import group_folds
from neuroai.numerics.ridge import predict_ridge
from neuroai.numerics.ridge_penalty import choose_penalties

PENALTIES = np.logspace(-1, 5, 20)


def problem(n: int, p: int, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and targets with some signal."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, p), dtype=np.float32)
    weights = rng.standard_normal((p, t), dtype=np.float32) / np.float32(np.sqrt(p))
    return x, x @ weights + 2 * rng.standard_normal((n, t), dtype=np.float32)


def folds_of(n: int):
    """Five folds, and the same for scikit-learn's splitters."""
    folds = group_folds([str(i) for i in range(n)], n_folds=5)
    return folds, PredefinedSplit(folds.test.argmax(axis=0))


def test_wide_features_by_folds(duel):
    """One outer fold: 1,600 rows, 4,096 features, 2,500 targets, 20 penalties, 5 inner folds."""
    x, y = problem(1600, 4096, 2500)
    folds, split = folds_of(1600)

    def ours():
        return choose_penalties(x, y, folds=folds, penalties=PENALTIES)

    def theirs():
        options = {"local_alpha": True, "score_func": r2_score}
        KernelRidgeCV(alphas=PENALTIES, cv=split, solver_params=options, warn=False).fit(x, y)

    duel("penalties by folds, 1,600 x 4,096 -> 2,500", ours, theirs, peer="himalaya KernelRidgeCV")


def test_long_features_by_folds(duel):
    """4,000 rows, 1,024 features, 1,250 targets, 20 penalties, 5 folds."""
    x, y = problem(4000, 1024, 1250)
    folds, split = folds_of(4000)

    def ours():
        return choose_penalties(x, y, folds=folds, penalties=PENALTIES)

    def theirs():
        options = {"local_alpha": True, "score_func": r2_score, "warn": False}
        HimalayaRidgeCV(alphas=PENALTIES, cv=split, solver_params=options).fit(x, y)

    duel("penalties by folds, 4,000 x 1,024 -> 1,250", ours, theirs, peer="himalaya RidgeCV")


def test_leave_one_out(duel):
    """2,000 rows, 4,096 features, 500 targets, 20 penalties, and the refit."""
    x, y = problem(2000, 4096, 500)

    def ours():
        chosen = choose_penalties(x, y, penalties=PENALTIES, rule="leave-one-out")
        return predict_ridge(x, y, x[:10], penalties=chosen.penalties)

    def theirs():
        return RidgeCV(alphas=PENALTIES, alpha_per_target=True).fit(x, y).predict(x[:10])

    duel("leave-one-out, 2,000 x 4,096 -> 500", ours, theirs, peer="scikit-learn RidgeCV")


def test_generalised(duel):
    """Generalised cross-validation beside the same by folds."""
    x, y = problem(1600, 4096, 2500)
    folds, _ = folds_of(1600)

    def ours():
        return choose_penalties(x, y, penalties=PENALTIES, rule="generalised")

    def theirs():
        return choose_penalties(x, y, folds=folds, penalties=PENALTIES)

    duel("generalised, 1,600 x 4,096 -> 2,500", ours, theirs, peer="our own choice by folds")
