"""The demonstration recovers what was planted, through files, on both sides and at all levels."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from neuroai.cli import main
from neuroai.experiment.demo import LAYERS, N_EACH, PLACES, run_demo, through_files
from neuroai.experiment.demo_brain import SILENCING, SUBJECTS, demo_stimuli, digit_images
from neuroai.experiment.demo_files import NEURONS, SCALP
from neuroai.experiment.demo_signals import (
    GAPS,
    LASER_LEFT,
    TR,
    bold,
    double_gamma,
    firing,
    mixed,
    scanner_trials,
)
from neuroai.sources.fmri_glm import estimate
from neuroai.systems.load import load_model

FEW = 1e-12  # rounding of sums in double precision
SINGLE = 1e-7  # one image, divided by 255 in single precision
SAMPLED = 0.05  # four standard errors of counts of 60 trials, or of 40,000 mixed units
# Two shapes of the response and the noise of one run leave this much of a planted pattern.
ALIKE = 0.6
STEP = 0.01  # s, and the height that the response may miss between two steps


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the demonstration keeps its files."""
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def demo(kept):
    """The demonstration as the command runs it."""
    return run_demo(folder=kept)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Files of a brain that mixes an untrained network, and what was read from them."""
    folder = tmp_path_factory.mktemp("files")
    network = load_model("builtin:small_convnet?init=random&seeds=7", layers=LAYERS)
    stimuli = demo_stimuli(*digit_images(), n_each=N_EACH)
    return folder, through_files(folder, network, stimuli, seed=1), network


@pytest.mark.slow
def test_everything_planted_is_recovered(demo):
    """Layers, modules, latency, laser, silencing and training: every line of the truth is found."""
    assert [line for line in demo.truth if not line.found] == []
    names = " ".join(line.name for line in demo.truth)
    for word in (
        "BIDS NIfTI",
        "FIF",
        "NWB",
        "_beh.tsv",
        "mixed in V1",
        "mixed in IT neurons",
        SCALP,
    ):
        assert word in names
    assert len(demo.truth) == 13


@pytest.mark.slow
def test_it_says_that_it_is_simulated(demo):
    """The flag is set, and the methods say so first."""
    assert demo.simulated and demo.methods[0].startswith("The brain is simulated")


@pytest.mark.slow
def test_both_sides_answer_every_level(demo):
    """Brain and network have choices, RDMs and lesions; only similarity was not judged."""
    assert [line.question for line in demo.not_measured] == ["similarity"]
    # Seeds that make no mistake on these digits have no confusions to correlate: said, not 0.
    undefined = {s.metric for s in demo.scores if s.status == "undefined"}
    assert undefined <= {"confusion-correlation"}
    assert {s.analysis for s in demo.scores if s.status == "not_measurable"} == {"similarity"}
    questions = {s.analysis for s in demo.scores}
    assert {"choices: digit", "accuracy: digit", "rdm", "responses"} <= questions
    assert {c.origin for c in demo.dose_curves} == {"simulated", "virtual", "measured"}
    assert {a.form for a in demo.answers} >= {"rdm", "confusion"}


@pytest.mark.slow
def test_three_seeds_and_their_twin(demo):
    """Seeds are the model's subjects; the untrained twin is a control, held fixed likewise."""
    rows = [s for s in demo.scores if s.metric == "rdm-spearman" and s.analysis == "rdm"]
    kinds = {s.candidate_kind: s.n_model_subjects for s in rows if s.candidate_kind != "subject"}
    assert kinds == {"model": 3, "untrained": 3}
    assert all("3 seeds held fixed" in s.note for s in rows if s.candidate_kind == "model")


@pytest.mark.slow
def test_provenance(demo):
    """Weights of all seeds, versions and the seed of the draws are kept."""
    provenance = demo.provenance
    hashes = [h for m in provenance["models"] for h in m["weights_sha256"].values()]
    assert len(set(hashes)) == 6 and provenance["options"]["seed"] == 0
    assert provenance["packages"]["numpy"] != "not installed"
    assert math.isfinite(provenance["seconds"])


def test_every_kind_of_file_is_read_back(written):
    """Each subject has EEG, units and fMRI of 120 trials, and choices, in their own regions."""
    _, holdings, _ = written
    (system,) = holdings.systems
    assert holdings.card.simulated and system.name == "simulated brain"
    got = {(r.attrs["subject"], r.attrs["modality"]) for r in system.recordings}
    assert got == {(s, m) for s in SUBJECTS for m in ("EEG", "single units", "fMRI")}
    assert {r.sizes["presentation"] for r in system.recordings} == {120}
    regions = {str(v) for r in system.recordings for v in r["region"].values}
    assert regions == {place for place, _ in PLACES}
    voxels = [r.sizes["unit"] for r in system.recordings if r.attrs["modality"] == "fMRI"]
    assert max(voxels) <= 1000
    assert holdings.stimuli.available == holdings.stimuli.ids


