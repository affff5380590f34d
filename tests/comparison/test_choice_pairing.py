"""Choices become evaluators: by stimulus, by mistakes, by triplets; what is missing is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from sklearn.metrics import cohen_kappa_score

from neuroai.comparison.compare import compare
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import UsageError
from neuroai.format.answers import Answer
from neuroai.testing import EXACT

OPTIONS = np.array(["cat", "dog", "oven"], dtype=object)


def _observers(n: int, *, seed: int, n_stimuli: int = 60, right: float = 0.5):
    rng = np.random.default_rng(seed)
    truth = OPTIONS[np.arange(n_stimuli) % 3]
    guess = OPTIONS[rng.integers(3, size=(n, n_stimuli))]
    return np.where(rng.random((n, n_stimuli)) < right, truth, guess), truth


def test_error_consistency_is_the_mean_of_scikit_learn(choices_of, context, fast):
    """The score is the mean kappa over pairs of observers; the ceiling that among the brains."""
    a, truth = _observers(3, seed=1)
    b, _ = _observers(2, seed=2)
    [score] = compare(
        choices_of(a, truth), choices_of(b, truth, kind="model"),
        metric="error-consistency", context=context, inference=fast,
    )  # fmt: skip
    right_a, right_b = a == truth, b == truth
    between = np.mean([cohen_kappa_score(x, y) for x in right_a for y in right_b])
    among = [cohen_kappa_score(right_a[i], right_a[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert score.value == pytest.approx(between, abs=EXACT)
    assert score.ceiling_low == pytest.approx(np.mean(among), abs=EXACT)
    assert math.isnan(score.ceiling_high)
    assert score.null == "stimulus labels permuted"


def test_missing_answers_are_counted(choices_of, context, fast):
    """Choices that were not given are left out by pair, and the note counts them."""
    a, truth = _observers(2, seed=1)
    a[0, :5] = ""
    b, _ = _observers(1, seed=2)
    [score] = compare(
        choices_of(a, truth), choices_of(b, truth, kind="model"),
        metric="error-consistency", context=context, inference=fast,
    )  # fmt: skip
    kappa = cohen_kappa_score((a == truth)[0, 5:], (b == truth)[0, 5:])
    assert score.pairs.values[0, 0] == pytest.approx(kappa, abs=EXACT)
    assert score.n_undefined == 5 and "5 answers missing" in score.note


@pytest.mark.parametrize("metric", ["error-consistency", "confusion-correlation"])
@pytest.mark.parametrize("side", ["made", "net"])
def test_an_observer_without_any_choice_is_undefined(choices_of, context, fast, metric, side):
    """A side on which nobody chose gives no score, and the note names it."""
    some, truth = _observers(2, seed=1)
    nothing = np.full((1, len(truth)), "", dtype=object)
    a, b = (nothing, some) if side == "made" else (some, nothing)
    [score] = compare(
        choices_of(a, truth), choices_of(b, truth, kind="model"),
        metric=metric, context=context, inference=fast,
    )  # fmt: skip
    assert score.status == "undefined"
    assert score.note == f"no choice of '{side}' is defined"


def test_two_perfect_observers_are_undefined(choices_of, context, fast):
    """Without errors there is no error consistency: no value, and the note says for how many."""
    _, truth = _observers(1, seed=1)
    perfect = np.tile(truth, (2, 1))
    [score] = compare(
        choices_of(perfect, truth), choices_of(perfect, truth, kind="model"),
        metric="error-consistency", context=context, inference=fast,
    )  # fmt: skip
    assert score.status == "undefined" and math.isnan(score.value)
    assert score.note == "4 of 4 pairs of subjects have no defined score"


def test_equal_mistakes_correlate_perfectly(choices_of, context, fast):
    """Observers with the same confusions score 1, others less."""
    a, truth = _observers(1, seed=1, right=0.3)
    b, _ = _observers(1, seed=2, right=0.3)
    options = {"metric": "confusion-correlation", "context": context, "inference": fast}
    [same] = compare(choices_of(a, truth), choices_of(a, truth, kind="model"), **options)
    [other] = compare(choices_of(a, truth), choices_of(b, truth, kind="model"), **options)
    assert same.value == pytest.approx(1, abs=EXACT)
    assert other.value < 0.9


def test_a_difference_of_accuracies_is_signed_and_tested_on_two_sides(choices_of, context):
    """Second minus first; no ceiling; the p-value does not hang on who is called first."""
    a, truth = _observers(8, seed=1, right=0.8)
    b, _ = _observers(1, seed=2, right=0.2)
    people = choices_of(a, truth, form="table")
    network = choices_of(b, truth, kind="model", form="table")
    inference = Inference(n_bootstrap=200, n_null=50)
    options = {"metric": "accuracy-difference", "context": context, "inference": inference}
    [score] = compare(people, network, **options)
    expected = (b == truth).mean() - (a == truth).mean()
    assert score.value == pytest.approx(expected, abs=EXACT) and expected < 0
    assert score.null == "t-test against 0, two-sided" and score.p < 0.01
    assert score.ci_high < 0 and math.isnan(score.ceiling_low)


def _triplets(codes: np.ndarray, members: np.ndarray, *, kind: str) -> Answer:
    dims = ("subject", "region", "stimulus")
    data = xr.Dataset(
        {
            "code": (dims, codes[:, None].astype(float)),
            "members": (("stimulus", "member"), members.astype(str).astype(object)),
        },
        coords={
            "subject": np.array([f"{kind}{i}" for i in range(len(codes))], dtype=object),
            "region": np.array(["behaviour"], dtype=object),
            "stimulus": np.array([f"t{i:03d}" for i in range(len(members))], dtype=object),
        },
    )
    return Answer(
        form="choices", data=data, question="odd_one_out", parameters={}, kind=kind,
        system=kind, stimulus_set="made up",
    )  # fmt: skip


def test_triplets_are_tested_against_a_third(context):
    """Agreement on triplets is their share; counted are stimuli; the test is one-sided at 1/3."""
    rng = np.random.default_rng(1)
    members = np.array([rng.choice(12, 3, replace=False) for _ in range(150)])
    codes = rng.integers(3, size=(9, 150))
    likes = np.where(rng.random((9, 150)) < 0.5, codes[:1], codes)
    brain, model = (
        _triplets(c, members, kind=k) for c, k in ((likes[1:], "brain"), (likes[:1], "model"))
    )
    [score] = compare(
        brain, model, metric="odd-one-out-agreement", context=context,
        inference=Inference(n_bootstrap=200, n_null=50),
    )  # fmt: skip
    assert score.value == pytest.approx((likes[1:] == likes[:1]).mean(), abs=EXACT)
    assert score.n_stimuli == len(np.unique(members)) == 12
    assert score.null == "t-test against 0.333333" and score.n_null == 0 and score.p < 0.01


def test_a_table_without_stimuli_is_refused(choices_of, rdm_of, context):
    """An answer that holds nothing stimulus by stimulus says so."""
    a, truth = _observers(2, seed=1)
    answer = choices_of(a, truth, form="table")
    bare = Answer(
        form="table", data=answer.data.drop_vars("per_stimulus"), question="accuracy",
        parameters={}, system="made", kind="brain", stimulus_set="made up",
    )  # fmt: skip
    with pytest.raises(UsageError, match="'accuracy' holds nothing stimulus by stimulus"):
        compare(bare, bare, metric="accuracy-difference", context=context)
