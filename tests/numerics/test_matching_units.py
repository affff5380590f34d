"""Counterparts of units: chosen on one part of the rows and scored on the other."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.folds import group_folds
from neuroai.numerics.matching_units import match_units
from neuroai.testing import EXACT, STANDARD_ERRORS, readonly

N = 60


def _folds(n=N, n_folds=3):
    return group_folds([str(i) for i in range(n)], n_folds=n_folds)


def test_the_best_of_all_permutations_is_found():
    """Brute force over 5! matchings, on what each fold learns from."""
    rng = np.random.default_rng(0)
    x, y = readonly(rng.standard_normal((N, 5))), readonly(rng.standard_normal((N, 5)))
    found = match_units(x, y, folds=_folds())
    for place, (train, test) in enumerate(_folds()):
        r = np.corrcoef(x[train].T, y[train].T)[:5, 5:]
        best = max(permutations(range(5)), key=lambda p: r[list(p), range(5)].sum())
        assert found.partner[place].tolist() == list(best)
        expected = [np.corrcoef(x[test, i], y[test, j])[0, 1] for j, i in enumerate(best)]
        assert np.abs(found.r[place] - expected).max() < EXACT


def test_a_shuffled_copy_is_matched_wholly():
    """Permuted, scaled and shifted units find themselves, at r = 1."""
    x = np.random.default_rng(1).standard_normal((N, 12))
    order = np.random.default_rng(2).permutation(12)
    found = match_units(x, 3 * x[:, order] + 7, folds=_folds())
    assert (found.partner == order).all() and np.allclose(found.mean_r(), 1)


def test_unrelated_units_do_not_score_by_being_chosen():
    """Noise matched to noise correlates at 0 on held-out rows, within four standard errors."""
    rng = np.random.default_rng(3)
    found = match_units(rng.standard_normal((N, 40)), rng.standard_normal((N, 40)), folds=_folds())
    assert abs(found.mean_r().mean()) < STANDARD_ERRORS / np.sqrt(N * 40)


def test_targets_in_excess_and_constant_units_are_undefined():
    """Five targets for three units leave two without; a constant unit has no correlation."""
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((N, 3)), rng.standard_normal((N, 5))
    found = match_units(x, y, folds=_folds())
    assert found.n_unmatched == 2 and (np.isnan(found.r).sum(axis=1) == 2).all()
    assert (found.partner == -1).sum() == 6
    y = np.column_stack([x[:, :2], np.ones(N)])
    assert np.isnan(match_units(x, y, folds=_folds()).r[:, 2]).all()


def test_wrong_input_is_told():
    """Shapes and missing values."""
    with pytest.raises(UsageError, match="of the same rows are wanted"):
        match_units(np.zeros((3, 1)), np.zeros((4, 1)), folds=_folds(3))
    with pytest.raises(DataError, match="must be finite"):
        match_units(np.full((3, 1), np.nan), np.zeros((3, 1)), folds=_folds(3))
