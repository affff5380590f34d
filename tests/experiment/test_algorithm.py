"""The second level: RDMs of every region and layer, references and confounds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.experiment.algorithm import (
    ask_rdms,
    best_layers,
    compare_rdms_of,
    compare_responses,
    conditions,
)
from neuroai.format.answers import rdm_answer
from neuroai.systems.brain import brains_of


def _confound(name, values, stimuli):
    return rdm_answer(
        values[None, None],
        subjects=["published"],
        regions=[name],
        stimuli=stimuli,
        parameters={"distance": "as published"},
        system=f"{name} model",
        kind="model",
        stimulus_set="digits",
        origin="published",
    )


@pytest.fixture(scope="module")
def compared(asked_of, network):
    """The trained network's two layers against the simulated brain."""
    asked = asked_of(network, layers=("relu1", "relu3"))
    networks, brains, missing = ask_rdms(asked)
    assert missing.scores == ()
    return compare_rdms_of(asked, networks, brains)


def test_every_layer_meets_every_region(compared):
    """The whole grid is kept beside the chosen layer."""
    grid = {
        (s.brain_region, s.model_region)
        for s in compared.scores
        if (s.analysis, s.metric, s.selected) == ("rdm", "rdm-spearman", False)
        and s.candidate_kind == "model"
    }
    assert grid == {
        (f"simulated brain {region}", layer)
        for region in ("V1", "IT")
        for layer in ("relu1", "relu3")
    }
    chosen = [s for s in compared.scores if s.selected]
    assert {s.brain_region for s in chosen} == {"simulated brain V1", "simulated brain IT"}


def test_another_subject_stands_in_the_networks_place(compared):
    """Each region has a reference row, below the upper ceiling of the same region."""
    rows = [s for s in compared.scores if s.candidate_kind == "subject"]
    assert [s.model_region for s in rows] == ["V1", "IT"]
    assert all(s.value < s.ceiling_high for s in rows)


def test_a_confound_that_is_the_brains_own_rdm_is_left_out(asked_of, simulation):
    """An RDM of the brain itself explains nothing; other confounds stay."""
    brain = brains_of(simulation)[0]
    own = rdm(brain).data["rdm"].values[2, 1]
    category = simulation.stimuli.column("digit")
    labels = (category[:, None] != category).astype(float)
    holdings = dataclasses.replace(
        simulation,
        confounds=(
            _confound("own", own, simulation.stimuli.ids),
            _confound("category", labels, simulation.stimuli.ids),
        ),
    )
    asked = asked_of(holdings=holdings)
    _, brains, _ = ask_rdms(asked)
    scores = compare_rdms_of(asked, [], brains).scores
    confounds = [s for s in scores if s.candidate_kind == "confound"]
    assert [(s.brain_region, s.model_region) for s in confounds] == [
        ("simulated brain V1", "category"), ("simulated brain IT", "category"),
    ]  # fmt: skip
    assert all(s.status == "ok" for s in confounds)


def test_own_rdms_are_known_on_the_shared_stimuli(asked_of, simulation):
    """The comparison is by label and on common stimuli: order and missing ones do not matter."""
    brain = brains_of(simulation)[0]
    own = rdm(brain).data["rdm"].values[0, 0]
    kept = np.random.default_rng(1).permutation(40)[:30]
    ids = [simulation.stimuli.ids[i] for i in kept]
    confound = _confound("own", own[np.ix_(kept, kept)], ids)
    nearly = _confound("nearly", own[np.ix_(kept, kept)] * 1.01, ids)
    asked = asked_of(holdings=dataclasses.replace(simulation, confounds=(confound, nearly)))
    _, brains, _ = ask_rdms(asked)
    scores = compare_rdms_of(asked, [], brains).scores
    names = {s.model_region for s in scores if s.candidate_kind == "confound"}
    assert names == {"nearly"}


def test_without_a_brain_no_network_is_swept(asked_of, simulation, network):
    """Where no brain has RDMs, a sweep over all layers would answer nobody."""
    silent = dataclasses.replace(simulation.systems[0], recordings=(), published=())
    holdings = dataclasses.replace(simulation, systems=(silent,))
    networks, brains, missing = ask_rdms(asked_of(network, holdings=holdings))
    assert networks == [] and brains == []
    [row] = missing.scores
    assert (row.brain_region, row.status) == ("simulated brain", "not_measurable")
    assert row.note == "no activity was recorded"


def test_responses_are_aligned_where_both_sides_have_them(asked_of, network):
    """Alignment and encoding of every layer with every region; the layer mixed into IT aligns best.

    An encoding model learns from 32 stimuli at a time, so that it may do better from ten outputs
    than from the 64 units that were mixed; the early layer stays behind both.
    """
    part = compare_responses(asked_of(network))
    assert {s.metric for s in part.scores} == {"cka-debiased", "encoding-r"}
    for metric in ("cka-debiased", "encoding-r"):
        mine = [s for s in part.scores if s.metric == metric and s.brain_region.endswith("IT")]
        it = {s.model_region: s.value for s in mine}
        assert set(it) == {"relu1", "relu3", "fc2"}
        assert max(it, key=it.get) in ({"relu3"} if metric == "cka-debiased" else {"relu3", "fc2"})


def test_few_stimuli_are_not_encoded(asked_of, simulation, network):
    """Twenty stimuli are too few to learn and test on; the row says so."""
    ids = simulation.stimuli.ids[:20]
    brain = simulation.systems[0]
    kept = tuple(
        r.isel(presentation=np.isin(r["stimulus_id"].values, ids)) for r in brain.recordings
    )
    few = dataclasses.replace(simulation, systems=(dataclasses.replace(brain, recordings=kept),))
    part = compare_responses(asked_of(network, holdings=few, stimuli="shared"))
    [row] = [m for m in part.not_measured if m.question == "responses"]
    assert "20 stimuli are too few" in row.reason


def test_halves_are_stratified_by_category(asked_of, simulation, network):
    """The condition of each common stimulus, in sorted order, comes from the table."""
    answer = rdm(brains_of(simulation)[0])
    found = conditions(asked_of(network), answer, answer)
    assert found == list(simulation.stimuli.column("category"))
    plain = dataclasses.replace(
        simulation,
        stimuli=dataclasses.replace(
            simulation.stimuli, table=simulation.stimuli.table[["digit", "sha256"]]
        ),
    )
    assert conditions(asked_of(network, holdings=plain), answer, answer) is None


def test_the_lesioned_layer_is_the_one_chosen_against_the_last_region(compared, simulation):
    """Layers are chosen by the match to the brain's last region; without a brain none is."""
    answer = rdm(brains_of(simulation)[0])
    chosen = next(
        s.model_region
        for s in compared.scores
        if s.selected and s.brain_region == "simulated brain IT"
    )
    assert best_layers(compared.scores, answer) == {"net": chosen}
    assert best_layers(compared.scores, None) == {}
