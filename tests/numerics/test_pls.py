"""Partial least squares: scikit-learn's, fold by fold."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression

from neuroai.errors import UsageError
from neuroai.numerics.folds import group_folds
from neuroai.numerics.pls import encode_pls
from neuroai.testing import EXACT, readonly


def _problem(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((40, 8))
    y = x @ rng.standard_normal((8, 3)) + rng.standard_normal((40, 3))
    return readonly(x), readonly(y), group_folds([str(i) for i in range(40)], n_folds=4, seed=seed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [False, True])
def test_each_fold_is_a_fit_of_scikit_learn(seed, scale):
    """Predictions, and r and R² within the fold."""
    x, y, folds = _problem(seed)
    found = encode_pls(x, y, folds=folds, n_components=3, scale=scale, keep_predictions=True)
    for place, (train, test) in enumerate(folds):
        peer = PLSRegression(n_components=3, scale=scale).fit(x[train], y[train])
        expected = peer.predict(x[test])
        assert np.abs(found.predictions[test] - expected).max() < EXACT
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(expected.T, y[test].T, strict=True)]
        assert np.abs(found.r[place] - r).max() < EXACT
    assert found.penalties is None


def test_dimensions_are_bounded():
    """More dimensions than features are refused with both numbers."""
    x, y, folds = _problem(0)
    with pytest.raises(UsageError, match="between 1 and 8, .* got 9"):
        encode_pls(x, y, folds=folds, n_components=9)
