"""Encoding between labelled answers: on simulated truth, and on V4 and a network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.algorithm.responses import responses
from neuroai.comparison.encoding import encodings
from neuroai.comparison.encoding_subjects import subject_encodings
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import group_folds
from neuroai.numerics.pls import encode_pls
from neuroai.systems.brain import Recorded

CONTEXT = Context(level="algorithm", dataset="simulated")
QUICK = Inference(n_bootstrap=60, n_null=99)
EXACT = 1e-8  # float64, features against their inner products
N_STIMULI, N_UNITS, N_FEATURES = 120, 20, 15
# Mean r of 20 units over five folds of 24 stimuli of unrelated data: four standard errors.
CHANCE = 4 / np.sqrt(120)


def _answer(values, ids, *, name, kind="brain", region="V1"):
    rec = recording(
        values, stimulus_id=ids, unit_id=[f"u{i}" for i in range(values.shape[1])], region=region,
        system=name, kind=kind, stimulus_set="simulated", subject=f"{name}1",
        modality="single units" if kind == "brain" else "activations", physical_unit="spikes",
        unit={"x": np.arange(values.shape[1], dtype=float)},
    )  # fmt: skip
    shown = stimulus_set(pd.DataFrame({"stimulus_id": sorted(set(ids))}), name="simulated")
    facts = SystemData(name, kind, "none", recordings=(rec,))
    return responses(Recorded(data=facts, stimuli=shown))


def _simulate(seed=0, *, related=True, n_repeats=4, noise=1.0):
    """Simulated: responses are a linear map of features, plus noise in every showing."""
    rng = np.random.default_rng(seed)
    ids = [f"s{i:03d}" for i in range(N_STIMULI)]
    x = rng.standard_normal((N_STIMULI, N_FEATURES))
    source = x if related else rng.standard_normal(x.shape)
    signal = source @ rng.standard_normal((N_FEATURES, N_UNITS)) / np.sqrt(N_FEATURES)
    shown = np.repeat(signal, n_repeats, axis=0)
    shown = shown + noise * rng.standard_normal(shown.shape)
    order = rng.permutation(len(shown))
    brain = _answer(shown[order], np.repeat(ids, n_repeats)[order].tolist(), name="brain")
    return brain, _answer(x, ids, name="net", kind="model", region="layer")


def test_the_true_features_reach_the_ceiling():
    """r comes near the ceiling that the repeats give, and cannot pass it by more than chance."""
    brain, net = _simulate(n_repeats=6)
    [score] = encodings(brain, net, context=CONTEXT, inference=QUICK).scores
    truth = np.sqrt(1 / (1 + 1 / 6))
    assert score.ceiling_high == pytest.approx(truth, abs=0.02)
    # Learning 15 weights from 96 stimuli costs some of it.
    assert 0.9 * truth < score.value < truth + 0.02
    assert score.p == pytest.approx(0.01) and score.ci_low < score.value < score.ci_high
    assert (score.metric, score.analysis, score.n_stimuli) == ("encoding-r", "responses", 120)
    assert "5 folds of whole groups" in score.history["folds"]


def test_unrelated_features_predict_nothing():
    """Mean r is about 0, and p is not small."""
    found = [
        encodings(*_simulate(seed, related=False), context=CONTEXT, inference=QUICK).scores[0]
        for seed in range(5)
    ]
    assert all(abs(score.value) < CHANCE for score in found)
    assert min(score.p for score in found) > 0.02


def test_values_are_those_of_plain_arrays():
    """Labels change nothing: r of every unit is that of the arrays, sorted by stimulus."""
    brain, net = _simulate(1)
    [units] = encodings(brain, net, context=CONTEXT, inference=QUICK).units
    means = brain.responses[0].groupby("stimulus_id").mean()
    x = net.responses[0].sortby("stimulus_id").values
    folds = group_folds(list(brain.stimuli), n_folds=5)
    expected = encode(x, means.values, folds=folds, rule="generalised")
    assert np.abs(units["r"].values - expected.mean_r()).max() < EXACT
    assert np.abs(units["r2"].values - expected.mean_r2()).max() < EXACT
    assert np.allclose(units["normalised_r"], units["r"] / units["ceiling_r"])


def test_units_keep_their_labels_for_maps():
    """Every predicted unit can be placed again."""
    [units] = encodings(*_simulate(), context=CONTEXT, inference=QUICK).units
    assert units["unit_id"].values.tolist() == [f"u{i}" for i in range(N_UNITS)]
    assert units["x"].values.tolist() == list(range(N_UNITS))
    assert units.attrs["model_region"] == "layer" and units.attrs["brain_subject"] == "brain1"


def test_the_network_is_predicted_from_the_brain_by_name():
    """The other direction has its own metric, its own units and a ceiling of 1."""
    brain, net = _simulate(noise=0.1)
    found = encodings(brain, net, context=CONTEXT, direction="model-from-brain", inference=QUICK)
    [score], [units] = found.scores, found.units
    assert score.metric == "encoding-r-of-model" and score.ceiling_high == 1
    assert units.sizes["unit"] == N_FEATURES and score.value > 0.9


def test_without_repeats_there_is_no_ceiling():
    """The note says so, and the normalised r of every unit is undefined."""
    found = encodings(*_simulate(n_repeats=1), context=CONTEXT, inference=QUICK)
    assert np.isnan(found.scores[0].ceiling_high) and "no ceiling" in found.scores[0].note
    assert np.isnan(found.units[0]["normalised_r"]).all()


def test_groups_of_stimuli_stay_together():
    """With pairs of near copies as groups, penalties come from whole groups too."""
    brain, net = _simulate()
    groups = [f"g{i // 2}" for i in range(N_STIMULI)]
    [score] = encodings(brain, net, context=CONTEXT, groups=groups, inference=QUICK).scores
    assert "chosen by the other folds" in score.history["penalties"]


def test_the_order_of_showings_and_stimuli_changes_nothing():
    """Rows are found by id."""
    brain, net = _simulate(3)
    rec = net.responses[0]
    turned = _answer(rec.values[::-1], rec["stimulus_id"].values[::-1].tolist(), name="net",
                     kind="model", region="layer")  # fmt: skip
    one, other = (
        encodings(brain, n, context=CONTEXT, inference=QUICK).scores[0] for n in (net, turned)
    )
    assert one.value == pytest.approx(other.value, abs=EXACT)


def test_p_is_uniform_without_relation():
    """Simulated: of 300 nulls with 19 permutations 5 % have p ≤ .05, within 4 SE."""
    few = Inference(n_bootstrap=50, n_null=19)
    hits = 0
    for seed in range(300):
        rng = np.random.default_rng([7, seed])
        ids = [f"s{i:02d}" for i in range(40)]
        brain = _answer(rng.standard_normal((40, 6)), ids, name="brain")
        net = _answer(rng.standard_normal((40, 8)), ids, name="net", kind="model", region="layer")
        hits += encodings(brain, net, context=CONTEXT, inference=few).scores[0].p <= 0.05
    assert abs(hits / 300 - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"direction": "both"}, UsageError, "direction must be one of"),
        ({"method": "lasso"}, UsageError, "method must be one of"),
        ({"method": "pls"}, UsageError, "n_components is needed for method='pls'"),
        ({"n_components": 3}, UsageError, "and for no other"),
        ({"n_folds": 61}, DataError, "120 stimuli in 61 folds"),
    ],
)
def test_wrong_options_are_told(change, error, said):
    """What was wanted and what came."""
    with pytest.raises(error, match=said):
        encodings(*_simulate(), context=CONTEXT, **change)


def test_other_stimuli_and_other_forms_are_told():
    """Unequal sets are refused unless the common ones are asked for; RDMs are no responses."""
    from neuroai.analyses.algorithm.rdm import rdm
    from neuroai.testing import toy_brain

    brain, net = _simulate()
    fewer = net.restrict(stimuli=list(net.stimuli)[:100])
    with pytest.raises(AlignmentError, match="20 only in"):
        encodings(brain, fewer, context=CONTEXT)
    [score] = encodings(brain, fewer, context=CONTEXT, stimuli="shared", inference=QUICK).scores
    assert score.n_stimuli == 100 and "20 stimuli" in score.note
    answer = rdm(toy_brain(), distance="squared-euclidean")
    with pytest.raises(UsageError, match="form 'responses'"):
        encodings(answer, net, context=CONTEXT)


@pytest.mark.parametrize("direction", ["brain-from-model", "model-from-brain"])
def test_partial_least_squares_are_those_of_plain_arrays(direction):
    """Either way: r of every unit is that of the arrays, and the score has its own name."""
    brain, net = _simulate(1)
    few = Inference(n_bootstrap=50, n_null=19)
    found = encodings(
        brain, net, context=CONTEXT, inference=few, direction=direction, method="pls",
        n_components=4,
    )  # fmt: skip
    y = brain.responses[0].groupby("stimulus_id").mean().values
    x = net.responses[0].sortby("stimulus_id").values
    if direction == "model-from-brain":
        x, y = y, x
    expected = encode_pls(x, y, folds=group_folds(list(brain.stimuli)), n_components=4)
    assert np.abs(found.units[0]["r"].values - expected.mean_r()).max() < EXACT
    suffix = "" if direction == "brain-from-model" else "-of-model"
    assert found.scores[0].metric == f"encoding-pls-r{suffix}"
    assert found.scores[0].history["n_components"] == 4 and "penalty" not in found.units[0]


def test_one_to_one_matching_finds_the_copies():
    """Units of a network that are noisy copies match one each; what is in excess is counted."""
    rng = np.random.default_rng(3)
    ids = [f"s{i:03d}" for i in range(N_STIMULI)]
    x = rng.standard_normal((N_STIMULI, 8))
    copies = np.hstack([x[:, ::-1] + 0.3 * rng.standard_normal(x.shape), x[:, :2]])
    net = _answer(x, ids, name="net", kind="model", region="layer")
    few = Inference(n_bootstrap=50, n_null=19)
    found = encodings(_answer(copies, ids, name="brain"), net, context=CONTEXT,
                      inference=few, method="one-to-one")  # fmt: skip
    [score], [units] = found.scores, found.units
    assert score.metric == "unit-matching-r" and score.p == pytest.approx(0.05)
    assert score.n_undefined == 2 and np.isnan(units["r"]).sum() == 2
    assert score.value > 0.9 and "one-to-one" in score.history["matching"]


def test_subjects_are_predicted_from_one_another():
    """Simulated: what subjects share is predicted; what is one's own repeats but is not shared."""
    rng = np.random.default_rng(4)
    ids = [f"s{i:03d}" for i in range(N_STIMULI)]
    shared = rng.standard_normal((N_STIMULI, 4))
    parts = []
    for subject in range(3):
        common = shared @ rng.standard_normal((4, 12))
        own = rng.standard_normal((N_STIMULI, 12)) * common.std(axis=0)
        signal = np.where(np.arange(12) < 6, common, own)
        shown = np.repeat(signal, 6, axis=0)
        shown = shown + 0.5 * rng.standard_normal(shown.shape)
        answer = _answer(shown, np.repeat(ids, 6).tolist(), name=f"p{subject}")
        parts += [r.assign_attrs(subject=f"p{subject}") for r in answer.responses]
    data = SystemData("brain", "brain", "none", recordings=tuple(parts))
    shown = stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="simulated")
    answer = responses(Recorded(data=data, stimuli=shown))
    found = subject_encodings(answer)
    assert [u.attrs["from_subjects"] for u in found] == ["p1, p2", "p0, p2", "p0, p1"]
    for units in found:
        r, ceiling = units["r"].values, units["ceiling_r"].values
        assert (ceiling > 0.9).all() and (r[:6] > 0.8).all()
        assert abs(r[6:].mean()) < CHANCE
    with pytest.raises(DataError, match="recorded in 1 subject"):
        subject_encodings(answer.restrict(subjects=["p0"]))
