"""The case of oddity on its real data: published numbers, and trials that are nobody's but ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroai.experiment.case import run_case
from neuroai.experiment.case_oddity import _draw, _Trials
from neuroai.format.cases import CaseResults, Line

PRINTED = 5e-3  # half a unit of the second printed digit


@pytest.fixture(scope="module")
def lines(data_root: Path) -> dict[str, Line]:
    """The case beside the small untrained network, with few draws."""
    assert data_root.is_dir()
    found: CaseResults = run_case("oddity", "builtin:small_convnet", n_bootstrap=60, n_null=19)
    return {line.id: line for line in found.lines}


def test_published_numbers_stand_in_the_cells(lines: dict[str, Line]) -> None:
    """Accuracy by trial against intact persons: IT 0.53, V4 0.15, fc6 0.49, on 179 trials."""
    assert lines["monkey-trials"].brain.value == pytest.approx(0.53, abs=PRINTED)
    assert lines["monkey-trials"].network.value == pytest.approx(0.49, abs=PRINTED)
    assert lines["early-trials"].brain.value == pytest.approx(0.15, abs=PRINTED)
    assert lines["same-trials"].brain.value == pytest.approx(0.84, abs=PRINTED)
    for name in ("monkey-trials", "early-trials", "same-trials"):
        assert lines[name].shared == "same"
        assert [cell.n for cell in lines[name].cells] == [179, 179]
    assert lines["monkey-trials"].network.origin == "published"


def test_patients_stand_beside_other_trials(lines: dict[str, Line]) -> None:
    """Three persons without a medial temporal lobe, eleven controls; the stimuli are others."""
    line = lines["lesion-faces"]
    assert line.shared == "no"
    assert (line.brain.n, line.brain.unit) == (14, "persons")
    assert "medial temporal lobe damage" in line.brain.note
    assert line.network.dataset == "kriegeskorte2008"
    assert line.network.origin == "simulated"
    assert "from the half of the images that did not choose the target" in line.network.note


def test_what_was_not_done_is_said(lines: dict[str, Line]) -> None:
    """No scenes among the images, no lesion of the published network."""
    assert lines["hippocampus-scenes"].network.status == "not_measurable"
    assert lines["published-lesions"].network.note.startswith("no unit of the published network")


def test_the_odd_image_is_the_one_least_like_the_others() -> None:
    """By hand: three alike and one not; four alike are a guess."""
    alike = np.array([[1.0, 2.0, 3.0], [1.1, 2.0, 3.1], [0.9, 2.1, 3.0], [3.0, 2.0, 1.0]])
    assert _Trials(np.array([[3, 0, 1, 2]])).accuracy(alike) == 1.0
    assert _Trials(np.array([[0, 1, 2, 3]])).accuracy(alike) == 0.0
    same = np.tile([[1.0, 2.0, 4.0]], (4, 1))
    assert _Trials(np.array([[3, 0, 1, 2]])).accuracy(same) == 0.25


def test_each_kind_is_odd_in_half_of_the_trials() -> None:
    """Three of one kind and one of another, never an image twice."""
    labels = np.array(["a"] * 5 + ["b"] * 6, dtype=object)
    rows = _draw(labels, ("a", "b"), 40, np.random.default_rng(0)).rows
    kinds = labels[rows]
    assert (kinds[:, 0] == "a").sum() == 20
    assert (kinds[:, 1:] == kinds[:, 1:2]).all()
    assert (kinds[:, 0] != kinds[:, 1]).all()
    assert all(len(set(row)) == 4 for row in rows)
