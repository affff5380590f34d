"""T5: estimates of nothing are 0 on average: crossnobis, debiased CKA, the lower ceiling."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from calibration_cases import (
    Calibration,
    Size,
    assert_calibrated,
    rdms_of,
    unbiased_sizes,
    unrelated_patterns,
)

from neuroai.numerics.cka import cka
from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.rdm_ceiling import noise_ceiling


def distances(n: int, rng: np.random.Generator, *, n_runs: int, missing: float) -> np.ndarray:
    """Give crossnobis distances of two conditions that do not differ; cells may be missing."""
    found = np.empty(n)
    conditions, runs = (a.ravel() for a in np.meshgrid(np.arange(4), np.arange(n_runs)))
    for i in range(n):
        kept = rng.random(len(runs)) >= missing
        # The pair that is read has its two runs whatever else is missing.
        kept |= (conditions < 2) & (runs < 2)
        noise = rng.standard_normal((kept.sum(), 20))
        found[i] = crossnobis(noise, conditions[kept], runs[kept])[0][0, 1]
    return found


def alignments(
    n: int, rng: np.random.Generator, *, n_stimuli: int, n_units: int, estimator: str
) -> np.ndarray:
    """Give the CKA of responses that are independent of each other."""
    found = np.empty(n)
    for i in range(n):
        pair = unrelated_patterns(rng, 2, n_stimuli, n_units)
        a, b = (np.asarray(centred_gram(p), dtype=float)[None] for p in pair)
        found[i] = cka(a, b, estimator=estimator)[0, 0]
    return found


def ceilings(n: int, rng: np.random.Generator) -> np.ndarray:
    """Give the lower noise ceiling of subjects that have nothing in common."""
    found = np.empty(n)
    for i in range(n):
        rdms = rdms_of(unrelated_patterns(rng, 8, 20))
        found[i] = noise_ceiling(rdms, method="pearson").lower
    return found


def _case(cell: str, run, *, n: int, n_full: int = 20_000) -> Calibration:
    small, full = unbiased_sizes(n=n, n_full=n_full)
    return Calibration("T5", "mean of an estimate of 0", cell, run, small, full, in_errors=True)


CKA = {"n_stimuli": 100, "n_units": 5000}
CASES = [
    _case("crossnobis, 4 runs", partial(distances, n_runs=4, missing=0.0), n=1000),
    _case(
        "crossnobis, 6 runs, 30 % of the cells missing",
        partial(distances, n_runs=6, missing=0.3),
        n=1000,
    ),
    _case(
        "debiased CKA, 20 stimuli, 40 units",
        partial(alignments, n_stimuli=20, n_units=40, estimator="debiased"),
        n=1000,
    ),
    Calibration(
        "T5",
        "mean of an estimate of 0",
        "debiased CKA, 100 stimuli, 5,000 units",
        partial(alignments, **CKA, estimator="debiased"),
        Size(20, -0.02, 0.02),
        Size(200, -0.005, 0.005),
    ),
    Calibration(
        "T5",
        "mean of an estimate of 0",
        "biased CKA, 100 stimuli, 5,000 units (what must not be read as 0)",
        partial(alignments, **CKA, estimator="biased"),
        Size(5, 0.9, 1.0),
        Size(200, 0.9, 1.0),
    ),
    _case("lower noise ceiling, pearson, 8 subjects, 20 stimuli", ceilings, n=300),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_estimates_of_nothing_are_nothing(case):
    """Means lie within four standard errors of 0; biased CKA shows what bias looks like."""
    assert_calibrated(case)
