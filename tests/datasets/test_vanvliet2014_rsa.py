"""Word pairs over time: the geometry of the EEG beside a hypothesis about meaning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import neuroai as nai
from neuroai.comparison.statistics.over_time import compare_over_time
from neuroai.format.answers import rdm_answer
from neuroai.format.holdings import Holdings
from neuroai.systems.brain import brains_of


@pytest.fixture(scope="module")
def holdings(holdings_of: Callable[[str], Holdings]) -> Holdings:
    """Load the data set once."""
    return holdings_of("vanvliet2014")


def test_relatedness_shapes_the_geometry_when_the_negative_wave_is_there(
    holdings: Holdings,
) -> None:
    """RDMs of 0.1 s against "both related or not": from 0.30 to 0.48 s, corrected, and never else.

    One person: labels of the word pairs are permuted, and the largest of all times counts.
    """
    answer = nai.ask(brains_of(holdings)[0], "rdm_over_time", options={"window": 0.1})
    labels = np.array(holdings.stimuli.column("label", list(answer.stimuli)))
    model = rdm_answer(
        (labels[:, None] != labels[None]).astype(float)[None, None],
        subjects=["hypothesis"],
        regions=["relatedness"],
        stimuli=answer.stimuli,
        parameters={"distance": "difference of label"},
        system="hypothesis",
        kind="model",
        stimulus_set=answer.stimulus_set,
    )
    found = compare_over_time(answer, model, comparator="spearman", n_permutations=999)
    value, p = (found[name].squeeze(drop=True) for name in ("mean", "p_max"))
    assert float(value.max()) == pytest.approx(0.0440, abs=5e-4)  # half a unit of the last digit
    assert 0.30 < float(value["time"][int(np.argmax(value.values))]) < 0.36
    seconds = value["time"].values[p.values < 0.01]
    assert len(seconds) >= 4 and 0.3 < seconds.min() and seconds.max() < 0.48
    assert (p.sel(time=slice(None, 0.28)) > 0.05).all()
    assert (p.sel(time=slice(0.5, None)) > 0.05).all()
    assert found.attrs["null"] == "stimulus labels permuted"
