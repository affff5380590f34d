"""Temporal response functions equal to mne's, and delayed encoding without leaks over runs."""

from __future__ import annotations

import numpy as np
import pytest
from mne.decoding import ReceptiveField, TimeDelayingRidge

from neuroai.errors import UsageError
from neuroai.numerics.delays import delayed
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import block_folds
from neuroai.numerics.trf import encode_delayed, fit_trf
from neuroai.testing import EQUAL, readonly

N_INPUTS = 200


def _problem(seed):
    """Draw epochs of one length, features, lags and a penalty."""
    rng = np.random.default_rng(seed)
    n, epochs, p, t = rng.integers(30, 60), rng.integers(1, 4), rng.integers(1, 4), 2
    x = rng.standard_normal((n, epochs, p)) + rng.standard_normal(p)
    y = rng.standard_normal((n, epochs, t)) + 2
    first = int(rng.integers(-3, 2))
    return x, y, first, first + int(rng.integers(1, 6)), float(10 ** rng.uniform(-1, 3))


def _rows(epoched):
    """Put epochs one after the other."""
    return readonly(epoched.transpose(1, 0, 2).reshape(-1, epoched.shape[2]))


@pytest.mark.parametrize("seed", range(N_INPUTS))
def test_weights_are_those_of_mne(seed):
    """TimeDelayingRidge: coefficients and intercepts, over several epochs."""
    x, y, first, last, penalty = _problem(seed)
    peer = TimeDelayingRidge(first, last, 1.0, alpha=penalty)
    peer.fit(x, y)
    runs = np.repeat([f"e{i}" for i in range(x.shape[1])], len(x))
    found = fit_trf(_rows(x), _rows(y), lags=range(first, last + 1), runs=runs, penalty=penalty)
    # mne: targets x features x delays.
    assert np.abs(found.weights.transpose(2, 1, 0) - peer.coef_).max() < EQUAL
    assert np.abs(found.intercept - peer.intercept_).max() < EQUAL


@pytest.mark.parametrize("seed", range(20))
def test_predictions_and_scores_are_those_of_mne(seed):
    """ReceptiveField: predictions of every sample, and r where every lag is inside."""
    x, y, first, last, penalty = _problem(seed)
    peer = ReceptiveField(
        first, last, 1.0, estimator=TimeDelayingRidge(first, last, 1.0, alpha=penalty),
        scoring="corrcoef",
    )  # fmt: skip
    peer.fit(x, y)
    runs = np.repeat([f"e{i}" for i in range(x.shape[1])], len(x))
    lags = range(first, last + 1)
    found = fit_trf(_rows(x), _rows(y), lags=lags, runs=runs, penalty=penalty)
    mine = found.predict(_rows(x), runs=runs)
    assert np.abs(mine - _rows(peer.predict(x))).max() < EQUAL
    kept = delayed(_rows(x), runs=runs, delays=lags).kept
    r = [np.corrcoef(mine[kept, i], _rows(y)[kept, i])[0, 1] for i in range(2)]
    assert np.abs(r - peer.score(x, y)).max() < EQUAL


def test_a_planted_response_comes_back():
    """The response to a feature, at the lags at which it was put in."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 1))
    y = np.vstack([np.zeros((3, 1)), 2 * x[:-3]]) + 0.1 * rng.standard_normal((2000, 1))
    found = fit_trf(x, y, lags=range(-2, 6), runs=["a"] * 2000, penalty=1.0)
    expected = np.zeros(8)
    expected[5] = 2
    # Noise of 0.1 over 2,000 samples: four standard errors.
    assert np.abs(found.weights[:, 0, 0] - expected).max() < 4 * 0.1 / np.sqrt(2000) + 1e-3


def test_delays_are_built_before_rows_are_dealt():
    """Cross-validated: what explicit delays of the kept rows give, in either form of features."""
    rng = np.random.default_rng(1)
    runs = ["a"] * 40 + ["b"] * 50
    for p in (2, 40):
        x, y = rng.standard_normal((90, p)), rng.standard_normal((90, 2))
        folds = block_folds(runs, n_folds=3, gap=3)
        found = encode_delayed(x, y, delays=[0, 1, 2], runs=runs, folds=folds,
                               penalties=[1.0, 100.0], keep_predictions=True)  # fmt: skip
        late = delayed(x, runs=runs, delays=[0, 1, 2])
        kept = late.kept
        plain = encode(late.rows(), y[kept], folds=folds.within(kept), penalties=[1.0, 100.0])
        assert np.abs(found.r - plain.r).max() < EQUAL
        lost = np.setdiff1d(np.arange(90), kept)
        assert lost.tolist() == [0, 1, 40, 41] and np.isnan(found.predictions[lost]).all()
        assert np.isfinite(found.predictions[kept]).all()


def test_a_penalty_is_above_zero():
    """The message says so."""
    with pytest.raises(UsageError, match="above 0; got 0"):
        fit_trf(np.eye(3), np.eye(3), lags=[0], runs=["a"] * 3, penalty=0.0)
