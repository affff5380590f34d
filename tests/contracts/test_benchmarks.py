"""Every registered benchmark: names resolve, and scores come with history, chance and controls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from neuroai.analyses.catalogue import analysis
from neuroai.cards import LEVELS
from neuroai.comparison.catalogue import METRICS
from neuroai.errors import DataError, ResourceError
from neuroai.experiment.benchmarks import benchmark_entries, run_benchmarks, version_of
from neuroai.format.results import Results
from neuroai.format.scores import Score
from neuroai.registry import Entry
from neuroai.reports.leaderboard import leaderboard_table
from neuroai.sources.catalogue import DATASETS

# Two late layers: enough for a choice among layers, and lesions of them are quick.
NETWORK = "mobilenet_v1_0.25_224?layers=mobilenet_v1.layer.25,mobilenet_v1.pooler"
PUBLISHED_LAYER, PUBLISHED, WITHIN = "mobilenet_v1.layer.25", 0.222, 0.005
ENTRIES = benchmark_entries()
EACH = [pytest.param(entry, id=entry.card.name) for entry in ENTRIES]


@pytest.fixture(scope="module")
def results(data_root: Path, models_root: Path) -> Results:
    """Run every benchmark once on a trained network, with few samples."""
    pytest.importorskip("transformers", reason="the network needs the extra hf")
    try:
        return run_benchmarks(
            [entry.card.name for entry in ENTRIES],
            f"hf:{models_root / NETWORK}",
            n_null=50,
            n_bootstrap=50,
            offline=True,
        )
    except ResourceError as error:
        pytest.skip(str(error))


def _of(results: Results, entry: Entry) -> list[Score]:
    return [s for s in results.scores if s.benchmark_version == version_of(entry.card)]


def _fine(scores: list[Score], *kinds: str) -> Iterator[Score]:
    return (s for s in scores if s.status == "ok" and s.candidate_kind in kinds)


def test_there_are_benchmarks_of_every_level():
    """All three levels, three data of real origin, two with a brain region."""
    cards = [entry.card for entry in ENTRIES]
    assert {card.level for card in cards} == set(LEVELS)
    assert sum(not DATASETS.get(card.dataset).card.simulated for card in cards) >= 3
    assert sum(bool(card.regions) for card in cards) >= 2


@pytest.mark.parametrize("entry", EACH)
def test_cards_are_complete_and_names_resolve(entry):
    """Every fact is stated, and data set, system, analysis and metric exist."""
    card = entry.card
    optional = {"parameters", "references", "regions"}
    assert [
        f.name for f in fields(card) if f.name not in optional and getattr(card, f.name) == ""
    ] == []
    assert card.system in DATASETS.get(card.dataset).card.systems
    assert analysis(card.analysis).card.level == card.level == Path(entry.path).parent.name
    assert METRICS.get(card.metric).card.name == card.metric
    assert math.isfinite(card.chance) and card.question.endswith("?")
    assert Path(entry.path).stem == card.name


@pytest.mark.parametrize("entry", EACH)
def test_every_score_has_its_history(results, entry):
    """Benchmark, version and chance are in every score's history."""
    scores = _of(results, entry)
    assert scores
    for score in scores:
        assert score.level == entry.card.level and score.dataset == entry.card.dataset
        assert score.history["benchmark"] == entry.card.name
        assert score.history["version"] == entry.card.version
        assert score.history["chance"] == entry.card.chance


@pytest.mark.parametrize("entry", EACH)
def test_networks_are_scored_with_interval_and_p(results, entry):
    """The network and its untrained twin have a value inside its interval, and a p-value."""
    scores = _of(results, entry)
    for kind in ("model", "untrained"):
        rows = list(_fine(scores, kind))
        assert rows
        for row in rows:
            assert row.ci_low <= row.value <= row.ci_high
            assert 0 < row.p <= 1 and row.n_stimuli > 0 and row.resampled
    for score in scores:
        assert score.status == "ok" or score.note


@pytest.mark.parametrize("entry", EACH)
def test_others_stand_in_the_networks_place(results, entry):
    """Another subject or species has a row: a value, or the reason why there is none."""
    rows = [s for s in _of(results, entry) if s.candidate_kind in ("subject", "species")]
    assert rows
    if entry.card.analysis != "dose_curve":
        assert all(row.status == "ok" for row in rows)


@pytest.mark.parametrize("entry", EACH)
def test_ceilings_are_given_or_excused(results, entry):
    """Several subjects and a symmetric metric give a ceiling; else none is made up."""
    for row in _fine(_of(results, entry), "model", "untrained"):
        symmetric = METRICS.get(entry.card.metric).card.symmetric
        wanted = row.n_brain_subjects > 1 and symmetric and entry.card.analysis != "dose_curve"
        assert math.isfinite(row.ceiling_low) == wanted


@pytest.mark.parametrize("entry", [p for p in EACH if p.values[0].card.analysis == "rdm"])
def test_rdm_benchmarks_choose_a_layer_and_keep_the_grid(results, entry):
    """One selected row a network, beside one row a layer."""
    for kind in ("model", "untrained"):
        rows = [s for s in _of(results, entry) if s.candidate_kind == kind]
        assert [s.selected for s in rows].count(True) == len(entry.card.regions)
        assert len({s.model_region for s in rows if not s.selected}) == 2


def test_the_published_number_is_reached(results):
    """Correlation distance, Spearman, all units: the layer against human IT."""
    (row,) = [
        s
        for s in results.scores
        if s.benchmark_version.startswith("kriegeskorte2008-it-rdm@")
        and s.candidate_kind == "model"
        and s.model_region == PUBLISHED_LAYER
        and not s.selected
    ]
    assert row.value == pytest.approx(PUBLISHED, abs=WITHIN)


def test_a_brain_is_not_explained_by_itself(results):
    """The monkeys' own RDM, published among the models, is no row of their benchmark."""
    rows = [s for s in results.scores if s.candidate_kind == "confound"]
    assert rows and all(s.value < 0.99 for s in rows)
    against_monkey = {s.model for s in rows if s.brain_region == "monkey IT"}
    assert against_monkey and "monkeyIT model" not in against_monkey


@pytest.mark.parametrize("entry", EACH)
def test_the_leaderboard_shows_controls_and_others(results, entry):
    """One table a benchmark, with the network ranked and the controls under a rule."""
    text = leaderboard_table(_of(results, entry))
    assert "untrained control" in text
    assert "another subject" in text or "another species" in text
    assert text.splitlines()[3].startswith("1 ")


def test_a_leaderboard_of_two_benchmarks_is_refused(results):
    """Scores of different benchmarks or versions are not ranked together."""
    with pytest.raises(DataError, match="one benchmark version; got"):
        leaderboard_table(results.scores)


def test_the_results_say_where_they_come_from(results):
    """Title, data, options, cards and weights are in the results."""
    facts = results.provenance
    assert set(facts["options"]["benchmarks"]) == {version_of(e.card) for e in ENTRIES}
    assert set(facts["data"]) == {e.card.dataset for e in ENTRIES}
    assert [model["untrained"] for model in facts["models"]] == [False, True]
    assert all(model["weights_sha256"] for model in facts["models"])
    assert not results.simulated and results.citations and results.methods
    assert {line.level for line in results.not_measured} == {"implementation"}
