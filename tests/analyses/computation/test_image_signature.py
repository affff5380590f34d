"""Image-level signatures as a question, and two of them compared."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.analyses.computation.image_signature import image_signature
from neuroai.cards import ChoiceTask
from neuroai.comparison.compare import compare
from neuroai.comparison.paired import Context
from neuroai.comparison.signatures import compare_signatures
from neuroai.comparison.statistics.inference import Inference
from neuroai.errors import UsageError
from neuroai.numerics.signatures import image_signature as signature_of
from neuroai.testing import EXACT, STANDARD_ERRORS, chooser

OPTIONS = ("a", "b", "c")
TASK = ChoiceTask(name="task", options=OPTIONS, truth="truth")
N_IMAGES = 30
CONTEXT = Context(level="computation", dataset="toy")
FEW = Inference(n_bootstrap=50, n_null=0)


def observer(seed: int, *, n_trials: int = 40, hard: np.ndarray | None = None):
    """Two persons who name 30 images of three objects; which are hard is the same for everyone."""
    rng = np.random.default_rng(seed)
    hard = np.random.default_rng(99).uniform(0.3, 0.95, N_IMAGES) if hard is None else hard
    image = np.tile(np.arange(N_IMAGES), n_trials)
    truth = np.array(OPTIONS)[image % 3]
    wrong = np.array(OPTIONS)[(image + rng.integers(1, 3, len(image))) % 3]
    choice = np.where(rng.random(len(image)) < hard[image], truth, wrong)
    return chooser({
        "subject": np.repeat(["p", "q"], len(image) // 2), "truth": truth, "choice": choice,
        "stimulus_id": [f"i{i:02d}" for i in image],
    })  # fmt: skip


@pytest.mark.parametrize("signature", ["i1", "i1n", "i2", "i2n"])
def test_equals_the_signature_of_the_counts(signature):
    """Trials of both persons are added up by image and option."""
    system = observer(0)
    answer = image_signature(system, task=TASK, signature=signature, n_splits=0)
    table = system.data.behaviour[0].to_dataframe()
    counts = np.array([
        [((table["stimulus_id"] == f"i{i:02d}") & (table["choice"] == o)).sum() for o in OPTIONS]
        for i in range(N_IMAGES)
    ])  # fmt: skip
    expected = signature_of(counts, np.arange(N_IMAGES) % 3, signature=signature)
    if signature.startswith("i2"):
        np.testing.assert_allclose(answer.data.per_pair.values[0, 0], expected, atol=EXACT)
        expected = np.nanmean(expected, axis=1)
    np.testing.assert_allclose(answer.data.per_stimulus.values[0, 0], expected, atol=EXACT)
    assert answer.subjects == ("group",) and answer.parameters["signature"] == signature


def test_two_options_a_trial_are_known_by_the_distractor():
    """With the column distractor, what was on offer is counted, not the options of the task."""
    system = chooser({
        "stimulus_id": ["i"] * 6 + ["j"] * 6, "truth": ["a"] * 6 + ["b"] * 6,
        "choice": ["a", "a", "b", "a", "c", "a", "b", "b", "a", "b", "b", "c"],
        "distractor": ["b", "b", "b", "c", "c", "c", "a", "a", "a", "c", "c", "c"],
    })  # fmt: skip
    answer = image_signature(system, task=TASK, signature="i2", n_splits=0)
    found = answer.data.per_pair.sel(stimulus="i", choice="b").item()
    chosen, offered = np.array([[4, 1, 1], [1, 4, 1]]), np.array([[6, 3, 3], [3, 6, 3]])
    expected = signature_of(chosen, np.array([0, 1]), offered=offered, signature="i2")[0, 1]
    assert found == pytest.approx(expected, abs=EXACT)


def test_halves_hold_every_trial_once():
    """Hits of the two halves add up: their mean rate is that of all trials, image by image."""
    answer = image_signature(observer(1), task=TASK, n_splits=4)
    halves = answer.data.per_half.values[0, 0]
    assert halves.shape == (4, 2, N_IMAGES) and np.isfinite(halves).all()
    assert len({half.tobytes() for half in halves.reshape(8, -1)}) == 8
    whole = answer.data.per_stimulus.values[0, 0]
    assert np.corrcoef(halves.mean(axis=(0, 1)), whole)[0, 1] > 0.98


def test_correction_brings_noisy_twins_to_one():
    """Over six pairs of observers of one truth the corrected correlation is 1, the plain is not."""
    values = []
    for seed in range(6):
        a, b = (image_signature(observer(seed + 10 * i), task=TASK) for i in (1, 2))
        (plain,) = compare(a, b, metric="signature-correlation", context=CONTEXT, inference=FEW)
        (found,) = compare_signatures(a, b, context=CONTEXT, inference=FEW)
        assert plain.value < found.value and found.n_stimuli == N_IMAGES
        assert "not corrected" in found.note
        values.append((plain.value, found.value))
    plain, corrected = np.array(values).T
    error = corrected.std(ddof=1) / np.sqrt(len(corrected))
    assert plain.max() < 0.9
    assert abs(corrected.mean() - 1) < STANDARD_ERRORS * error


def test_unlike_observers_stay_apart():
    """Where other images are hard, the corrected correlation does not reach 1."""
    other = np.random.default_rng(7).uniform(0.3, 0.95, N_IMAGES)
    a = image_signature(observer(2), task=TASK)
    b = image_signature(observer(4, hard=other), task=TASK)
    (found,) = compare_signatures(a, b, context=CONTEXT, inference=FEW)
    assert found.ci_high < 1


def test_one_answer_an_image_has_no_noise(network, images):
    """A deterministic network is its own half; a person who met each image once has none."""
    task = ChoiceTask(name="naming", options=("cat", "dog", "oven"), truth="category", readout=True)
    answer = image_signature(network, task=task, stimuli=images, pool=False, n_splits=2)
    halves = answer.data.per_half.values
    np.testing.assert_array_equal(halves[:, :, :, 0], halves[:, :, :, 1])
    once = chooser({"truth": ["a", "b"], "choice": ["a", "b"]})
    single = image_signature(once, task=TASK)
    assert "per_half" not in single.data
    assert single.notes == ("no image was shown twice: its trials cannot be split into halves",)
    with pytest.raises(UsageError, match="with n_splits > 0, where images were shown twice"):
        compare_signatures(single, single, context=CONTEXT)


def test_other_signatures_are_not_compared():
    """i1 and i1n are not the same thing."""
    a, b = (image_signature(observer(5), task=TASK, signature=s) for s in ("i1", "i1n"))
    with pytest.raises(UsageError, match="Both sides need the same signature; got i1 and i1n"):
        compare_signatures(a, b, context=CONTEXT)
