"""The mice's own data beside a network: one command, all three levels on both sides."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.experiment.run import compare_holdings
from neuroai.format.results import Results
from neuroai.systems.load import load_model

ACCURACY = 5e-4  # half a unit of the third printed digit


@pytest.fixture(scope="module")
def found(dataset_of, quick) -> Results:
    """Mice and the small untrained network, with few samples."""
    network = load_model("builtin:small_convnet", layers=("relu1", "fc2"))
    return compare_holdings(dataset_of("cazemier2024"), (network,), options=quick)


def test_both_sides_choose(found: Results) -> None:
    """Choices of mice as recorded, those of the network by the readout that reads spikes too."""
    own = {(s.analysis, bool(s.model)): s for s in found.scores if s.metric == "value"}
    for task in ("detection", "orientation", "phase"):
        assert own[f"accuracy: {task}", False].n_brain_subjects >= 5
        assert own[f"accuracy: {task}", True].status == "ok"
    # Spikes and network answer the task 'side' by one readout.
    assert {own["accuracy: side", side].status for side in (False, True)} == {"ok"}
    choices = [s for s in found.scores if s.metric == "error-consistency"]
    assert {s.analysis for s in choices} >= {"choices: detection", "choices: phase"}


def test_sessions_are_one_area_of_five_mice(found: Results) -> None:
    """20 days make one RDM a mouse over eight conditions, beside that of every layer."""
    brain = next(a for a in found.answers if a.form == "rdm" and a.kind == "brain")
    assert brain.regions == ("superior colliculus",)
    assert brain.subjects == tuple(f"Mouse{i}" for i in range(1, 6))
    assert len(brain.stimuli) == 8
    rows = [s for s in found.scores if s.metric == "rdm-spearman" and s.analysis == "rdm"]
    assert {s.n_brain_subjects for s in rows} == {5}
    assert {s.model_region for s in rows} >= {"relu1", "fc2"}


def test_both_sides_are_localised_and_silenced(found: Results) -> None:
    """Measured laser, masked cells and lesions of the network, each with its origin."""
    assert {row.kind for row in found.localisers} == {"brain", "model"}
    origins = {(c.kind, c.origin) for c in found.dose_curves}
    assert origins >= {("brain", "measured"), ("brain", "virtual"), ("model", "simulated")}
    laser = [c for c in found.dose_curves if c.lesion == "laser-67ms"]
    assert len(laser) == 3
    lowest = min(float(c.targeted[0]) for c in laser)
    assert lowest == pytest.approx(0.457, abs=ACCURACY)
    assert all(np.isfinite(c.baseline) for c in laser)


def test_a_brain_is_localised_on_what_it_met(found: Results) -> None:
    """Halves are drawn of the eight recorded conditions, not of images that no mouse saw."""
    rows = [row for row in found.localisers if row.kind == "brain"]
    assert len(rows) == 20
    assert all(np.isfinite(row.unit_t_heldout).any() for row in rows)
