"""Banded ridge: himalaya's search, fold by fold; each band's share sums to R²."""

from __future__ import annotations

import numpy as np
import pytest
from himalaya.kernel_ridge import MultipleKernelRidgeCV
from himalaya.scoring import r2_score, r2_score_split

from neuroai.errors import MissingExtra, UsageError
from neuroai.numerics import banded
from neuroai.numerics.banded import encode_banded
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import group_folds
from neuroai.testing import EQUAL, EXACT, readonly

PENALTIES = (0.1, 10.0, 1000.0)


def _problem(seed=0):
    """The first band carries the first two targets, the second, of noise, none."""
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((80, 4)), 5 * rng.standard_normal((80, 30))
    y = np.column_stack([a @ rng.standard_normal((4, 2)), rng.standard_normal(80)])
    y = y + 0.5 * rng.standard_normal(y.shape) + 3
    return (
        readonly(a),
        readonly(b),
        readonly(y),
        group_folds([str(i) for i in range(80)], n_folds=3),
    )


def test_each_fold_is_himalaya_s():
    """Predictions, weights of bands and the product measure, with the same seed and folds."""
    a, b, y, folds = _problem()
    found = encode_banded([a, b], y, folds=folds, penalties=PENALTIES, n_iter=8,
                          keep_predictions=True)  # fmt: skip
    train, test = next(iter(folds))
    own, new = [], []
    for band in (a, b):
        mean = band[train].mean(axis=0)
        own.append((band[train] - mean) @ (band[train] - mean).T)
        new.append((band[test] - mean) @ (band[train] - mean).T)
    params = {"alphas": np.array(PENALTIES), "n_iter": 8, "progress_bar": False,
              "score_func": r2_score}  # fmt: skip
    peer = MultipleKernelRidgeCV(
        kernels="precomputed", solver_params=params, cv=list(folds.within(train)), random_state=0
    ).fit(np.stack(own), y[train] - y[train].mean(axis=0))
    expected = peer.predict(np.stack(new)) + y[train].mean(axis=0)
    assert np.abs(found.encoded.predictions[test] - expected).max() < EQUAL
    assert np.abs(found.log_weights[0] - peer.deltas_).max() < EQUAL
    # himalaya's product measure takes targets and predictions about the mean of the tested rows.
    parts = peer.predict(np.stack(new), split=True)
    truth = y[test] - y[test].mean(axis=0)
    split = r2_score_split(truth, parts - parts.mean(axis=1, keepdims=True))
    mine = banded._shares(truth, parts - parts.mean(axis=1, keepdims=True))
    assert np.abs(mine - split).max() < EQUAL


def test_shares_sum_to_r2_and_go_to_the_right_band():
    """The product measure; noise of many features gets nothing."""
    a, b, y, folds = _problem(1)
    found = encode_banded([a, b], y, folds=folds, penalties=PENALTIES, n_iter=8)
    assert np.abs(found.shares.sum(axis=1) - found.encoded.r2).max() < EXACT
    share = found.shares.mean(axis=0)
    assert (share[0, :2] > 0.7).all() and (np.abs(share[1, :2]) < 0.1).all()
    # One penalty for both must shrink the signal with the noise.
    one = encode(np.hstack([a, b]), y, folds=folds, penalties=PENALTIES)
    assert (found.encoded.mean_r2()[:2] > one.mean_r2()[:2]).all()


def test_the_search_hangs_on_its_seed():
    """The same seed gives the same; another may not."""
    a, b, y, folds = _problem(2)
    options = {"folds": folds, "penalties": PENALTIES, "n_iter": 5}
    one, again, other = (encode_banded([a, b], y, **options, seed=s) for s in (0, 0, 1))
    assert np.array_equal(one.log_weights, again.log_weights)
    assert not np.array_equal(one.log_weights, other.log_weights)
    assert (one.n_iter, other.seed) == (5, 1)


def test_wrong_input_and_a_missing_package_are_told(monkeypatch):
    """One band is refused; without himalaya its extra is named."""
    a, _, y, folds = _problem()
    with pytest.raises(UsageError, match="Two or more feature spaces"):
        encode_banded([a], y, folds=folds)
    monkeypatch.setitem(__import__("sys").modules, "himalaya.kernel_ridge", None)
    with pytest.raises(MissingExtra, match=r"neuroai-compare\[banded\]"):
        encode_banded([a, a], y, folds=folds)
