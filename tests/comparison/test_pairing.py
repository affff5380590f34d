"""Answers become evaluators by label: RDMs and Gram matrices."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroai.comparison.compare import compare
from neuroai.comparison.pairing import paired_evaluators, pooling_of
from neuroai.errors import AlignmentError
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.testing import EXACT


def test_columns_are_labelled_with_region_and_seed(rdm_of):
    """Every column of the evaluator says which region and seed it is, and holds that RDM."""
    brain = rdm_of(2)
    model = rdm_of(3, regions=("A", "B"), kind="model")
    [paired] = paired_evaluators(brain, model, metric="rdm-pearson")
    assert paired.regions == ("A",) * 3 + ("B",) * 3
    assert paired.seeds == ("model0", "model1", "model2") * 2
    expected = to_vector(model.data.rdm.sel(subject="model1", region="B").values)
    np.testing.assert_array_equal(paired.evaluator.models[4], expected)


def test_the_chance_is_that_of_the_metric(rdm_of):
    """A cosine of RDMs has no value that independent RDMs are expected to have."""
    brain, model = rdm_of(2), rdm_of(2, kind="model")
    chances = {
        metric: next(paired_evaluators(brain, model, metric=metric)).chance
        for metric in ("rdm-cosine", "rdm-pearson")
    }
    assert chances == {"rdm-cosine": None, "rdm-pearson": 0.0}


def test_pooling_follows_the_distance(rdm_of):
    """Correlation distances share a unit and are averaged as they stand."""
    assert pooling_of(rdm_of(distance="correlation")) == "mean"
    assert pooling_of(rdm_of(distance="squared-euclidean")) == "comparator"


def test_responses_become_centred_grams(responses_of):
    """Both sides' Gram matrices are those of the activity, stimuli sorted by id."""
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 10, 5))
    [paired] = paired_evaluators(
        responses_of(a), responses_of(b, kind="model", region="L"), metric="cka-debiased"
    )
    np.testing.assert_allclose(paired.evaluator.data[0], centred_gram(a), atol=EXACT)
    np.testing.assert_allclose(paired.evaluator.models[0], centred_gram(b), atol=EXACT)
    assert (paired.regions, paired.seeds, paired.subjects) == (("L",), ("model0",), ("brain0",))


def test_shuffled_showings_give_the_same_alignment(responses_of, context, fast):
    """The order of the showings of a recording does not matter."""
    rng = np.random.default_rng(2)
    brain = responses_of(*rng.standard_normal((2, 12, 5)))
    model = responses_of(rng.standard_normal((12, 7)), kind="model", region="L")
    moved = dataclasses.replace(
        brain, responses=tuple(r.isel(presentation=rng.permutation(12)) for r in brain.responses)
    )
    options = {"metric": "cka-debiased", "context": context, "inference": fast}
    [found], [expected] = compare(moved, model, **options), compare(brain, model, **options)
    for name in ("value", "ci_low", "ci_high", "p", "ceiling_low"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-12)


def test_subjects_who_saw_different_stimuli_are_named(responses_of, context, fast):
    """Responses of subjects with different stimuli are refused, naming the one who lacks some."""
    rng = np.random.default_rng(3)
    brain = responses_of(*rng.standard_normal((2, 12, 5)))
    short = dataclasses.replace(
        brain, responses=(brain.responses[0], brain.responses[1].isel(presentation=slice(9)))
    )
    model = responses_of(rng.standard_normal((12, 7)), kind="model", region="L")
    with pytest.raises(
        AlignmentError, match="subject 'brain1', lacks 3 of the stimuli asked for: s009, s010"
    ):
        compare(short, model, metric="cka-debiased", context=context, inference=fast)
