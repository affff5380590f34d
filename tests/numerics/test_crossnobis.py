"""Crossnobis equal to rsatoolbox, unbiased, with missing cells and unequal repeats."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.data import Dataset
from rsatoolbox.data.noise import prec_from_residuals
from rsatoolbox.rdm import calc_rdm

from neuroai.errors import DataError, UsageError
from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.noise_precision import noise_covariance
from neuroai.numerics.rdm_vectors import to_vector

EXACT = 1e-8  # float64, products in another order


def _problem(seed, *, balanced=True):
    rng = np.random.default_rng(seed)
    n, runs, p = rng.integers(3, 8), rng.integers(2, 5), rng.integers(2, 12)
    condition = np.tile(np.arange(n), runs)
    run = np.repeat(np.arange(runs), n)
    if not balanced:
        more = rng.integers(0, len(run), 6)
        condition, run = np.r_[condition, condition[more]], np.r_[run, run[more]]
    order = rng.permutation(len(run))
    return rng.standard_normal((len(run), p)) + 3, condition[order], run[order]


def _peer(x, condition, run, precision=None, method="crossnobis", **options):
    data = Dataset(x, obs_descriptors={"c": condition.astype(float), "r": run.astype(float)})
    found = calc_rdm(
        data, method=method, descriptor="c", noise=precision, cv_descriptor="r", **options
    )
    return found.get_matrices()[0]


@pytest.mark.parametrize("seed", range(200))
def test_balanced_runs_give_rsatoolbox_s_distances(seed):
    """Leave-one-run-out with a noise precision, and whitening beforehand."""
    x, condition, run = _problem(seed)
    residuals = np.random.default_rng(seed).standard_normal((60, x.shape[1]))
    residuals -= residuals.mean(axis=0)
    noise = noise_covariance(residuals, dof=59)
    found, names = crossnobis(noise.whiten(x), condition, run)
    expected = _peer(x, condition, run, np.linalg.inv(noise.covariance))
    assert names.tolist() == sorted(set(condition))
    assert np.abs(found - expected).max() < EXACT * max(1, np.abs(expected).max())


def _by_definition(x, condition, run):
    names = np.unique(condition)
    found = np.full((len(names), len(names)), np.nan)
    means = {
        (c, r): x[(condition == c) & (run == r)].mean(axis=0)
        for c in names
        for r in np.unique(run)
        if ((condition == c) & (run == r)).any()
    }
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            runs = [r for r in np.unique(run) if (a, r) in means and (b, r) in means]
            deltas = [means[a, r] - means[b, r] for r in runs]
            terms = [u @ v for m, u in enumerate(deltas) for n, v in enumerate(deltas) if m != n]
            if terms:
                found[i, j] = np.mean(terms) / x.shape[1]
    return found


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("seed", range(100))
def test_any_number_of_repeats_and_missing_cells_follow_the_definition(seed, missing):
    """Means over a run's showings, over the runs in which both conditions were met."""
    x, condition, run = _problem(seed, balanced=False)
    if missing:
        keep = np.random.default_rng(seed).random(len(run)) < 0.7
        keep |= np.isin(run, [0, 1]) & (condition == condition[0])
        x, condition, run = x[keep], condition[keep], run[keep]
    expected = _by_definition(x, condition, run)
    found, _ = crossnobis(x, condition, run)
    np.testing.assert_allclose(found, expected, atol=EXACT * 10)


