"""Calibration as a question: persons by their ratings, networks by their probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from neuroai.analyses.computation.calibration import calibration
from neuroai.cards import ChoiceTask
from neuroai.errors import DataError
from neuroai.format.answers import NotMeasurable
from neuroai.systems.load import load_model
from neuroai.testing import EXACT, chooser

TASK = ChoiceTask(name="task", options=("a", "b"), truth="truth")


def test_subjects_have_their_own_curve():
    """Brier score and bins of each person, from that person's trials alone."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 60)
    truth = rng.choice(["a", "b"], 60)
    choice = np.where(rng.random(60) < confidence, truth, np.where(truth == "a", "b", "a"))
    subject = np.repeat(["p", "q"], 30)
    answer = calibration(
        chooser({"subject": subject, "truth": truth, "choice": choice, "confidence": confidence}),
        task=TASK, n_bins=4,
    )  # fmt: skip
    for name in ("p", "q"):
        mine, here = subject == name, answer.data.sel(subject=name, region="behaviour")
        right = (choice == truth)[mine].astype(float)
        assert here.value.item() == pytest.approx(
            brier_score_loss(right, confidence[mine]), abs=EXACT
        )
        top = confidence[mine] > 0.75
        assert here.accuracy_by_bin.values[3] == pytest.approx(right[top].mean(), abs=EXACT)
        assert here.n_by_bin.values.tolist() == [0, 0, (~top).sum(), top.sum()]
    assert answer.undefined["empty bins"] == 4
    assert answer.parameters["n_bins"] == 4 and answer.parameters["binning"] == "width"


def test_trials_without_confidence_are_counted():
    """A missing rating is left out; no rating at all is not measurable."""
    person = chooser({"truth": ["a", "a"], "choice": ["a", "b"], "confidence": [0.5, np.nan]})
    answer = calibration(person, task=TASK)
    assert answer.undefined["trials without a confidence or an outcome"] == 1
    assert answer.data.n.item() == 1
    silent = calibration(chooser({"truth": ["a"], "choice": ["a"]}), task=TASK)
    assert silent == NotMeasurable("'toy' states no confidence on the task 'task'")


def test_a_network_is_confident_by_its_probability(small_images):
    """The confidence is the share of the choice among the options, at least 1 / n_options."""
    network = load_model("builtin:small_convnet?seeds=0")
    task = ChoiceTask(name="digits", options=("0", "1", "2"), truth="category")
    answer = calibration(network, task=task, stimuli=small_images, binning="count", n_bins=2)
    assert answer.parameters["confidence"] == "probability"
    assert answer.parameters["choice_by"] == "outputs"
    assert (answer.data.confidence_by_bin.values >= 1 / 3).all()
    np.testing.assert_allclose(answer.data.n_by_bin.sum(), len(small_images.ids))


def test_a_readout_is_confident_by_its_posterior(network, images):
    """A readout of noise is too sure of itself; its calibration error says so."""
    task = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)
    good, bad = (
        calibration(network, task=task, stimuli=images, readout_region=layer).data.value.mean()
        for layer in ("layer2", "layer1")
    )
    assert good < 0.05 < 0.2 < bad


def test_ratings_that_are_no_probabilities_are_refused():
    """A scale of 1 to 5 must be rescaled by whoever knows what it means."""
    person = chooser({"truth": ["a", "a"], "choice": ["a", "b"], "confidence": [5.0, 1.0]})
    with pytest.raises(DataError, match="Rescale ratings"):
        calibration(person, task=TASK)
