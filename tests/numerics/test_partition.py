"""Variance partitioning: parts sum to the whole, and planted parts come back."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import group_folds
from neuroai.numerics.partition import commonality, partition_variance
from neuroai.testing import EQUAL, EXACT, readonly

N = 400
# R² of 400 rows and 10 features, learnt from 300: four standard errors and what learning costs.
SAMPLED = 0.12


def _planted(seed=0):
    """Spaces a and b share the signal c; y is 1 part a, 1 part b, 1 part c and 1 part noise."""
    rng = np.random.default_rng(seed)
    a, b, c, noise = rng.standard_normal((4, N, 1))
    spaces = {"a": readonly(np.hstack([a, c])), "b": readonly(np.hstack([b, c]))}
    return spaces, readonly(a + b + c + noise), group_folds([str(i) for i in range(N)], n_folds=4)


def test_planted_parts_come_back():
    """Unique 1/4 each and shared 1/4, of a variance of 4."""
    spaces, y, folds = _planted()
    found = partition_variance(spaces, y, folds=folds)
    for part in (("a",), ("b",), ("a", "b")):
        assert found.parts[part][0] == pytest.approx(0.25, abs=SAMPLED)
    assert found.r2[("a", "b")][0] == pytest.approx(0.75, abs=SAMPLED)


def test_every_model_chooses_anew_on_the_same_folds():
    """R² of each subset is that of its own encoding model of features side by side."""
    spaces, y, folds = _planted(1)
    spaces["w"] = np.random.default_rng(9).standard_normal((N, 3))
    found = partition_variance(spaces, y, folds=folds, penalties=[1.0, 100.0])
    assert len(found.r2) == 7
    for subset, r2 in found.r2.items():
        x = np.hstack([spaces[name] for name in subset])
        expected = encode(x, y, folds=folds, penalties=[1.0, 100.0]).mean_r2()
        assert np.abs(r2 - expected).max() < EQUAL
    assert np.abs(sum(found.parts.values()) - found.r2[("a", "b", "w")]).max() < EXACT


@pytest.mark.parametrize("n_spaces", [2, 3, 4])
def test_parts_are_the_regions_of_a_venn_diagram(n_spaces):
    """With R² of a union the size of its regions, each part is its region, exactly."""
    rng = np.random.default_rng(n_spaces)
    names = "abcd"[:n_spaces]
    regions = {
        tuple(n for i, n in enumerate(names) if bits >> i & 1): rng.uniform()
        for bits in range(1, 2**n_spaces)
    }
    r2 = {
        model: sum(size for region, size in regions.items() if set(region) & set(model))
        for model in regions
    }
    found = commonality(r2)
    assert {k: pytest.approx(v, abs=EXACT) for k, v in regions.items()} == found


def test_the_number_of_spaces_is_bounded():
    """One space has nothing to share."""
    _, y, folds = _planted()
    with pytest.raises(UsageError, match="2 to 4 feature spaces; got 1"):
        partition_variance({"a": np.ones((N, 1))}, y, folds=folds)
