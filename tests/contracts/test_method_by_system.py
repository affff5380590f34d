"""Method by system: every analysis on every kind of system gives finite numbers or a reason.

The table says where an analysis is defined; run with ``-s`` to see it with what came out.
Shuffled showings and trials give identical results for every analysis.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neuroai.analyses.catalogue import LEVELS
from neuroai.analyses.implementation.dose_curve import dose_curve
from neuroai.analyses.implementation.localiser import element_means, localise
from neuroai.cards import ChoiceTask, Contrast
from neuroai.experiment.lesioned import masked_activity
from neuroai.format import build
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.numerics.distances import squared_euclidean
from neuroai.registry import Entry
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded
from neuroai.systems.lesion import Lesion
from neuroai.systems.load import load_model

IDENTICAL = 1e-12  # Sums in another order, in double precision.
N_SHUFFLES = 100
N_STIMULI = 24
OPTIONS = ("0", "1", "2")
TASK = ChoiceTask(name="naming", options=OPTIONS, truth="category", readout=True)
PAIRS = ChoiceTask(name="pairs", options=(), truth="category")
CONTRAST = Contrast(column="animate", positive=("1",), negative=("0",))
# Draws that only sharpen a mean; the table asks whether there is a number.
FEW = {"capacity": {"n_samples": 20}, "selectivity": {"n_controls": 2}}

RECORDED = {"fMRI-like", "EEG-like", "spikes-like"}
NETWORKS = {"convolutional net", "transformer"}
CHOOSING = {*RECORDED, "behaviour only", *NETWORKS}
SYSTEMS = ("fMRI-like", "EEG-like", "spikes-like", "behaviour only", *sorted(NETWORKS))
# Where each analysis is defined. Choices are recorded, made by outputs, or read out of activity;
# judgements are rated or, for networks, taken from activity; a brain that was not asked says so.
DEFINED = {
    "accuracy": CHOOSING,
    "choices": CHOOSING,
    "confusions": CHOOSING,
    "shape_bias": CHOOSING,
    "similarity": {"behaviour only", *NETWORKS},
    "odd_one_out": NETWORKS,
    "signal_detection": CHOOSING,
    # Persons of the table state no confidence; outputs and readouts do.
    "calibration": {*RECORDED, *NETWORKS},
    "image_signature": CHOOSING,
    # Nobody was timed, and a network takes no time unless a proxy is asked for.
    "reaction_time": set(),
    # The images have no levels, sessions or two options, and persons read no words.
    "psychometric": set(),
    "choice_glm": set(),
    "psychophysical_kernel": set(),
    "rational_models": set(),
    "learning_curve": set(),
    "word_regression": set(),
    # Trials are drawn from the images, and activity chooses.
    "oddity": {*RECORDED, *NETWORKS},
    # Choices of persons have an order; what is labelled is the choice.
    "transitions": {"behaviour only"},
    "rdm": {*RECORDED, *NETWORKS},
    # A layer is no time: only recordings over time have RDMs over time.
    "rdm_over_time": {"EEG-like"},
    # Neither voxels of the table nor tokens have a place; feature maps have.
    "searchlight": {"convolutional net"},
    "searchlight_decoding": {"convolutional net"},
    # Units recorded one by one have no population pattern of a single showing.
    "decoding": {"fMRI-like", "EEG-like", *NETWORKS},
    "generalisation": {"fMRI-like", "EEG-like", *NETWORKS},
    "selectivity": {"fMRI-like", "EEG-like", *NETWORKS},
    "dimensionality": {*RECORDED, *NETWORKS},
    "capacity": {*RECORDED, *NETWORKS},
    # Paths need time: neither a map of voxels nor a layer of these networks has one.
    "trajectories": {"EEG-like"},
    "rotations": {"EEG-like"},
    "demixing": {*RECORDED, *NETWORKS},
    "responses": {*RECORDED, *NETWORKS},
    "encoding": {*RECORDED, *NETWORKS},
    "localiser": {*RECORDED, *NETWORKS},
    "dose_curve": {*RECORDED, *NETWORKS},
    "contributions": {*RECORDED, *NETWORKS},
    # A connection takes two regions or layers.
    "functional_connectivity": {"fMRI-like", "EEG-like", *NETWORKS},
    # No brain of the table has lesions; networks are lesioned at random.
    "lesion_symptom": NETWORKS,
    "tuning": {*RECORDED, *NETWORKS},
    # Attention connects features by no weight of its own.
    "wiring": {"convolutional net"},
    # None of the table was perturbed by an experiment.
    "perturbation": set(),
}
ENTRIES = {e.card.name: e for registry in LEVELS.values() for e in registry.entries()}


@functools.cache
def images() -> StimulusSet:
    """Make 24 images of three categories, half of them with the texture of another."""
    rng = np.random.default_rng(7)
    pixels = {f"i{i:02d}": rng.integers(0, 256, (8, 8), dtype=np.uint8) for i in range(N_STIMULI)}
    rows = [
        {
            "stimulus_id": key,
            "category": OPTIONS[i % 3],
            "shape": OPTIONS[i % 3],
            "texture": OPTIONS[(i + i // 3) % 3],
            "animate": str(i // 3 % 2),
            "condition": "hard" if i % 2 else "easy",
        }
        for i, key in enumerate(pixels)
    ]
    return stimulus_set(pd.DataFrame(rows), name="images", load=pixels.__getitem__)


def activity(subject: str, region: str, *, repeats: int, times: int = 0, counts: bool = False):
    """Make activity whose first units know the category and whose next ones know animacy."""
    rng = np.random.default_rng([repeats, times, *map(ord, subject + region)])
    table = images().table.loc[list(images().ids) * repeats]
    values = rng.normal(size=(len(table), 40, *([times] if times else [])))
    onto = (...,) if not times else (..., None)
    values[:, :3] += 2 * np.eye(3)[table["category"].astype(int)][onto]
    values[:, 3:5] += 3 * (table["animate"] == "1").to_numpy(float)[:, None][onto]
    presentation = {"repeat": np.repeat(np.arange(repeats), N_STIMULI)}
    if counts:
        values = rng.poisson(np.exp(0.5 * values + 1)).astype(np.int16)
        # One row a stimulus: showings of units that were not recorded together are no trials.
        presentation["n_repeats"] = np.full(len(table), 5)
    return build.recording(
        values,
        stimulus_id=table.index.tolist(),
        unit_id=[f"{region}/{i}" for i in range(40)],
        region=region,
        system="brain",
        kind="brain",
        stimulus_set="images",
        subject=subject,
        simultaneous=not counts,
        time=np.arange(times) / 100 if times else None,
        time_unit="s" if times else "",
        presentation=presentation,
        unit={"session": [str(i % 2) for i in range(40)]} if counts else None,
    )


def behaviour() -> tuple[xr.Dataset, xr.Dataset]:
    """Make choices and ratings of two persons; some images were met twice."""
    rng = np.random.default_rng(3)
    ids = [*images().ids, *images().ids[:5]] * 2
    guess = np.array(OPTIONS, dtype=object)[rng.integers(3, size=len(ids))]
    truth = images().column("category", ids)
    who = {"system": "brain", "kind": "brain", "stimulus_set": "images"}
    subject = np.repeat(["p1", "p2"], len(ids) // 2)
    trial = np.tile(np.arange(len(ids) // 2), 2)
    chosen = build.behaviour(
        {
            "subject": subject,
            "stimulus_id": ids,
            "choice": np.where(rng.random(len(ids)) < 0.6, truth, guess),
            "trial_index": trial,
        },
        task=TASK.name,
        **who,
    )
    pairs = [(a, b) for a in images().ids for b in images().ids if a < b] * 2
    rated = build.behaviour(
        {
            "subject": np.repeat(["p1", "p2"], len(pairs) // 2),
            "option_stimulus_id": pairs,
            "rating": rng.integers(1, 8, len(pairs)).astype(float),
        },
        task=PAIRS.name,
        **who,
    )
    return chosen, rated


def brain(**data: object) -> Recorded:
    """Make a brain of these data."""
    facts = SystemData(name="brain", kind="brain", species="none", **data)
    return Recorded(data=facts, stimuli=images())


@functools.cache
def system_of(name: str) -> System:
    """Make the system of a column of the table."""
    parts = [(s, r) for s in ("p1", "p2") for r in ("V1", "IT")]
    if name == "fMRI-like":
        return brain(recordings=tuple(activity(*part, repeats=2) for part in parts))
    if name == "EEG-like":
        return brain(recordings=tuple(activity(*part, repeats=2, times=6) for part in parts))
    if name == "spikes-like":
        return brain(recordings=(activity("m1", "IT", repeats=1, counts=True),))
    if name == "behaviour only":
        return brain(behaviour=behaviour())
    network = {"convolutional net": "small_convnet", "transformer": "small_transformer"}[name]
    return load_model(f"builtin:{network}?seeds=0,1")


def spread(patterns: np.ndarray) -> dict[str, float]:
    """Measure how far apart the patterns lie: a question whose answer lesions change."""
    distances = np.asarray(squared_euclidean(patterns.reshape(len(patterns), -1).astype(float)))
    return {"spread": float(distances.mean())}


def lesion_question(system: System) -> tuple[Callable, tuple[int, ...], int] | NotMeasurable:
    """Localise the first subject's last region and give the question of its lesions."""
    found = localise(
        system, contrast=CONTRAST, stimuli=images(), regions=system.regions[-1:], fraction=0.1
    )
    if isinstance(found, NotMeasurable):
        return found
    row = next(found)
    targets = tuple(int(place) for place in row.selected)
    if system.kind == "model":
        bench = system.lesion_bench(row.region, images(), reference=images(), subject=row.subject)

        def ask(hit: tuple[int, ...]) -> Mapping[str, float]:
            chosen = tuple(int(row.elements[place]) for place in hit)
            lesion = Lesion(region=row.region, targets=chosen, kind="mean") if hit else None
            outputs, _ = bench.run(lesion, layers=(row.region,))
            return spread(np.asarray(outputs))
    else:
        _, values, _, _ = element_means(next(system.recordings(regions=[row.region])))
        half = np.arange(len(values)) % 2 == 0
        masked = masked_activity(values, train=half, kind="mean", strength=1.0, seed=0)

        def ask(hit: tuple[int, ...]) -> Mapping[str, float]:
            return spread(masked(hit).readout)

    return ask, targets, len(row.elements)


