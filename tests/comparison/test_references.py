"""Another subject, and the mean RDM, in the network's place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from neuroai.comparison.references import MEAN_RDM, mean_rdm_scores, subject_reference
from neuroai.errors import UsageError
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.testing import EXACT


def test_the_reference_is_the_mean_over_pairs_of_subjects(rdm_of, context, fast):
    """Each subject's column is its mean score against the others; the value is their mean."""
    brain = rdm_of(4, signal=1)
    [score] = subject_reference(brain, metric="rdm-spearman", context=context, inference=fast)
    rdms = to_vector(brain.data.rdm.values[:, 0])
    among = np.array([[spearmanr(a, b).statistic for b in rdms] for a in rdms])
    expected = (among.sum(axis=1) - 1) / 3
    np.testing.assert_allclose(score.pairs.values[:, 0], expected, atol=EXACT)
    assert score.value == pytest.approx(expected.mean(), abs=EXACT)
    assert (score.candidate_kind, score.n_brain_subjects, score.n_model_subjects) == (
        "subject",
        4,
        3,
    )
    assert score.ci_low < score.value < score.ci_high and math.isnan(score.p)


def test_regions_with_one_subject_have_no_reference(rdm_of, context, fast):
    """Only regions measured in two subjects are scored."""
    values = rdm_of(3, regions=("A", "B")).data.rdm.values.copy()
    values[1:, 0] = np.nan
    brain = rdm_of(values=values, regions=("A", "B"))
    scores = subject_reference(brain, metric="rdm-pearson", context=context, inference=fast)
    assert [s.model_region for s in scores] == ["B"]


def test_the_reference_needs_rdms(rdm_of, context):
    """A metric of another form is refused."""
    with pytest.raises(UsageError, match="'error-consistency' is none"):
        subject_reference(rdm_of(), metric="error-consistency", context=context)


def test_the_mean_rdm_is_scored_without_ceiling_or_interval(rdm_of, context):
    """The value equals scipy's on the averaged RDMs, and nothing else is claimed."""
    brain, model = rdm_of(4, signal=1), rdm_of(3, seed=1, signal=1, kind="model")
    [score] = mean_rdm_scores(brain, model, metric="rdm-spearman", context=context)
    a, b = (to_vector(x.data.rdm.values[:, 0]).mean(axis=0) for x in (brain, model))
    assert score.value == pytest.approx(spearmanr(a, b).statistic, abs=EXACT)
    assert score.analysis == MEAN_RDM and "no ceiling applies" in score.note
    numbers = (score.ceiling_low, score.ceiling_high, score.ci_low, score.ci_high, score.p)
    assert all(math.isnan(number) for number in numbers)


def test_seeds_that_cancel_are_undefined(rdm_of, context):
    """Two seeds whose average tells nothing apart have no value."""
    # Whole numbers cancel exactly.
    half = np.round(16 * rdm_of(1, seed=1, kind="model").data.rdm.values)
    other = half.max() + 1 - half
    other[..., np.arange(12), np.arange(12)] = 0
    model = rdm_of(values=np.concatenate([half, other]), kind="model")
    [score] = mean_rdm_scores(rdm_of(), model, metric="rdm-pearson", context=context)
    assert score.status == "undefined" and score.note == "an averaged RDM is constant"
