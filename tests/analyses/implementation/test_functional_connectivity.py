"""Functional connectivity: numpy's correlations, what is planted, and what has none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neuroai.analyses.implementation.functional_connectivity import (
    MEASURES,
    _connected,
    _matrices,
    functional_connectivity,
)
from neuroai.errors import UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.systems.brain import Recorded
from neuroai.systems.load import load_model

EXACT = 1e-10  # float64 algebra
N, REPEATS, UNITS = 30, 4, 5
REGIONS = ("V1", "V4", "IT")


def brain(seed=0, *, simultaneous=True, labelled=True, repeats=REPEATS):
    """Make three regions: V1 and V4 share the stimulus, V4 and IT what varies beside it."""
    rng = np.random.default_rng(seed)
    ids = np.repeat([f"s{i:02d}" for i in range(N)], repeats)
    driven = np.repeat(rng.normal(size=N), repeats)
    state = rng.normal(size=len(ids))
    means = np.stack([driven, driven + state, state], axis=1)
    values = np.repeat(means, UNITS, axis=1) + rng.normal(size=(len(ids), UNITS * 3))
    table = stimulus_set(pd.DataFrame({"stimulus_id": sorted(set(ids))}), name="toy")
    recording = build.recording(
        values, stimulus_id=ids.tolist(), region=[r for r in REGIONS for _ in range(UNITS)],
        unit_id=[f"{r}/{i}" for r in REGIONS for i in range(UNITS)], system="b", kind="brain",
        stimulus_set="toy", subject="s1", simultaneous=simultaneous,
        presentation={"repeat": np.tile(np.arange(repeats), N)} if labelled else None,
    )  # fmt: skip
    data = SystemData(name="b", kind="brain", species="none", recordings=(recording,))
    return Recorded(data=data, stimuli=table)


def pair(answer, one, other, what="value"):
    """Give one entry of the matrix."""
    return float(answer.data[what].isel(subject=0).sel(region=one, region_to=other))


def test_correlations_are_numpys():
    """Means over units and showings, correlated over stimuli."""
    one = brain()
    answer = functional_connectivity(one)
    rows = one.data.recordings[0].values.reshape(N, REPEATS, 3, UNITS).mean(axis=(1, 3))
    assert np.abs(answer.data["value"].values[0] - np.corrcoef(rows.T)).max() <= EXACT
    cov = functional_connectivity(one, measure="covariance").data["value"].values[0]
    assert np.abs(cov - np.cov(rows.T, bias=True)).max() <= EXACT


def test_partial_correlations_are_those_of_the_precision():
    """-P_ij / sqrt(P_ii P_jj) of the inverse covariance."""
    one = brain()
    got = functional_connectivity(one, measure="partial correlation").data["value"].values[0]
    rows = one.data.recordings[0].values.reshape(N, REPEATS, 3, UNITS).mean(axis=(1, 3))
    precision = np.linalg.inv(np.cov(rows.T, bias=True))
    scale = np.sqrt(np.diag(precision))
    wanted = -precision / np.outer(scale, scale)
    assert np.abs(got - wanted)[np.triu_indices(3, 1)].max() <= EXACT


@pytest.mark.parametrize("measure", MEASURES)
def test_shuffles_are_measured_as_the_rows_are(measure):
    """The matrix of a shuffle is nilearn's of the same rows."""
    rows = np.random.default_rng(3).normal(size=(20, 4))
    wanted, _ = _connected(rows, measure, 1, 0)
    assert np.abs(_matrices(rows[None], measure)[0] - wanted).max() <= EXACT


def test_stimulus_and_background_are_told_apart():
    """V1 and V4 share the stimulus alone, V4 and IT the state alone."""
    by_stimulus = functional_connectivity(brain())
    beside = functional_connectivity(brain(), part="background")
    assert pair(by_stimulus, "V1", "V4") > 0.7 and pair(by_stimulus, "V1", "V4", "p") < 0.01
    assert pair(beside, "V4", "IT") > 0.7 and pair(beside, "V4", "IT", "p") < 0.01
    assert abs(pair(beside, "V1", "V4")) < 0.3
    assert pair(beside, "V1", "V1") == pytest.approx(1.0) and pair(beside, "V1", "V1", "p") == 1.0


def test_p_is_uniform_where_nothing_is_shared():
    """V1 and IT share nothing beside the stimulus: p below .05 in 5 %, within 4 errors."""
    n = 100
    p = [
        pair(functional_connectivity(brain(s), part="background", n_nulls=39), "V1", "IT", "p")
        for s in range(n)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / n)


@pytest.mark.parametrize(
    ("one", "options", "said"),
    [
        (brain(), {"regions": ["IT"]}, "takes two regions"),
        (brain(simultaneous=False), {"part": "background"}, "not recorded together"),
        (brain(labelled=False), {"part": "background"}, "cannot be told apart"),
        (brain(repeats=1), {"part": "background"}, "no stimulus was shown twice"),
        (load_model("builtin:small_convnet"), {"part": "background"}, "has no background"),
    ],
)
def test_what_cannot_be_measured_has_a_reason(one, options, said):
    """A single region, pseudo-populations, showings without names, one showing, networks."""
    answer = functional_connectivity(one, **options)
    assert isinstance(answer, NotMeasurable) and said in answer.reason


def test_wrong_options_are_told():
    """Misspelt measures and no shuffle."""
    with pytest.raises(UsageError, match="Did you mean 'correlation'"):
        functional_connectivity(brain(), measure="corelation")
    with pytest.raises(UsageError, match="n_nulls must be 1 or more; got 0"):
        functional_connectivity(brain(), n_nulls=0)