PLAIN = {
    "label": "category",
    "features": "animate",
    "predictors": ("animate",),
    "contrast": CONTRAST,
    "context": "condition",
    # Networks are shown each image once; their textures come again.
    "item": "texture",
}


def put(name: str, system: System) -> object:
    """Put the question of a row of the table to the system of a column."""
    if name == "dose_curve":
        found = lesion_question(system)
        if isinstance(found, NotMeasurable):
            return found
        ask, targets, n = found
        return dose_curve(ask, targets=targets, elements=range(n), doses=(1.0,))
    asked = inspect.signature(ENTRIES[name].function).parameters
    options: dict[str, object] = {key: PLAIN[key] for key in asked if key in PLAIN}
    options |= FEW.get(name, {})
    if "stimuli" in asked:
        options["stimuli"] = images()
    if "task" in asked and name != "similarity":
        options["task"] = TASK
    elif "task" in asked and system.kind == "brain":
        # Pairs are rated by persons alone; a network's judgements are its activity.
        options["task"] = PAIRS
    if "radius" in asked:
        options["regions"] = [name for name in system.regions if name.startswith("conv")] or None
    if "against" in asked:
        options["against"] = cell("rdm", "fMRI-like")
    return ENTRIES[name].function(system, **options)


@functools.cache
def cell(name: str, column: str) -> object:
    """Give what came out of one cell."""
    return put(name, system_of(column))


