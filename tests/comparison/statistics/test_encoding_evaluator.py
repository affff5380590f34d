"""Resampling held-out predictions within folds, and relabelling what is learnt."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.comparison.statistics.encoding_evaluator import EncodingEvaluator, HeldOut

EXACT = 1e-10  # float64 sums over some dozens of rows


def _relabel(orders):
    """Scores that are told apart: order b gives unit u the score b / 10, and unit 3 none."""
    scores = np.tile(np.arange(len(orders))[:, None] / 10, (1, 4))
    scores[:, 3] = np.nan
    return scores


@pytest.fixture
def held():
    """Thirty stimuli in three folds, four units."""
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((30, 4))
    return HeldOut(truth, truth + rng.standard_normal((30, 4)), np.arange(30) % 3, _relabel)


def _plain(truth, predicted, fold):
    r = [
        [np.corrcoef(truth[fold == f, u], predicted[fold == f, u])[0, 1] for u in range(4)]
        for f in range(3)
    ]
    return np.mean(r)


def test_a_score_is_the_mean_over_folds_and_units(held):
    """By numpy's own correlation."""
    assert held.score() == pytest.approx(_plain(held.truth, held.predicted, held.fold), abs=EXACT)


def test_a_weight_of_two_is_a_copy(held):
    """Resamples agree with repeating the rows."""
    counts = np.random.default_rng(1).integers(1, 4, (5, 30))
    expected = [
        _plain(*(np.repeat(a, w, axis=0) for a in (held.truth, held.predicted, held.fold)))
        for w in counts
    ]
    assert np.abs(held.weighted(counts) - expected).max() < EXACT


def test_relabelled_scores_are_means_over_the_units_that_have_one(held):
    """A unit without a score under an order is left out of it, not counted as 0."""
    found = held.permuted(np.tile(np.arange(30), (3, 1)))
    assert found == pytest.approx([0.0, 0.1, 0.2], abs=EXACT)


def test_a_unit_that_does_not_vary_in_a_resample_is_left_out(held):
    """One stimulus drawn alone in a fold defines no correlation there."""
    counts = np.ones((1, 30))
    counts[0, held.fold == 0] = 0
    counts[0, 0] = 3
    assert np.isnan(held.weighted(counts)).all()


def test_pairs_stand_in_rows_of_subjects_and_columns_of_candidates(held):
    """Shapes are those that every evaluator gives; the ceiling is the subjects' mean."""
    evaluator = EncodingEvaluator(((held, held, held), (held, held, held)), (0.6, 0.8))
    assert evaluator.observed().shape == (2, 3) and evaluator.n_stimuli == 30
    assert evaluator.resampled(np.ones((7, 30))).shape == (7, 2, 3)
    assert evaluator.permuted(np.tile(np.arange(30), (5, 1))).shape == (5, 2, 3)
    assert evaluator.ceiling() == pytest.approx((0.7, 0.7))


def test_no_unit_has_no_score(held):
    """NaN, not 0."""
    empty = HeldOut(held.truth[:, :0], held.predicted[:, :0], held.fold, _relabel)
    assert np.isnan(empty.score())
    assert np.isnan(empty.permuted(np.arange(30)[None])).all()
