"""Wrong numbers that other libraries give, on the inputs that bring them out, are not given here.

Each test has an answer of its own, so that it holds whether or not the other library is mended.
"""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.analyses.algorithm.rdm import rdm
from neuroai.analyses.algorithm.rdm_over_time import rdm_over_time
from neuroai.errors import DataError, UsageError
from neuroai.format.build import recording
from neuroai.format.holdings import SystemData
from neuroai.numerics.comparators import compare_rdms
from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.intervals import t_test_p
from neuroai.numerics.noise_precision import noise_covariance
from neuroai.numerics.rdm_ceiling import noise_ceiling
from neuroai.systems.brain import Recorded
from neuroai.testing import EXACT, SINGLE, toy_stimuli


def _with_gaps(seed=0):
    x = np.random.default_rng(seed).standard_normal((4, 9))
    x[1, 2] = x[3, 5] = np.nan
    return x, ~np.isnan(x).any(axis=0)


def test_correlation_with_gaps_is_that_of_the_units_both_have():
    """rsatoolbox's unbalanced routine gives 0.031 for a true 0.303: here gaps are an error."""
    x, whole = _with_gaps()
    with pytest.raises(DataError, match="2 of 36 entries of patterns are not finite"):
        correlation_distance(x)
    np.testing.assert_allclose(
        correlation_distance(x[:, whole]), 1 - np.corrcoef(x[:, whole]), atol=EXACT
    )


def test_whitened_distances_with_gaps_are_refused():
    """rsatoolbox's unbalanced Mahalanobis weighs NaN by the number of dimensions."""
    x, whole = _with_gaps()
    noise = noise_covariance(np.random.default_rng(1).standard_normal((40, 9)), dof=40)
    with pytest.raises(DataError, match="not finite"):
        squared_euclidean(noise.whiten(x))
    with pytest.raises(DataError, match="not finite"):
        crossnobis(x, [0, 1, 0, 1], [0, 0, 1, 1])
    part = noise_covariance(np.random.default_rng(1).standard_normal((40, 9))[:, whole], dof=40)
    y = x[:, whole]
    delta = y[0] - y[1]
    expected = delta @ np.linalg.inv(part.covariance) @ delta / whole.sum()
    assert squared_euclidean(part.whiten(y))[0, 1] == pytest.approx(expected, abs=EXACT)


def _recording(values, runs):
    ids = list(toy_stimuli(3).ids) * runs
    return recording(
        values, stimulus_id=ids, unit_id=[f"u{i}" for i in range(values.shape[1])], region="V1",
        system="toy", kind="brain", stimulus_set="toy", subject="s1",
        time=np.arange(values.shape[2]) / 10, time_unit="s",
        presentation={"run": np.repeat(np.arange(runs), 3)},
    )  # fmt: skip


def _brain(activity):
    data = SystemData(name="toy", kind="brain", species="none", recordings=(activity,))
    return Recorded(data=data, stimuli=toy_stimuli(3))


def test_a_cross_validated_poisson_distance_is_not_offered():
    """rsatoolbox's poisson_cv returns its last fold alone; there is none here to be wrong."""
    activity = _recording(np.ones((6, 4, 2)), 2)
    with pytest.raises(
        UsageError, match="distance must be one of .*'poisson-kl'; got 'poisson_cv'"
    ):
        rdm(_brain(activity), distance="poisson_cv")


def test_over_time_folds_are_runs_and_never_the_order_of_rows():
    """rsatoolbox's movie of a list forgets the runs and makes folds from the order of rows."""
    rng = np.random.default_rng(0)
    activity = _recording(rng.standard_normal((12, 5, 3)), 4)
    moved = activity.isel(presentation=rng.permutation(12))
    found, again = (
        rdm_over_time(_brain(one), distance="crossnobis").data["rdm"] for one in (activity, moved)
    )
    np.testing.assert_allclose(found.values, again.values, atol=EXACT)
    bare = activity.drop_vars("run")
    assert "crossnobis needs two runs" in rdm_over_time(_brain(bare), distance="crossnobis").reason


def test_an_undefined_rdm_changes_no_other():
    """mne-rsa's NaN mask of one RDM stays for all later ones (0.0785 alone, -0.1002 after it)."""
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 28)), rng.random((2, 28))
    alone = compare_rdms(a[1:], b, method="spearman")
    a[0, :20] = np.nan
    for order in ([0, 1, 2], [1, 0, 2], [1, 2, 0]):
        found = compare_rdms(a[order], b, method="spearman")
        kept = [order.index(1), order.index(2)]
        np.testing.assert_allclose(found[kept], alone, atol=EXACT)


def test_negative_crossnobis_distances_are_kept():
    """mne-rsa takes a square root: NaN for each estimate below 0. Here none is lost or clipped."""
    rng = np.random.default_rng(0)
    condition, run = np.tile(np.arange(20), 4), np.repeat(np.arange(4), 20)
    found, _ = crossnobis(rng.standard_normal((80, 30)), condition, run)
    off = found[np.triu_indices(20, k=1)]
    assert np.isfinite(off).all()
    # Of pure noise about half lie below 0: 190 estimates that share stimuli.
    assert 0.3 < (off < 0).mean() < 0.7


def test_float32_distances_far_from_0_do_not_cancel():
    """In single precision squares of 1,000 leave nothing of a distance of 1 unless centred."""
    x = np.random.default_rng(0).standard_normal((6, 50))
    far = (x + 1000).astype(np.float32)
    np.testing.assert_allclose(
        squared_euclidean(far), squared_euclidean(far.astype(float)), rtol=SINGLE
    )


def test_no_p_value_exceeds_1():
    """Two-sided p values of a difference of exactly 0, or of rounding, are 1 and no more."""
    differences = np.array([0.0, 1e-17, -1e-17])
    p = t_test_p(differences, np.full(3, 0.1), dof=5, side="two-sided")
    assert (p <= 1).all() and p[0] == 1


def test_a_ceiling_leaves_out_all_rdms_of_a_subject():
    """Two sessions of a subject do not predict each other: the lower bound of copies is lower."""
    rng = np.random.default_rng(0)
    subjects = rng.random((4, 36))
    both = np.repeat(subjects, 2, axis=0)
    names = np.repeat(["a", "b", "c", "d"], 2)
    grouped = noise_ceiling(both, method="pearson", group=names)
    single = noise_ceiling(subjects, method="pearson")
    assert grouped.lower == pytest.approx(single.lower, abs=EXACT)
    assert noise_ceiling(both, method="pearson").lower > grouped.lower + 0.1
