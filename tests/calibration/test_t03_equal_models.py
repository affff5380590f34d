"""T3: of two models that are equally good, neither is found better more often than it may be."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from calibration_cases import (
    LEVEL,
    Calibration,
    Size,
    assert_calibrated,
    at_most,
    rdms_of,
    unrelated_patterns,
)

from neuroai.comparison.statistics.evaluators import RdmEvaluator
from neuroai.comparison.statistics.inference import Inference, calibration_notes, summarise
from neuroai.numerics.resample import bootstrap_counts

N_SAMPLES = 200
# Both models see the truth through noise of their own, and so are exchangeable.
NOISE = 1.0


def differences(
    n: int, rng: np.random.Generator, *, method: str, n_stimuli: int, n_subjects: int
) -> np.ndarray:
    """Say of each simulation whether the two-sided t-test of the difference rejects."""
    found = np.empty(n)
    for i in range(n):
        truth = unrelated_patterns(rng, 1, n_stimuli)
        data = rdms_of(truth + NOISE * unrelated_patterns(rng, n_subjects, n_stimuli))
        models = rdms_of(truth + NOISE * unrelated_patterns(rng, 2, n_stimuli))
        evaluator = RdmEvaluator(data=data, models=models, method=method, n_stimuli=n_stimuli)
        samples = evaluator.resampled(bootstrap_counts(N_SAMPLES, n_stimuli, rng=rng))
        observed, samples, without = (
            scores[..., :1] - scores[..., 1:]
            for scores in (evaluator.observed(), samples, evaluator.left_out())
        )
        found[i] = summarise(
            observed,
            samples=samples,
            left_out=without,
            null=None,
            n_stimuli=n_stimuli,
            inference=Inference(n_bootstrap=N_SAMPLES, n_null=0, seed=i),
            side="two-sided",
        ).p
    return found <= LEVEL


def _case(method: str, n_stimuli: int, n_subjects: int) -> Calibration:
    small, full = at_most(0.06, n=400)
    if calibration_notes(n_subjects, n_stimuli):
        small, full = Size(400), Size(20_000)
    how = {"method": method, "n_stimuli": n_stimuli, "n_subjects": n_subjects}
    cell = f"{method}, {n_stimuli} stimuli, {n_subjects} subjects, two exchangeable models"
    return Calibration("T3", "rejections at .05", cell, partial(differences, **how), small, full)


CASES = [
    _case(method, *size)
    for method in ("pearson", "spearman")
    for size in ((8, 5), (20, 8), (20, 20), (60, 20))
    # Ranks are sorted anew in every sample: the large designs would take hours.
    if method == "pearson" or size == (20, 8)
]


@pytest.mark.parametrize("case", [c for c in CASES if "pearson, 20 stimuli, 8" in c.cell], ids=str)
def test_neither_of_two_equal_models_is_better(case):
    """Two-sided tests of the difference reject at most 6 % of the time."""
    assert_calibrated(case)
