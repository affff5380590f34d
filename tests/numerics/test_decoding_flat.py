"""Decoding of wide patterns among rows against the same rules solved among units."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from neuroai.numerics.decoding import decode
from neuroai.numerics.decoding_flat import decode_flat
from neuroai.numerics.readout import cross_validated_choices
from neuroai.testing import EXACT, readonly


def problem(seed, n_units):
    """Three classes of ten rows, read-only."""
    rng = np.random.default_rng(seed)
    codes = np.arange(30) % 3
    patterns = rng.standard_normal((30, n_units)) + rng.standard_normal((3, n_units))[codes] + 2
    return readonly(patterns), np.array(list("abc"))[codes], np.arange(30) // 3 % 5


@pytest.mark.parametrize("n_units", [4, 100])
def test_ridge_among_rows_is_ridge_among_units(n_units):
    """scikit-learn's choices, fold by fold, for few and many units."""
    for seed in range(30):
        patterns, labels, folds = problem(seed, n_units)
        right = []
        for fold in range(5):
            held = folds == fold
            peer = RidgeClassifier(alpha=3.0).fit(patterns[~held], labels[~held])
            right.append((peer.predict(patterns[held]) == labels[held]).mean())
        found = decode_flat(patterns, labels, folds, classifier="ridge", penalty=3.0)
        np.testing.assert_allclose(found.fold_scores, right, atol=EXACT)


@pytest.mark.parametrize("n_units", [4, 100])
def test_correlation_is_that_of_the_rule_at_every_time(n_units):
    """The choice by correlations is that of the batched rule."""
    for seed in range(30):
        patterns, labels, folds = problem(seed, n_units)
        wanted = decode(
            patterns, labels, folds, classifier="correlation", scoring="balanced-accuracy"
        )
        found = decode_flat(patterns, labels, folds, classifier="correlation")
        np.testing.assert_allclose(found.fold_scores, wanted.fold_scores, atol=EXACT)


def test_lda_is_the_readout():
    """Choices of the readout, whose shrinkage is chosen or given."""
    patterns, labels, _ = problem(0, 50)
    for shrinkage in ("auto", 0.4):
        chosen = cross_validated_choices(patterns, labels.tolist(), shrinkage=shrinkage)
        found = decode_flat(patterns, labels, chosen.folds, shrinkage=shrinkage)
        right = [
            np.mean([(chosen.labels[own] == one).mean() for one in "abc"
                     if (own := (chosen.folds == fold) & (labels == one)).any()])
            for fold in np.unique(chosen.folds)
        ]  # fmt: skip
        np.testing.assert_allclose(found.fold_scores, right, atol=EXACT)


def test_a_class_mean_that_is_constant_has_no_correlation_and_is_counted():
    """Nothing can be chosen, so that there is no score."""
    patterns, labels, folds = problem(1, 6)
    flat = np.where((labels == "a")[:, None], 7.0, patterns)
    found = decode_flat(flat, labels, folds, classifier="correlation")
    assert found.n_undefined == 5 and np.isnan(found.scores)
