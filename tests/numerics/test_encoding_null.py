"""Relabelled encoding models: every one learnt anew."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics.encoding import encode
from neuroai.numerics.encoding_null import encoding_null
from neuroai.numerics.folds import group_folds
from neuroai.numerics.ridge import as_kernel
from neuroai.testing import EQUAL, SINGLE, readonly

PENALTIES = (0.1, 1.0, 10.0, 1000.0)
N = 30
FOLDS = group_folds([str(i) for i in range(N)], n_folds=4)


def _data(n_features: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, n_features))
    y = x[:, :3] + rng.standard_normal((N, 3))
    orders = rng.permuted(np.tile(np.arange(N), (5, 1)), axis=1)
    return readonly(x - x.mean(axis=0)), readonly(y), readonly(orders)


@pytest.mark.parametrize("rule", ["generalised", "leave-one-out", "folds"])
@pytest.mark.parametrize("n_features", [5, 60])
@pytest.mark.parametrize("kernel", [False, True])
def test_every_relabelling_equals_a_fit_of_its_own(rule, n_features, kernel):
    """Against one call of `encode` for each relabelling, with features and with their Gram."""
    x, y, orders = _data(n_features)
    features = as_kernel(x @ x.T) if kernel else x
    found = encoding_null(
        features, y, folds=FOLDS, permutations=orders, penalties=PENALTIES, rule=rule, block_bytes=1
    )
    for order, row in zip(orders, found, strict=True):
        alone = encode(features, y[order], folds=FOLDS, penalties=PENALTIES, rule=rule).mean_r()
        np.testing.assert_allclose(row, alone, atol=EQUAL)


def test_blocks_and_single_precision_change_nothing():
    """Many relabellings at once, in float32, give the same within single precision."""
    x, y, orders = _data(60)
    how = {"folds": FOLDS, "permutations": orders, "penalties": PENALTIES, "rule": "generalised"}
    exact = encoding_null(as_kernel(x @ x.T), y, **how, block_bytes=1)
    single = encoding_null(as_kernel((x @ x.T).astype(np.float32)), y.astype(np.float32), **how)
    np.testing.assert_allclose(single, exact, atol=SINGLE)


def test_a_target_without_variance_is_undefined():
    """A constant target has no correlation, whatever its labels."""
    x, y, orders = _data(5)
    flat = np.column_stack([y[:, 0], np.ones(N)])
    found = encoding_null(x, flat, folds=FOLDS, permutations=orders, rule="generalised")
    assert np.isfinite(found[:, 0]).all() and np.isnan(found[:, 1]).all()


def test_permutations_must_fit():
    """Orders of another number of rows are refused."""
    x, y, _ = _data(5)
    with pytest.raises(UsageError, match=r"\(n_permutations, 30\); got \(1, 4\)"):
        encoding_null(x, y, folds=FOLDS, permutations=np.arange(4)[None])
