"""Bootstrap samples, one by one, against rsatoolbox with the same draws."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.comparators import METHODS, compare_rdms
from neuroai.numerics.rdm_bootstrap import bootstrap_rdms
from neuroai.numerics.rdm_permutation import relabelled
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.numerics.rdm_whitened import WHITENED_METHODS
from neuroai.numerics.resample import bootstrap_counts

# Sums of some hundred products in float64, in another order.
SAME = 1e-8
THEIRS = {"pearson": "corr", "whitened-cosine": "cosine_cov", "whitened-pearson": "corr_cov"}

# rsatoolbox warns that its tau ceiling rests on averaged ranks; ours says so in its docstring.
pytestmark = pytest.mark.filterwarnings("ignore:Noise ceiling for tau:UserWarning")


def problem(seed, levels=None, n_subjects=5, n_stimuli=11, n_models=3):
    """Return data, models and counts of six samples."""
    rng = np.random.default_rng(seed)
    n_pairs = n_stimuli * (n_stimuli - 1) // 2
    shared = rng.random(n_pairs)
    data = shared + rng.random((n_subjects, n_pairs))
    models = shared + rng.random((n_models, n_pairs))
    if levels:
        data, models = np.floor(data * levels) / levels, np.floor(models * levels)
    for array in (data, models):
        array.setflags(write=False)
    stimuli = bootstrap_counts(6, n_stimuli, rng=rng)
    return data, models, stimuli, bootstrap_counts(6, n_subjects, rng=rng)


def by_rsatoolbox(data, models, method, stimuli, subjects):
    """Return scores and both ceilings of one sample, built from copies."""
    rsatoolbox = pytest.importorskip("rsatoolbox")
    from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling

    method = THEIRS.get(method, method)
    sample, predicted = rsatoolbox.rdm.RDMs(data), rsatoolbox.rdm.RDMs(models)
    if subjects is not None:
        sample = sample.subsample("index", np.repeat(np.arange(len(subjects)), subjects))
    if stimuli is not None:
        drawn = np.repeat(np.arange(len(stimuli)), stimuli)
        sample = sample.subsample_pattern("index", drawn)
        predicted = predicted.subsample_pattern("index", drawn)
    scores = rsatoolbox.rdm.compare(predicted, sample, method).mean(axis=1)
    return scores, *boot_noise_ceiling(sample, method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 4])
@pytest.mark.parametrize("factors", ["both", "stimuli", "subjects"])
@pytest.mark.parametrize("seed", range(4))
def test_every_sample_equals_rsatoolbox(method, levels, factors, seed):
    """Scores and both ceilings are those of rsatoolbox with the same draws, sample by sample."""
    data, models, stimuli, subjects = problem(seed, levels)
    stimuli = None if factors == "subjects" else stimuli
    subjects = None if factors == "stimuli" else subjects
    result = bootstrap_rdms(
        data, models, method=method, stimulus_counts=stimuli, subject_counts=subjects
    )
    assert result.n_undefined == 0
    for sample in range(6):
        wanted = by_rsatoolbox(
            data,
            models,
            method,
            None if stimuli is None else stimuli[sample],
            None if subjects is None else subjects[sample],
        )
        np.testing.assert_allclose(result.scores[sample], wanted[0], rtol=0, atol=SAME)
        if method in WHITENED_METHODS:
            # Its pool is not the best one under a whitened comparator: see test_rdm_whitened.
            continue
        assert result.lower[sample] == pytest.approx(wanted[1], abs=SAME)
        assert result.upper[sample] == pytest.approx(wanted[2], abs=SAME)


@pytest.mark.parametrize("method", METHODS)
def test_counts_of_one_are_the_data(method):
    """The sample that draws everything once has the score of the data themselves."""
    data, models, _, _ = problem(7)
    ones = np.ones((1, 11), dtype=int)
    wanted = compare_rdms(data, models, method=method).mean(axis=0)
    for counts in ({"stimulus_counts": ones}, {"subject_counts": ones[:, :5]}):
        result = bootstrap_rdms(data, models, method=method, **counts)
        np.testing.assert_allclose(result.scores[0], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_relabelling_stimuli_changes_nothing(method):
    """Stimuli and their counts in another order give the same samples."""
    data, models, stimuli, subjects = problem(8)
    order = np.random.default_rng(0).permutation(11)[None]
    moved = [np.concatenate([relabelled(rdm, order) for rdm in rdms]) for rdms in (data, models)]
    first = bootstrap_rdms(
        data, models, method=method, stimulus_counts=stimuli, subject_counts=subjects
    )
    second = bootstrap_rdms(
        *moved, method=method, stimulus_counts=stimuli[:, order[0]], subject_counts=subjects
    )
    for one, other in zip(first[:3], second[:3], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["cosine", "pearson"])
def test_blocks_do_not_matter(method):
    """The memory budget changes no number."""
    data, models, stimuli, subjects = problem(9, n_stimuli=30)
    options = {"method": method, "stimulus_counts": stimuli, "subject_counts": subjects}
    first = bootstrap_rdms(data, models, **options)
    second = bootstrap_rdms(data, models, block_bytes=1, **options)
    np.testing.assert_allclose(first.scores, second.scores, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_too_few_stimuli_are_undefined_and_counted(method):
    """A sample of two distinct stimuli is NaN throughout and counted; the others are not."""
    data, models, stimuli, subjects = problem(10)
    stimuli = stimuli.copy()
    stimuli[2] = [6, 5] + [0] * 9
    result = bootstrap_rdms(
        data, models, method=method, stimulus_counts=stimuli, subject_counts=subjects
    )
    assert result.n_undefined == 1
    assert np.isnan(result.scores[2]).all()
    assert np.isnan([result.lower[2], result.upper[2]]).all()
    assert np.isfinite(np.delete(result.scores, 2, axis=0)).all()


@pytest.mark.parametrize("method", METHODS)
def test_one_distinct_subject_has_no_ceiling(method):
    """A sample of one subject has a score and no ceiling."""
    data, models, stimuli, _ = problem(11)
    subjects = np.array([[5, 0, 0, 0, 0], [4, 1, 0, 0, 0]])
    for counts in (None, stimuli[:2]):
        result = bootstrap_rdms(
            data, models, method=method, stimulus_counts=counts, subject_counts=subjects
        )
        assert np.isfinite(result.scores).all()
        np.testing.assert_array_equal(np.isnan(result.lower), [True, False])
        np.testing.assert_array_equal(np.isnan(result.upper), [True, False])


@pytest.mark.parametrize("method", ["pearson", "spearman", "rho-a", "tau-a"])
def test_a_model_that_is_constant_in_a_sample_is_undefined(method):
    """A category model is undefined, not 0, in samples of one category; other models are not."""
    data, models, _, _ = problem(12)
    category = np.array([0.1] * 11)
    category[5:] = 0.7
    categorical = to_vector((category[:, None] != category).astype(float) + 0.1)
    stimuli = np.array([[3, 3, 3, 2, 0, 0, 0, 0, 0, 0, 0], [1] * 11])
    result = bootstrap_rdms(
        data, np.stack([categorical, models[0]]), method=method, stimulus_counts=stimuli
    )
    np.testing.assert_array_equal(np.isnan(result.scores), [[True, False], [False, False]])
    assert result.n_undefined == 1


def test_ceilings_can_be_left_out():
    """Without ceilings the scores are the same and the bounds are NaN."""
    data, models, stimuli, _ = problem(13)
    for method in ("pearson", "rho-a"):
        with_them = bootstrap_rdms(data, models, method=method, stimulus_counts=stimuli)
        without = bootstrap_rdms(
            data, models, method=method, stimulus_counts=stimuli, ceilings=False
        )
        np.testing.assert_allclose(without.scores, with_them.scores, rtol=0, atol=1e-12)
        assert np.isnan(without.lower).all() and np.isfinite(with_them.lower).all()


def test_wrong_calls_say_what_to_do():
    """Counts must be there, fit the data and agree in number; data must be complete."""
    data, models, stimuli, subjects = problem(14)
    with pytest.raises(UsageError, match="Give stimulus_counts, subject_counts or both"):
        bootstrap_rdms(data, models, method="cosine")
    with pytest.raises(UsageError, match=r"stimulus_counts must have shape \(n_samples, 11\)"):
        bootstrap_rdms(data, models, method="cosine", stimulus_counts=subjects)
    with pytest.raises(UsageError, match="6 and 5 samples"):
        bootstrap_rdms(
            data, models, method="cosine", stimulus_counts=stimuli, subject_counts=subjects[:5]
        )
    with pytest.raises(UsageError, match="whole numbers of at least 0"):
        bootstrap_rdms(data, models, method="cosine", subject_counts=subjects - 0.5)
    with pytest.raises(UsageError, match="draw at least one subject"):
        bootstrap_rdms(data, models, method="cosine", subject_counts=subjects * 0)
    broken = data.copy()
    broken[0, 0] = np.nan
    with pytest.raises(DataError, match="1 of 275 entries of data are undefined"):
        bootstrap_rdms(broken, models, method="cosine", stimulus_counts=stimuli)
