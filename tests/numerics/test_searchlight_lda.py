"""Searchlight decoding against scikit-learn's LDA around every centre."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import PredefinedSplit, cross_val_score

from neuroai.errors import DataError, UsageError
from neuroai.numerics.neighbourhoods import within_radius
from neuroai.numerics.searchlight_lda import (
    _decisions,
    _inner_products,
    _Problem,
    searchlight_lda,
)
from neuroai.testing import EQUAL, EXACT, STANDARD_ERRORS, readonly

N_FOLDS = 4


def _grid(*shape):
    return np.argwhere(np.ones(shape)).astype(float)


def _problem(seed=0, n_classes=2, n_rows=24, shape=(3, 3, 2), signal=1.0):
    rng = np.random.default_rng(seed)
    codes, folds = np.arange(n_rows) % n_classes, np.arange(n_rows) // n_classes % N_FOLDS
    position = _grid(*shape)
    x = rng.standard_normal((n_rows, len(position))) + 5
    x += signal * rng.standard_normal((n_classes, len(position)))[codes]
    x[:, 0] = 3.0
    return readonly(x), codes, folds, within_radius(position, radius=1.8)


def _sklearn(x, codes, folds, near, shrinkage):
    rule = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    split = PredefinedSplit(folds)
    return np.array([
        cross_val_score(rule, x[:, near.of(c)], codes, cv=split, scoring="balanced_accuracy").mean()
        for c in range(len(near))
    ])  # fmt: skip


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n_rows", [12, 24, 48])
@pytest.mark.parametrize("shrinkage", ["auto", 0.3, 1.0])
def test_equal_to_scikit_learn(shrinkage, n_rows, n_classes):
    """Every centre's accuracy is scikit-learn's, with more units than rows and with fewer."""
    x, codes, folds, near = _problem(n_rows, n_classes, n_rows)
    found = searchlight_lda(x, codes, folds, neighbourhoods=near, shrinkage=shrinkage)
    expected = _sklearn(x, codes, folds, near, shrinkage)
    np.testing.assert_allclose(found, expected, atol=EXACT)


@pytest.mark.parametrize("shrinkage", ["auto", 0.2])
@pytest.mark.parametrize("seed", range(10))
def test_decision_values_are_those_of_scikit_learn(seed, shrinkage):
    """Not the choices alone: differences of decision values are the same numbers."""
    x, codes, folds, _ = _problem(seed, n_classes=3)
    rows = torch.tensor(x.T[None, 1:])
    problem = _Problem.of(codes, folds, n_rows=len(x), like=rows)
    share = None if shrinkage == "auto" else shrinkage
    gram = None if share is None else _inner_products(rows)
    found, fine = _decisions(rows, gram, problem.folds[0], share)
    assert bool(fine.all())
    rule = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    rule.fit(x[folds != 0, 1:], codes[folds != 0])
    expected = rule.decision_function(x[folds == 0, 1:])
    found = found[0].numpy()
    np.testing.assert_allclose(
        found - found[:, :1], expected - expected[:, :1], atol=EQUAL, rtol=EQUAL
    )


def test_single_precision_and_tensors_choose_alike():
    """float32 and tensors give the accuracies of float64 where classes are well apart."""
    x, codes, folds, near = _problem(signal=3.0)
    exact = searchlight_lda(x, codes, folds, neighbourhoods=near)
    for patterns in (x.astype(np.float32), torch.tensor(x)):
        np.testing.assert_array_equal(
            searchlight_lda(patterns, codes, folds, neighbourhoods=near), exact
        )


def test_an_island_of_signal_is_found_where_it_lies():
    """Planted: classes differ in eight voxels; centres whose sphere holds none are at chance."""
    rng = np.random.default_rng(3)
    position = _grid(8, 6, 4)
    codes, folds = np.arange(80) % 2, np.arange(80) // 2 % 5
    x = rng.standard_normal((80, len(position)))
    planted = (position < 2).all(axis=1)
    x[:, planted] += 1.5 * codes[:, None]
    near = within_radius(position, radius=1.0)
    found = searchlight_lda(x, codes, folds, neighbourhoods=near)
    holds = np.array([planted[near.of(c)].any() for c in range(len(near))])
    assert found[planted].min() > 0.9
    # Neighbouring spheres share voxels, so that the error of their mean is not that of a mean of
    # independent ones: bounded by that of a single sphere over four disjoint groups.
    error = np.sqrt(0.25 / 80)
    assert abs(found[~holds].mean() - 0.5) < STANDARD_ERRORS * error / 2


def test_what_does_not_vary_is_undefined():
    """A sphere of constant voxels has no accuracy, and the others keep theirs."""
    x, codes, folds, _ = _problem()
    x = np.array(x)
    near = within_radius(_grid(3, 3, 2), radius=0.5)
    found = searchlight_lda(x, codes, folds, neighbourhoods=near)
    assert np.isnan(found[0]) and np.isfinite(found[1:]).all()


def test_wrong_calls_say_what_to_do():
    """One class, lengths, a class inside one fold, and no shrinkage each have their message."""
    x, codes, folds, near = _problem()
    with pytest.raises(UsageError, match="two classes and two folds or more; got 1 and 4"):
        searchlight_lda(x, np.zeros(24), folds, neighbourhoods=near)
    with pytest.raises(UsageError, match="got 3 labels and 24 folds"):
        searchlight_lda(x, codes[:3], folds, neighbourhoods=near)
    with pytest.raises(DataError, match="A fold holds every row of a class"):
        searchlight_lda(x, folds == 0, folds, neighbourhoods=near)
    with pytest.raises(UsageError, match=r"shrinkage must lie in \(0, 1\]; got 0"):
        searchlight_lda(x, codes, folds, neighbourhoods=near, shrinkage=0)
    with pytest.raises(UsageError, match="scoring must be one of"):
        searchlight_lda(x, codes, folds, neighbourhoods=near, scoring="auc")
