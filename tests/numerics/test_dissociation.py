"""Specificity and double dissociation: closed forms, and p under the null."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import UsageError
from neuroai.numerics.dissociation import (
    double_dissociation,
    logit_of_share,
    percentile_in,
    specificity_index,
)


def test_logits_are_finite_symmetric_and_scipy_s_in_the_middle():
    """The correction vanishes for many trials."""
    shares = np.array([0.0, 0.25, 0.75, 1.0])
    got = logit_of_share(shares, n=20)
    assert np.isfinite(got).all() and np.allclose(got, -got[::-1])
    many = logit_of_share(shares[1:3], n=10**9)
    assert np.allclose(many, np.log(shares[1:3] / (1 - shares[1:3])))
    with pytest.raises(UsageError, match="one trial or more; got n=0"):
        logit_of_share(0.5, n=0)


def test_the_index_runs_from_minus_one_to_one():
    """Gains count against specificity; no change at all has no index."""
    assert specificity_index(-1.0, 0.5) == 1.0 and specificity_index(0.0, -2.0) == -1.0
    assert np.isnan(specificity_index(0.0, 0.0))


@pytest.mark.parametrize("seed", range(20))
def test_percentiles_are_scipy_s(seed):
    """With ties counting half."""
    rng = np.random.default_rng(seed)
    null, value = rng.integers(0, 10, 50).astype(float), float(rng.integers(0, 10))
    wanted = stats.percentileofscore(null, value, kind="mean")
    assert percentile_in(null, value) == pytest.approx(wanted)


def test_a_hard_task_alone_is_no_double_dissociation():
    """Both lesions cost task 1 more: nothing crosses, whatever each costs."""
    null = np.zeros((99, 2))
    found = double_dissociation([-3.0, -1.0], [-3.0, -1.0], null_first=null, null_second=null)
    assert (found.interaction, found.crossed, found.p) == (0.0, False, 1.0)


def test_p_is_uniform_for_random_lesions():
    """Lesions drawn as their controls are: Kolmogorov and Smirnov find nothing."""
    rng = np.random.default_rng(0)
    p = []
    for _ in range(300):
        draws = rng.normal(size=(2, 100, 2))
        found = double_dissociation(
            draws[0, 0], draws[1, 0], null_first=draws[0, 1:], null_second=draws[1, 1:]
        )
        p.append(found.p - rng.random() / 100)
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_shapes_are_told():
    """Three tasks, and unlike numbers of controls."""
    null = np.zeros((99, 2))
    with pytest.raises(UsageError, match=r"shape \(n, 2\), are wanted; got \(3,\)"):
        double_dissociation([0, 0, 0], [0, 0], null_first=null, null_second=null)
    with pytest.raises(UsageError, match=r"\(99, 2\) and \(98, 2\)"):
        double_dissociation([0, 0], [0, 0], null_first=null, null_second=null[1:])
