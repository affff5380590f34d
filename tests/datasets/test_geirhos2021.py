"""Seventeen experiments: the published count of trials, and numbers published elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from neuroai.format.holdings import Holdings

N_TRIALS = 85_120  # published
PRINTED = 5e-4  # half a unit of the third printed digit


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("geirhos2021")


def table_of(holdings: Holdings, task: str) -> xr.Dataset:
    """Give the trials of one experiment."""
    return next(b for b in holdings.systems[0].behaviour if b.attrs["task"] == task)


def test_every_published_trial_is_there(holdings: Holdings) -> None:
    """85,120 trials of 90 observers in 17 experiments."""
    tables = holdings.systems[0].behaviour
    assert len(tables) == 17
    assert sum(table.sizes["trial"] for table in tables) == N_TRIALS
    assert sum(len(np.unique(table["subject"].values)) for table in tables) == 90


def test_every_observer_saw_every_image_once(holdings: Holdings) -> None:
    """Ids match between observers though their files name images differently."""
    for table in holdings.systems[0].behaviour:
        expected = list(holdings.stimuli.where("task", table.attrs["task"]).ids)
        for subject in np.unique(table["subject"].values):
            ids = table["stimulus_id"].values[table["subject"].values == subject]
            assert sorted(ids) == expected, (table.attrs["task"], subject)


def test_shape_bias_is_as_published(holdings: Holdings) -> None:
    """Cue conflict: shape / (shape + texture) is .959, pooled over ten people."""
    table = table_of(holdings, "cue-conflict")
    names = [key.rpartition("_")[2].split("-") for key in table["stimulus_id"].values]
    shape, texture = (np.array([pair[i].rstrip("0123456789") for pair in names]) for i in (0, 1))
    choice, counted = table["choice"].values, shape != texture
    by_shape = ((choice == shape) & counted).sum()
    by_texture = ((choice == texture) & counted).sum()
    assert by_shape / (by_shape + by_texture) == pytest.approx(0.959, abs=PRINTED)


@pytest.mark.parametrize(("ours", "theirs"), [("edge", "edges"), ("silhouette", "silhouettes")])
def test_shared_experiments_agree_with_the_earlier_release(
    ours: str, theirs: str, holdings: Holdings, holdings_of: Callable[[str], Holdings]
) -> None:
    """Two experiments were released twice: the same people said the same about every image."""
    human = next(s for s in holdings_of("geirhos2019").systems if s.name == "human")
    earlier = next(b for b in human.behaviour if b.attrs["task"] == theirs)
    said = [
        {
            (subject, key.rpartition("_")[2].rpartition("/")[2]): choice
            for subject, key, choice in zip(
                table["subject"].values, table["stimulus_id"].values, table["choice"].values,
                strict=True,
            )
        }
        for table in (table_of(holdings, ours), earlier)
    ]  # fmt: skip
    assert len(said[0]) == 1600
    assert said[0] == said[1]


def test_noise_makes_it_harder(holdings: Holdings) -> None:
    """Accuracy falls with every step of strong noise, from above .7 to near chance (1/16)."""
    table = table_of(holdings, "uniform-noise")
    levels = sorted(set(table["condition"].values) - {"0.00", "0.03", "0.05"}, key=float)
    accuracy = [
        float(table["correct"].values[table["condition"].values == level].mean())
        for level in levels
    ]
    assert accuracy == sorted(accuracy, reverse=True)
    assert accuracy[0] > 0.7
    assert accuracy[-1] == pytest.approx(1 / 16, abs=0.05)


def test_no_answer_is_an_error_and_counted(holdings: Holdings) -> None:
    """The 597 trials without a choice are wrong, have no response time, and are counted."""
    silent = 0
    for table in holdings.systems[0].behaviour:
        empty = table["choice"].values == ""
        assert set(table["correct"].values[empty]) == {0.0}
        np.testing.assert_array_equal(np.isnan(table["response_time"].values), empty)
        assert table.attrs["note"].startswith(f"{empty.sum()} trials")
        silent += int(empty.sum())
    assert silent == 597
