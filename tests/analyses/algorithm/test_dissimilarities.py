"""Distances that know the noise, from labelled recordings: whitened, cross-validated, of rates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm

from neuroai.analyses.algorithm._dissimilarities import _residuals
from neuroai.analyses.algorithm.rdm import rdm
from neuroai.format.answers import NotMeasurable
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.noise_precision import noise_covariance
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model

EXACT = 1e-8  # float64, against a precision that was inverted
N_STIMULI, N_RUNS, N_UNITS = 6, 4, 9


def _brain(values, shown, *, run=None, **columns):
    extra = {} if run is None else {"run": [str(r) for r in run]}
    rec = recording(
        values, stimulus_id=list(shown), unit_id=[f"u{i}" for i in range(values.shape[1])],
        region="V1", system="brain", kind="brain", stimulus_set="s", subject="p1",
        modality="single units", physical_unit="spikes", presentation={**extra, **columns},
    )  # fmt: skip
    table = pd.DataFrame({"stimulus_id": sorted(set(shown))})
    facts = SystemData("brain", "brain", "none", recordings=(rec,))
    return Recorded(data=facts, stimuli=stimulus_set(table, name="s"))


@pytest.fixture
def runs():
    """Simulated: six stimuli in four runs, patterns with correlated noise and a drift of runs."""
    rng = np.random.default_rng(0)
    shown = np.tile([f"s{i}" for i in range(N_STIMULI)], N_RUNS)
    run = np.repeat(np.arange(N_RUNS), N_STIMULI)
    signal = rng.standard_normal((N_STIMULI, N_UNITS))
    noise = rng.standard_normal((len(run), N_UNITS)) @ rng.standard_normal((N_UNITS, N_UNITS))
    values = np.tile(signal, (N_RUNS, 1)) + noise + rng.standard_normal((N_RUNS, N_UNITS))[run]
    return values, shown, run


@pytest.mark.parametrize("distance", ["crossnobis", "mahalanobis"])
def test_whitened_distances_are_those_of_rsatoolbox(runs, distance):
    """With the precision of what stimuli and runs leave of the showings."""
    values, shown, run = runs
    found = rdm(_brain(*runs[:2], run=run), distance=distance)
    residuals, dof = _residuals(values, shown, run.astype(str))
    precision = np.linalg.inv(noise_covariance(residuals, dof=dof).covariance)
    data = Dataset(values, obs_descriptors={"c": shown, "r": run.astype(float)})
    options = {"cv_descriptor": "r"} if distance == "crossnobis" else {}
    peer = calc_rdm(data, method=distance, descriptor="c", noise=precision, **options)
    assert np.abs(found.data["rdm"].values[0, 0] - peer.get_matrices()[0]).max() < EXACT
    assert found.parameters["distance"] == distance and "degrees of freedom" in found.notes[0]
    assert dof == N_RUNS * N_STIMULI - N_STIMULI - (N_RUNS - 1)


def test_the_order_of_showings_changes_nothing(runs):
    """Rows are found by stimulus and run."""
    values, shown, run = runs
    order = np.random.default_rng(1).permutation(len(run))
    one = rdm(_brain(values, shown, run=run), distance="crossnobis")
    other = rdm(_brain(values[order], shown[order], run=run[order]), distance="crossnobis")
    assert np.abs(one.data["rdm"].values - other.data["rdm"].values).max() < EXACT


def test_rates_have_a_divergence_of_their_own():
    """That of rsatoolbox; values below 0 are no rates."""
    counts = np.random.default_rng(2).poisson(3.0, (5, 8)).astype(float)
    ids = [f"s{i}" for i in range(5)]
    found = rdm(_brain(counts, ids), distance="poisson-kl").data["rdm"].values[0, 0]
    assert (
        np.abs(found - calc_rdm(Dataset(counts), method="poisson").get_matrices()[0]).max() < EXACT
    )
    answer = rdm(_brain(counts - 5, ids), distance="poisson-kl")
    assert "no rates of spikes" in answer.reason


def test_a_network_has_no_noise_to_whiten(stimuli_of_digits):
    """Its distances are squared Euclidean ones under the brain's name, and the note says so."""
    model = load_model("builtin:small_convnet", layers=["fc2"])
    plain = rdm(model, stimuli=stimuli_of_digits, distance="squared-euclidean")
    for distance in ("crossnobis", "mahalanobis"):
        found = rdm(model, stimuli=stimuli_of_digits, distance=distance)
        assert np.array_equal(found.data["rdm"].values, plain.data["rdm"].values)
        assert "no noise to whiten" in found.notes[0]


@pytest.fixture
def stimuli_of_digits():
    """Five noise images."""

    def load(key):
        return np.random.default_rng(int(key[1:])).integers(0, 255, (8, 8), dtype=np.uint8)

    return stimulus_set(
        pd.DataFrame({"stimulus_id": [f"s{i}" for i in range(5)]}), name="noise", load=load
    )


@pytest.mark.parametrize(
    ("distance", "change", "said"),
    [
        ("crossnobis", {"run": None}, "needs two runs or more"),
        ("mahalanobis", {"once": True}, "shown more than once"),
        ("crossnobis", {"means": True}, "means over showings"),
    ],
)
def test_what_noise_cannot_be_known_of_is_not_measurable(runs, distance, change, said):
    """No runs, no repeats, or means of showings."""
    values, shown, run = runs
    if "once" in change:
        values, shown, run = values[:N_STIMULI], shown[:N_STIMULI], None
    columns = {"n_repeats": np.full(len(shown), 3.0)} if "means" in change else {}
    given = None if change.get("run", run) is None else run
    answer = rdm(_brain(values, shown, run=given, **columns), distance=distance)
    assert isinstance(answer, NotMeasurable) and said in answer.reason


def test_units_without_noise_are_left_out_and_told(runs):
    """A unit that gives the same at every showing of a stimulus cannot be whitened."""
    values, shown, run = runs
    values = np.column_stack([values, np.tile(np.arange(N_STIMULI), N_RUNS)])
    answer = rdm(_brain(values, shown, run=run), distance="crossnobis")
    assert "1 units without noise left out" in answer.notes[0]
    expected = rdm(_brain(values[:, :-1], shown, run=run), distance="crossnobis")
    assert np.allclose(answer.data["rdm"].values, expected.data["rdm"].values)


def test_many_units_are_whitened_by_their_variances(runs, monkeypatch):
    """The note says that covariances were left out."""
    from neuroai.analyses.algorithm import _dissimilarities

    monkeypatch.setattr(_dissimilarities, "MOST_UNITS", 3)
    answer = rdm(_brain(runs[0], runs[1], run=runs[2]), distance="mahalanobis")
    assert "by their variances" in answer.notes[0]
    assert np.isfinite(answer.data["rdm"].values).all()
