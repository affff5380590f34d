"""Encoding over time: delays by run, blocks with a gap, and a stamp on anything else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from neuroai.analyses.algorithm.encoding import encoding, unit_encoding
from neuroai.errors import AlignmentError, DataError, UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.folds import block_folds
from neuroai.numerics.poisson_glm import encode_poisson
from neuroai.numerics.trf import encode_delayed
from neuroai.systems.brain import Recorded
from neuroai.testing import EQUAL, toy_brain

TR = 2.0
PENALTIES = (0.1, 10.0, 1000.0)
RUNS = np.repeat(["r1", "r2", "r3"], [80, 60, 70])


def _continuous(values, *, runs=RUNS, kind="brain", region="V1", step=TR):
    time = np.concatenate([np.arange((runs == run).sum()) * step for run in dict.fromkeys(runs)])
    return build.continuous(
        values, run=runs.tolist(), time=time, stimulus_id=["film"] * len(runs),
        unit_id=[f"{region}-{i}" for i in range(values.shape[1])], region=region, system="sim",
        kind=kind, stimulus_set="films", subject="s1",
    )  # fmt: skip


def _system(recording, *, kind="brain"):
    films = stimulus_set(pd.DataFrame({"stimulus_id": ["film"]}), name="films")
    data = SystemData("sim", kind, "none", recordings=(recording,))
    return Recorded(data=data, stimuli=films)


def _late(x, runs, rows):
    out = np.zeros_like(x)
    for run in dict.fromkeys(runs):
        mine = np.flatnonzero(runs == run)
        out[mine[rows:]] = x[mine[:-rows]]
    return out


@pytest.fixture
def planted():
    """Responses that follow the first feature by 4 s, plus noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((len(RUNS), 3))
    y = _late(x, RUNS, 2)[:, :1] * [1.0, 2.0] + 0.3 * rng.standard_normal((len(RUNS), 2))
    return x, y


@pytest.mark.parametrize("kind", ["brain", "model"])
def test_a_delayed_response_is_found_at_its_delay(planted, kind):
    """With the right delay nearly all, without it nothing; brain and network alike."""
    x, y = planted
    system, features = _system(_continuous(y, kind=kind), kind=kind), _continuous(x, region="f")
    options = {"features": features, "n_folds": 3, "penalties": PENALTIES}
    found = encoding(system, delays=(2.0, 4.0, 6.0), **options)
    assert found.data["value"].item() > 0.9
    # 210 samples: four standard errors of a correlation that is 0.
    assert abs(encoding(system, **options).data["value"].item()) < 4 / np.sqrt(len(RUNS))
    assert found.parameters["folds"] == "3 folds of whole runs"
    assert "9 samples at the edges of runs left out" in found.notes[0]


def test_values_are_those_of_plain_arrays(planted):
    """Samples by run and time, whatever their order: the numbers of `encode_delayed`."""
    x, y = planted
    features = _continuous(x, region="f")
    shuffled = features.isel(sample=np.random.default_rng(1).permutation(len(RUNS)))
    (units,) = unit_encoding(
        _system(_continuous(y)), features=shuffled, delays=(0.0, 4.0), n_folds=3,
        penalties=PENALTIES,
    )  # fmt: skip
    expected = encode_delayed(
        x, y, delays=[0, 2], runs=RUNS, folds=block_folds(RUNS, n_folds=3), penalties=PENALTIES
    )
    assert np.abs(units["r"].values - expected.mean_r()).max() < EQUAL
    assert units["predicted"].sizes["sample"] == len(RUNS) - 6
    assert units["run"].values[0] == "r1" and units["time"].values[0] == 4.0


def test_slow_series_predict_each_other_only_where_neighbours_are_dealt_apart():
    """Independent AR(1) series: large r by shuffled samples, stamped; near 0 by blocks and gap."""
    rng = np.random.default_rng(2)
    n, runs = 600, np.repeat("r1", 600)
    x, y = (lfilter([1], [1, -0.9], rng.standard_normal((n, k)), axis=0) for k in (60, 10))
    system = _system(_continuous(y, runs=runs))
    options = {"features": _continuous(x, runs=runs, region="f"), "penalties": PENALTIES}
    blocks = encoding(system, gap=100.0, **options)
    dealt = encoding(system, shuffled=True, **options)
    assert dealt.data["value"].item() > 0.4
    assert abs(blocks.data["value"].item()) < 0.15
    assert "samples were dealt one by one" in dealt.notes[0]
    assert "not independent of repeats or time" in dealt.parameters["folds"]
    assert blocks.parameters["folds"] == "5 contiguous blocks with a gap of 50 rows"


