"""Psychometric figures: what is drawn is what was measured and fitted, brain beside network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroai.analyses.computation.psychometric import psychometric
from neuroai.cards import ChoiceTask
from neuroai.format.answers import Answer
from neuroai.numerics.sigmoids import psychometric_function
from neuroai.reports.figures_psychometric import psychometric_figure
from neuroai.reports.gallery import behaviour_groups
from neuroai.reports.numbers import number
from neuroai.testing import chooser

TASK = ChoiceTask(name="task", options=("left", "right"), truth="truth")


def answer(seed: int, system: str, kind: str) -> Answer:
    """Ask one simulated observer."""
    rng, level = np.random.default_rng(seed), np.repeat([1.0, 2, 3, 4], 60)
    p = psychometric_function(level, threshold=2.5, width=2.0, guess=0.5)
    choice = np.where(rng.random(240) < p, "left", "right")
    columns = {"truth": ["left"] * 240, "choice": choice, "intensity": level}
    found = psychometric(chooser(columns, kind=kind), task=TASK, n_samples=50, lapse=0.0)
    return dataclasses.replace(found, system=system)


def test_the_table_holds_what_was_fitted() -> None:
    """Threshold and trials of the row are those of the answer; the picture has a description."""
    found = answer(0, "human", "brain")
    figure = psychometric_figure(found, "behaviour", title="human", side="brain", colour="#b5532a")
    assert figure is not None and figure.side == "brain"
    (row,) = figure.rows
    assert row[0] == "p" and row[1] == number(found.data.value.item()) and row[-1] == "240"
    assert 'role="img"' in figure.svg and "threshold" in figure.svg
    assert "chosen by recorded" in figure.caption and "1 subject" in figure.caption


def test_nothing_fitted_nothing_drawn() -> None:
    """A subject without enough levels has no curve."""
    found = answer(0, "human", "brain")
    empty = dataclasses.replace(found, data=found.data.assign(value=found.data.value * np.nan))
    figure = psychometric_figure(empty, "behaviour", title="x", side="brain", colour="#b5532a")
    assert figure is None


@pytest.mark.parametrize("kinds", [("brain", "model"), ("model", "brain")])
def test_brain_and_network_stand_side_by_side(results, kinds: tuple[str, str]) -> None:
    """One group a task, in two columns, the brain's first whatever the order of the answers."""
    answers = tuple(answer(i, f"{kind}-system", kind) for i, kind in enumerate(kinds))
    groups = behaviour_groups(dataclasses.replace(results, answers=answers))
    (group,) = [g for g in groups if g.heading == "Psychometric function: task"]
    assert group.layout == "sides"
    assert [figure.side for figure in group.figures] == ["brain", "network"]