def numbers(answer: object) -> dict[str, np.ndarray]:
    """Give every array of numbers of an answer by name."""
    if isinstance(answer, Answer):
        found = {str(key): value.values for key, value in answer.data.data_vars.items()}
        found |= {f"response {i}": part.values for i, part in enumerate(answer.responses)}
    else:
        found = {f"{m} {key}": v for m, curve in answer.items() for key, v in curve.items()}
    return {key: np.asarray(v) for key, v in found.items() if np.asarray(v).dtype.kind in "fiu"}


def labelled(answer: object) -> dict[str, list]:
    """Give every array of text of an answer by name."""
    if not isinstance(answer, Answer):
        return {}
    return {
        str(k): v.values.tolist() for k, v in answer.data.variables.items() if v.dtype == object
    }


def shown(answer: object) -> str:
    """Describe a cell in a word."""
    if isinstance(answer, NotMeasurable):
        return "-"
    finite = sum(int(np.isfinite(values).sum()) for values in numbers(answer).values())
    return f"{finite} numbers"


def test_every_registered_analysis_is_in_the_table() -> None:
    """An analysis that is added must say here where it is defined."""
    assert set(DEFINED) == set(ENTRIES)
    assert set().union(*DEFINED.values()) == set(SYSTEMS)


@pytest.mark.parametrize("column", SYSTEMS)
@pytest.mark.parametrize("name", ENTRIES)
def test_cell(name: str, column: str) -> None:
    """A defined cell has finite numbers alone, NaN only where counted; any other has a reason."""
    answer = cell(name, column)
    if column not in DEFINED[name]:
        assert isinstance(answer, NotMeasurable), f"{name} of {column} is not defined"
        assert len(answer.reason.split()) > 3
        return
    assert not isinstance(answer, NotMeasurable), answer.reason
    found = numbers(answer)
    assert found and all(np.isfinite(values).any() for values in found.values())
    # What is broken down may have empty cells, which are counted.
    main = [v for k, v in found.items() if not k.startswith("per_") and "_by_" not in k]
    assert all(np.isfinite(values).all() for values in main)


