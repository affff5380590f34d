"""What is asked after a lesion: fitted on the intact system's half A, measured on half B."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from neuroai.experiment.lesioned import (
    ACCURACY,
    RDM_MATCH,
    SIMILARITY_MATCH,
    AfterLesion,
    LesionedActivity,
    asker,
    masked_activity,
)
from neuroai.testing import EXACT

N, UNITS = 80, 10


@pytest.fixture
def train():
    """Every other stimulus is in half A."""
    return np.arange(N) % 2 == 0


@pytest.fixture
def labels():
    """Two options, balanced in both halves."""
    return np.array(["cat", "dog"], dtype=object)[(np.arange(N) // 2) % 2]


@pytest.fixture
def values(labels):
    """Unit 0 alone tells the options apart; the others are noise."""
    rng = np.random.default_rng(1)
    found = rng.standard_normal((N, UNITS))
    found[:, 0] += np.where(labels == "cat", 8, -8)
    found.setflags(write=False)
    return found


def _questions(train, labels, **more):
    given = {
        "train": train, "test": ~train, "labels": labels, "option_names": ("cat", "dog"),
        "brain_rdms": None, "judgements": None, "method": "pearson", "distance": "correlation",
    }  # fmt: skip
    return AfterLesion(**{**given, **more})


def _masked(values, train, kind="mean", strength=1.0):
    return masked_activity(values, train=train, kind=kind, strength=strength, seed=0)


def test_masking_the_unit_that_knows_costs_the_accuracy(values, train, labels):
    """The readout is perfect until the one informative unit is masked; others do not matter."""
    ask = asker(_masked(values, train), _questions(train, labels))
    assert ask(()) == {ACCURACY: 1.0}
    assert ask((3, 5)) == {ACCURACY: 1.0}
    assert ask((0,))[ACCURACY] < 0.85


def test_the_readout_never_sees_half_b(values, train, labels):
    """Labels of half B may be anything: the fitted readout is the same."""
    questions = _questions(train, labels)
    wrong = labels.copy()
    wrong[~train] = np.roll(labels[~train], 3)
    activity_of = _masked(values, train)
    fits = [q.fit(activity_of(())) for q in (questions, _questions(train, wrong))]
    answers = [questions.measure(activity_of(()), fit) for fit in fits]
    assert answers[0] == answers[1] == {ACCURACY: 1.0}
    changed = values.copy()
    changed[~train] = 1e3
    refit = questions.fit(_masked(changed, train)(()))
    assert questions.measure(activity_of(()), refit) == {ACCURACY: 1.0}


def test_the_readout_is_not_fitted_anew_to_the_lesioned_system(values, train, labels):
    """It is fitted once, to the intact system: what is asked first is the system without lesion."""
    asked = []
    activity_of = _masked(values, train)

    def spy(positions):
        asked.append(positions)
        return activity_of(positions)

    ask = asker(spy, _questions(train, labels))
    ask((0,))
    ask((1,))
    assert asked == [(), (0,), (1,)]


def test_own_outputs_come_before_a_readout(values, train, labels):
    """A network's own evidence decides; the right option is compared on half B alone."""
    evidence = np.zeros((N, 2))
    evidence[:, 0] = 1.0
    questions = _questions(train, labels)
    activity = LesionedActivity(lesioned=values, readout=values, options=evidence)
    assert questions.fit(activity) is None
    expected = (labels[~train] == "cat").mean()
    assert questions.measure(activity, None)[ACCURACY] == pytest.approx(expected)


def test_matches_use_the_lesioned_region_and_the_readout(values, train, labels):
    """The RDM match is of the lesioned region on half B, the similarity match of the readout."""
    rng = np.random.default_rng(2)
    half = N // 2
    n_pairs = half * (half - 1) // 2
    brain, judged = rng.random((3, n_pairs)), rng.random((2, n_pairs))
    other = rng.standard_normal((N, 4))
    questions = _questions(train, None, brain_rdms=brain, judgements=judged)
    found = questions.measure(LesionedActivity(lesioned=values, readout=other), None)
    pairs = np.triu_indices(half, k=1)
    sides = {RDM_MATCH: (values, brain), SIMILARITY_MATCH: (other, judged)}
    expected = {}
    for name, (patterns, rdms) in sides.items():
        own = (1 - np.corrcoef(patterns[~train]))[pairs]
        expected[name] = np.mean([pearsonr(rdm, own).statistic for rdm in rdms])
    assert set(found) == {RDM_MATCH, SIMILARITY_MATCH}
    assert found == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("strength", [1.0, 0.25])
@pytest.mark.parametrize("kind", ["zero", "mean", "noise"])
def test_masks_are_those_of_lesions(values, train, kind, strength):
    """(1 - s) a + s r in the masked units alone, with mean and SD over half A; the rest stays."""
    changed = _masked(values, train, kind, strength)((2, 4)).lesioned
    rest = np.setdiff1d(np.arange(UNITS), [2, 4])
    np.testing.assert_array_equal(changed[:, rest], values[:, rest])
    replaced = (changed[:, [2, 4]] - (1 - strength) * values[:, [2, 4]]) / strength
    mean, sd = values[train].mean(axis=0)[[2, 4]], values[train].std(axis=0, ddof=1)[[2, 4]]
    if kind == "noise":
        # 80 draws a unit: mean and SD within four standard errors.
        assert (np.abs(replaced.mean(axis=0) - mean) < 4 * sd / np.sqrt(N)).all()
        assert (np.abs(replaced.std(axis=0, ddof=1) / sd - 1) < 4 / np.sqrt(2 * N)).all()
    else:
        expected = np.broadcast_to(mean if kind == "mean" else 0.0, (N, 2))
        np.testing.assert_allclose(replaced, expected, atol=EXACT)


def test_the_same_mask_is_the_same_noise(values, train):
    """Noise hangs on the seed: asking twice gives one answer, and no mask changes nothing."""
    activity_of = _masked(values, train, "noise")
    np.testing.assert_array_equal(activity_of((1,)).lesioned, activity_of((1,)).lesioned)
    np.testing.assert_array_equal(activity_of(()).lesioned, values)
