"""T6: the noise ceiling brackets what the true model reaches."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from calibration_cases import Calibration, Size, assert_calibrated, rdms_of, unrelated_patterns

from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.rdm_ceiling import noise_ceiling
from neuroai.numerics.rdm_vectors import to_vector


def bracketed(
    n: int, rng: np.random.Generator, *, method: str, n_stimuli: int, n_subjects: int, noise: float
) -> np.ndarray:
    """Say whether the mean score of the noiseless RDM lies between the two bounds."""
    found = np.empty(n)
    for i in range(n):
        truth = unrelated_patterns(rng, 1, n_stimuli, 20)[0]
        runs = truth + noise * unrelated_patterns(rng, 2 * n_subjects, n_stimuli, 20)
        pairs = runs.reshape(n_subjects, 2, n_stimuli, 20)
        # Noise lengthens plain distances by a constant, which a cosine does not forgive.
        crossed = method == "cosine"
        rdms = np.stack([_crossed(p) for p in pairs]) if crossed else rdms_of(pairs.mean(axis=1))
        noiseless = rdms_of(truth[None])
        score = compare_rdms(noiseless, rdms, method=method).mean()
        ceiling = noise_ceiling(rdms, method=method)
        found[i] = ceiling.lower <= score <= ceiling.upper
    return found


def _crossed(runs: np.ndarray) -> np.ndarray:
    n_stimuli = runs.shape[1]
    stimulus, run = np.tile(np.arange(n_stimuli), 2), np.repeat([0, 1], n_stimuli)
    return to_vector(crossnobis(runs.reshape(2 * n_stimuli, -1), stimulus, run)[0])


NAMES = {"pearson": "pearson", "spearman": "spearman", "cosine": "cosine of crossnobis"}
CASES = [
    Calibration(
        "T6",
        "ceilings that bracket the true model",
        f"{NAMES[method]}, {n_stimuli} stimuli, {n_subjects} subjects, noise {noise:g}",
        partial(bracketed, method=method, n_stimuli=n_stimuli, n_subjects=n_subjects, noise=noise),
        # Four standard errors of a share of .90 in 200 are .085.
        Size(200, 0.815, 1.0),
        Size(20_000, 0.90, 1.0),
    )
    for method in NAMES
    for n_stimuli, n_subjects, noise in ((20, 8, 1.0), (40, 20, 2.0))
]


@pytest.mark.parametrize("case", [c for c in CASES if ", 8 subjects" in c.cell], ids=str)
def test_ceilings_bracket_the_true_model(case):
    """In nine of ten simulations or more the true model's score lies between the bounds."""
    assert_calibrated(case)
