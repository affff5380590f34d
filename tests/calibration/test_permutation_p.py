"""Permutation p values reject as often as they say where nothing is to be found."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.distances import squared_euclidean
from neuroai.numerics.intervals import permutation_p
from neuroai.numerics.layer_choice import choose_and_score
from neuroai.numerics.rdm_permutation import permute_rdms
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.numerics.resample import stimulus_permutations

SEED = 20240611
LEVEL = 0.05
N_NULLS = 1000
N_PERMUTATIONS = 199


def bounds(n_nulls):
    """Return the rejection rates within four standard errors of the level."""
    width = 4 * np.sqrt(LEVEL * (1 - LEVEL) / n_nulls)
    return LEVEL - width, LEVEL + width


def unrelated_rdms(n_rdms, n_stimuli, rng):
    """Return RDMs of independent responses, with the dependence among pairs that RDMs have."""
    patterns = rng.standard_normal((n_rdms, n_stimuli, 5))
    return np.stack([to_vector(squared_euclidean(p)) for p in patterns])


@pytest.mark.parametrize("n_stimuli", [8, 20])
@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_unrelated_rdms_are_rejected_at_the_level(method, n_stimuli):
    """Of 1,000 unrelated pairs of RDMs, between 2.2 and 7.8 percent have p of at most .05."""
    rng = np.random.default_rng([SEED, n_stimuli])
    rejected = 0
    for _ in range(N_NULLS):
        data, models = unrelated_rdms(2, n_stimuli, rng), unrelated_rdms(1, n_stimuli, rng)
        observed = compare_rdms(data, models, method=method).mean(axis=0)
        orders = stimulus_permutations(N_PERMUTATIONS, n_stimuli, rng=rng)
        null = permute_rdms(data, models, method=method, permutations=orders)
        rejected += permutation_p(observed, null)[0] <= LEVEL
    assert 0.022 <= rejected / N_NULLS <= 0.078


def test_layer_choice_on_unrelated_layers_is_rejected_at_the_level():
    """The null that repeats the choice keeps its level, with several layers and splits."""
    rng = np.random.default_rng([SEED, 3])
    n_nulls, n_stimuli, rejected = 300, 12, 0
    for _ in range(n_nulls):
        data = unrelated_rdms(2, n_stimuli, rng)
        models = unrelated_rdms(4, n_stimuli, rng)[:, None]
        halves = np.array([rng.permutation(n_stimuli) < n_stimuli // 2 for _ in range(2)])
        orders = stimulus_permutations(99, n_stimuli, rng=rng)
        result = choose_and_score(
            data, models, halves=halves, method="spearman", permutations=orders
        )
        rejected += permutation_p(result.value, result.samples) <= LEVEL
    low, high = bounds(n_nulls)
    assert low <= rejected / n_nulls <= high
