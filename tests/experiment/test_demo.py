"""The demonstration recovers what was planted, on both sides and at all three levels."""

from __future__ import annotations

import math

import pytest

from neuroai.experiment.demo import run_demo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo():
    """The demonstration as the command runs it."""
    return run_demo()


def test_everything_planted_is_recovered(demo):
    """Layers, module, silencing and training: every line of the truth is found."""
    assert [line.name for line in demo.truth if not line.found] == []
    names = " ".join(line.name for line in demo.truth)
    assert all(word in names for word in ("layer that V1", "layer that IT", "units", "silencing"))
    assert len(demo.truth) == 7


def test_it_says_that_it_is_simulated(demo):
    """The flag is set, and the methods say so first."""
    assert demo.simulated and demo.methods[0].startswith("The brain is simulated")


def test_both_sides_answer_every_level(demo):
    """Brain and network have choices, RDMs and lesions; only similarity was not judged."""
    assert [line.question for line in demo.not_measured] == ["similarity"]
    assert {s.analysis for s in demo.scores if s.status != "ok"} == {"similarity"}
    questions = {s.analysis for s in demo.scores}
    assert {"choices: digit", "accuracy: digit", "rdm", "responses"} <= questions
    assert {c.origin for c in demo.dose_curves} == {"simulated", "virtual", "measured"}
    assert {a.form for a in demo.answers} >= {"rdm", "confusion"}


def test_three_seeds_and_their_twin(demo):
    """Seeds are the model's subjects; the untrained twin is a control, held fixed likewise."""
    rows = [s for s in demo.scores if s.metric == "rdm-spearman" and s.analysis == "rdm"]
    kinds = {s.candidate_kind: s.n_model_subjects for s in rows if s.candidate_kind != "subject"}
    assert kinds == {"model": 3, "untrained": 3}
    assert all("3 seeds held fixed" in s.note for s in rows if s.candidate_kind == "model")


def test_provenance(demo):
    """Weights of all seeds, versions and the seed of the draws are kept."""
    provenance = demo.provenance
    hashes = [h for m in provenance["models"] for h in m["weights_sha256"].values()]
    assert len(set(hashes)) == 6 and provenance["options"]["seed"] == 0
    assert provenance["packages"]["numpy"] != "not installed"
    assert math.isfinite(provenance["seconds"])
