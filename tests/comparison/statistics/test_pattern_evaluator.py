"""Any metric of responses, with its jackknife and its null."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.comparison.metrics.cka_debiased import cka_debiased
from neuroai.comparison.metrics.procrustes import procrustes
from neuroai.comparison.statistics.evaluators import GramEvaluator
from neuroai.comparison.statistics.pattern_evaluator import PatternEvaluator
from neuroai.numerics.gram import centred_gram

EXACT = 1e-9  # float64, one formula by way of Gram matrices


@pytest.fixture
def sides():
    """Two subjects and three candidates, twelve stimuli."""
    rng = np.random.default_rng(0)
    return (
        tuple(rng.standard_normal((12, 5)) for _ in range(2)),
        tuple(rng.standard_normal((12, 7)) for _ in range(3)),
    )


def test_it_does_what_the_evaluator_of_gram_matrices_does(sides):
    """With the debiased alignment for a metric every number is the same, but for the steps.

    Theirs are those of a stimulus's weight, ours what leaving it out does, by 11 / 12 the other
    way: the ratio is known for means over four distinct stimuli alone.
    """
    ours = PatternEvaluator(*sides, cka_debiased)
    grams = [np.array([centred_gram(x) for x in side]) for side in sides]
    theirs = GramEvaluator(*grams)
    rng = np.random.default_rng(1)
    counts = rng.multinomial(12, np.full(12, 1 / 12), 6)
    orders = np.array([rng.permutation(12) for _ in range(4)])
    assert np.abs(ours.observed() - theirs.observed()).max() < EXACT
    steps = [one.resampled(counts) - one.observed() for one in (ours, theirs)]
    assert np.abs(steps[0] / 11 + steps[1] / 8).max() < EXACT
    assert np.abs(ours.permuted(orders) - theirs.permuted(orders)).max() < EXACT
    assert ours.ceiling()[0] == pytest.approx(theirs.ceiling()[0])
    assert ours.n_stimuli == theirs.n_stimuli


def test_shapes_and_the_lonely_subject(sides):
    """One subject has no ceiling."""
    alone = PatternEvaluator(sides[0][:1], sides[1], procrustes)
    assert alone.observed().shape == (1, 3) and np.isnan(alone.ceiling()).all()
