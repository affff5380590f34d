"""The first level: choices, mistakes and accuracies of both sides, and what is missing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from neuroai.experiment.computation import ask_computation, judgements_of
from neuroai.experiment.demo_brain import TASK
from neuroai.format.answers import rdm_answer
from neuroai.systems.brain import brains_of
from neuroai.testing import EXACT


@pytest.fixture(scope="module")
def part(asked_of, network, untrained):
    """The simulated brain's choices beside those of both networks."""
    return ask_computation(asked_of(network, untrained))


def _one(part, **wanted):
    rows = [s for s in part.scores if all(getattr(s, k) == v for k, v in wanted.items())]
    assert len(rows) == 1, wanted
    return rows[0]


def test_errors_are_compared_subject_by_subject(part, simulation, network):
    """Kappa is the mean over subjects of that of each first choice with the network's."""
    score = _one(part, metric="error-consistency", model="net")
    brain = brains_of(simulation)[0]
    table = brain.choices(TASK)
    ours = network.choices(TASK, simulation.stimuli)
    right = dict(zip(ours.stimulus_id.values, ours.choice.values == ours.truth.values, strict=True))
    kappas = []
    for subject in brain.subjects:
        mine = table.isel(trial=table.subject.values.astype(str) == subject)
        first = {}
        for key, correct in zip(mine.stimulus_id.values, mine.correct.values, strict=True):
            first.setdefault(key, bool(correct))
        keys = sorted(first)
        kappas.append(cohen_kappa_score([first[k] for k in keys], [right[k] for k in keys]))
    assert score.value == pytest.approx(np.mean(kappas), abs=EXACT)
    assert (score.n_brain_subjects, score.n_stimuli) == (4, 40)


def test_accuracies_stand_by_themselves_and_as_a_difference(part, network, simulation):
    """Each system has its own value, and each network its difference from the brain."""
    brain = _one(part, metric="value", brain_region="simulated brain")
    ours = _one(part, metric="value", model="net")
    table = network.choices(TASK, simulation.stimuli)
    assert ours.value == pytest.approx((table.choice.values == table.truth.values).mean())
    difference = _one(part, metric="accuracy-difference", model="net")
    assert difference.value == pytest.approx(ours.value - brain.value, abs=1e-6)


def test_controls_are_called_controls(part, untrained):
    """Rows of random weights carry their kind."""
    kinds = {s.model: s.candidate_kind for s in part.scores if s.model}
    assert kinds == {"net": "model", untrained.name: "untrained"}


def test_confusions_are_kept_for_the_page(part):
    """Brain and networks have a confusion matrix each."""
    found = [a.system for a in part.answers if a.form == "confusion"]
    assert found[0] == "simulated brain" and len(found) == 3


def test_missing_judgements_are_said(part):
    """Nobody judged similarity: one row says so."""
    row = _one(part, analysis="similarity")
    assert row.status == "not_measurable" and row.note == "no similarity judgements were recorded"


def test_what_was_not_recorded_is_said_once(asked_of, simulation, network):
    """Without choices or recordings the brain has one row for the task, not one a question."""
    silent = dataclasses.replace(simulation.systems[0], recordings=(), behaviour=())
    holdings = dataclasses.replace(simulation, systems=(silent,))
    rows = [
        s
        for s in ask_computation(asked_of(network, holdings=holdings)).scores
        if s.status == "not_measurable" and s.analysis != "similarity"
    ]
    assert [(s.analysis, s.brain_region) for s in rows] == [("choices: digit", "simulated brain")]


def _judged(simulation):
    """Judgements of five persons, who find digits alike that are."""
    rng = np.random.default_rng(3)
    category = simulation.stimuli.column("digit")
    base = (category[:, None] != category).astype(float)
    noise = rng.random((5, 1, 40, 40))
    noise = noise + noise.transpose(0, 1, 3, 2)
    values = base + 0.3 * noise
    values[..., np.arange(40), np.arange(40)] = 0
    return rdm_answer(
        values, subjects=[f"p{i}" for i in range(5)], regions=["behaviour"],
        stimuli=simulation.stimuli.ids, question="similarity",
        parameters={"method": "multi-arrangement"}, system="simulated brain", kind="brain",
        stimulus_set="digits", origin="published",
    )  # fmt: skip


def test_judgements_meet_the_networks_activity(asked_of, simulation, network, untrained):
    """Published judgements are compared with the last layer, and so are the odd ones out."""
    answer = _judged(simulation)
    data = dataclasses.replace(simulation.systems[0], published=(answer,))
    holdings = dataclasses.replace(simulation, systems=(data,))
    asked = asked_of(network, untrained, holdings=holdings)
    assert judgements_of(asked).subjects == answer.subjects
    part = ask_computation(asked)
    similarity = _one(part, analysis="similarity", model="net")
    assert similarity.n_brain_subjects == 5 and similarity.metric == "rdm-spearman"
    assert similarity.value > _one(part, analysis="similarity", model=untrained.name).value
    odd = _one(part, analysis="odd_one_out", model="net")
    assert odd.metric == "odd-one-out-agreement" and odd.value > 1 / 3


def test_psychometric_functions_are_asked_where_stimuli_have_an_intensity(asked_of, network):
    """The brain and the network are asked the same; without intensities nobody is."""
    asked = asked_of(network)
    assert not [a for a in ask_computation(asked).answers if a.question == "psychometric"]
    shown = asked.holdings.stimuli
    levels = shown.table.assign(intensity=[1.0 + i % 4 for i in range(len(shown.ids))])
    stimuli = dataclasses.replace(shown, table=levels)
    asked = dataclasses.replace(
        asked,
        holdings=dataclasses.replace(asked.holdings, stimuli=stimuli),
        brains=tuple(dataclasses.replace(b, stimuli=stimuli) for b in asked.brains),
    )
    found = [a for a in ask_computation(asked).answers if a.question == "psychometric"]
    assert [a.kind for a in found] == ["brain", "model"]
    assert {tuple(a.data.level.values) for a in found} == {(1.0, 2.0, 3.0, 4.0)}
