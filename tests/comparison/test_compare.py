"""Two answers, one score: matched by name, defined or said not to be."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from neuroai.comparison.compare import compare, metric_card
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import AlignmentError, UnknownName, UsageError
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.testing import EXACT

# Equal up to the order of summation: the acceptance bound for shuffled input.
SHUFFLED = 1e-12
NUMBERS = ("value", "ci_low", "ci_high", "ceiling_low", "ceiling_high", "p")


def assert_equal_scores(found, expected):
    """Every number of two scores is equal."""
    for name in NUMBERS:
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), atol=SHUFFLED, rtol=0, err_msg=name
        )


def test_the_score_is_the_mean_of_scipy_over_subjects_and_seeds(rdm_of, context, fast):
    """Value and pairs equal scipy's rank correlation of every subject with every seed."""
    brain, model = rdm_of(3, seed=1, signal=1), rdm_of(2, seed=2, signal=1, kind="model")
    [score] = compare(brain, model, metric="rdm-spearman", context=context, inference=fast)
    a, b = (to_vector(answer.data.rdm.values[:, 0]) for answer in (brain, model))
    expected = np.array([[spearmanr(x, y).statistic for y in b] for x in a])
    np.testing.assert_allclose(score.pairs.values, expected, atol=EXACT)
    assert score.value == pytest.approx(expected.mean(), abs=EXACT)
    assert list(score.pairs.subject.values) == ["brain0", "brain1", "brain2"]
    assert (score.n_brain_subjects, score.n_model_subjects, score.n_stimuli) == (3, 2, 12)


def test_shuffled_stimuli_give_the_same_score(rdm_of, context, fast):
    """The order in which either side's stimuli came changes nothing."""
    brain, model = rdm_of(3, seed=1, signal=1), rdm_of(2, seed=2, signal=1, kind="model")
    order = np.random.default_rng(3).permutation(12)
    ids = np.array([f"s{i:03d}" for i in range(12)])[order]
    moved = rdm_of(values=brain.data.rdm.values[:, :, order][..., order], stimuli=ids)
    options = {"metric": "rdm-spearman", "context": context, "inference": fast}
    assert_equal_scores(compare(moved, model, **options)[0], compare(brain, model, **options)[0])


def test_stimuli_stored_out_of_order_give_the_same_score(rdm_of, context, fast):
    """An answer whose labels are not sorted is aligned by them."""
    brain, model = rdm_of(3, seed=1, signal=1), rdm_of(2, seed=2, signal=1, kind="model")
    order = np.random.default_rng(4).permutation(12)
    moved = dataclasses.replace(
        model, data=model.data.isel(stimulus=order, stimulus_to=order[::-1])
    )
    options = {"metric": "rdm-pearson", "context": context, "inference": fast}
    assert_equal_scores(compare(brain, moved, **options)[0], compare(brain, model, **options)[0])


def test_shuffled_subjects_give_the_same_value(rdm_of, context, fast):
    """Value, ceiling, p and the value of each named subject do not hang on the order."""
    brain, model = rdm_of(4, seed=1, signal=1), rdm_of(3, seed=2, signal=1, kind="model")
    turned = dataclasses.replace(brain, data=brain.data.isel(subject=[2, 0, 3, 1]))
    options = {"metric": "rdm-spearman", "context": context, "inference": fast}
    [found], [expected] = compare(turned, model, **options), compare(brain, model, **options)
    for name in ("value", "ceiling_low", "ceiling_high", "p"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=SHUFFLED)
    xr.testing.assert_allclose(found.pairs.sortby("subject"), expected.pairs, atol=SHUFFLED)


@pytest.mark.parametrize(
    "metric", ["rdm-spearman", "rdm-pearson", "rdm-cosine", "rdm-tau-a", "rdm-bures"]
)
def test_swapped_sides_have_the_same_score(rdm_of, context, fast, metric):
    """A symmetric metric does not mind which side is called the brain."""
    a, b = rdm_of(3, seed=1, signal=1), rdm_of(2, seed=2, signal=1, kind="model")
    [there] = compare(a, b, metric=metric, context=context, inference=fast)
    [back] = compare(b, a, metric=metric, context=context, inference=fast)
    assert there.value == pytest.approx(back.value, abs=SHUFFLED)
    np.testing.assert_allclose(there.pairs.values, back.pairs.values.T, atol=SHUFFLED)


def test_differing_stimuli_are_named(rdm_of, context, fast):
    """Without being asked to drop, the error names the ids on either side."""
    brain = rdm_of(2, 6, stimuli=list("abcdef"))
    model = rdm_of(2, 6, kind="model", stimuli=list("abcdeg"))
    with pytest.raises(
        AlignmentError, match=r"1 only in brain 'made': f; 1 only in model 'net': g"
    ):
        compare(brain, model, metric="rdm-spearman", context=context, inference=fast)


