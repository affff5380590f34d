"""T15: the best of fifty layers of noise is not found more often than the level says."""

from __future__ import annotations

import numpy as np
import pytest
from calibration_cases import (
    LEVEL,
    N_PERMUTATIONS,
    Calibration,
    Size,
    assert_calibrated,
    at_most,
    rdms_of,
    unrelated_patterns,
)

from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.intervals import permutation_p
from neuroai.numerics.layer_choice import choose_and_score
from neuroai.numerics.rdm_permutation import permute_rdms
from neuroai.numerics.resample import stimulus_permutations

N_LAYERS, N_STIMULI, N_SPLITS = 50, 20, 2


def _draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    patterns = unrelated_patterns(rng, N_LAYERS + 3, N_STIMULI)
    rdms = rdms_of(patterns)
    return rdms[:3], rdms[3:]


def chosen_apart(n: int, rng: np.random.Generator) -> np.ndarray:
    """Choose on one half and score on the other, the null repeating the choice."""
    found = np.empty(n)
    for i in range(n):
        data, layers = _draw(rng)
        halves = rng.permuted(np.tile(np.arange(N_STIMULI) < N_STIMULI // 2, (N_SPLITS, 1)), axis=1)
        orders = stimulus_permutations(N_PERMUTATIONS, N_STIMULI, rng=rng)
        choice = choose_and_score(
            data, layers[:, None], halves=halves, method="pearson", permutations=orders
        )
        found[i] = permutation_p(choice.value, choice.samples) <= LEVEL
    return found


def chosen_on_the_test(n: int, rng: np.random.Generator) -> np.ndarray:
    """Take the best layer on all stimuli and test it there as if it had been named before."""
    found = np.empty(n)
    for i in range(n):
        data, layers = _draw(rng)
        scores = compare_rdms(data, layers, method="pearson").mean(axis=0)
        best = int(scores.argmax())
        orders = stimulus_permutations(N_PERMUTATIONS, N_STIMULI, rng=rng)
        null = permute_rdms(data, layers[best][None], method="pearson", permutations=orders)
        found[i] = permutation_p(scores[best : best + 1], null)[0] <= LEVEL
    return found


SMALL, ALL = at_most(0.06, n=300, n_full=20_000)
CASES = [
    Calibration(
        "T15",
        "rejections at .05",
        "best of 50 layers of noise, chosen on one half and scored on the other",
        chosen_apart,
        SMALL,
        ALL,
    ),
    Calibration(
        "T15",
        "rejections at .05",
        "best of 50 layers of noise, chosen and tested on the same (what must not be done)",
        chosen_on_the_test,
        Size(100, 0.5, 1.0),
        Size(2000, 0.5, 1.0),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_best_of_many_is_not_found_too_often(case):
    """Selection and scoring share no stimulus, and the null repeats the selection."""
    assert_calibrated(case)
