"""Lesion mapping equal to scipy and to plain least squares, with a familywise p that holds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.lesion_mapping import map_lesions, unique_columns

EXACT = 1e-9  # float64 sums against another formula, relative
NULLS, PERMUTATIONS = 400, 39


def _problem(seed, *, n=40, p=30, levels=0):
    rng = np.random.default_rng(seed)
    lesions = rng.random((n, p)) < rng.uniform(0.2, 0.6, p)
    scores = rng.integers(0, levels, n).astype(float) if levels else rng.standard_normal(n)
    return lesions, scores + 3


@pytest.mark.parametrize("seed", range(50))
def test_t_is_scipy_s_without_covariates(seed):
    """Two samples, equal variances, element by element."""
    lesions, scores = _problem(seed)
    found = map_lesions(lesions, scores, least=2)
    for j, hit in enumerate(lesions.T):
        expected = stats.ttest_ind(scores[hit], scores[~hit])
        assert found.statistic[j] == pytest.approx(expected.statistic, rel=EXACT, abs=EXACT)
        assert found.p[j] == pytest.approx(expected.pvalue, rel=EXACT)


@pytest.mark.parametrize("levels", [0, 6])
@pytest.mark.parametrize("seed", range(25))
def test_ranks_are_scipy_s_with_and_without_ties(seed, levels):
    """Brunner-Munzel's W and p, with the sign of the lesioned minus the spared."""
    lesions, scores = _problem(seed, levels=levels)
    found = map_lesions(lesions, scores, method="brunner-munzel", least=2)
    for j, hit in enumerate(lesions.T):
        expected = stats.brunnermunzel(scores[~hit], scores[hit])
        assert found.statistic[j] == pytest.approx(expected.statistic, rel=EXACT, abs=EXACT)
        assert found.p[j] == pytest.approx(expected.pvalue, rel=EXACT)


@pytest.mark.parametrize("seed", range(25))
def test_covariates_stand_in_the_model(seed):
    """t of the element's slope in a least-squares fit with lesion volume and age."""
    lesions, scores = _problem(seed)
    z = np.column_stack([lesions.sum(axis=1), np.random.default_rng(seed).uniform(20, 90, 40)])
    found = map_lesions(lesions, scores, covariates=z, least=2)
    for j, hit in enumerate(lesions.T):
        design = np.column_stack([np.ones(40), z, hit])
        weights, rest, *_ = np.linalg.lstsq(design, scores, rcond=None)
        error = np.sqrt(rest[0] / 36 * np.linalg.inv(design.T @ design)[-1, -1])
        assert found.statistic[j] == pytest.approx(weights[-1] / error, rel=1e-7)
    assert found.method == "t, 2 covariate(s) held constant"


@pytest.mark.parametrize("method", ["t", "brunner-munzel"])
def test_p_counts_the_largest_of_every_permutation(method):
    """By permuting the scores one at a time with the plain statistic."""
    lesions, scores = _problem(3, n=20, p=6)
    found = map_lesions(lesions, scores, method=method, least=3, n_permutations=30, seed=5)
    rng = np.random.default_rng(5)
    largest = []
    for _ in range(30):
        moved = scores[rng.permutation(20)]
        each = map_lesions(lesions, moved, method=method, least=3).statistic
        largest.append(np.nanmax(np.abs(each)))
    expected = [
        (1 + sum(m >= abs(t) * (1 - 1e-6) for m in largest)) / 31 if np.isfinite(t) else np.nan
        for t in found.statistic
    ]
    np.testing.assert_allclose(found.p_corrected, expected)


