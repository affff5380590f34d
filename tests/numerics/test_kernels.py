"""Psychophysical kernels of observers whose templates are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.kernels import psychophysical_kernel
from neuroai.testing import EXACT, STANDARD_ERRORS

TEMPLATE = np.array([0.0, 1.0, 0.0, -1.0, 0.0])


def observer(seed: int, *, n: int = 1500, weight: float = 1.0):
    """Choose by a template on noise, with a signal that shifts the choice by the truth."""
    rng = np.random.default_rng(seed)
    noise, truth = rng.normal(size=(n, 5)), rng.integers(2, size=n)
    decision = weight * noise @ TEMPLATE + (2 * truth - 1) + rng.normal(size=n)
    return noise, (decision > 0).astype(float), truth


def test_finds_the_template():
    """The kernel is proportional to the template, and only its features are significant."""
    noise, choice, truth = observer(0)
    found = psychophysical_kernel(noise, choice, truth, n_permutations=99)
    assert np.corrcoef(found.value, TEMPLATE)[0, 1] > 0.98
    assert (found.p < 0.05).tolist() == [False, True, False, True, False]
    assert found.n == 1500
    assert abs(found.value[0]) < STANDARD_ERRORS * found.error[0]


def test_one_stratum_is_a_difference_of_means():
    """Value and error are those of the classical t-test with pooled variance."""
    noise, choice, _ = observer(1, n=200)
    found = psychophysical_kernel(noise, choice, np.zeros(200), n_permutations=9)
    t = stats.ttest_ind(noise[choice == 1], noise[choice == 0]).statistic
    np.testing.assert_allclose(found.value / found.error, t, atol=EXACT)


def test_signal_does_not_leak_into_the_kernel():
    """A feature that tells the truth, and nothing else, has no kernel within strata."""
    noise, choice, truth = observer(2)
    told = np.column_stack([noise, 3.0 * truth])
    found = psychophysical_kernel(told, choice, truth, n_permutations=9)
    assert found.value[-1] == pytest.approx(0, abs=EXACT) and found.p[-1] == 1


def test_p_is_uniform_for_an_observer_who_ignores_the_noise():
    """The smallest p of the features is at most 0.1 in a tenth of 100 runs, by the binomial law."""
    low = sum(
        psychophysical_kernel(*observer(s, n=80, weight=0.0), n_permutations=19).p.min() <= 0.1
        for s in range(100)
    )
    assert stats.binomtest(low, 100, 0.1).pvalue > 1e-4


def test_what_has_no_kernel_is_refused():
    """Where the truth tells the choice there is nothing left for the noise."""
    with pytest.raises(DataError, match="none has both"):
        psychophysical_kernel(np.ones((4, 1)), np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))
    with pytest.raises(DataError, match="finite features"):
        psychophysical_kernel(np.full((2, 1), np.nan), np.array([0, 1]), np.zeros(2))
    with pytest.raises(DataError, match="one choice and stratum a trial"):
        psychophysical_kernel(np.ones((3, 1)), np.array([0, 1]), np.zeros(2))
    with pytest.raises(UsageError, match="n_permutations must be at least 1"):
        psychophysical_kernel(np.ones((2, 1)), np.array([0, 1]), np.zeros(2), n_permutations=0)
