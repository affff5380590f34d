"""Generalisation and selectivity of planted codes, on a brain and on a network alike."""

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.algorithm.generalisation import generalisation
from neuroai.analyses.algorithm.selectivity import selectivity
from neuroai.errors import UnknownName, UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model

N_STIMULI, N_UNITS, N_RUNS = 24, 10, 3
TABLE = pd.DataFrame(
    {
        "stimulus_id": [f"i{i:02d}" for i in range(N_STIMULI)],
        "animate": np.array(["yes", "no"])[np.arange(N_STIMULI) % 2],
        "place": np.array(["left", "right", "top"])[np.arange(N_STIMULI) // 2 % 3],
        "word": [f"w{i // 4}" for i in range(N_STIMULI)],
    }
)
STIMULI = stimulus_set(
    TABLE, name="images",
    load={
        key: np.random.default_rng(k).integers(0, 256, (8, 8), dtype=np.uint8)
        for k, key in enumerate(TABLE["stimulus_id"])
    }.__getitem__,
)  # fmt: skip


def brain(step, *, simultaneous=True, seed=0):
    """Record every stimulus in three runs; animacy moves units by ``step[place]``."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((N_STIMULI, N_UNITS))
    animate, places = (TABLE["animate"] == "yes").to_numpy(), TABLE["place"]
    for place, move in step.items():
        own[animate & (places == place)] += move
    values = np.concatenate([own + rng.standard_normal(own.shape) for _ in range(N_RUNS)])
    activity = build.recording(
        values,
        stimulus_id=list(STIMULI.ids) * N_RUNS,
        unit_id=[str(i) for i in range(N_UNITS)],
        region="IT", subject="p1", system="person", kind="brain", stimulus_set="images",
        simultaneous=simultaneous,
        unit=None if simultaneous else {"session": [str(i) for i in range(N_UNITS)]},
        presentation={"run": np.repeat([str(r) for r in range(N_RUNS)], N_STIMULI)},
    )  # fmt: skip
    data = SystemData("person", "brain", "Homo sapiens", recordings=(activity,))
    return Recorded(data=data, stimuli=STIMULI)


ONE_WAY = {place: np.eye(N_UNITS)[0] * 8 for place in ("left", "right", "top")}
EACH_ITS_OWN = {place: np.eye(N_UNITS)[k] * 8 for k, place in enumerate(("left", "right", "top"))}


def test_one_code_for_all_contexts_generalises_beyond_the_null():
    """Score and cosine are high, and no turned copy of 19 reaches them."""
    answer = generalisation(brain(ONE_WAY), label="animate", context="place", n_null=19)
    found = {name: answer.data[name].item() for name in answer.data}
    assert found["value"] > 0.95 and found["parallelism"] > 0.8
    assert found["p"] == found["p_parallelism"] == 1 / 20
    assert found["n_showings"] == 12 and answer.parameters["n_null"] == 19


def test_a_code_for_every_context_is_decodable_and_does_not_generalise():
    """The same effect in three directions: the null is reached."""
    answer = generalisation(brain(EACH_ITS_OWN), label="animate", context="place", n_null=19)
    assert answer.data["value"].item() < 0.75 and abs(answer.data["parallelism"].item()) < 0.3
    assert answer.data["p_parallelism"].item() > 0.05


def test_a_code_of_many_axes_shatters_what_one_axis_cannot():
    """More splits of the six conditions are told apart where each place has its own direction."""
    options = {"label": "animate", "context": "place", "n_dichotomies": 10}
    scores = [
        generalisation(brain(step), **options).data["shattering"].item()
        for step in (ONE_WAY, EACH_ITS_OWN)
    ]
    assert scores[0] + 0.05 < scores[1]
    lone = generalisation(
        brain(ONE_WAY), label="animate", context="stimulus_id", pairings="all", n_dichotomies=5
    )
    assert "four conditions of two stimuli each" in lone.reason


def test_a_network_answers_the_same_question():
    """Layers of a network have scores from 0 to 1."""
    net = load_model("builtin:small_convnet")
    answer = generalisation(net, label="animate", context="place", stimuli=STIMULI)
    values = answer.data["value"].values
    assert answer.kind == "model" and ((values >= 0) & (values <= 1)).all()


def test_a_design_that_cannot_generalise_says_so():
    """One context a class, one class, or units that were not recorded together."""
    system = brain(ONE_WAY)
    lone = generalisation(system, label="word", context="word")
    assert "occurs in one 'word' only" in lone.reason
    nested = generalisation(system, label="animate", context="stimulus_id")
    assert "pairings='all' holds out a value of its own" in nested.reason
    answer = generalisation(system, label="animate", context="stimulus_id", pairings="all")
    assert answer.data["value"].item() > 0.95 and "parallelism" not in answer.data
    apart = generalisation(brain(ONE_WAY, simultaneous=False), label="animate", context="place")
    assert isinstance(apart, NotMeasurable) and "pseudo=True" in apart.reason
    joined = generalisation(
        brain(ONE_WAY, simultaneous=False), label="animate", context="place", pseudo=True
    )
    assert any("as if they had been" in note for note in joined.notes)
    with pytest.raises(UnknownName, match="Did you mean 'place'"):
        generalisation(system, label="animate", context="plac")


def test_a_planted_class_is_selective_and_memory_is_not():
    """Few units read out the class but not random labels; noise has no class to read."""
    planted = selectivity(brain(ONE_WAY), label="animate")
    assert planted.data["accuracy"].item() > 0.95
    assert planted.data["value"].item() > 0.15
    difference = planted.data["accuracy"] - planted.data["control_accuracy"]
    assert planted.data["value"].item() == pytest.approx(difference.item())
    nothing = [
        selectivity(brain({}, seed=s), label="animate").data["value"].item() for s in range(12)
    ]
    assert abs(np.mean(nothing)) < 4 * np.std(nothing) / np.sqrt(len(nothing))


def test_a_network_needs_items_that_repeat():
    """Shown once, its stimuli cannot be memorised across folds; its words can."""
    net = load_model("builtin:small_convnet")
    alone = selectivity(net, label="animate", stimuli=STIMULI)
    assert "no 'stimulus_id' comes more than once" in alone.reason
    words = selectivity(net, label="animate", item="word", stimuli=STIMULI)
    assert np.isfinite(words.data["value"].values).all()


def test_options_without_sense_are_refused():
    """No controls, one fold, an unknown probe."""
    with pytest.raises(UsageError, match="n_controls >= 1 and n_folds >= 2; got 0, 5"):
        selectivity(brain({}), label="animate", n_controls=0)
    with pytest.raises(UsageError, match="classifier must be one of"):
        selectivity(brain({}), label="animate", classifier="svm")
