"""One comparison from beginning to end: what it holds, and that it can be made again."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from neuroai.errors import UnknownName
from neuroai.experiment.options import Options
from neuroai.experiment.run import compare_holdings
from neuroai.format.schema import LEVELS
from neuroai.format.scores import score_table


def test_every_level_is_answered(results):
    """All three levels have numbers, on both sides; nothing is not measurable."""
    with_value = {s.level for s in results.scores if s.status == "ok"}
    assert with_value == {"computation", "algorithm"}
    assert {c.kind for c in results.dose_curves} == {"brain", "model"}
    assert {c.origin for c in results.dose_curves} == {"simulated", "virtual", "measured"}
    assert {row.kind for row in results.localisers} == {"brain", "model"}
    assert set(LEVELS) == with_value | {"implementation"}


def test_values_are_finite_exactly_where_the_status_is_ok(results):
    """No row hides an undefined number, and no row is there twice."""
    for score in results.scores:
        assert (score.status == "ok") == math.isfinite(score.value)
    keys = ["level", "analysis", "metric", "brain_region", "model", "model_region", "selected"]
    table = score_table(results.scores)
    assert not table.duplicated(subset=keys).any()


def test_what_stands_beside_the_best_layer(results):
    """Three other metrics are shown for the chosen layer of each network and region."""
    for chosen in [s for s in results.scores if s.selected]:
        beside = {
            s.metric
            for s in results.scores
            if s.analysis == "rdm"
            and (s.model, s.model_region) == (chosen.model, chosen.model_region)
            and s.brain_region == chosen.brain_region
        }
        assert {"rdm-pearson", "rdm-cosine", "rdm-rho-a", "rdm-spearman"} <= beside


def test_the_mixed_layers_are_recovered(results):
    """Even after two epochs the trained network's best layer for V1 is the first."""
    best = {(s.brain_region, s.model): s for s in results.scores if s.selected}
    assert best["simulated brain V1", "net"].model_region == "relu1"
    assert best["simulated brain IT", "net"].model_region == "relu3"


def test_provenance_is_complete(results, network, untrained, quick):
    """Weights of every seed, hashes of data, versions, options with the seed."""
    provenance = results.provenance
    hashes = {m["name"]: m["weights_sha256"] for m in provenance["models"]}
    assert hashes == {m.name: m.weights_sha256() for m in (network, untrained)}
    assert provenance["options"] == quick.as_dict()
    assert set(provenance["data"]["systems_sha256"]) == {"simulated brain"}
    assert provenance["packages"]["torch"] and provenance["seconds"] > 0
    assert results.simulated and "simulated" in results.methods[0]


def test_the_same_seed_gives_the_same_scores(simulation, network):
    """Every number of a second run is equal; another seed moves intervals, not values."""
    options = Options(n_bootstrap=60, n_null=19, lesions="none", layers=("relu3", "fc2"))
    first, again = (
        score_table(compare_holdings(simulation, (network,), options=options).scores)
        for _ in range(2)
    )
    assert first.equals(again)
    other = score_table(
        compare_holdings(
            simulation, (network,), options=dataclasses.replace(options, seed=1)
        ).scores
    )
    fixed = ~first["selected"]
    np.testing.assert_array_equal(first["value"][fixed], other["value"][fixed])
    assert not np.allclose(first["ci_low"][fixed], other["ci_low"][fixed], equal_nan=True)


def test_an_unknown_layer_lists_the_nearest(simulation, network):
    """A misspelt layer is told before any comparison."""
    with pytest.raises(UnknownName, match="relu3"):
        compare_holdings(simulation, (network,), options=Options(layers=("rellu3",)))


def test_an_unknown_region_lists_the_nearest(simulation, network):
    """A misspelt region of the brain is told as well."""
    with pytest.raises(UnknownName, match="IT"):
        compare_holdings(simulation, (network,), options=Options(regions=("ITT",)))
