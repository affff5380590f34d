"""p-values of encoding: everything learnt anew from what belongs to other stimuli or times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from neuroai.analyses.algorithm.encoding import encoding, unit_encoding
from neuroai.errors import UsageError
from neuroai.format import build
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.delays import delayed
from neuroai.numerics.encoding import encode
from neuroai.numerics.encoding_null import encoding_null
from neuroai.numerics.folds import block_folds, group_folds
from neuroai.numerics.intervals import permutation_p
from neuroai.numerics.poisson_glm import encode_poisson
from neuroai.numerics.resample import group_permutations, stimulus_permutations
from neuroai.numerics.run_shifts import run_shifts
from neuroai.systems.brain import Recorded
from neuroai.testing import EQUAL

N, N_NULL, SEED = 48, 39, 4
PENALTIES = (0.1, 10.0, 1000.0)
RUNS = np.repeat(["r1", "r2", "r3"], [80, 60, 70])
TR = 2.0


def _rng(seed=SEED):
    # As the draws are seeded; the second word keeps them apart from those of other steps.
    return np.random.default_rng([seed, 2])


def _stimuli():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"stimulus_id": [f"s{i:02d}" for i in range(N)]})
    table["size"], table["other"] = rng.standard_normal((2, N))
    table["film"] = [f"f{i // 4}" for i in range(N)]
    return stimulus_set(table, name="simulated")


def _shown(values, *, kind="brain"):
    stimuli = _stimuli()
    recording = build.recording(
        values, stimulus_id=list(stimuli.ids), unit_id=[f"u{i}" for i in range(values.shape[1])],
        region="V1", system="sim", kind=kind, stimulus_set="simulated", subject="s1",
        **({"time": [0.0, 0.1, 0.2], "time_unit": "s"} if values.ndim == 3 else {}),
    )  # fmt: skip
    return Recorded(SystemData("sim", kind, "none", recordings=(recording,)), stimuli=stimuli)


def _half_driven(*, n_units=6):
    """The first half of the units follow the size, the others nothing."""
    size = _stimuli().column("size")[:, None]
    gain = np.arange(n_units) < n_units / 2
    return size * gain + 0.5 * np.random.default_rng(1).standard_normal((N, n_units))


@pytest.mark.parametrize("kind", ["brain", "model"])
def test_units_that_follow_a_feature_are_told_from_others(kind):
    """By themselves, by the largest of all, and their mean; of brains and networks alike."""
    system = _shown(_half_driven(), kind=kind)
    how = {"features": "size", "penalties": PENALTIES, "n_null": N_NULL, "seed": SEED}
    (units,) = unit_encoding(system, **how)
    assert (units["p"].values[:3] == 1 / 40).all() and (units["p_max"].values[:3] == 1 / 40).all()
    assert (units["p"].values[3:] > 0.05).all()
    assert (units["p_max"] >= units["p"]).all()
    answer = encoding(system, **how)
    assert float(answer.data["p"].item()) == 1 / 40
    told = {name: answer.parameters[name] for name in ("n_null", "seed", "null")}
    assert told == {"n_null": N_NULL, "seed": SEED, "null": "stimuli relabelled"}


@pytest.mark.parametrize("groups", ["stimulus_id", "film"])
def test_values_are_those_of_plain_arrays(groups):
    """Against `encoding_null` on the same orders, stimuli or whole groups of them."""
    stimuli, y = _stimuli(), _half_driven()
    (units,) = unit_encoding(
        _shown(y), features="size", penalties=PENALTIES, n_null=N_NULL, seed=SEED, groups=groups
    )
    x = stimuli.column("size")[:, None]
    labels = stimuli.column(groups) if groups == "film" else np.array(stimuli.ids)
    orders = stimulus_permutations(N_NULL, N, rng=_rng())
    orders = group_permutations(orders, labels) if groups == "film" else orders
    null = encoding_null(
        (x - x.mean()) / x.std(), y, folds=group_folds(labels), permutations=orders,
        penalties=PENALTIES,
    )  # fmt: skip
    np.testing.assert_allclose(units["null_mean"].values, null.mean(axis=1), atol=EQUAL)
    np.testing.assert_allclose(units["p"].values, permutation_p(units["r"].values, null))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("partition", {"features": {"a": "size", "b": "other"}}),
        ("banded", {"features": {"a": "size", "b": "other"}, "n_iter": 5}),
        ("pls", {"features": ["size", "other"], "n_components": 1}),
        ("poisson", {"features": ["size", "other"]}),
    ],
)
def test_every_method_is_set_beside_chance(method, options):
    """Counts that follow the size in half of the units, by each method."""
    rates = np.exp(1.5 * _half_driven())
    system = _shown(np.random.default_rng(2).poisson(rates).astype(float))
    if method != "pls":
        options = {**options, "penalties": PENALTIES}
    (units,) = unit_encoding(system, method=method, n_null=19, seed=SEED, **options)
    assert units["null_mean"].attrs["score"] == ("pseudo_r2" if method == "poisson" else "r")
    assert (units["p"].values[:3] == 1 / 20).all() and units["p"].values[3:].mean() > 0.2


def test_times_are_tested_together():
    """A unit driven at one time of three: found there, and by the largest of all times."""
    y = np.random.default_rng(3).standard_normal((N, 2, 3))
    y[:, :, 1] += 2 * _stimuli().column("size")[:, None]
    data = encoding(
        _shown(y), features="size", penalties=PENALTIES, n_null=N_NULL, seed=SEED
    ).data.squeeze(("subject", "region"))
    assert data["p"].dims == ("time",)
    assert data["p"].values[1] == data["p_max"].values[1] == 1 / 40
    assert (data["p"].values[[0, 2]] > 0.05).all() and (data["p_max"] >= data["p"]).all()


def _continuous(values, *, runs=RUNS, region="V1", step=TR):
    time = np.concatenate([np.arange((runs == run).sum()) * step for run in dict.fromkeys(runs)])
    return build.continuous(
        values, run=runs.tolist(), time=time, stimulus_id=["film"] * len(runs),
        unit_id=[f"{region}-{i}" for i in range(values.shape[1])], region=region, system="sim",
        kind="brain", stimulus_set="films", subject="s1",
    )  # fmt: skip


def _watching(values, **options):
    films = stimulus_set(pd.DataFrame({"stimulus_id": ["film"]}), name="films")
    recording = _continuous(values, **options)
    return Recorded(SystemData("sim", "brain", "none", recordings=(recording,)), stimuli=films)


def _slow(seed, n):
    return lfilter([1], [1, -0.7], np.random.default_rng(seed).standard_normal((210, n)), axis=0)


def test_recordings_are_moved_in_time():
    """Against plain arrays: targets moved, and those samples kept that have all delays."""
    x, y = _slow(0, 2), _slow(1, 3)
    y[2:, 0] += 2 * x[:-2, 0]
    how = {"delays": (0.0, 4.0), "gap": 10.0, "penalties": PENALTIES}
    (units,) = unit_encoding(
        _watching(y), features=_continuous(x, region="f"), n_null=N_NULL, seed=SEED, **how
    )
    late = delayed(x, runs=RUNS, delays=(0, 2))
    folds = block_folds(RUNS, n_folds=5, gap=5).within(late.kept)
    orders = run_shifts(RUNS, n_shifts=N_NULL, rng=_rng())
    null = np.array(
        [
            encode(late.rows(), y[o][late.kept], folds=folds, penalties=PENALTIES).mean_r()
            for o in orders
        ]
    )
    np.testing.assert_allclose(units["null_mean"].values, null.mean(axis=1), atol=EQUAL)
    np.testing.assert_allclose(units["p"].values, permutation_p(units["r"].values, null))
    assert units["p"].values[0] == 1 / 40 and (units["p"].values[1:] > 0.05).all()
    assert units.attrs["null"] == "moved in time within runs"


def test_spikes_are_moved_with_their_past():
    """Poisson regression with history: counts and the counts before them go together."""
    rng = np.random.default_rng(5)
    runs, x = np.repeat(["a", "b", "c"], 200), rng.standard_normal((600, 1))
    y = rng.poisson(np.exp(0.5 * x * [1.0, 0.0] - 0.5)).astype(float)
    how = {"method": "poisson", "penalties": (1.0,), "n_folds": 3, "gap": 0.05}
    (units,) = unit_encoding(
        _watching(y, runs=runs, step=0.01), features=_continuous(x, runs=runs, step=0.01),
        history=(0.01,), n_null=19, seed=SEED, **how,
    )  # fmt: skip
    kept = np.flatnonzero(np.tile(np.arange(200) > 0, 3))
    folds = block_folds(runs, n_folds=3, gap=5).within(kept)
    features = np.hstack([x[kept], np.zeros((len(kept), 1))])
    null = []
    for order in run_shifts(runs, n_shifts=19, rng=_rng()):
        moved = y[order]
        own = delayed(moved, runs=runs, delays=(1,)).stacked(kept)
        _, scores = encode_poisson(features, moved[kept], own=own, folds=folds, penalties=(1.0,))
        null.append(scores.pseudo_r2.mean(axis=0))
    expected = permutation_p(units["pseudo_r2"].values, np.array(null))
    np.testing.assert_allclose(units["p"].values, expected)
    np.testing.assert_allclose(units["null_mean"].values, np.mean(null, axis=1), atol=EQUAL)
    assert units["p"].values[0] == 1 / 20 and units["p"].values[1] > 0.05


def test_undefined_scores_of_chance_are_counted():
    """A unit that spikes in a few stimuli only: some draws leave a fold without a spike."""
    y = np.zeros((N, 1))
    size = _stimuli().column("size")
    folds = group_folds(list(_stimuli().ids))
    # One stimulus with spikes in every fold, so that the observed score is defined.
    for _, test in folds:
        y[test[np.argmax(size[test])]] = 3.0
    answer = encoding(
        _shown(y), features="size", method="poisson", penalties=(10.0,), n_null=19, seed=SEED
    )
    undefined = answer.undefined["scores of chance, counted as reaching"]
    assert answer.undefined["scores"] == 0 and 0 < undefined <= 19
    assert answer.data["p"].item() >= (1 + undefined) / 20 - 1e-12


def test_a_bar_goes_with_long_work(capsys):
    """On stderr where it was asked for, and not a word else."""
    system = _shown(_half_driven(n_units=2))
    how = {"features": "size", "penalties": PENALTIES, "n_null": 5}
    encoding(system, **how)
    assert capsys.readouterr().err == ""
    encoding(system, progress=True, **how)
    assert "chance: 100%" in capsys.readouterr().err


def test_what_cannot_be_drawn_is_told():
    """A negative number."""
    with pytest.raises(UsageError, match="n_null must not be negative; got -1"):
        encoding(_shown(_half_driven()), features="size", n_null=-1)


def test_without_chance_there_is_no_p():
    """Nothing is drawn, and nothing said of it."""
    answer = encoding(_shown(_half_driven()), features="size", penalties=PENALTIES)
    assert "p" not in answer.data and answer.parameters["n_null"] == 0
    assert "null" not in answer.parameters
