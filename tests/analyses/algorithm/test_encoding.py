"""Encoding from named features: simulated truth, the same for brains and networks."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neuroai.analyses.algorithm.encoding import encoding, unit_encoding
from neuroai.errors import AlignmentError, DataError, UnknownName, UsageError
from neuroai.format import build
from neuroai.format.answers import NotMeasurable
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import StimulusSet, stimulus_set
from neuroai.numerics.encoding import encode
from neuroai.numerics.folds import group_folds
from neuroai.sources.fmri_maps import to_nifti
from neuroai.systems.brain import Recorded
from neuroai.testing import EQUAL, EXACT, STANDARD_ERRORS

N, N_UNITS = 200, 30
PENALTIES = (0.01, 1.0, 100.0)
# Mean over 30 units of a perfect model's normalised r.
PERFECT = 0.02


def _stimuli(n: int = N) -> StimulusSet:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"stimulus_id": [f"s{i:03d}" for i in range(n)]})
    for name in ("size", "speed", "noise"):
        table[name] = rng.standard_normal(n)
    table["kind"] = [("cat", "dog", "oven")[i % 3] for i in range(n)]
    table["pair"] = [f"p{i // 2}" for i in range(n)]
    return stimulus_set(table, name="simulated")


def _system(*recordings, kind="brain", stimuli=None, measures=()):
    data = SystemData("sim", kind, "none", recordings=tuple(recordings), measures=tuple(measures))
    return Recorded(data=data, stimuli=stimuli or _stimuli())


def _recording(values, ids, *, kind="brain", subject="s1", region="V1", attrs=None, **options):
    return build.recording(
        values, stimulus_id=ids, unit_id=[f"u{i}" for i in range(values.shape[1])], region=region,
        system="sim", kind=kind, stimulus_set="simulated", subject=subject,
        attrs=attrs, **options,
    )  # fmt: skip


def _signal(seed=1):
    """Give responses that are a linear map of size and speed, variance 1."""
    stimuli = _stimuli()
    x = np.column_stack([stimuli.column(name) for name in ("size", "speed")])
    weights = np.random.default_rng(seed).standard_normal((2, N_UNITS))
    signal = x @ weights
    return signal / signal.std(axis=0), stimuli.ids


def _noisy(n_repeats=6, *, kind="brain", noise=1.0, seed=1):
    signal, ids = _signal(seed)
    rng = np.random.default_rng([seed, 5])
    shown = np.repeat(signal, n_repeats, axis=0)
    shown = shown + noise * rng.standard_normal(shown.shape)
    order = rng.permutation(len(shown))
    return _recording(shown[order], np.repeat(ids, n_repeats)[order].tolist(), kind=kind)


@pytest.mark.parametrize("kind", ["brain", "model"])
@pytest.mark.parametrize("ceiling", ["ncsnr", "split-half", "signal-power"])
def test_a_perfect_model_reaches_its_ceiling(kind, ceiling):
    """The true features, of a brain and of a noisy network alike: normalised r 1.00 ± .02."""
    system = _system(_noisy(kind=kind), kind=kind)
    answer = encoding(system, features=["size", "speed"], penalties=PENALTIES, ceiling=ceiling)
    data = answer.data.squeeze()
    truth = np.sqrt(1 / (1 + 1 / 6))
    assert float(data["normalised_r"]) == pytest.approx(1, abs=PERFECT)
    assert float(data["ceiling_r"]) == pytest.approx(truth, abs=PERFECT)
    # r, r² and reliability keep apart.
    assert float(data["value"]) == pytest.approx(truth, abs=PERFECT)
    assert float(data["r2"]) == pytest.approx(truth**2, abs=2 * PERFECT)
    assert (answer.form, answer.kind, answer.undefined["scores"]) == ("profile", kind, 0)


def test_a_network_that_repeats_itself_has_a_ceiling_of_one():
    """Each stimulus once, of a model: normalised r is r."""
    signal, ids = _signal()
    system = _system(_recording(signal, ids, kind="model"), kind="model")
    data = encoding(system, features="size", penalties=PENALTIES).data.squeeze()
    assert float(data["ceiling_r"]) == 1 and data["normalised_r"] == data["value"]


def test_values_are_those_of_plain_arrays():
    """z-scored columns, means over showings, folds of sorted stimuli: the numbers of `encode`."""
    (units,) = unit_encoding(_system(_noisy()), features=["size", "noise"], penalties=PENALTIES)
    stimuli, recording = _stimuli(), _noisy()
    x = np.column_stack([stimuli.column(name) for name in ("size", "noise")])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = recording.groupby("stimulus_id").mean().values
    expected = encode(
        x, y, folds=group_folds(list(stimuli.ids)), penalties=PENALTIES, keep_predictions=True
    )
    assert np.abs(units["r"].values - expected.mean_r()).max() < EQUAL
    assert np.abs(units["r2"].values - expected.mean_r2()).max() < EQUAL
    assert np.abs(units["predicted"].values - expected.predictions).max() < EQUAL
    assert units["predicted"].dims == ("stimulus", "unit")
    assert units["stimulus"].values.tolist() == list(stimuli.ids)


def test_features_without_relation_predict_nothing():
    """Mean r within four standard errors of 0."""
    answer = encoding(_system(_noisy()), features="noise", penalties=PENALTIES)
    own = _stimuli().column("noise")
    signal, _ = _signal()
    # The units share two dimensions: at the worst they are one.
    assert abs(np.corrcoef(own, signal[:, 0])[0, 1]) < 0.2
    assert abs(answer.data["value"].item()) < STANDARD_ERRORS / np.sqrt(N)


def test_text_becomes_one_column_a_value_and_arrays_go_by_id():
    """A unit that knows the kind is predicted by its name, and by an array in any order."""
    stimuli = _stimuli()
    one_hot = (stimuli.column("kind").astype(str)[:, None] == ["cat", "dog", "oven"]).astype(float)
    rng = np.random.default_rng(3)
    y = one_hot @ rng.standard_normal((3, 4)) + 0.1 * rng.standard_normal((N, 4))
    system = _system(_recording(y, stimuli.ids))
    size = stimuli.column("size")
    x = np.column_stack([one_hot, (size - size.mean()) / size.std()])
    order = rng.permutation(N)
    ids = np.array(stimuli.ids, dtype=object)[order]
    array = xr.DataArray(
        x[order], dims=("stimulus", "feature"), coords={"stimulus": ids}, name="kinds"
    )
    shown = _recording(x[order], ids.tolist(), kind="model")
    by_name, by_array, by_recording = (
        encoding(system, features=f, penalties=PENALTIES).data["value"].item()
        for f in (["kind", "size"], array, {"net": shown})
    )
    assert by_name > 0.9
    assert by_array == pytest.approx(by_name, abs=EXACT)
    assert by_recording == pytest.approx(by_name, abs=EXACT)


def test_groups_of_stimuli_stay_together():
    """Twins that share noise are predicted by their identity, unless no fold splits them."""
    stimuli = _stimuli()
    rng = np.random.default_rng(4)
    pair = rng.standard_normal((N // 2, 5)).repeat(2, axis=0)
    system = _system(_recording(pair + 0.1 * rng.standard_normal(pair.shape), stimuli.ids))
    split = encoding(system, features="pair", penalties=PENALTIES)
    together = encoding(system, features="pair", groups="pair", penalties=PENALTIES)
    assert split.data["value"].item() > 0.5
    # A pair that was never met predicts the mean: no unit has a score, and that is counted.
    assert together.undefined["scores"] == 5 and np.isnan(together.data["value"].item())
    assert together.parameters["groups"] == "pair"


def test_a_feature_of_text_is_dealt_evenly():
    """24 stimuli of two values in five folds: no fold has one value alone, no score is lost."""
    ids = [f"s{i:02d}" for i in range(24)]
    table = pd.DataFrame({"stimulus_id": ids, "face": [str(i // 3 % 2) for i in range(24)]})
    few = stimulus_set(table, name="simulated")
    values = np.random.default_rng(9).standard_normal((24, 4))
    values += 3 * (few.column("face").astype(str) == "1")[:, None]
    answer = encoding(_system(_recording(values, ids), stimuli=few), features="face")
    assert answer.undefined["scores"] == 0 and answer.data["value"].item() > 0.6
    assert answer.parameters["folds"] == "5 folds stratified by face, seed 0"


@pytest.mark.parametrize(
    ("method", "options"),
    [("ridge", {}), ("pls", {"n_components": 2}), ("banded", {"n_iter": 3}), ("partition", {})],
)
def test_every_method_finds_the_signal(method, options):
    """The same signal by each method; what hangs on an option is among the parameters."""
    answer = encoding(
        _system(_noisy()), features=["size", "speed"], method=method, penalties=PENALTIES, **options
    )
    assert answer.data["normalised_r"].item() == pytest.approx(1, abs=2 * PERFECT)
    assert answer.parameters["method"] == method
    assert all(answer.parameters[key] == value for key, value in options.items())
    if method == "banded":
        assert answer.data["part"].values.tolist() == ["size", "speed"]
        whole = answer.data["r2_part"].sum("part").item()
        assert whole == pytest.approx(answer.data["r2"].item(), abs=EXACT)
    if method == "partition":
        assert answer.data["part"].values.tolist() == ["size", "speed", "size+speed"]


def test_counts_have_a_share_of_deviance():
    """Poisson counts of a log rate: pseudo-R² of the truth, and r beside it."""
    stimuli = _stimuli()
    rng = np.random.default_rng(5)
    rate = np.exp(1 + 0.8 * np.outer(stimuli.column("size"), np.ones(6)))
    counts = rng.poisson(rate).astype(float)
    system = _system(_recording(counts, stimuli.ids))
    answer = encoding(system, features="size", method="poisson", penalties=(0.1, 10.0))
    from neuroai.numerics.poisson_glm import pseudo_r2

    best = pseudo_r2(counts, rate).mean()
    assert answer.data["pseudo_r2"].item() == pytest.approx(best, abs=0.05)
    assert answer.data["value"].item() > 0.7


def test_every_time_is_a_target():
    """A response to size at the middle time alone is found there alone."""
    stimuli = _stimuli()
    values = np.random.default_rng(6).standard_normal((N, 10, 3))
    values[:, :, 1] += stimuli.column("size")[:, None]
    recording = _recording(values, stimuli.ids, time=[0.0, 0.1, 0.2], time_unit="s")
    answer = encoding(_system(recording), features="size", penalties=PENALTIES)
    value = answer.data["value"].squeeze()
    assert value.dims == ("time",) and float(value.sel(time=0.1)) > 0.6
    assert (np.abs(value.sel(time=[0.0, 0.2])) < STANDARD_ERRORS / np.sqrt(10 * N) * 2).all()


def test_undefined_units_and_low_ceilings_are_counted():
    """A constant unit has no score, a unit of noise no ceiling worth dividing by."""
    recording = _noisy()
    values = recording.values.copy()
    values[:, 0] = 2.5
    values[:, 1] = np.random.default_rng(7).standard_normal(len(values))
    system = _system(recording.copy(data=values))
    answer = encoding(system, features=["size", "speed"], penalties=PENALTIES, least_ceiling=0.6)
    assert answer.undefined["scores"] == 1 and answer.undefined["ceilings"] >= 1
    low = answer.undefined["ceilings"] + answer.undefined["ceilings below the least"]
    assert low == 2
    assert answer.data["normalised_r"].item() == pytest.approx(1, abs=PERFECT)


def test_maps_of_voxels_go_back_to_a_volume():
    """r of every voxel lies where the voxel was; the rest is NaN."""
    signal, ids = _signal()
    grid = {"shape": [3, 3, 4], "affine": np.diag([2.0, 2.0, 2.0, 1.0]).tolist()}
    places = [(i, j, k) for i in range(3) for j in range(3) for k in range(3)]
    recording = build.recording(
        signal[:, :27], stimulus_id=ids, unit_id=[f"v{i}-{j}-{k}" for i, j, k in places],
        region="V1", system="sim", kind="brain", stimulus_set="simulated", subject="s1",
        attrs={"grid": json.dumps(grid)},
    )  # fmt: skip
    (units,) = unit_encoding(_system(recording), features="size", penalties=PENALTIES)
    volume = to_nifti(units["r"], units).get_fdata()
    assert volume[2, 1, 0] == pytest.approx(float(units["r"].values[places.index((2, 1, 0))]))
    assert np.isnan(volume[:, :, 3]).all() and np.isfinite(volume[:, :, :3]).all()
    first = units["predicted"].isel(stimulus=0, drop=True)
    assert np.isfinite(to_nifti(first, units).get_fdata()[:, :, :3]).all()


def test_published_means_are_targets_where_nothing_else_is():
    """A table of means by stimulus: one target a quantity, and the note says what they are."""
    stimuli = _stimuli()
    y = 300 + 40 * stimuli.column("size") + np.random.default_rng(8).standard_normal(N)
    table = build.measure(
        {
            "value": np.concatenate([y, stimuli.column("noise")]),
            "stimulus_id": list(stimuli.ids) * 2,
            "quantity": ["time"] * N + ["other"] * N,
            "n": [np.nan] * 2 * N,
            "subject": ["group"] * 2 * N,
            "provenance": ["derived"] * 2 * N,
        },
        system="sim", kind="brain", stimulus_set="simulated",
    ).assign_attrs(modality="reading times")  # fmt: skip
    system = _system(measures=[table])
    (units,) = unit_encoding(system, features="size", penalties=PENALTIES)
    assert units["unit_id"].values.tolist() == ["other", "time"] and units["r"].values[1] > 0.99
    answer = encoding(system, features="size", penalties=PENALTIES)
    assert answer.regions == ("reading times",) and "published means" in answer.notes[0]
    assert "ceiling_r" not in answer.data


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"features": "sise"}, UnknownName, "Did you mean 'size'"),
        ({"features": []}, UsageError, "needs one column"),
        ({"features": "size", "method": "lasso"}, UsageError, "method must be one of"),
        ({"features": "size", "method": "pls"}, UsageError, "n_components is needed"),
        ({"features": "size", "n_components": 3}, UsageError, "and for no other"),
        ({"features": "size", "method": "banded"}, UsageError, "two named feature spaces"),
        ({"features": "size", "delays": (1.0,)}, UsageError, "are for continuous features"),
        ({"features": "size", "shuffled": True}, UsageError, "are for continuous features"),
        ({"features": "size", "n_folds": 101}, DataError, "200 stimuli in 101 folds"),
        ({"features": "size", "ceiling": "best"}, UsageError, "ceiling must be one of"),
        ({"features": "size", "least_ceiling": 0.0}, UsageError, "least_ceiling must lie"),
        ({"features": xr.DataArray(np.zeros((2, 2)))}, UsageError, "needs the dimension"),
    ],
)
def test_wrong_options_are_told(options, error, said):
    """What was wanted, what came, what to do."""
    with pytest.raises(error, match=said):
        encoding(_system(_noisy(2)), **options)


@pytest.mark.parametrize(
    ("method", "features"),
    [
        ("ridge", "size"),
        ("partition", {"a": "size", "b": "speed"}),
        ("banded", {"a": "size", "b": "speed"}),
        ("poisson", "size"),
    ],
)
def test_two_folds_leave_none_to_choose_by(method, features):
    """What is learnt from is one fold: no number, and no silence, comes of it."""
    counts = _recording(np.ones((N, 2)), list(_stimuli().ids))
    with pytest.raises(DataError, match="2 folds of whole groups.*Take three folds or more"):
        encoding(_system(counts), features=features, method=method, n_folds=2)


def test_missing_features_are_told():
    """A stimulus without a feature is named; an array that lacks one, too."""
    table = _stimuli().table.drop(columns="sha256")
    table.loc["s007", "size"] = np.nan
    holed = stimulus_set(table.reset_index(), name="simulated")
    with pytest.raises(DataError, match="missing for 1 stimuli: s007"):
        encoding(_system(_noisy(2), stimuli=holed), features="size")
    array = xr.DataArray(
        np.zeros((N - 1, 1)), dims=("stimulus", "feature"),
        coords={"stimulus": np.array(_stimuli().ids[1:], dtype=object)},
    )  # fmt: skip
    with pytest.raises(AlignmentError, match="lacks 1 of those recorded: s000"):
        encoding(_system(_noisy(2)), features=array)


def test_a_system_without_recordings_says_so():
    """Nothing recorded, nothing published: a reason."""
    answer = encoding(_system(), features="size")
    assert isinstance(answer, NotMeasurable) and "no activity was recorded" in answer.reason
