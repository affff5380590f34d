"""92 images: the published and the expected numbers come out of the whole comparison."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuroai.comparison.paired import Context
from neuroai.comparison.references import mean_rdm_scores
from neuroai.experiment.api import compare
from neuroai.systems.brain import brains_of

LAYER = "mobilenet_v1.layer.25"
# Published or expected numbers are given to three digits; other machines' float32 moves the last.
GIVEN = 0.005
PUBLISHED = 0.0005

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(dataset_of, mobilenet):
    """MobileNet and its untrained twin against both species, two layers, without lesions."""
    return compare(
        dataset_of("kriegeskorte2008"),
        [mobilenet, f"{mobilenet}?init=random&seeds=0,1,2"],
        layers=["mobilenet_v1.layer.2[35]"],
        n_bootstrap=50,
        n_null=19,
        lesions="none",
    )


@pytest.fixture(scope="module")
def one(results):
    """Give a function that finds the one row with these entries."""

    def find(**wanted):
        rows = [s for s in results.scores if all(getattr(s, k) == v for k, v in wanted.items())]
        assert len(rows) == 1, wanted
        return rows[0]

    return find


def _it(one, brain="human", **more):
    wanted = {"analysis": "rdm", "metric": "rdm-spearman", "model_region": LAYER, "selected": False}
    return one(**{**wanted, "brain_region": f"{brain} IT", "candidate_kind": "model", **more})


def test_human_it(one):
    """The mean over four persons is 0.222 and stands in their ceiling of 0.379 to 0.661."""
    score = _it(one)
    assert score.value == pytest.approx(0.222, abs=GIVEN)
    assert score.ceiling_low == pytest.approx(0.379, abs=GIVEN)
    assert score.ceiling_high == pytest.approx(0.661, abs=GIVEN)
    assert (score.n_brain_subjects, score.n_stimuli, score.resampled) == (4, 92, "stimuli+subjects")
    assert "uncalibrated interval (4 subjects" in score.note


def test_human_mean_rdm(one):
    """Against the averaged RDM it is 0.312, which is no score and has no ceiling."""
    score = _it(one, analysis="score_of_mean_rdm")
    assert score.value == pytest.approx(0.312, abs=GIVEN)
    assert math.isnan(score.ceiling_low) and math.isnan(score.ci_low)


def test_monkey_it(one):
    """Monkey IT, one RDM of two animals, is 0.398, without a ceiling."""
    score = _it(one, "monkey")
    assert score.value == pytest.approx(0.398, abs=GIVEN)
    assert math.isnan(score.ceiling_low)
    assert "one subject" in score.note


def test_the_chosen_layer(one):
    """The choice falls on the same layer, and what is scored on the other half is no better."""
    score = _it(one, selected=True)
    assert score.value <= _it(one).value and score.status == "ok"


def test_untrained_weights_stay_flat(one):
    """Random weights reach less than 0.12 against the averaged RDM, near 0.06 for each person."""
    score = _it(one, analysis="score_of_mean_rdm", candidate_kind="untrained")
    assert 0 < score.value < 0.12
    single = _it(one, candidate_kind="untrained")
    assert single.n_model_subjects == 3 and "3 seeds held fixed" in single.note
    assert single.value == pytest.approx(0.06, abs=0.03)


def test_the_other_species(one):
    """The monkeys in the network's place score 0.296 against persons, and the other way round."""
    there = _it(one, candidate_kind="species", model="monkey", model_region="IT")
    back = _it(one, "monkey", candidate_kind="species", model="human", model_region="IT")
    assert there.value == pytest.approx(0.296, abs=PUBLISHED)
    assert there.value == pytest.approx(back.value, abs=1e-12)


def test_human_and_monkey_correlate_as_published(dataset_of):
    """The averaged human RDM and the monkeys' correlate by 0.4912 (published: 0.49)."""
    human, monkey = (
        brain.published("rdm")[0] for brain in brains_of(dataset_of("kriegeskorte2008"))
    )
    [score] = mean_rdm_scores(
        human, monkey, metric="rdm-pearson",
        context=Context(level="algorithm", dataset="kriegeskorte2008", candidate_kind="species"),
    )  # fmt: skip
    assert score.value == pytest.approx(0.4912, abs=PUBLISHED)


def test_a_brain_is_not_explained_by_its_own_rdm(results):
    """The monkeys' RDM, published among the models, is a confound of persons and not of monkeys."""
    rows = [s for s in results.scores if s.candidate_kind == "confound"]
    of = {
        b: {s.model_region for s in rows if s.brain_region == b} for b in ("human IT", "monkey IT")
    }
    assert len(of["human IT"]) == 8 and "monkeyIT" in of["human IT"]
    assert of["monkey IT"] == of["human IT"] - {"monkeyIT"}


def test_what_the_brains_cannot_answer_is_said(results):
    """The third level of both species, and their choices, are rows without a value."""
    rows = [s for s in results.scores if s.status == "not_measurable"]
    third = {s.brain_region: s.note for s in rows if s.level == "implementation"}
    assert third == {
        name: "only RDMs were published, no recordings" for name in ("human", "monkey")
    }
    assert all(math.isnan(s.value) for s in rows)
    assert {m.system for m in results.not_measured} == {"human", "monkey"}
    assert results.dose_curves == ()


def test_similarity_judgements_are_compared(one):
    """16 persons' judgements meet the network's last layer, and the odd ones out that follow."""
    score = one(analysis="similarity", candidate_kind="model")
    assert score.n_brain_subjects == 16 and score.value == pytest.approx(0.282, abs=GIVEN)
    odd = one(analysis="odd_one_out", candidate_kind="model")
    assert odd.null == "t-test against 0.333333" and 1 / 3 < odd.value < odd.ceiling_low


def test_provenance_names_data_and_weights(results):
    """Hashes of stimuli, of both brains and of every seed's weights are kept."""
    data = results.provenance["data"]
    assert len(data["stimuli_sha256"]) == 64
    assert set(data["systems_sha256"]) == {"human", "monkey"}
    hashes = [h for m in results.provenance["models"] for h in m["weights_sha256"].values()]
    assert len(set(hashes)) == 4 and all(len(h) == 64 for h in hashes)
    assert np.isfinite(results.provenance["seconds"])