def test_the_images_are_what_the_networks_saw(written):
    """A stimulus read from its PNG becomes the tensor that the array became."""
    _, holdings, network = written
    stimuli = demo_stimuli(*digit_images(), n_each=N_EACH)
    for key in stimuli.ids[:3]:
        arrays = [network.preprocess(s.load(key)).numpy() for s in (stimuli, holdings.stimuli)]
        np.testing.assert_allclose(*arrays, atol=SINGLE)


def test_the_laser_is_read_with_its_trials(written):
    """Units of the module fire a fifth under the laser, the others as before."""
    _, holdings, _ = written
    units = next(r for r in holdings.systems[0].recordings if NEURONS in r["region"].values)
    lit = units["intervention"].values == SILENCING
    assert lit.sum() == 60
    share = units.values[lit].mean(axis=0) / units.values[~lit].mean(axis=0)
    n_planted = holdings.truth["modules"][NEURONS]
    assert abs(share[:n_planted].mean() - LASER_LEFT) < SAMPLED
    assert abs(share[n_planted:].mean() - 1) < SAMPLED


def test_check_knows_every_file_and_the_description(written, capsys):
    """The command that a laboratory runs on its own files finds nothing wrong with these."""
    folder, _, _ = written
    assert main(["check", str(folder)]) == 0
    said = capsys.readouterr().out
    for words in ("4 subjects with data", "NWB file", "WRONG"):
        assert (words in said) is (words != "WRONG"), words
    assert main(["check", str(folder / "demo.toml")]) == 0
    assert "60 stimuli, 60 of them at hand" in capsys.readouterr().out


def test_every_file_says_that_it_is_simulated(written):
    """README, description of the data set and of the run, and the headers of the recordings."""
    folder, _, _ = written
    texts = [folder / "README", folder / "dataset_description.json", folder / "demo.toml"]
    recordings = [next(folder.rglob(f"*{end}")) for end in (".nwb", "_eeg.fif")]
    for path in (*texts, *recordings):
        assert b"SIMULATED" in Path(path).read_bytes(), path


def test_the_response_peaks_after_five_seconds():
    """The double gamma rises from 0 to 1 after 5 s, and falls below 0 before it ends."""
    fine = np.arange(0, 30, STEP)
    response = double_gamma(fine)
    assert response[0] == 0 and abs(response.max() - 1) < STEP
    assert abs(fine[response.argmax()] - 5) < 5 * STEP and response.min() < -5 * STEP


def test_trials_of_the_scanner_come_at_whole_scans():
    """Every stimulus is shown once, 3 to 6 s after the one before."""
    shown = scanner_trials(20, np.random.default_rng(0))
    assert sorted(shown.order) == list(range(20))
    assert set(np.diff(shown.onsets)) <= set(GAPS)
    np.testing.assert_allclose(shown.onsets / TR, np.round(shown.onsets / TR), atol=FEW)


def test_planted_patterns_come_back_from_a_run():
    """Single-trial betas of a made run are like the planted patterns, voxel by voxel."""
    import pandas as pd

    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((20, 30))
    shown = scanner_trials(20, rng)
    values = bold(shown, patterns, rng)
    events = pd.DataFrame({"onset": shown.onsets, "duration": 1.0, "trial_type": "a"})
    betas, _ = estimate(100 * (values / values.mean(axis=0) - 1), events, tr=TR, model="lsa")
    found = np.corrcoef(betas.ravel(), patterns[shown.order].ravel())[0, 1]
    assert found > ALIKE


def test_a_mixture_keeps_correlations():
    """With many units the correlations of patterns are those of the layer."""
    rng = np.random.default_rng(0)
    layer = rng.random((6, 40))
    found = np.corrcoef(mixed(layer, 40_000, rng))
    np.testing.assert_allclose(found, np.corrcoef(layer), atol=SAMPLED)


def test_the_laser_takes_firing_from_the_module_alone():
    """Rates by hand: 25 spikes a second and half of that a standard deviation."""
    patterns = np.array([[1.0, -1.0]])
    rates = firing(patterns, np.array([False, True]), np.array([True, False]), np.array([0, 0]))
    np.testing.assert_allclose(rates, [[37.5, 12.5], [7.5, 12.5]])