def test_dropped_stimuli_are_counted(rdm_of, context, fast):
    """With stimuli="shared" the common ones are scored, and the note counts the rest."""
    brain = rdm_of(2, 6, stimuli=list("abcdef"))
    model = rdm_of(2, 6, kind="model", stimuli=list("abcdeg"))
    [score] = compare(
        brain, model, metric="rdm-spearman", context=context, stimuli="shared", inference=fast
    )
    assert score.n_stimuli == 5
    assert score.note.startswith("2 stimuli without an answer on both sides dropped")
    [alone] = compare(
        brain.restrict(stimuli=list("abcde")),
        model.restrict(stimuli=list("abcde")),
        metric="rdm-spearman",
        context=context,
        inference=fast,
    )
    assert_equal_scores(score, alone)


def test_rdms_of_different_distances_are_refused(rdm_of, context):
    """RDMs made in different ways are not compared."""
    with pytest.raises(UsageError, match="different distances .correlation, squared-euclidean."):
        compare(
            rdm_of(),
            rdm_of(kind="model", distance="correlation"),
            metric="rdm-spearman",
            context=context,
        )


def test_a_metric_of_another_form_is_refused(rdm_of, context):
    """A metric of choices says what it compares and what it was given."""
    with pytest.raises(UsageError, match="form 'choices'; 'made' answered 'rdm' in the form 'rdm'"):
        compare(rdm_of(), rdm_of(kind="model"), metric="error-consistency", context=context)


def test_an_unknown_metric_gets_the_near_miss(rdm_of, context):
    """A misspelt metric is told, with the nearest name."""
    with pytest.raises(UnknownName, match="rdm-spearman"):
        compare(rdm_of(), rdm_of(kind="model"), metric="rdm-speerman", context=context)
    assert metric_card("rdm-spearman").comparator == "spearman"


def test_one_subject_is_generalised_over_stimuli_only(rdm_of, context, fast):
    """With one subject the score says so, and has no ceiling."""
    [score] = compare(
        rdm_of(1, 24), rdm_of(1, 24, seed=1, kind="model"), metric="rdm-pearson",
        context=context, inference=fast,
    )  # fmt: skip
    assert score.resampled == "stimuli"
    assert "one subject: the interval generalises over stimuli only" in score.note
    assert math.isnan(score.ceiling_low) and math.isnan(score.ceiling_high)
    assert score.ci_low < score.value < score.ci_high


@pytest.mark.parametrize(
    ("n_subjects", "n_stimuli", "stamped"), [(7, 20, True), (8, 19, True), (8, 20, False)]
)
def test_small_sizes_are_stamped(rdm_of, context, fast, n_subjects, n_stimuli, stamped):
    """Below 8 subjects or 20 stimuli the interval is called uncalibrated."""
    brain = rdm_of(n_subjects, n_stimuli)
    model = rdm_of(1, n_stimuli, seed=1, kind="model")
    [score] = compare(brain, model, metric="rdm-pearson", context=context, inference=fast)
    assert score.resampled == "stimuli+subjects"
    assert ("uncalibrated" in score.note) == stamped


@pytest.mark.parametrize(
    ("n_seeds", "resampled", "note"),
    [
        (1, "stimuli+subjects", ""),
        (4, "stimuli+subjects", "4 seeds held fixed"),
        (5, "stimuli+subjects+seeds", ""),
    ],
)
def test_seeds_are_resampled_from_five_on(rdm_of, context, fast, n_seeds, resampled, note):
    """Fewer than five seeds are held fixed, and the score says so."""
    brain, model = rdm_of(8, 20), rdm_of(n_seeds, 20, seed=1, kind="model")
    [score] = compare(brain, model, metric="rdm-pearson", context=context, inference=fast)
    assert (score.resampled, score.note) == (resampled, note)
    assert score.seed == ("model0" if n_seeds == 1 else "")


def test_a_constant_rdm_is_undefined(rdm_of, context, fast):
    """A candidate that tells nothing apart has no score: undefined, with the reason."""
    flat = np.ones((1, 1, 12, 12)) - np.eye(12)
    [score] = compare(
        rdm_of(), rdm_of(values=flat, kind="model"), metric="rdm-spearman",
        context=context, inference=fast,
    )  # fmt: skip
    assert score.status == "undefined" and math.isnan(score.value)
    assert score.note == "all dissimilarities of R are equal"