@pytest.mark.parametrize("covary", [False, True])
def test_some_element_is_significant_in_one_null_of_twenty(covary):
    """Simulated: lesions of correlated elements, scores that hang on volume alone or on nothing."""
    hits = 0
    for seed in range(NULLS):
        rng = np.random.default_rng([1, seed])
        lesions = rng.standard_normal((30, 8)) + rng.standard_normal((30, 1)) > 0.3
        volume = lesions.sum(axis=1, keepdims=True).astype(float)
        scores = rng.standard_normal(30) + (volume[:, 0] if covary else 0)
        found = map_lesions(
            lesions, scores, covariates=volume if covary else None, least=3,
            n_permutations=PERMUTATIONS, seed=seed,
        )  # fmt: skip
        hits += np.nanmin(found.p_corrected) <= 0.05
    # Two of 40 ranks count as significant; Freedman and Lane is exact in the limit.
    assert abs(hits / NULLS - 0.05) < 4 * np.sqrt(0.05 * 0.95 / NULLS)


def test_a_planted_element_is_found():
    """Simulated: lesions of element 4 cost two SD; it alone passes the threshold."""
    lesions, scores = _problem(1, n=200, p=40)
    scores = scores - 2 * lesions[:, 4]
    found = map_lesions(lesions, scores, n_permutations=200)
    assert np.flatnonzero(found.p_corrected < 0.05).tolist() == [4]
    assert found.statistic[4] < -found.threshold


def test_equal_columns_are_computed_once():
    """Neighbouring voxels that are always lesioned together have one statistic."""
    lesions, scores = _problem(0)
    doubled = np.repeat(lesions, 3, axis=1)
    found = map_lesions(doubled, scores, least=2, n_permutations=10)
    assert found.n_unique == len(np.unique(lesions, axis=1).T)
    assert np.array_equal(found.statistic[::3], found.statistic[2::3])
    rows, place = unique_columns(doubled)
    assert np.array_equal(rows[place].T, doubled)


def test_blocks_change_nothing():
    """A small budget gives the same map."""
    lesions, scores = _problem(2)
    for method in ("t", "brunner-munzel"):
        one, other = (
            map_lesions(lesions, scores, method=method, n_permutations=9, block_bytes=size)
            for size in (2**28, 1)
        )
        np.testing.assert_allclose(one.statistic, other.statistic)
        np.testing.assert_allclose(one.p_corrected, other.p_corrected)


def test_rare_elements_are_left_out_and_counted():
    """Undefined, not 0."""
    lesions, scores = _problem(0)
    lesions[:, 0] = False
    lesions[:3, 0] = True
    lesions[:, 1] = True
    found = map_lesions(lesions, scores, n_permutations=5)
    assert np.isnan(found.statistic[:2]).all() and np.isnan(found.p_corrected[:2]).all()
    assert found.n_left_out >= 2 and found.n_lesioned[0] == 3


def test_an_element_that_covariates_explain_is_undefined():
    """An element whose lesion follows from the covariate has no slope of its own."""
    lesions, scores = _problem(0)
    found = map_lesions(lesions, scores, covariates=lesions[:, [7]].astype(float), least=2)
    assert np.isnan(found.statistic[7]) and np.isfinite(found.statistic[8])


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"lesions": np.ones((4, 2))}, UsageError, "of truth values"),
        ({"scores": np.ones(3)}, UsageError, r"and \(3,\)"),
        ({"scores": np.array([1.0, 2, np.nan, 3])}, DataError, "not finite"),
        ({"scores": np.ones(4)}, DataError, "All scores are equal"),
        ({"covariates": np.ones(4)}, UsageError, "Covariates"),
        ({"method": "welch"}, UsageError, "method must be one of"),
        (
            {"method": "brunner-munzel", "covariates": np.ones((4, 1))},
            UsageError,
            "takes no covariates",
        ),
        ({"least": 4}, DataError, "Lower least="),
    ],
)
def test_wrong_input_is_told(change, error, said):
    """What was wanted, what came, what to do."""
    given = {"lesions": np.eye(4, dtype=bool), "scores": np.arange(4.0), "least": 1, **change}
    with pytest.raises(error, match=said):
        map_lesions(given.pop("lesions"), given.pop("scores"), **given)
