"""Bures similarity of RDMs: what shapes of responses give, from distances alone."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.comparison.best_region import best_region_scores
from neuroai.comparison.compare import compare
from neuroai.comparison.metrics.nbs import nbs
from neuroai.comparison.paired import Context
from neuroai.comparison.references import subject_reference
from neuroai.comparison.statistics.bures_evaluator import BuresEvaluator
from neuroai.comparison.statistics.inference import Inference
from neuroai.comparison.statistics.pattern_evaluator import PatternEvaluator
from neuroai.errors import UsageError
from neuroai.numerics.distances import squared_euclidean
from neuroai.numerics.rdm_bures import bures_rdms
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.testing import readonly

# float64, by way of distances in place of responses.
SAME = 1e-7
N = 12
CONTEXT = Context(level="algorithm", dataset="made")


def _rdms(patterns):
    return readonly([to_vector(squared_euclidean(x, normalize=None)) for x in patterns])


@pytest.fixture
def sides():
    """Responses of three subjects and two candidates to twelve stimuli."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((N, 5))
    return tuple(
        tuple(shared + rng.standard_normal((N, 5)) for _ in range(count)) for count in (3, 2)
    )


def test_distances_give_what_responses_do(sides):
    """Score, jackknife and permutations of `nbs` of the responses themselves."""
    ours = BuresEvaluator.of(*map(_rdms, sides))
    theirs = PatternEvaluator(*sides, nbs)
    rng = np.random.default_rng(1)
    counts = rng.multinomial(N, np.full(N, 1 / N), 5)
    orders = np.array([rng.permutation(N) for _ in range(5)])
    assert ours.n_stimuli == N
    np.testing.assert_allclose(ours.observed(), theirs.observed(), atol=SAME)
    np.testing.assert_allclose(ours.resampled(counts), theirs.resampled(counts), atol=SAME)
    np.testing.assert_allclose(ours.permuted(orders), theirs.permuted(orders), atol=SAME)


def test_the_ceiling_is_that_of_the_mean_rdm_of_the_others(sides):
    """RDMs at a mean distance of one, averaged; whatever their units were."""
    rdms = _rdms(sides[0]) * [[1.0], [50.0], [0.01]]
    evaluator = BuresEvaluator.of(rdms, rdms[:1])
    units = rdms / rdms.mean(axis=1, keepdims=True)
    lower = [
        bures_rdms(rdms[s][None], np.delete(units, s, axis=0).mean(axis=0)[None])[0, 0]
        for s in range(3)
    ]
    low, high = evaluator.ceiling()
    assert low == pytest.approx(np.mean(lower), abs=SAME) and np.isnan(high)
    assert np.isnan(BuresEvaluator.of(rdms[:1], rdms).ceiling()).all()


def test_a_comparison_is_labelled_and_bounded(rdm_of):
    """From 0 to 1, far above 0 without relation, so that only the permutation tells."""
    fast = Inference(n_bootstrap=60, n_null=39)
    brain = rdm_of(3, seed=1, signal=3)
    options = {"metric": "rdm-bures", "context": CONTEXT, "inference": fast}
    [related] = compare(brain, rdm_of(2, seed=2, signal=3, kind="model"), **options)
    [other] = compare(brain, rdm_of(2, seed=3, signal=0, kind="model"), **options)
    assert related.p == 1 / 40 and other.p > 0.05 and other.value > 0.3
    assert 0 <= related.ci_low < related.value < related.ci_high <= 1
    assert related.history["resampling"] == "jackknife over stimuli"
    assert related.history["ceiling pools RDMs by"] == "mean distance"
    [among] = subject_reference(brain, metric="rdm-bures", context=CONTEXT, inference=fast)
    assert 0.5 < among.value <= 1


def test_no_layer_is_chosen_by_whole_rdms(rdm_of):
    """The choice takes pairs of stimuli in halves; it says so."""
    with pytest.raises(UsageError, match="Bures similarity is one of whole RDMs"):
        best_region_scores(
            rdm_of(3, seed=1), rdm_of(2, seed=2, kind="model"), metric="rdm-bures", context=CONTEXT
        )
