"""T2: encoding models of noise are found as often as the level says, in time as well."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from calibration_cases import (
    LEVEL,
    N_PERMUTATIONS,
    Calibration,
    Size,
    assert_calibrated,
    at_most,
    level_sizes,
)
from scipy.signal import lfilter

from neuroai.analyses.algorithm.encoding import encoding
from neuroai.comparison.encoding import encodings
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference, null_p
from neuroai.format.answers import Answer
from neuroai.format.build import continuous, recording
from neuroai.format.holdings import SystemData
from neuroai.format.stimuli import stimulus_set
from neuroai.numerics.encoding import encode
from neuroai.numerics.encoding_null import encoding_null
from neuroai.numerics.folds import block_folds, group_folds
from neuroai.numerics.resample import group_permutations, stimulus_permutations
from neuroai.numerics.run_shifts import run_shifts
from neuroai.systems.brain import Recorded

PENALTIES = (0.1, 1.0, 10.0, 100.0)
N_STIMULI, N_FEATURES, N_UNITS = 40, 5, 10
FOLDS = group_folds([str(i) for i in range(N_STIMULI)], n_folds=5)


def _noise(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw features, and units that no feature drives."""
    return rng.standard_normal((N_STIMULI, N_FEATURES)), rng.standard_normal((N_STIMULI, N_UNITS))


def _answer(values: np.ndarray, system: str, kind: str) -> Answer:
    activity = recording(
        values,
        stimulus_id=[f"s{i:02d}" for i in range(len(values))],
        unit_id=[f"u{i}" for i in range(values.shape[1])],
        region="R",
        system=system,
        kind=kind,
        stimulus_set="drawn",
        subject="s1",
    ).assign_attrs(region="R", subject="s1")
    counts = xr.Dataset(
        {"n_units": (("subject", "region"), [[values.shape[1]]])},
        coords={"subject": ["s1"], "region": ["R"]},
    )
    return Answer(
        form="responses", data=counts, question="responses", parameters={}, system=system,
        kind=kind, stimulus_set="drawn", responses=(activity,),
    )  # fmt: skip


def through_comparison(n: int, rng: np.random.Generator) -> np.ndarray:
    """Say whether the comparison of a brain and a network without any relation finds one."""
    found = np.empty(n)
    for i in range(n):
        x, y = _noise(rng)
        scores = encodings(
            _answer(y, "brain", "brain"),
            _answer(x, "network", "model"),
            context=Context(level="algorithm", dataset="drawn"),
            penalties=PENALTIES,
            inference=Inference(n_bootstrap=80, n_null=N_PERMUTATIONS, seed=i),
        ).scores
        found[i] = scores[0].p <= LEVEL
    return found


N_GROUPS = 10
GROUPS = [f"g{i % N_GROUPS}" for i in range(N_STIMULI)]


def in_groups(n: int, rng: np.random.Generator, *, whole: bool) -> np.ndarray:
    """Say whether units are found whose stimuli are alike within groups, as features are."""
    found = np.empty(n)
    folds = group_folds(GROUPS, n_folds=5)
    how = {"folds": folds, "penalties": PENALTIES, "rule": "folds"}
    place = np.unique(GROUPS, return_inverse=True)[1]
    for i in range(n):
        x, y = (_alike(rng, place, size) for size in (N_FEATURES, 3))
        orders = stimulus_permutations(N_PERMUTATIONS, N_STIMULI, rng=rng)
        null = encoding_null(
            x, y, **how, permutations=group_permutations(orders, GROUPS) if whole else orders
        )
        score = float(encode(x, y, **how).mean_r().mean())
        found[i] = null_p(score, null.mean(axis=1))[0] <= LEVEL
    return found


def _alike(rng: np.random.Generator, place: np.ndarray, size: int) -> np.ndarray:
    shared = rng.standard_normal((N_GROUPS, size))[place]
    return shared + 0.3 * rng.standard_normal((N_STIMULI, size))


def any_unit(n: int, rng: np.random.Generator, *, corrected: bool) -> np.ndarray:
    """Say whether any unit is found, by the largest score of all units or by its own."""
    found = np.empty(n)
    how = {"folds": FOLDS, "penalties": PENALTIES, "rule": "generalised"}
    for i in range(n):
        x, y = _noise(rng)
        scores = encode(x, y, **how).mean_r()
        orders = stimulus_permutations(N_PERMUTATIONS, N_STIMULI, rng=rng)
        null = encoding_null(x, y, **how, permutations=orders)
        if corrected:
            found[i] = null_p(float(scores.max()), null.max(axis=1))[0] <= LEVEL
        else:
            found[i] = any(null_p(s, null[:, u])[0] <= LEVEL for u, s in enumerate(scores))
    return found