@pytest.mark.parametrize("side", ["brain", "model"])
def test_an_rdm_with_holes_is_undefined(rdm_of, context, fast, side):
    """Undefined pairs on either side give no score, and the note says whose they are."""
    answers = {"brain": rdm_of(2), "model": rdm_of(1, seed=1, kind="model")}
    holed = answers[side].data.rdm.values.copy()
    holed[0, 0, 2, :] = holed[0, 0, :, 2] = np.nan
    answers[side] = rdm_of(values=holed, kind=side)
    [score] = compare(
        answers["brain"], answers["model"], metric="rdm-spearman", context=context, inference=fast
    )
    assert score.status == "undefined" and math.isnan(score.value) and math.isnan(score.p)
    expected = {
        "brain": "RDM of brain0 has undefined pairs",
        "model": "11 of 66 pairs of stimuli are undefined (constant patterns)",
    }
    assert score.note == expected[side]


@pytest.mark.parametrize("side", ["brain", "model"])
def test_a_region_without_any_rdm_is_undefined(rdm_of, context, fast, side):
    """A region in which no subject has an RDM is said to have none."""
    answers = {"brain": rdm_of(2), "model": rdm_of(1, seed=1, kind="model")}
    answers[side] = rdm_of(values=np.full((1, 1, 12, 12), np.nan), kind=side)
    [score] = compare(
        answers["brain"], answers["model"], metric="rdm-spearman", context=context, inference=fast
    )
    assert score.status == "undefined" and "every pattern of R is constant" in score.note


def test_a_subject_without_the_region_is_left_out(rdm_of, context, fast):
    """A subject that was not measured in a region does not count there."""
    values = rdm_of(3).data.rdm.values.copy()
    values[1] = np.nan
    model = rdm_of(1, seed=1, kind="model")
    [score] = compare(
        rdm_of(values=values), model, metric="rdm-spearman", context=context, inference=fast
    )
    assert score.status == "ok" and list(score.pairs.subject.values) == ["brain0", "brain2"]


def test_undefined_regions_do_not_hide_the_others(rdm_of, context, fast):
    """Regions are scored one by one, whatever becomes of the rest."""
    values = rdm_of(2, regions=("A", "B"), kind="model").data.rdm.values.copy()
    values[:, 0] = 1
    model = rdm_of(values=values, regions=("A", "B"), kind="model")
    scores = compare(rdm_of(3), model, metric="rdm-spearman", context=context, inference=fast)
    assert {s.model_region: s.status for s in scores} == {"A": "undefined", "B": "ok"}


def test_only_the_regions_asked_for_are_scored(rdm_of, context, fast):
    """`regions` restricts the candidate, and a region alone has the score it has among others."""
    model = rdm_of(2, regions=("A", "B"), kind="model")
    options = {"metric": "rdm-spearman", "context": context, "inference": fast}
    [alone] = compare(rdm_of(3), model, regions=["B"], **options)
    assert alone.model_region == "B"
    assert_equal_scores(alone, compare(rdm_of(3), model, **options)[1])


def test_without_permutations_the_test_is_a_t_test_against_chance(rdm_of, context):
    """n_null=0 gives the one-sided t-test against 0; a cosine, which has no chance, has none."""
    brain, model = rdm_of(8, 20, signal=1), rdm_of(1, 20, seed=1, signal=1, kind="model")
    inference = Inference(n_bootstrap=60, n_null=0)
    [score] = compare(brain, model, metric="rdm-pearson", context=context, inference=inference)
    assert score.null == "t-test against 0" and 0 < score.p < 0.05
    [cosine] = compare(brain, model, metric="rdm-cosine", context=context, inference=inference)
    assert cosine.null == "" and math.isnan(cosine.p)


def test_the_context_is_written_into_the_score(rdm_of, context, fast):
    """Task, intervention, dose and version of the question stand in the row."""
    asked = dataclasses.replace(
        context, task="naming", intervention="mean", dose=0.3, benchmark_version="2",
        candidate_kind="untrained",
    )  # fmt: skip
    [score] = compare(
        rdm_of(), rdm_of(kind="model", seed=1), metric="rdm-pearson", context=asked, inference=fast
    )
    assert (score.analysis, score.intervention, score.dose) == ("rdm: naming", "mean", 0.3)
    assert (score.benchmark_version, score.candidate_kind) == ("2", "untrained")
    assert score.history["brain"] == {"distance": "squared-euclidean"}


def test_interval_never_leaves_the_range(rdm_of, context, fast):
    """The interval of a nearly perfect score ends at the perfect one."""
    brain = rdm_of(2, signal=1000)
    [score] = compare(brain, brain, metric="rdm-pearson", context=context, inference=fast)
    assert score.value > 0.99 and score.ci_high <= 1
