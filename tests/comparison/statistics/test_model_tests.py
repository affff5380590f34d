"""Tests of models against 0, the ceiling and each other: formulas, planted truth, nulls."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.util.inference_util import t_test_0, t_test_nc, t_tests

from neuroai.comparison.statistics.contrasts import RdmContrasts
from neuroai.comparison.statistics.inference import Inference
from neuroai.comparison.statistics.model_tests import _vectors, rdm_model_tests
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.answers import rdm_answer
from neuroai.numerics.distances import squared_euclidean
from neuroai.numerics.first_order import first_order
from neuroai.numerics.intervals import two_factor_variance
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.rdm_pairs import resampled_pairs
from neuroai.numerics.resample import bootstrap_counts
from neuroai.testing import EXACT, STANDARD_ERRORS

N_STIMULI = 20
FEW = Inference(n_bootstrap=200)
IDS = [f"s{k:02d}" for k in range(N_STIMULI)]


def _answer(values, names, kind):
    values = np.asarray(values)
    return rdm_answer(
        values, subjects=[f"{kind}{k}" for k in range(len(values))], regions=names, stimuli=IDS,
        parameters={"distance": "squared-euclidean"}, system=kind, kind=kind, stimulus_set="made",
    )  # fmt: skip


def _problem(seed=0, n_subjects=10, signal=1.5):
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((N_STIMULI, 8))
    data = [
        [squared_euclidean(signal * hidden + rng.standard_normal(hidden.shape))]
        for _ in range(n_subjects)
    ]
    models = [[
        squared_euclidean(hidden),
        squared_euclidean(hidden + 0.02 * rng.standard_normal(hidden.shape)),
        squared_euclidean(rng.standard_normal(hidden.shape)),
    ]]  # fmt: skip
    names = ["true", "as good", "other"]
    return _answer(data, ["IT"], "brain"), _answer(models, names, "model")


def _rdms(brain):
    return _vectors(brain, ["IT"])[:, 0]


def test_the_true_model_beats_0_and_the_other_and_no_ceiling_is_missed():
    """Planted: two models are right, one has nothing to do with the data."""
    brain, models = _problem()
    found = rdm_model_tests(brain, models, margin=0.05, inference=FEW).sel(region="IT")
    assert found["p_zero"].sel(model_region="true") < 0.01
    assert found["p_zero"].sel(model_region="other") > 0.05
    pair = {"model_region": "true", "model_region_to": "other"}
    assert found["p_difference"].sel(pair) < 0.01 and found["difference_low"].sel(pair) > 0
    assert found["p_ceiling"].sel(model_region="true") > 0.05
    assert found["p_ceiling"].sel(model_region="other") < 0.01
    assert found["ceiling_low_p"] < 0.01
    assert 0 < found["ceiling_low_ci_low"] < found["ceiling_low"] < found["ceiling_low_ci_high"]
    alike = {"model_region": "true", "model_region_to": "as good"}
    assert found["p_equivalent"].sel(alike) < 0.01 < 0.05 < found["p_equivalent"].sel(pair)
    assert found.attrs["resampled"] == "stimuli+subjects" and found.attrs["notes"] == ""


def test_the_table_of_pairs_is_antisymmetric():
    """A minus B is B minus A with its sign changed; p values are those of the pair."""
    found = rdm_model_tests(*_problem(), inference=FEW)
    for name, sign in (("difference", -1), ("p_difference", 1), ("q_difference", 1)):
        values = found[name].values[0]
        np.testing.assert_allclose(values, sign * values.T, atol=EXACT)
    np.testing.assert_allclose(
        found["difference_low"].values[0], -found["difference_high"].values[0].T, atol=EXACT
    )
    assert (found["q_difference"].values >= found["p_difference"].values)[..., 0, 1].all()


def test_p_values_are_those_of_rsatoolbox_from_the_same_variances():
    """Its t-tests against 0, the ceiling and each other, given our two-factor variances."""
    brain, models = _problem()
    found = rdm_model_tests(brain, models, inference=FEW).sel(region="IT")
    problem = RdmContrasts.of(_rdms(brain), _vectors(models, list(models.regions)), "pearson", FEW)
    evaluations, n = problem.observed[:3], 3
    unit = np.eye(5)
    given = evaluations[None, :, None]
    # Theirs takes one number of degrees of freedom for all tests; ours has one for each.
    for k in range(n):
        variance, dof = problem.variance(unit[k])
        theirs = t_test_0(given, np.full(n, variance), dof)[k]
        np.testing.assert_allclose(found["p_zero"][k], theirs, atol=EXACT)
        variance, dof = problem.variance(unit[k] - unit[n])
        theirs = t_test_nc(given, np.full(n, variance), problem.observed[n], dof)[k]
        np.testing.assert_allclose(found["p_ceiling"][k], theirs, atol=EXACT)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        variance, dof = problem.variance(unit[a] - unit[b])
        theirs = np.asarray(t_tests(given, np.full(3, variance), dof))[a, b]
        np.testing.assert_allclose(found["p_difference"].values[a, b], theirs, atol=EXACT)


def test_two_exchangeable_models_differ_no_more_often_than_said():
    """Simulated, 120 times: models drawn alike differ at .05 in 5 % and 4 errors at most."""
    n_found = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        hidden = rng.standard_normal((N_STIMULI, 6))
        data = [[squared_euclidean(hidden + rng.standard_normal(hidden.shape))] for _ in range(8)]
        models = [[
            squared_euclidean(hidden + rng.standard_normal(hidden.shape)) for _ in range(2)
        ]]  # fmt: skip
        found = rdm_model_tests(
            _answer(data, ["IT"], "brain"), _answer(models, ["a", "b"], "model"),
            inference=Inference(n_bootstrap=60, seed=seed),
        )  # fmt: skip
        n_found += bool(found["p_difference"].values[0, 0, 1] < 0.05)
    assert n_found / 120 <= 0.05 + STANDARD_ERRORS * np.sqrt(0.05 * 0.95 / 120)


def test_one_subject_is_tested_over_stimuli_and_has_no_ceiling():
    """The notes say that the interval generalises over stimuli only."""
    found = rdm_model_tests(*_problem(n_subjects=1), inference=FEW)
    assert found.attrs["resampled"] == "stimuli" and "one subject" in found.attrs["notes"]
    assert np.isfinite(found["p_zero"].values).all()
    assert np.isnan(found["ceiling_low"].values).all() and np.isnan(found["p_ceiling"].values).all()


def test_scores_and_differences_vary_to_first_order_in_the_stimuli():
    """One subject: n / (n - 1) times the variance of the part that is linear in the counts."""
    brain, models = _problem(n_subjects=1)
    layers = _vectors(models, list(models.regions))
    problem = RdmContrasts.of(_rdms(brain), layers, "rho-a", FEW)
    counts = bootstrap_counts(200, N_STIMULI, rng=np.random.default_rng(FEW.seed))
    whole = resampled_pairs(_rdms(brain), layers[0], method="rho-a", stimulus_counts=counts)[:, 0]
    scale = N_STIMULI / (N_STIMULI - 1)
    first, unit = first_order(whole, counts), np.eye(5)
    found = problem.variance(unit[0] - unit[2])[0]
    assert found == pytest.approx(scale * (first[:, 0] - first[:, 2]).var(ddof=1), rel=1e-9)
    assert found < scale * (whole[:, 0] - whole[:, 2]).var(ddof=1)


def test_ceilings_vary_to_first_order_in_the_subjects():
    """What pairs of subjects add is out of the samples of subjects and of both, by the draw."""
    brain, models = _problem()
    layers, data = _vectors(models, list(models.regions)), _rdms(brain)
    made = RdmContrasts.of(data, layers, "pearson", FEW)
    rng = np.random.default_rng(FEW.seed)
    stimuli, subjects = (bootstrap_counts(200, n, rng=rng) for n in (N_STIMULI, len(data)))
    how = {"method": "pearson", "subject_counts": subjects}
    alone = bootstrap_rdms(data, layers[0], **how).lower
    both = bootstrap_rdms(data, layers[0], stimulus_counts=stimuli, **how).lower
    linear = first_order(alone, subjects)
    np.testing.assert_allclose(made.samples["subjects"][:, 3], linear, atol=EXACT)
    np.testing.assert_allclose(made.samples["both"][:, 3], both - alone + linear, atol=EXACT)
    assert linear.var() < alone.var()
    parts = (made.samples[k][:, 3].var(ddof=1) for k in ("both", "subjects", "stimuli"))
    sizes = {"n_subjects": len(data), "n_stimuli": N_STIMULI}
    variance, dof = made.variance(np.eye(5)[3])
    assert variance == pytest.approx(float(two_factor_variance(*parts, **sizes)))
    assert 1 <= dof <= len(data) + N_STIMULI - 2


def test_cosines_are_not_tested_against_0():
    """All distances are above 0, and so is any cosine: differences are tested, 0 is not."""
    found = rdm_model_tests(*_problem(), comparator="cosine", inference=FEW)
    assert np.isnan(found["p_zero"].values).all() and np.isnan(found["q_zero"].values).all()
    assert np.isfinite(found["p_difference"].values[0, 0, 2])


def test_wrong_calls_say_what_to_do():
    """Other forms, other stimuli, undefined pairs, a margin of nothing."""
    brain, models = _problem()
    with pytest.raises(AlignmentError, match="Stimulus ids differ"):
        rdm_model_tests(brain, models.restrict(stimuli=IDS[:-1]))
    broken = models.data["rdm"].values.copy()
    broken[0, 1, 0, 1] = np.nan
    with pytest.raises(UsageError, match="RDMs of as good have undefined pairs"):
        rdm_model_tests(brain, _answer(broken, list(models.regions), "model"))
    with pytest.raises(UsageError, match="margin must be above 0"):
        rdm_model_tests(brain, models, margin=-0.1, inference=FEW)