def predictions_permuted(n: int, rng: np.random.Generator) -> np.ndarray:
    """Permute what was predicted, without learning anew: each fold's rows among themselves."""
    found = np.empty(n)
    for i in range(n):
        x, y = _noise(rng)
        fitted = encode(
            x, y, folds=FOLDS, penalties=PENALTIES, rule="generalised", keep_predictions=True
        )
        null = np.zeros(N_PERMUTATIONS)
        for _, test in FOLDS:
            a, b = (_standard(v[test]) for v in (y, fitted.predictions))
            for k in range(N_PERMUTATIONS):
                null[k] += (a * rng.permutation(b)).sum() / N_UNITS / len(FOLDS)
        found[i] = null_p(float(fitted.mean_r().mean()), null)[0] <= LEVEL
    return found


def _standard(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    return centred / np.sqrt((centred**2).sum(axis=0))


N_SAMPLES, GAP, MEMORY = 200, 15, 0.8
BLOCKS = block_folds(["film"] * N_SAMPLES, n_folds=5, gap=GAP)


def _slow(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw series whose samples hang together; the first hundred are left out."""
    steps = rng.standard_normal((N_SAMPLES + 100, size))
    return lfilter([1], [1, -MEMORY], steps, axis=0)[100:]


def in_time(n: int, rng: np.random.Generator, *, whole: bool) -> np.ndarray:
    """Say whether slow series without any relation are found, moved in time or relabelled."""
    found = np.empty(n)
    how = {"folds": BLOCKS, "penalties": PENALTIES}
    for i in range(n):
        x, y = _slow(rng, 3), _slow(rng, 4)
        if whole:
            runs = ["film"] * N_SAMPLES
            orders = run_shifts(runs, n_shifts=N_PERMUTATIONS, rng=rng)
        else:
            orders = stimulus_permutations(N_PERMUTATIONS, N_SAMPLES, rng=rng)
        null = encoding_null(x, y, **how, permutations=orders, block_bytes=2**26)
        score = float(encode(x, y, **how).mean_r().mean())
        found[i] = null_p(score, null.mean(axis=1))[0] <= LEVEL
    return found


def through_analysis(n: int, rng: np.random.Generator) -> np.ndarray:
    """Say whether `encoding` finds a relation between a film and a recording that has none."""
    films = stimulus_set(pd.DataFrame({"stimulus_id": ["film"]}), name="films")
    found = np.empty(n)
    for i in range(n):
        features, values = (
            _over_time(_slow(rng, size), name) for size, name in ((3, "f"), (4, "R"))
        )
        system = Recorded(SystemData("brain", "brain", "none", recordings=(values,)), stimuli=films)
        answer = encoding(
            system, features=features, penalties=PENALTIES, gap=float(GAP), seed=i,
            n_null=N_PERMUTATIONS,
        )  # fmt: skip
        found[i] = answer.data["p"].item() <= LEVEL
    return found


def _over_time(values: np.ndarray, region: str) -> xr.DataArray:
    return continuous(
        values, run=["film"] * N_SAMPLES, time=np.arange(float(N_SAMPLES)),
        stimulus_id=["film"] * N_SAMPLES, unit_id=[f"u{i}" for i in range(values.shape[1])],
        region=region, system="brain", kind="brain", stimulus_set="films", subject="s1",
    )  # fmt: skip


def _case(cell, run, small, full, *, what="rejections at .05") -> Calibration:
    return Calibration("T2", what, cell, run, small, full)


def _narrow(n: int) -> tuple[Size, Size]:
    """Give the sizes of a null that is too narrow, which must be seen to reject too often."""
    return Size(n, 0.06, 1.0), Size(20_000, 0.08, 1.0)


NOT = "(what must not be done)"
SERIES = f"series of {N_SAMPLES} samples ({MEMORY} kept a step)"
ALIKE = f"{N_GROUPS} groups of 4 stimuli that are alike"
CASES = [
    _case(f"{SERIES}, moved in time", partial(in_time, whole=True), *level_sizes(n=300)),
    _case(f"{SERIES}, relabelled {NOT}", partial(in_time, whole=False), *_narrow(60)),
    _case(f"{SERIES}, moved in time by encoding()", through_analysis, *level_sizes(n=100)),
    _case(
        f"mean over {N_UNITS} units, {N_STIMULI} stimuli, everything learnt anew",
        through_comparison,
        *level_sizes(n=200),
    ),
    _case(
        "largest score of all units (max-T)",
        partial(any_unit, corrected=True),
        *at_most(0.06, n=200),
        what="any of 10 units rejected at .05",
    ),
    _case(f"{ALIKE}, whole groups permuted", partial(in_groups, whole=True), *level_sizes(n=100)),
    # .15, which is more than .06 in 60 simulations nearly always.
    _case(f"{ALIKE}, stimuli permuted {NOT}", partial(in_groups, whole=False), *_narrow(60)),
    _case(f"predictions permuted without learning anew {NOT}", predictions_permuted, *_narrow(200)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_encoding_of_noise_is_found_as_often_as_the_level_says(case):
    """One test of the mean and one of the largest of all units; a null too narrow beside them."""
    assert_calibrated(case)


def test_units_taken_one_by_one_are_found_too_often():
    """Without correction one of ten units is found in far more than 6 % of simulations."""
    assert any_unit(60, np.random.default_rng(2), corrected=False).mean() > 0.2
