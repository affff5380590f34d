"""Shape against texture: published biases, and our network's own answers to the same images."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from neuroai.analyses.computation.shape_bias import shape_bias
from neuroai.experiment.api import compare
from neuroai.systems.brain import brains_of, published_networks

# Published in percent with one digit.
PUBLISHED = {
    "alexnet-2019": 42.9, "googlenet-2019": 31.2, "vgg16-2019": 17.2, "resnet50-2019": 22.1,
    "human": 95.9,
}  # fmt: skip
ONE_DIGIT = 0.05

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def holdings(dataset_of):
    """The data set with persons and one published network: the others are asked alike."""
    full = dataset_of("geirhos2019")
    kept = tuple(s for s in full.systems if s.name in ("human", "alexnet-2019"))
    return dataclasses.replace(full, systems=kept)


@pytest.fixture(scope="module")
def results(holdings, mobilenet):
    """MobileNet beside persons and AlexNet."""
    return compare(holdings, mobilenet, n_bootstrap=50, n_null=19, lesions="none")


def _one(results, **wanted):
    rows = [s for s in results.scores if all(getattr(s, k) == v for k, v in wanted.items())]
    assert len(rows) == 1, wanted
    return rows[0]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_shape_bias(dataset_of, name):
    """Pooled decisions on 1,200 conflicting images give the published percentage."""
    full = dataset_of("geirhos2019")
    system = next(s for s in (*brains_of(full), *published_networks(full)) if s.name == name)
    answer = shape_bias(system, task=full.tasks[0])
    found = 100 * answer.data["pooled"].item()
    assert found == pytest.approx(PUBLISHED[name], abs=ONE_DIGIT)


def test_persons_agree_by_a_third(results):
    """Human-human kappa over all 1,280 images is 0.331: the ceiling of error consistency."""
    score = _one(
        results, analysis="choices: cue-conflict", metric="error-consistency", model="alexnet-2019"
    )
    assert score.ceiling_low == pytest.approx(0.331, abs=0.0005)
    assert math.isnan(score.ceiling_high) and score.n_stimuli == 1280


def test_our_network_is_matched_by_the_name_of_the_image(results, holdings, mobilenet):
    """Kappa uses the 240 images at hand, each trial joined by the image's own name."""
    score = _one(
        results, analysis="choices: cue-conflict", metric="error-consistency",
        model="mobilenet_v1_0.25_224",
    )  # fmt: skip
    assert score.n_stimuli == 240
    assert score.note.startswith("1040 stimuli without an answer on both sides dropped")
    from neuroai.systems.load import load_model

    stimuli, task = holdings.stimuli.where("task", "cue-conflict"), holdings.tasks[0]
    ours = load_model(mobilenet).choices(task, stimuli)
    right = dict(zip(ours.stimulus_id.values, ours.choice.values == ours.truth.values, strict=True))
    table = holdings.systems[0].behaviour[0]
    assert table.attrs["task"] == "cue-conflict"
    kappas = []
    for person in np.unique(table.subject.values.astype(str)):
        mine = table.isel(trial=table.subject.values.astype(str) == person)
        pairs = [
            (bool(correct), right[key])
            for key, correct in zip(mine.stimulus_id.values, mine.correct.values, strict=True)
            if key in right
        ]
        assert len(pairs) == 240
        kappas.append(cohen_kappa_score(*zip(*pairs, strict=True)))
    assert score.value == pytest.approx(np.mean(kappas), abs=1e-10)


def test_our_network_prefers_texture(results):
    """Its shape bias on the 240 conflicting images is 0.33, far below that of persons."""
    ours = _one(
        results, analysis="shape_bias: cue-conflict", metric="value", model="mobilenet_v1_0.25_224"
    )
    assert ours.value == pytest.approx(0.33, abs=0.005)
    persons = _one(
        results, analysis="shape_bias: cue-conflict", metric="value", brain_region="human"
    )
    assert "pooled over subjects 0.9587" in persons.note
    difference = _one(
        results, analysis="shape_bias: cue-conflict", metric="shape-bias-difference",
        model="mobilenet_v1_0.25_224",
    )  # fmt: skip
    assert difference.value < -0.5 and difference.ci_high < 0


@pytest.mark.parametrize("task", ["edges", "silhouettes"])
def test_our_network_without_texture(results, task):
    """It is right on 36 % of 160 images without texture, where persons are right on most."""
    options = {"analysis": f"accuracy: {task}", "metric": "value"}
    ours = _one(results, model="mobilenet_v1_0.25_224", **options)
    assert ours.n_stimuli == 160 and ours.value == pytest.approx(0.36, abs=0.005)
    assert _one(results, brain_region="human", **options).value > 0.7


def test_what_persons_were_not_asked_is_said(results):
    """No recordings were made: algorithm and implementation are not measurable."""
    said = {(s.level, s.brain_region) for s in results.scores if s.status == "not_measurable"}
    assert {("algorithm", "human"), ("implementation", "human")} <= said
    assert results.answers and {a.form for a in results.answers} == {"confusion"}