@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize("missing", [0.02, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(5))
def test_few_cells_missing_and_many_follow_the_definition(seed, missing, repeats):
    """Twelve conditions in six runs, large offsets of runs: what is left out, or what is there."""
    rng = np.random.default_rng(seed)
    condition, run = np.tile(np.arange(12), 6 * repeats), np.repeat(np.arange(6), 12 * repeats)
    gone = rng.permutation(72)[: max(1, round(72 * missing))]
    kept = rng.permutation(np.flatnonzero(~np.isin(run * 12 + condition, gone)))
    x = rng.standard_normal((len(run), 9)) + 1000 * rng.standard_normal((6, 9))[run]
    x, condition, run = x[kept], condition[kept], run[kept]
    if repeats > 1:
        # Some cells with one showing, some with more.
        x, condition, run = x[:-7], condition[:-7], run[:-7]
    found, names = crossnobis(x, condition, run)
    expected = _by_definition(x, condition, run)
    diagonal = np.arange(len(names))
    assert (np.isnan(found) == np.isnan(expected))[~np.eye(len(names), dtype=bool)].all()
    expected[diagonal, diagonal] = found[diagonal, diagonal]
    np.testing.assert_allclose(found, expected, atol=EXACT)
    single, _ = crossnobis(x.astype(np.float32), condition, run)
    # Offsets of 1,000 leave float32 patterns four digits after the point.
    np.testing.assert_allclose(single, expected, atol=1e-2)


def test_what_a_run_adds_to_all_patterns_drops_out():
    """With unequal repeats rsatoolbox's unbalanced estimate changes, and this one does not."""
    from rsatoolbox.rdm.calc_unbalanced import calc_rdm_unbalanced

    x, condition, run = _problem(8, balanced=False)
    drift = np.random.default_rng(0).standard_normal((run.max() + 1, x.shape[1])) * 5
    one, other = (crossnobis(y, condition, run)[0] for y in (x, x + drift[run]))
    assert np.abs(one - other).max() < EXACT * 100
    theirs = []
    for y in (x, x + drift[run]):
        data = Dataset(y, obs_descriptors={"c": condition.astype(float), "r": run.astype(float)})
        options = {"method": "crossnobis", "descriptor": "c", "cv_descriptor": "r"}
        theirs.append(calc_rdm_unbalanced(data, **options).get_matrices()[0])
    assert np.abs(theirs[0] - theirs[1]).max() > 0.1


@pytest.mark.parametrize("seed", range(20))
def test_balanced_data_agree_with_the_unbalanced_routine(seed):
    """One showing a cell: all ways of counting agree."""
    from rsatoolbox.rdm.calc_unbalanced import calc_rdm_unbalanced

    x, condition, run = _problem(seed)
    data = Dataset(x, obs_descriptors={"c": condition.astype(float), "r": run.astype(float)})
    peer = calc_rdm_unbalanced(data, method="crossnobis", descriptor="c", cv_descriptor="r")
    order = np.argsort(peer.pattern_descriptors["c"])
    expected = peer.get_matrices()[0][np.ix_(order, order)]
    assert np.abs(crossnobis(x, condition, run)[0] - expected).max() < EXACT * 10


@pytest.mark.parametrize("seed", range(20))
def test_noise_covariance_is_that_of_rsatoolbox(seed):
    """Shrunk towards the diagonal, inverted."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((30, 6)) @ rng.standard_normal((6, 6))
    x -= x.mean(axis=0)
    found = noise_covariance(x, dof=29)
    expected = prec_from_residuals(x.copy(), method="shrinkage_diag")
    assert np.allclose(np.linalg.inv(found.covariance), expected, rtol=EXACT)
    assert 0 <= found.shrinkage <= 1


def test_equal_conditions_are_zero_apart_on_average():
    """Simulated: noise alone; the mean of 400 estimates lies within four standard errors of 0."""
    rng = np.random.default_rng(0)
    condition, run = np.tile(np.arange(4), 3), np.repeat(np.arange(3), 4)
    found = [crossnobis(rng.standard_normal((12, 20)), condition, run)[0] for _ in range(400)]
    pairs = np.array([to_vector(f[None])[0] for f in found])
    error = pairs.std(axis=0, ddof=1) / np.sqrt(400)
    assert (np.abs(pairs.mean(axis=0)) < 4 * error).all() and (pairs < 0).any()


def test_a_true_distance_is_estimated_without_bias():
    """Simulated: squared distance 0.5 a unit, with noise four times as large."""
    rng = np.random.default_rng(1)
    truth = np.zeros((2, 30))
    truth[1] = np.sqrt(0.5)
    condition, run = np.tile([0, 1], 4), np.repeat(np.arange(4), 2)
    found = [
        crossnobis(truth[condition] + 2 * rng.standard_normal((8, 30)), condition, run)[0][0, 1]
        for _ in range(400)
    ]
    assert abs(np.mean(found) - 0.5) < 4 * np.std(found, ddof=1) / 20


def test_a_pair_that_never_met_two_runs_is_undefined():
    """A condition of one run alone has no distance, and the others keep theirs."""
    x, condition, run = _problem(5)
    alone = ~((condition == 0) & (run > 0))
    found, _ = crossnobis(x[alone], condition[alone], run[alone])
    assert np.isnan(found[0]).all() and np.isfinite(found[1:, 1:]).all()


def test_single_precision_is_kept():
    """float32 patterns give distances near those of float64."""
    x, condition, run = _problem(5)
    one, other = (crossnobis(x.astype(kind), condition, run)[0] for kind in ("f", "d"))
    assert np.abs(one - other).max() < 1e-4


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"runs": np.zeros(6)}, UsageError, "need two runs or more"),
        ({"conditions": np.zeros(5)}, UsageError, "a condition and a run for each showing"),
        ({"patterns": np.full((6, 2), np.nan)}, DataError, "not finite"),
    ],
)
def test_wrong_input_is_told(change, error, said):
    """One run, labels that do not fit, NaN."""
    given = {
        "patterns": np.ones((6, 2)), "conditions": np.arange(6) % 3, "runs": np.arange(6) // 3,
        **change,
    }  # fmt: skip
    with pytest.raises(error, match=said):
        crossnobis(**given)


def test_units_without_noise_and_no_freedom_are_told():
    """Whitening is not defined there."""
    with pytest.raises(DataError, match="1 of 2 units do not vary"):
        noise_covariance(np.array([[1.0, 0], [-1, 0]]), dof=1)
    with pytest.raises(UsageError, match="dof=0"):
        noise_covariance(np.ones((2, 2)), dof=0)
