"""The scatter of fitted models' scores: closed forms, copies kept together, what is undefined."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.numerics import rdm_flexible_bootstrap as module
from neuroai.numerics.rdm_flexible import flexible_model
from neuroai.numerics.rdm_flexible_bootstrap import flexible_variance
from neuroai.numerics.rdm_vectors import pair_indices
from neuroai.testing import EXACT, readonly

N_SUBJECTS, N_STIMULI = 6, 14
N_PAIRS = N_STIMULI * (N_STIMULI - 1) // 2
PLACES = pair_indices(N_STIMULI)
# A ratio of two variances of 400 draws has a standard error of a tenth; four of them.
RATIO = 0.4


def _planted(seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    models = rng.random((3, N_PAIRS))
    data = np.array([0.5, 0.0, 1.0]) @ models + noise * rng.random((N_SUBJECTS, N_PAIRS))
    return readonly(data), readonly(models)


def _variance(data, models, **options):
    wanted = {"kind": "weighted", "method": "pearson", "n_samples": 60,
              "rng": np.random.default_rng(1)} | options  # fmt: skip
    return flexible_variance(data, models, **wanted)


@pytest.mark.parametrize("kind", ["weighted", "selected"])
def test_a_perfect_model_does_not_scatter(kind):
    """Subjects that are one of the models: every sample and deal gives 1."""
    _, models = _planted()
    data = np.tile(models[1], (N_SUBJECTS, 1))
    found = _variance(data, models, kind=kind)
    assert found.variance == pytest.approx(0, abs=EXACT) and found.n_undefined == 0


def test_more_noise_scatters_more_and_strata_are_kept():
    """Noise of the subjects widens the interval; labels of stimuli are spread over folds."""
    little, much = (_variance(*_planted(noise=level)).variance for level in (0.1, 3.0))
    assert 0 < little < much
    labels = ["face"] * 7 + ["house"] * 7
    found = _variance(*_planted(), strata=labels)
    assert found.variance > 0
    codes = np.repeat([0, 1], 7)
    folds = module._folds(np.ones(14, int), codes, 2, np.random.default_rng(0))
    assert [int((codes[fold] == 0).sum()) for fold in folds] in ([3, 4], [4, 3])


def test_copies_stay_together_and_do_not_meet():
    """A stimulus drawn twice makes its pairs twice; the pair of its copies is left out."""
    counts = np.array([2, 1, 0, 1])
    places = module._places(counts, pair_indices(4))
    # Pairs (0, 1) and (0, 3) twice, (1, 3) once, in the vector 01 02 03 12 13 23.
    assert sorted(places.tolist()) == [0, 0, 2, 2, 4]
    folds = module._folds(counts, np.zeros(4), 2, np.random.default_rng(0))
    assert not any(fold[2] for fold in folds) and sum(fold.sum() for fold in folds) == 3


def test_a_deal_without_resampling_is_a_score_of_flexible_model():
    """Everything drawn once: the score is that of the same folds without weights."""
    data, models = _planted()
    job = module._Job(data, models, "weighted", "cosine", np.zeros(N_STIMULI), 2, 2, PLACES)
    ones = (np.ones(N_SUBJECTS, int), np.ones(N_STIMULI, int))
    got = job._deal(*ones, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    folds = [module._folds(one, np.zeros(len(one)), 2, rng)[1].astype(int) for one in ones]
    wanted = flexible_model(data, models, kind="weighted", method="cosine",
                            subject_folds=folds[0], stimulus_folds=folds[1])  # fmt: skip
    assert got == pytest.approx(wanted.scores.mean(), abs=EXACT)


def test_deals_alone_scatter_as_deals_do():
    """Without resampling the covariance of two deals is 0: a sample's own variance is freed."""
    job = module._Job(*_planted(), "weighted", "pearson", np.zeros(N_STIMULI), 2, 2, PLACES)
    rng = np.random.default_rng(0)
    ones = (np.ones(N_SUBJECTS, int), np.ones(N_STIMULI, int))
    pairs = np.array([job.deals(*ones, 2, rng) for _ in range(400)])
    covariance = np.cov(pairs.T)
    assert abs(covariance[0, 1]) < RATIO * covariance[0, 0]


def test_scatter_of_deals_has_degrees_of_freedom_of_its_own(monkeypatch):
    """Where nothing else varies they are those of the deals, else between both and their sum."""
    both = _variance(*_planted())
    least = min(N_SUBJECTS - 1, module.N_OBSERVED - 1)
    assert least <= both.dof <= N_SUBJECTS + N_STIMULI + module.N_OBSERVED - 3
    monkeypatch.setattr(module, "two_factor_variance", lambda *parts, **sizes: np.float64(0.0))
    alone = _variance(*_planted())
    assert alone.dof == pytest.approx(module.N_OBSERVED - 1) and 0 < alone.variance < both.variance


def test_what_cannot_be_dealt_is_counted():
    """Six stimuli leave samples without three in a fold; too few samples give no variance."""
    rng = np.random.default_rng(0)
    data, models = rng.random((4, 15)), rng.random((2, 15))
    found = _variance(data, models)
    assert np.isnan(found.variance) and np.isnan(found.dof) and found.n_undefined > 60


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_samples": 49}, "n_samples must be 50 or more and folds two or more; got 49, 2 and 2"),
        ({"n_subject_folds": 1}, "got 60, 1 and 2"),
        ({"strata": ["a"]}, "strata must label each of 14 stimuli; got 1"),
        ({"kind": "mixed"}, "weighted"),
    ],
)
def test_wrong_options_are_told(options, said):
    """Each names what is wanted."""
    with pytest.raises(UsageError, match=said):
        _variance(*_planted(), **options)
