"""Measured interventions: accuracies by hand, intervals, and p beside sham."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from neuroai.cards import ChoiceTask
from neuroai.experiment.measured import measured_curves
from neuroai.format.build import behaviour
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.testing import EXACT, STANDARD_ERRORS

TASK = ChoiceTask(name="go", options=("go", "stay"), truth="truth")
# Right trials of 20: (intervention, dose) by subject.
RIGHT = {
    ("none", 0.0): {"m1": 18, "m2": 16},
    ("muscimol", 0.5): {"m1": 12, "m2": 14},
    ("muscimol", 1.0): {"m1": 4, "m2": 6},
    ("sham", 0.5): {"m1": 18, "m2": 16},
    ("sham", 1.0): {"m1": 17, "m2": 17},
}


def _brain(
    right, *, n: int = 20, missing: tuple[str, ...] = (), with_dose: bool = True
) -> Recorded:
    names = ("subject", "stimulus_id", "choice", "truth", "correct", "intervention", "dose")
    columns = {name: [] for name in names}
    for (name, dose), subjects in right.items():
        for subject, hits in subjects.items():
            good = np.arange(n) < hits
            columns["subject"] += [subject] * n
            columns["stimulus_id"] += [f"s{i:02d}" for i in range(n)]
            columns["choice"] += list(np.where(good, "go", "stay"))
            columns["truth"] += ["go"] * n
            columns["correct"] += [np.nan] * n if subject in missing else list(good.astype(float))
            columns["intervention"] += [name] * n
            columns["dose"] += [dose] * n
    if not with_dose:
        columns.pop("dose")
    table = behaviour(
        columns, system="monkey", kind="brain", stimulus_set="toy", task="go", options=TASK.options
    )
    stimuli = stimulus_set(
        pd.DataFrame({"stimulus_id": [f"s{i:02d}" for i in range(n)], "truth": "go"}), name="toy"
    )
    data = SystemData("monkey", "brain", "Macaca", behaviour=(table,))
    return Recorded(data=data, stimuli=stimuli)


def test_accuracies_are_those_of_the_table():
    """Baseline and doses are means over subjects of their own accuracies."""
    [curve] = measured_curves(_brain(RIGHT), [TASK])
    assert curve.baseline == pytest.approx(0.85, abs=1e-7)
    np.testing.assert_allclose(curve.targeted, [0.65, 0.25], atol=1e-7)
    np.testing.assert_array_equal(curve.doses, [0.5, 1.0])
    assert (curve.lesion, curve.origin, curve.level) == ("muscimol", "measured", "computation")
    assert curve.controls.shape == (2, 1000)
    # Bootstrap samples of sham scatter around its accuracy with the trials' binomial error.
    error = math.sqrt(0.85 * 0.15 / 40)
    np.testing.assert_allclose(curve.controls.mean(axis=1), 0.85, atol=error)
    assert (curve.ci_low <= curve.targeted).all() and (curve.targeted <= curve.ci_high).all()


def test_p_is_that_of_fishers_test_in_one_subject():
    """Shuffling treated and sham trials of one subject gives the hypergeometric tail."""
    from scipy.stats import hypergeom

    right = {("none", 0.0): {"m": 18}, ("cold", 1.0): {"m": 13}, ("sham", 1.0): {"m": 17}}
    [curve] = measured_curves(_brain(right), [TASK])
    exact = hypergeom.cdf(13, 40, 30, 20)
    error = math.sqrt(exact * (1 - exact) / 1000)
    assert curve.p[0] == pytest.approx(exact, abs=STANDARD_ERRORS * error + 1 / 1001)


def test_p_keeps_its_level():
    """Where the intervention does nothing, at most 5 % of 400 experiments have p of .05 or less."""
    rng = np.random.default_rng(3)
    rejected, n_sims = 0, 400
    for _ in range(n_sims):
        draws = rng.binomial(20, 0.7, (3, 2))
        right = {
            key: {"m1": int(row[0]), "m2": int(row[1])}
            for key, row in zip((("none", 0.0), ("cold", 1.0), ("sham", 1.0)), draws, strict=True)
        }
        [curve] = measured_curves(_brain(right), [TASK])
        rejected += curve.p[0] <= 0.05
    # Counts are coarse, so the test is a little conservative: the lower bound is not the level's.
    assert 0 < rejected / n_sims <= 0.05 + STANDARD_ERRORS * math.sqrt(0.05 * 0.95 / n_sims)


def test_without_sham_there_is_no_p():
    """No control was run: no controls, no p, and the note says so."""
    right = {key: value for key, value in RIGHT.items() if key[0] != "sham"}
    [curve] = measured_curves(_brain(right), [TASK])
    assert curve.controls.shape == (2, 0) and np.isnan(curve.p).all()
    assert curve.note.endswith("no sham was run")


def test_a_sham_of_its_own_dose_serves_all():
    """Sham trials that carry dose 0 are the control of every dose."""
    right = {key: value for key, value in RIGHT.items() if key[0] != "sham"}
    right["sham", 0.0] = {"m1": 18, "m2": 18}
    [curve] = measured_curves(_brain(right), [TASK])
    assert curve.controls.shape == (2, 1000) and (curve.p < 0.05).all()


def test_interventions_without_doses_have_one():
    """A table without doses gives one point, of dose 1."""
    right = {("none", 0.0): {"m1": 18}, ("cold", 0.0): {"m1": 8}, ("sham", 0.0): {"m1": 17}}
    [curve] = measured_curves(_brain(right, with_dose=False), [TASK])
    assert curve.doses.tolist() == [1.0] and curve.p[0] < 0.05


def test_subjects_without_a_scored_trial_are_left_out():
    """A subject of whom nothing was scored does not make the accuracy undefined."""
    [curve] = measured_curves(_brain(RIGHT, missing=("m2",)), [TASK])
    assert curve.baseline == pytest.approx(0.9, abs=1e-7)
    np.testing.assert_allclose(curve.targeted, [0.6, 0.2], atol=1e-7)


def test_the_seed_decides_the_draws():
    """The same seed gives the same curve; the accuracies hang on no seed."""
    first, again, other = (measured_curves(_brain(RIGHT), [TASK], seed=s)[0] for s in (0, 0, 1))
    np.testing.assert_array_equal(first.controls, again.controls)
    assert not np.array_equal(first.controls, other.controls)
    np.testing.assert_allclose(first.targeted, other.targeted, atol=EXACT)


def test_no_intervention_no_curve():
    """Intact behaviour alone gives nothing, nor does a task that was not run."""
    intact = {("none", 0.0): {"m1": 18}}
    assert measured_curves(_brain(intact), [TASK]) == ()
    assert measured_curves(_brain(RIGHT), [ChoiceTask("other", ("a", "b"), "truth")]) == ()
