"""Shape against texture: published biases and consistencies, and what is at hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from neuroai.format.holdings import Holdings

PRINTED = 5e-4  # half a unit of the printed digit: .05 percentage points, or of the third decimal


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("geirhos2019")


def choices(holdings: Holdings, system: str, task: str = "cue-conflict") -> xr.Dataset:
    """Give the behaviour of one system on one task."""
    (found,) = [s for s in holdings.systems if s.name == system]
    return next(b for b in found.behaviour if b.attrs["task"] == task)


def networks_of_2020(holdings: Holdings) -> list[str]:
    """Name the networks that answered all three tasks."""
    return [s.name for s in holdings.systems if s.kind == "model" and len(s.behaviour) == 3]


def shape_bias(holdings: Holdings, system: str) -> float:
    """Pool choices: shape / (shape + texture), images with shape = texture left out."""
    table = choices(holdings, system)
    ids = table["stimulus_id"].values
    shape = holdings.stimuli.column("shape", ids)
    texture = holdings.stimuli.column("texture", ids)
    counted = shape != texture
    by_shape = int(((table["choice"].values == shape) & counted).sum())
    by_texture = int(((table["choice"].values == texture) & counted).sum())
    return by_shape / (by_shape + by_texture)


@pytest.mark.parametrize(
    ("system", "published"),
    [
        ("alexnet-2019", 0.429), ("googlenet-2019", 0.312), ("vgg16-2019", 0.172),
        ("resnet50-2019", 0.221), ("human", 0.959),
    ],
)  # fmt: skip
def test_shape_bias_is_as_published(system: str, published: float, holdings: Holdings) -> None:
    """The published shape biases, each to the printed digit."""
    assert shape_bias(holdings, system) == pytest.approx(published, abs=PRINTED)


def test_instruction_raises_the_shape_bias(holdings: Holdings) -> None:
    """People told to go by shape do so in 97.1 % (9,897 of 10,197 choices, counted apart)."""
    got = shape_bias(holdings, "human-content-instructed")
    assert got == pytest.approx(9897 / 10197, abs=1e-12)
    table = choices(holdings, "human-content-instructed")
    assert table.attrs["instruction"].startswith("content")
    assert choices(holdings, "human").attrs["instruction"].startswith("neutral")


def right(holdings: Holdings, system: str) -> dict[str, dict[str, bool]]:
    """For every observer, whether the choice on each image was its shape."""
    table = choices(holdings, system)
    rows = zip(
        table["subject"].values, table["stimulus_id"].values, table["correct"].values == 1,
        strict=True,
    )  # fmt: skip
    found: dict[str, dict[str, bool]] = {}
    for subject, stimulus, correct in rows:
        found.setdefault(subject, {})[stimulus] = bool(correct)
    return found


def kappa(one: dict[str, bool], other: dict[str, bool]) -> float:
    """Cohen's kappa of two observers' right and wrong, image by image."""
    pairs = [(one[key], other[key]) for key in one]
    observed = sum(a == b for a, b in pairs) / len(pairs)
    p, q = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    expected = p * q + (1 - p) * (1 - q)
    return (observed - expected) / (1 - expected)


def test_consistency_among_humans_is_as_published(holdings: Holdings) -> None:
    """The mean kappa over the 45 pairs of people is 0.331."""
    people = right(holdings, "human").values()
    values = [kappa(a, b) for a, b in itertools.combinations(people, 2)]
    assert len(values) == 45
    assert np.mean(values) == pytest.approx(0.331, abs=PRINTED)


def test_consistency_among_networks_is_as_published(holdings: Holdings) -> None:
    """The mean kappa over the 300 pairs of 25 networks is 0.547."""
    networks = [right(holdings, name)[name] for name in networks_of_2020(holdings)]
    values = [kappa(a, b) for a, b in itertools.combinations(networks, 2)]
    assert len(values) == 300
    assert np.mean(values) == pytest.approx(0.547, abs=PRINTED)


@pytest.mark.parametrize(
    ("network", "published"), [("resnet50", 0.068), ("resnet50-trained-on-SIN", 0.195)]
)
def test_consistency_with_humans_is_as_published(
    network: str, published: float, holdings: Holdings
) -> None:
    """The mean kappa of a network with ten people."""
    answers = right(holdings, network)[network]
    values = [kappa(answers, person) for person in right(holdings, "human").values()]
    assert np.mean(values) == pytest.approx(published, abs=PRINTED)


@pytest.mark.parametrize(
    ("task", "n_stimuli", "n_at_hand"),
    [("cue-conflict", 1280, 240), ("edges", 160, 160), ("silhouettes", 160, 160)],
)
def test_every_observer_answers_every_image_once(
    task: str, n_stimuli: int, n_at_hand: int, holdings: Holdings
) -> None:
    """Ids match between people and networks though their files name images differently."""
    stimuli = holdings.stimuli.where("task", task)
    assert (len(stimuli.ids), len(stimuli.available)) == (n_stimuli, n_at_hand)
    for system in ("human", *networks_of_2020(holdings)):
        table = choices(holdings, system, task)
        for subject in np.unique(table["subject"].values):
            ids = table["stimulus_id"].values[table["subject"].values == subject]
            assert sorted(ids) == list(stimuli.ids), (system, subject)


def test_images_at_hand_hold_every_pair_once(holdings: Holdings) -> None:
    """The 240 images are the 16 x 15 ordered pairs of shape and texture, all in conflict."""
    stimuli = holdings.stimuli.where("task", "cue-conflict")
    at_hand = stimuli.restrict(stimuli.available).table
    assert len(set(zip(at_hand["shape"], at_hand["texture"], strict=True))) == 240
    assert set(at_hand["condition"]) == {"conflict"}
    assert (stimuli.table["condition"] == "agreement").sum() == 80
    image = holdings.stimuli.content("cue-conflict/airplane1-bicycle2")
    assert (image.size, image.mode) == ((224, 224), "RGB")


def test_truth_is_the_category_of_the_files(holdings: Holdings) -> None:
    """One row by hand: the person who said 'knife' to the tenth oven was wrong, in 0.869 s."""
    table = choices(holdings, "human", "edges")
    row = (table["subject"].values == "subject-01") & (
        table["stimulus_id"].values == "edges/oven10"
    )
    (found,) = np.flatnonzero(row)
    trial = table.isel(trial=found)
    assert (str(trial["choice"].values), str(trial["truth"].values)) == ("knife", "oven")
    assert float(trial["correct"]) == 0
    assert float(trial["response_time"]) == pytest.approx(0.868942022323608)


def test_no_answer_is_an_error_and_counted(holdings: Holdings) -> None:
    """131 trials of the ten people have no choice; they are wrong, never undefined."""
    table = choices(holdings, "human")
    silent = table["choice"].values == ""
    assert int(silent.sum()) == 131
    assert set(table["correct"].values[silent]) == {0.0}
    assert "131 trials" in table.attrs["note"]


def test_response_times_are_missing_where_there_was_no_response(holdings: Holdings) -> None:
    """Networks have none; a person's is positive, and missing exactly where nothing was chosen."""
    assert np.isnan(choices(holdings, "resnet50")["response_time"].values).all()
    table = choices(holdings, "human")
    seconds, silent = table["response_time"].values, table["choice"].values == ""
    np.testing.assert_array_equal(np.isnan(seconds), silent)
    assert (seconds[~silent] > 0).all()


def test_first_brain_is_the_neutral_humans(holdings: Holdings) -> None:
    """People with the neutral instruction are compared by default; 29 networks follow."""
    assert [s.name for s in holdings.systems[:2]] == ["human", "human-content-instructed"]
    assert sum(s.kind == "model" for s in holdings.systems) == 29
    assert len(networks_of_2020(holdings)) == 25