def test_what_cannot_be_asked_is_told(planted):
    """No continuous recording, features of other times, odd delays, and groups."""
    x, y = planted
    features = _continuous(x, region="f")
    assert isinstance(encoding(toy_brain(), features=features), NotMeasurable)
    system = _system(_continuous(y))
    with pytest.raises(AlignmentError, match="lack 1 of 70 samples of run 'r3'"):
        encoding(system, features=features.isel(sample=slice(0, -1)))
    with pytest.raises(UsageError, match="The delay 3 s is no whole number of samples"):
        encoding(system, features=features, delays=(3.0,))
    with pytest.raises(UsageError, match="groups is not used"):
        encoding(system, features=features, groups="pair")
    with pytest.raises(UsageError, match="all continuous, or all one row a stimulus"):
        encoding(system, features={"a": features, "b": ["length"]})
    uneven = _continuous(y).assign_coords(time=("sample", np.cumsum(np.arange(len(RUNS)) ** 1.5)))
    with pytest.raises(DataError, match="at one distance within every run"):
        encoding(_system(uneven), features=features)
    holed = y.copy()
    holed[3, 0] = np.nan
    with pytest.raises(DataError, match="1 units of the continuous recording"):
        encoding(_system(_continuous(holed)), features=features)


BIN = 0.01
TRIALS = np.repeat([f"r{i}" for i in range(6)], 1000)


@pytest.fixture
def spiking():
    """Counts of three units: a feature drives all, each rests after a spike, 0 drives 2 later."""
    rng = np.random.default_rng(3)
    feature = lfilter([1], [1, -0.8], rng.standard_normal(len(TRIALS)))[:, None]
    counts = np.zeros((len(TRIALS), 3))
    for row in range(2, len(TRIALS)):
        log_rate = -1.5 + 0.4 * feature[row] - 2.0 * counts[row - 1]
        log_rate[2] += 0.8 * counts[row - 2, 0]
        counts[row] = rng.poisson(np.exp(log_rate))
    return feature, counts


@pytest.mark.parametrize("kind", ["brain", "model"])
def test_spikes_follow_their_own_and_each_others_past(spiking, kind):
    """What the past says is told from what the feature adds, and coupling helps unit 2 alone."""
    feature, counts = spiking
    system = _system(_continuous(counts, runs=TRIALS, step=BIN, kind=kind), kind=kind)
    options = {
        "features": _continuous(feature, runs=TRIALS, step=BIN, region="f"),
        "method": "poisson",
        "penalties": (0.1, 10.0),
        "n_folds": 3,
    }
    (plain,) = unit_encoding(system, **options)
    (own,) = unit_encoding(system, history=(0.01, 0.02), **options)
    (all_,) = unit_encoding(system, history=(0.01, 0.02), coupled=True, **options)
    assert "history_pseudo_r2" not in plain
    # Spikes come as the rates say, once these know that a spike is followed by rest.
    assert (plain["rescaling_distance"] > own["rescaling_distance"]).all()
    assert (own["rescaling_p"].values[:2] > 0.01).all() and (plain["rescaling_p"] < 1e-3).all()
    # Four weights that are 0 cost about two nats of likelihood a fold, over some 400 counts.
    nothing = 4 * 2 / np.log(2) / 400
    for name in ("pseudo_r2", "bits_per_count"):
        gained = (own[name] - plain[name]).values
        assert (gained > nothing).all()
        added = (own[name] - own[f"history_{name}"]).values
        assert (added > nothing).all()
        coupled = (all_[name] - own[name]).values
        assert coupled[2] > nothing and (np.abs(coupled[:2]) < nothing).all()


