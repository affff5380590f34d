"""Ridge regression equal to scikit-learn's, whichever of rows and features are more."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge as Peer

from neuroai.errors import DataError, UsageError
from neuroai.numerics.ridge import fit_ridge, predict_ridge

EXACT = 1e-8  # float64, against another factorisation
SINGLE = 1e-3  # float32 products over up to 60 terms, small penalties


def _problem(seed, *, dtype=np.float64):
    rng = np.random.default_rng(seed)
    n, p, t = rng.integers(8, 40), rng.integers(1, 60), rng.integers(1, 5)
    x = rng.standard_normal((n, p)) * rng.uniform(0.5, 3) + rng.standard_normal(p)
    y = x @ rng.standard_normal((p, t)) + rng.standard_normal((n, t)) + 5
    new = rng.standard_normal((7, p))
    return x.astype(dtype), y.astype(dtype), new.astype(dtype), 10 ** rng.uniform(-2, 4, t)


@pytest.mark.parametrize("seed", range(200))
def test_weights_and_predictions_are_scikit_learn_s(seed):
    """Coefficients, intercepts and predictions, a penalty for each target."""
    x, y, new, penalties = _problem(seed)
    found, predicted = (
        fit_ridge(x, y, penalties=penalties),
        predict_ridge(x, y, new, penalties=penalties),
    )
    peer = Peer(alpha=penalties, solver="cholesky").fit(x, y)
    scale = max(1.0, np.abs(peer.coef_).max())
    assert np.abs(found.weights - np.atleast_2d(peer.coef_).T).max() < EXACT * scale
    assert np.abs(found.intercept - peer.intercept_).max() < EXACT * scale * 100
    expected = peer.predict(new).reshape(predicted.shape)
    assert np.abs(predicted - expected).max() < EXACT * scale * 100


def test_single_precision_stays_near():
    """float32 gives float32, close to float64."""
    x, y, new, _ = _problem(3, dtype=np.float32)
    found = predict_ridge(x, y, new, penalties=10.0)
    exact = predict_ridge(x.astype(float), y.astype(float), new.astype(float), penalties=10.0)
    assert found.dtype == np.float32 and np.abs(found - exact).max() < SINGLE * np.abs(exact).max()


def test_tensors_are_taken():
    """torch and NumPy give the same."""
    x, y, new, penalties = _problem(5)
    found = predict_ridge(*map(torch.from_numpy, (x, y, new)), penalties=penalties)
    assert np.array_equal(found, predict_ridge(x, y, new, penalties=penalties))


def test_repeated_features_share_their_weight():
    """A feature given twice has half the weight in each copy, and no rounding is divided by."""
    x = np.arange(8.0)[:, None]
    found = fit_ridge(np.hstack([x, x]), 2 * x, penalties=1e-6)
    assert found.weights == pytest.approx(np.ones((2, 1)), abs=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "penalties", "said"),
    [
        (np.ones((3, 2)), np.ones((4, 1)), 1.0, r"got \(3, 2\) and \(4, 1\)"),
        (np.ones((3, 2)), np.ones(3), 1.0, r"got \(3, 2\) and \(3,\)"),
        (np.array([[1.0], [np.nan]]), np.ones((2, 1)), 1.0, "1 of 2 values of the features"),
        (np.eye(3), np.full((3, 1), np.inf), 1.0, "3 of 3 values of the targets"),
        (np.eye(3), np.ones((3, 1)), 0.0, "A penalty is above 0; got 0"),
        (np.eye(3), np.ones((3, 2)), [1.0, 2.0, 3.0], "one for each of 2 targets"),
    ],
)
def test_wrong_input_is_told(x, y, penalties, said):
    """Shapes, NaN and penalties."""
    with pytest.raises((UsageError, DataError), match=said):
        fit_ridge(x, y, penalties=penalties)


def test_new_rows_need_the_same_features():
    """The number that was learnt is named."""
    with pytest.raises(UsageError, match="need the 3 features"):
        predict_ridge(np.eye(3), np.ones((3, 1)), np.ones((2, 2)), penalties=1.0)
