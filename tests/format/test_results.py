"""Results: what the reports read, complete without the parts that a comparison did not make."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroai.format import results
from neuroai.format.results import DoseCurve, LocaliserResult, NotMeasured, Results, TruthLine

KINDS = (DoseCurve, LocaliserResult, TruthLine, NotMeasured, Results)


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_frozen_and_every_field_is_named(kind: type) -> None:
    """Nothing found is changed afterwards."""
    assert dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen
    assert kind.__doc__


def test_a_comparison_may_find_nothing() -> None:
    """Only title, data set, whether it was simulated, and scores must be stated."""
    bare = Results(title="t", dataset="d", simulated=True, scores=())
    empty = [f.name for f in dataclasses.fields(bare) if not getattr(bare, f.name)]
    assert set(empty) == {f.name for f in dataclasses.fields(bare)} - {
        "title",
        "dataset",
        "simulated",
    }
    with pytest.raises(TypeError, match="simulated"):
        Results(title="t", dataset="d", scores=())


def test_mappings_are_not_shared() -> None:
    """Two results have their own provenance."""
    one, other = (Results(title="t", dataset="d", simulated=False, scores=()) for _ in range(2))
    assert one.provenance is not other.provenance
    assert one.stimulus_labels is not other.stimulus_labels


def test_dose_curve_holds_what_was_measured() -> None:
    """A curve has one entry a dose in every array, and no note unless one is made."""
    doses = np.array([0.1, 1.0])
    curve = DoseCurve(
        system="s", kind="model", region="conv", level="computation", measure="accuracy",
        lesion="mean", origin="simulated", baseline=0.9, doses=doses, targeted=doses,
        controls=np.zeros((2, 100)), p=doses, n_targets=np.array([1, 10]), ci_low=doses,
        ci_high=doses,
    )  # fmt: skip
    assert curve.note == "" and curve.controls.shape == (len(curve.doses), 100)
    assert curve.origin in results.INTERVENTION_ORIGINS


def test_origins_are_the_three_of_interventions() -> None:
    """A network's forward pass was changed, recorded units were masked, or it really happened."""
    assert results.INTERVENTION_ORIGINS == ("simulated", "virtual", "measured")