def test_values_with_a_past_are_those_of_plain_arrays(spiking):
    """The rows, lags and folds that are meant."""
    feature, counts = spiking
    system = _system(_continuous(counts, runs=TRIALS, step=BIN))
    (units,) = unit_encoding(
        system, features=_continuous(feature, runs=TRIALS, step=BIN, region="f"), n_folds=3,
        method="poisson", penalties=(1.0, 10.0), delays=(0.0, 0.01), history=(0.02,),
    )  # fmt: skip
    kept = np.flatnonzero(np.arange(len(TRIALS)) % 1000 >= 2)
    x = np.hstack([feature[kept], feature[kept - 1]])
    folds = block_folds(TRIALS, n_folds=3).within(kept)
    own = counts[kept - 2][:, None]
    found, scores = encode_poisson(x, counts[kept], folds=folds, penalties=(1.0, 10.0), own=own)
    assert np.abs(units["r"].values - found.mean_r()).max() < EQUAL
    assert np.abs(units["pseudo_r2"].values - scores.pseudo_r2.mean(axis=0)).max() < EQUAL
    answer = encoding(
        system, features=_continuous(feature, runs=TRIALS, step=BIN, region="f"), n_folds=3,
        method="poisson", penalties=(1.0, 10.0), delays=(0.0, 0.01), history=(0.02,),
    )  # fmt: skip
    assert answer.data["bits_per_count"].item() == pytest.approx(scores.bits_per_count.mean())
    rejected = (units["rescaling_p"].values <= 0.05).mean()
    assert answer.data["rescaling_rejected"].item() == pytest.approx(rejected)
    assert answer.undefined["rescaling distances"] == 0 and answer.parameters["seed"] == 0
    assert "12 samples at the edges of runs left out, where delays and history" in answer.notes[0]
    assert answer.parameters["history"] == [0.02] and answer.parameters["coupled"] is False


def test_quantities_that_are_no_counts_have_no_intervals(spiking):
    """Activity of a network above 0: the same scores, and nothing about spikes."""
    feature, counts = spiking
    (units,) = unit_encoding(
        _system(_continuous(counts / 2, runs=TRIALS, step=BIN)), n_folds=3, method="poisson",
        features=_continuous(feature, runs=TRIALS, step=BIN, region="f"), penalties=(1.0,),
    )  # fmt: skip
    assert "pseudo_r2" in units and "rescaling_distance" not in units


def test_blocks_keep_a_gap_as_long_as_the_history(spiking):
    """One run in blocks: what is learnt from never looks back on what is tested."""
    feature, counts = (part[:1000] for part in spiking)
    one = TRIALS[:1000]
    answer = encoding(
        _system(_continuous(counts, runs=one, step=BIN)),
        features=_continuous(feature, runs=one, step=BIN, region="f"),
        method="poisson", penalties=(1.0,), gap=0.0, history=(0.01, 0.05),
    )  # fmt: skip
    assert answer.parameters["folds"] == "5 contiguous blocks with a gap of 5 rows"


def test_history_is_refused_where_it_has_no_meaning(spiking):
    """Of another method, of the sample itself, and coupling without history or togetherness."""
    feature, counts = spiking
    recording = _continuous(counts, runs=TRIALS, step=BIN)
    features = _continuous(feature, runs=TRIALS, step=BIN, region="f")
    counted = {"features": features, "method": "poisson"}
    with pytest.raises(UsageError, match="history is for method='poisson'.*got 'ridge'"):
        encoding(_system(recording), features=features, history=(0.01,))
    with pytest.raises(UsageError, match=r"one sample \(0.01 s\) or more; got 0 s"):
        encoding(_system(recording), history=(0.0,), **counted)
    with pytest.raises(UsageError, match="coupled=True needs history"):
        encoding(_system(recording), coupled=True, **counted)
    with pytest.raises(UsageError, match="delays, history and shuffled are for continuous"):
        encoding(_system(recording), features="film", method="poisson", history=(0.01,))
    apart = recording.assign_attrs(simultaneous=0)
    with pytest.raises(DataError, match="were not recorded together"):
        encoding(_system(apart), history=(0.01,), coupled=True, **counted)
