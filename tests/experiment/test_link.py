"""Levels linked on planted truth: what carries both changes, and what carries one alone."""

from __future__ import annotations

import numpy as np
import pytest

import neuroai as nai
from neuroai.errors import UsageError
from neuroai.experiment.link import Linked, link
from neuroai.format.answers import NotMeasurable
from neuroai.systems.brain import brains_of
from neuroai.systems.intervention import Intervention
from neuroai.systems.load import load_model


def _lesions(n, *, n_features=64, seed=0, region="fc1"):
    rng = np.random.default_rng(seed)
    return [
        Intervention(
            region,
            tuple(rng.permutation(n_features)[: rng.integers(2, n_features * 5 // 8)].tolist()),
            "mean",
        )
        for _ in range(n)
    ]


@pytest.fixture(scope="module")
def found(network, simulation):
    """Thirty random lesions of the layer before the readout."""
    return link(network, _lesions(30), simulation.stimuli, simulation.tasks[0], n_splits=4)


def test_larger_changes_of_representation_go_with_larger_losses(found):
    """The last layer is what choices are read from: the two changes go together."""
    assert isinstance(found, Linked)
    assert found.lesions["representation"].shape == (1, 4, 30)
    assert (found.lesions["representation"] >= 0).all()
    assert found.summary["mean"].sel(relation="correlation").item() < -0.5
    assert found.summary["mean"].sel(relation="total").item() < 0
    assert "no interval over subjects" in found.notes[-1]


def test_the_parts_add_up(found):
    """Direct and indirect make the total, split by split."""
    r = found.relations
    assert np.allclose(r["direct"] + r["indirect"], r["total"])


def test_changes_are_those_of_the_lesioned_network(found, network, simulation):
    """One lesion by hand: accuracy on half B of the first split, on the logit scale."""
    from neuroai.format.splits import halves

    stimuli, task, lesion = simulation.stimuli, simulation.tasks[0], _lesions(30)[7]
    labels = [str(label) for label in stimuli.column(task.truth)]
    train = np.asarray(halves(stimuli.ids, condition=labels, n_splits=4, seed=0))[0]
    shares = []
    for system in (network, network.with_lesion(lesion, stimuli)):
        choices = system.choices(task, stimuli)
        shown = choices["stimulus_id"].values.astype(str)
        right = choices["choice"].values == stimuli.column(task.truth, list(shown))
        in_b = dict(zip(stimuli.ids, ~train, strict=True))
        shares.append(np.mean([ok for ok, key in zip(right, shown, strict=True) if in_b[key]]))
    n = int((~train).sum())
    logit = [np.log((s * n + 0.5) / (n - s * n + 0.5)) for s in shares]
    got = found.lesions["behaviour"].isel(subject=0, split=0, lesion=7).item()
    assert got == pytest.approx(logit[1] - logit[0])


def test_a_layer_after_the_choice_does_not_carry_it(network, simulation):
    """Planted: lesions of features that the readout ignores change the layer, not behaviour."""
    import copy

    import torch

    net = copy.deepcopy(network.module())
    with torch.no_grad():
        net.fc2.weight[:, :32] = 0
    planted = load_model(net, name="planted", layers=["fc1", "fc2"])
    ignored = _lesions(12, n_features=32)
    ignored = [Intervention("fc1", one.targets[:18], "mean") for one in ignored]
    found = link(planted, ignored, simulation.stimuli, simulation.tasks[0], region="fc1",
                 n_splits=3)  # fmt: skip
    assert (found.lesions["representation"] > 0).all() and (found.lesions["behaviour"] == 0).all()
    assert np.isnan(found.relations["correlation"]).all()
    assert "do" in found.notes[1] and "not vary" in found.notes[1]


def test_a_match_with_a_brain_is_a_measure_too(network, simulation):
    """The RDM match, lesioned less intact, with one region of the brain."""
    brain = nai.ask(brains_of(simulation)[0], "rdm", options={"regions": ["IT"]})
    found = nai.link(
        network, _lesions(10), simulation.stimuli, simulation.tasks[0], brain=brain,
        measure="match", region="fc1", n_splits=3,
    )  # fmt: skip
    assert (found.lesions["representation"].mean("split") < 0).any()


def _masked(units: tuple[str, ...]) -> Intervention:
    return Intervention("IT", units, "mean", origin="virtual")


def test_recorded_units_are_masked_subject_by_subject(simulation):
    """A brain's virtual lesions are named by unit id; several persons have an interval."""
    brain = brains_of(simulation)[0]
    first = next(iter(brain.recordings(regions=["IT"])))
    units = [str(name) for name in first["unit_id"].values]
    rng = np.random.default_rng(0)
    masks = [
        _masked(tuple(map(str, rng.choice(units, rng.integers(2, len(units) // 2), replace=False))))
        for _ in range(10)
    ]
    found = link(brain, masks, simulation.stimuli, simulation.tasks[0], n_splits=3)
    assert list(found.lesions["subject"].values) == list(brain.subjects)
    assert np.isfinite(found.summary["ci_low"].sel(relation="correlation"))
    wrong = [_masked(("nobody",))] * 8
    with pytest.raises(UsageError, match="no units nobody"):
        link(brain, wrong, simulation.stimuli, simulation.tasks[0])


def test_what_cannot_be_linked_is_told(network, simulation):
    """Few lesions, lesions of the wrong kind, a match without a brain, few stimuli."""
    stimuli, task = simulation.stimuli, simulation.tasks[0]
    with pytest.raises(UsageError, match="8 lesions or more .*got 3, 3 of them"):
        link(network, _lesions(3), stimuli, task)
    with pytest.raises(UsageError, match=".simulated. are wanted .*; got 9, 0 of them"):
        link(network, [_masked(("u",))] * 9, stimuli, task)
    with pytest.raises(UsageError, match="needs brain="):
        link(network, _lesions(9), stimuli, task, measure="match")
    few = stimuli.restrict(stimuli.ids[:6])
    assert isinstance(link(network, _lesions(9), few, task), NotMeasurable)
