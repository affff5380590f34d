"""p values from permuted labels against compare_rdms of relabelled RDMs, and on nulls."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.comparison.statistics.relabelling import _null, relabelled_p
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.rdm_permutation import relabelled
from neuroai.numerics.resample import stimulus_permutations
from neuroai.testing import EXACT, STANDARD_ERRORS

ALPHA, N_STIMULI = 0.05, 8


def _rdms(seed, *shape):
    return np.random.default_rng(seed).random((*shape, N_STIMULI * (N_STIMULI - 1) // 2))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("timed", [False, True])
def test_scores_are_means_over_both_sides_of_relabelled_models(method, timed):
    """Every comparator: the mean over subjects and seeds of the comparison after relabelling."""
    data, models = _rdms(0, 2, 1, 3), _rdms(1, 2, 2, 3) if timed else _rdms(1, 2, 2)
    orders = stimulus_permutations(4, N_STIMULI, rng=np.random.default_rng(2))
    found = _null(data, models, orders, method)
    for b, order in enumerate(orders):
        for t in range(3):
            for m in range(2):
                own = models[:, m, t] if timed else models[:, m]
                moved = np.array([relabelled(v, order[None])[0] for v in own])
                expected = compare_rdms(data[:, 0, t], moved, method=method).mean()
                assert found[b, 0, t, m] == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("method", ["spearman", "cosine"])
def test_the_level_holds_for_all_cells_together(method):
    """Simulated without relation, 300 times: a cell is found in 5 % and 4 errors at most."""
    found = 0
    for seed in range(300):
        p, _ = relabelled_p(
            _rdms(seed, 1, 1, 4), _rdms(1000 + seed, 1, 3), method=method, n_permutations=59,
            seed=seed,
        )  # fmt: skip
        found += p.min() <= ALPHA
    assert found / 300 <= ALPHA + STANDARD_ERRORS * np.sqrt(ALPHA * (1 - ALPHA) / 300)


def test_cells_without_a_value_have_no_p():
    """An undefined cell is NaN and leaves the others as they are."""
    data, models = _rdms(0, 1, 1, 3), _rdms(1, 1, 2)
    whole, _ = relabelled_p(data[:, :, :2], models, method="pearson", n_permutations=39)
    data[0, 0, 2] = 1.0
    found, _ = relabelled_p(data, models, method="pearson", n_permutations=39)
    assert np.isnan(found[:, 2]).all()
    np.testing.assert_allclose(found[:, :2], whole, atol=EXACT)
