"""Two hundred random inputs each against rsatoolbox, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.data import Dataset
from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling
from rsatoolbox.rdm import RDMs, calc_rdm, compare
from rsatoolbox.rdm.calc_unbalanced import calc_rdm_unbalanced

from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.distances import correlation_distance, squared_euclidean
from neuroai.numerics.noise_precision import noise_covariance
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.rdm_ceiling import noise_ceiling
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.numerics.rdm_whitened import WHITENED_METHODS
from neuroai.numerics.resample import bootstrap_counts
from neuroai.testing import EQUAL, readonly

N_INPUTS = 200
THEIRS = {"pearson": "corr", "whitened-cosine": "cosine_cov", "whitened-pearson": "corr_cov"}
# rsatoolbox warns that its tau ceiling rests on averaged ranks; ours says so in its docstring.
pytestmark = pytest.mark.filterwarnings("ignore:Noise ceiling for tau:UserWarning")


def _patterns(seed):
    rng = np.random.default_rng(seed)
    n_stimuli, n_units = rng.integers(3, 12), rng.integers(4, 30)
    return readonly(rng.standard_normal((n_stimuli, n_units)) * rng.uniform(0.1, 10) + rng.normal())


def _rdms(seed, n_rdms, n_stimuli=9, levels=0):
    rdms = np.random.default_rng(seed).random((n_rdms, n_stimuli * (n_stimuli - 1) // 2))
    return readonly(np.floor(rdms * levels) if levels else rdms)


@pytest.mark.parametrize(("ours", "theirs"), [(squared_euclidean, "euclidean"),
                                              (correlation_distance, "correlation")])  # fmt: skip
def test_rdms(ours, theirs):
    """RDMs of patterns of any number of stimuli and units, any scale and level."""
    for seed in range(N_INPUTS):
        x = _patterns(seed)
        expected = calc_rdm(Dataset(np.array(x)), method=theirs).get_vectors()[0]
        np.testing.assert_allclose(to_vector(ours(x)), expected, atol=EQUAL, rtol=EQUAL)


def test_mahalanobis():
    """Distances of whitened patterns, with a precision that is shrunk from residuals."""
    for seed in range(N_INPUTS):
        x = _patterns(seed)
        residuals = np.random.default_rng(1000 + seed).standard_normal((20, x.shape[1]))
        noise = noise_covariance(residuals - residuals.mean(axis=0), dof=19)
        precision = np.linalg.inv(noise.covariance)
        peer = calc_rdm(Dataset(np.array(x)), method="mahalanobis", noise=precision)
        found = to_vector(squared_euclidean(noise.whiten(x)))
        np.testing.assert_allclose(found, peer.get_vectors()[0], atol=EQUAL, rtol=EQUAL)


def test_crossnobis_by_the_unbalanced_routine():
    """One showing a cell, rows in any order: its unbalanced routine gives the same distances."""
    for seed in range(N_INPUTS):
        rng = np.random.default_rng(seed)
        n, runs = rng.integers(3, 6), rng.integers(2, 5)
        order = rng.permutation(n * runs)
        condition, run = np.tile(np.arange(n), runs)[order], np.repeat(np.arange(runs), n)[order]
        x = rng.standard_normal((n * runs, 7))
        labels = {"c": condition.astype(float), "r": run.astype(float)}
        peer = calc_rdm_unbalanced(
            Dataset(x, obs_descriptors=labels), method="crossnobis", descriptor="c",
            cv_descriptor="r",
        )  # fmt: skip
        square = peer.get_matrices()[0]
        named = np.argsort(np.asarray(peer.pattern_descriptors["c"]))
        expected = to_vector(square[np.ix_(named, named)])
        np.testing.assert_allclose(
            to_vector(crossnobis(x, condition, run)[0]), expected, atol=EQUAL
        )


@pytest.mark.parametrize("levels", [0, 3])
@pytest.mark.parametrize("method", METHODS)
def test_comparators(method, levels):
    """Twenty RDMs with ten others, with heavy ties and without."""
    a, b = _rdms(0, 20, levels=levels), _rdms(1, 10, levels=levels)
    expected = compare(RDMs(np.array(a)), RDMs(np.array(b)), method=THEIRS.get(method, method))
    assert expected.size == N_INPUTS
    np.testing.assert_allclose(compare_rdms(a, b, method=method), expected, atol=EQUAL)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in WHITENED_METHODS])
def test_ceilings(method):
    """Both bounds of the noise ceiling, of five subjects."""
    for seed in range(N_INPUTS):
        rdms = _rdms(seed, 5, n_stimuli=6)
        peer = RDMs(np.array(rdms), rdm_descriptors={"subject": list("abcde")})
        found = noise_ceiling(rdms, method=method)
        lower, upper = boot_noise_ceiling(peer, method=THEIRS.get(method, method),
                                          rdm_descriptor="subject")  # fmt: skip
        assert found.lower == pytest.approx(lower, abs=EQUAL)
        assert found.upper == pytest.approx(upper, abs=EQUAL)


@pytest.mark.parametrize("method", METHODS)
def test_dual_bootstrap_samples_with_shared_counts(method):
    """200 samples of subjects and stimuli: scores, and ceilings where its pool is the best one."""
    rng = np.random.default_rng(3)
    data, models = _rdms(4, 4, n_stimuli=11) + _rdms(6, 1, n_stimuli=11), _rdms(5, 2, n_stimuli=11)
    stimuli = bootstrap_counts(N_INPUTS, 11, rng=rng)
    subjects = bootstrap_counts(N_INPUTS, 4, rng=rng)
    found = bootstrap_rdms(
        data, models, method=method, stimulus_counts=stimuli, subject_counts=subjects
    )
    theirs = THEIRS.get(method, method)
    for b in range(N_INPUTS):
        drawn = np.repeat(np.arange(11), stimuli[b])
        sample = RDMs(data).subsample("index", np.repeat(np.arange(4), subjects[b]))
        sample = sample.subsample_pattern("index", drawn)
        predicted = RDMs(np.array(models)).subsample_pattern("index", drawn)
        expected = compare(predicted, sample, theirs).mean(axis=1)
        np.testing.assert_allclose(found.scores[b], expected, atol=EQUAL)
        if method not in WHITENED_METHODS and (subjects[b] > 0).sum() > 1:
            lower, upper = boot_noise_ceiling(sample, method=theirs)
            assert found.lower[b] == pytest.approx(lower, abs=EQUAL)
            assert found.upper[b] == pytest.approx(upper, abs=EQUAL)