def test_table_is_printed() -> None:
    """The table has a row an analysis and a column a system, and no empty cell."""
    rows = {name: [shown(cell(name, column)) for column in SYSTEMS] for name in ENTRIES}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(SYSTEMS))
    sys.stdout.write(f"\n{table.to_string()}\n")
    assert table.shape == (len(ENTRIES), len(SYSTEMS)) and (table != "").all(axis=None)
    assert ((table != "-").sum(axis=1) == [len(DEFINED[name]) for name in table.index]).all()


def shuffled(system: Recorded, rng: np.random.Generator) -> Recorded:
    """Give the same brain with its showings, trials and table of stimuli in another order."""
    recordings = tuple(
        r.isel(presentation=rng.permutation(r.sizes["presentation"]))
        for r in system.data.recordings
    )
    tables = tuple(t.isel(trial=rng.permutation(t.sizes["trial"])) for t in system.data.behaviour)
    stimuli = replace(images(), table=images().table.iloc[rng.permutation(N_STIMULI)])
    data = replace(system.data, recordings=recordings, behaviour=tables)
    return replace(system, data=data, stimuli=stimuli)


def ordered(answer: object) -> object:
    """Put the showings of responses in one order, which is all that a shuffle may change."""
    if not isinstance(answer, Answer) or not answer.responses:
        return answer
    parts = tuple(r.sortby(["stimulus_id", "repeat"]) for r in answer.responses)
    return replace(answer, responses=parts)


SHUFFLED = [
    (name, column)
    for name in ENTRIES
    for column in ("fMRI-like", "behaviour only")
    if column in DEFINED[name]
]


@pytest.mark.parametrize(("name", "column"), SHUFFLED)
def test_shuffled_stimuli_give_identical_results(name: str, column: str) -> None:
    """Whatever the order of showings, trials and stimuli, every number and label is the same."""
    wanted = ordered(cell(name, column))
    for seed in range(N_SHUFFLES):
        system = shuffled(system_of(column), np.random.default_rng(seed))
        got = ordered(put(name, system))
        assert labelled(got) == labelled(wanted)
        mine, theirs = numbers(got), numbers(wanted)
        assert set(mine) == set(theirs)
        for key in theirs:
            np.testing.assert_allclose(mine[key], theirs[key], rtol=0, atol=IDENTICAL, err_msg=key)


@pytest.mark.parametrize("column", sorted(NETWORKS))
def test_shuffled_tables_give_identical_activations(column: str) -> None:
    """A network is shown stimuli by id: the order of their table changes nothing at all."""
    order = np.random.default_rng(0).permutation(N_STIMULI)
    stimuli = replace(images(), table=images().table.iloc[order])
    for name in ("rdm", "choices"):
        entry: Entry = ENTRIES[name]
        options = {"task": TASK} if name == "choices" else {}
        got = entry.function(system_of(column), stimuli=stimuli, **options)
        xr.testing.assert_identical(got.data, cell(name, column).data)
