"""T1: a model that has nothing to do with the data is found as often as the level says."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from calibration_cases import (
    LEVEL,
    N_PERMUTATIONS,
    Calibration,
    Size,
    assert_calibrated,
    at_most,
    level_sizes,
    rdms_of,
    unrelated_patterns,
)
from scipy import stats

from neuroai.comparison.statistics.evaluators import RdmEvaluator
from neuroai.comparison.statistics.inference import Inference, calibration_notes, null_p, summarise
from neuroai.numerics.resample import bootstrap_counts, stimulus_permutations

N_SAMPLES = 200
METHODS = ("pearson", "spearman", "whitened-cosine")
# Subjects share a geometry of their own; a model without it shares nothing with any of them.
NOISE = 1.0


def subjects_and_models(
    rng: np.random.Generator, n_subjects: int, n_stimuli: int, n_models: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw RDMs of subjects that have a signal in common, and of unrelated models."""
    signal = unrelated_patterns(rng, 1, n_stimuli)
    noise = unrelated_patterns(rng, n_subjects, n_stimuli)
    models = unrelated_patterns(rng, n_models, n_stimuli)
    return rdms_of(signal + NOISE * noise), rdms_of(models)


def permuted(
    n: int, rng: np.random.Generator, *, method: str, n_stimuli: int, n_subjects: int
) -> np.ndarray:
    """Say of each simulation whether the permutation of stimulus labels rejects."""
    found = np.empty(n)
    for i in range(n):
        data, models = subjects_and_models(rng, n_subjects, n_stimuli, 1)
        evaluator = RdmEvaluator(data=data, models=models, method=method, n_stimuli=n_stimuli)
        orders = stimulus_permutations(N_PERMUTATIONS, n_stimuli, rng=rng)
        null = evaluator.permuted(orders).mean(axis=(1, 2))
        found[i] = null_p(float(evaluator.observed().mean()), null)[0] <= LEVEL
    return found


def bootstrapped(
    n: int, rng: np.random.Generator, *, method: str, n_stimuli: int, n_subjects: int
) -> np.ndarray:
    """Say of each simulation whether the t-test of the two-factor variance rejects."""
    found = np.empty(n)
    for i in range(n):
        data, models = subjects_and_models(rng, n_subjects, n_stimuli, 1)
        evaluator = RdmEvaluator(data=data, models=models, method=method, n_stimuli=n_stimuli)
        counts = bootstrap_counts(N_SAMPLES, n_stimuli, rng=rng)
        found[i] = (
            summarise(
                evaluator.observed(),
                samples=evaluator.resampled(counts),
                left_out=evaluator.left_out(),
                null=None,
                n_stimuli=n_stimuli,
                inference=Inference(n_bootstrap=N_SAMPLES, n_null=0, seed=i),
            ).p
            <= LEVEL
        )
    return found


def pairwise(n: int, rng: np.random.Generator, *, n_stimuli: int) -> np.ndarray:
    """Say whether a test that takes pairs of stimuli for independent rejects."""
    found = np.empty(n)
    for i in range(n):
        data, models = subjects_and_models(rng, 5, n_stimuli, 1)
        found[i] = stats.pearsonr(data.mean(axis=0), models[0], alternative="greater").pvalue
    return found <= LEVEL


def _permuted(method: str, n_stimuli: int, n_subjects: int) -> Calibration:
    small, full = level_sizes()
    how = {"method": method, "n_stimuli": n_stimuli, "n_subjects": n_subjects}
    cell = f"{method}, {n_stimuli} stimuli, {n_subjects} subjects, labels permuted"
    return Calibration("T1", "rejections at .05", cell, partial(permuted, **how), small, full)


def _bootstrapped(method: str, n_stimuli: int, n_subjects: int) -> Calibration:
    small, full = at_most(0.06, n=400)
    if calibration_notes(n_subjects, n_stimuli):
        small, full = Size(400), Size(20_000)
    how = {"method": method, "n_stimuli": n_stimuli, "n_subjects": n_subjects}
    cell = f"{method}, {n_stimuli} stimuli, {n_subjects} subjects, bootstrap t-test"
    return Calibration("T1", "rejections at .05", cell, partial(bootstrapped, **how), small, full)


PERMUTED = [
    _permuted(method, n_stimuli, n_subjects)
    for method in METHODS
    for n_stimuli in (8, 20, 60)
    for n_subjects in (5, 20)
]
BOOTSTRAPPED = [
    _bootstrapped(method, n_stimuli, n_subjects)
    for method in ("pearson", "whitened-pearson", "spearman")
    for n_stimuli, n_subjects in ((8, 5), (20, 8), (20, 20), (60, 8), (60, 20))
    # Ranks are sorted anew in every sample: the large designs would take hours.
    if method == "pearson" or (n_stimuli, n_subjects) in ((8, 5), (20, 8))
]
NAIVE = Calibration(
    "T1",
    "rejections at .05",
    "20 stimuli, pairs taken for independent (what must not be done)",
    partial(pairwise, n_stimuli=20),
    Size(400, 0.10, 1.0),
    Size(20_000, 0.15, 1.0),
)
CASES = [*PERMUTED, *BOOTSTRAPPED, NAIVE]
# With the tests: a few small designs; every design when the table is written.
WITH_TESTS = [
    case
    for case in CASES
    if case.cell.startswith(
        (
            "pearson, 8 stimuli, 5 subjects, labels",
            "spearman, 20 stimuli, 5 subjects, labels",
            "whitened-cosine, 20 stimuli, 5 subjects, labels",
            "pearson, 20 stimuli, 8 subjects, bootstrap",
            "20 stimuli, pairs",
        )
    )
]


@pytest.mark.parametrize("case", WITH_TESTS, ids=str)
def test_unrelated_models_are_found_as_often_as_the_level_says(case):
    """Permutations reject 5 %, t-tests at most 6 %; pairs taken for independent far more."""
    assert_calibrated(case)
