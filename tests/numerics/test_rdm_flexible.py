"""Fitted models scored on other stimuli and other subjects, against rsatoolbox and a null."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.inference import crossval
from rsatoolbox.model import ModelSelect, ModelWeighted, fitter
from rsatoolbox.rdm import RDMs

from neuroai.errors import UsageError
from neuroai.numerics.rdm_flexible import flexible_model
from neuroai.numerics.rdm_vectors import pairs_within
from neuroai.testing import EQUAL, EXACT, STANDARD_ERRORS, readonly

N_SUBJECTS, N_STIMULI, N_MODELS = 6, 12, 3
SUBJECTS, STIMULI = np.arange(N_SUBJECTS) % 2, np.arange(N_STIMULI) % 3


def _rdms(seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    n_pairs = N_STIMULI * (N_STIMULI - 1) // 2
    models = rng.random((N_MODELS, n_pairs))
    data = signal * np.array([0.2, 0.0, 1.0]) @ models + rng.random((N_SUBJECTS, n_pairs))
    return readonly(data), readonly(models)


def _subset(data, rows, stimuli):
    return RDMs(np.array(data[rows])).subset_pattern("index", stimuli)


@pytest.mark.parametrize(("kind", "model", "fit"), [
    ("weighted", ModelWeighted, fitter.fit_regress_nn),
    ("selected", ModelSelect, fitter.fit_select),
])  # fmt: skip
@pytest.mark.parametrize(("method", "theirs"), [("cosine", "cosine"), ("pearson", "corr")])
@pytest.mark.parametrize("seed", range(5))
def test_equal_to_rsatoolbox(seed, method, theirs, kind, model, fit):
    """Scores and ceilings of six pairs of folds are those of its crossval."""
    data, models = _rdms(seed)
    found = flexible_model(data, models, kind=kind, method=method,
                           subject_folds=SUBJECTS, stimulus_folds=STIMULI)  # fmt: skip
    peer_model = model("m", RDMs(np.array(models)))
    for f in range(2):
        for g in range(3):
            own, others = np.flatnonzero(STIMULI == g), np.flatnonzero(STIMULI != g)
            train = _subset(data, SUBJECTS != f, others)
            test = _subset(data, SUBJECTS == f, own)
            ceiling = _subset(data, SUBJECTS != f, own)
            peer = crossval(
                peer_model, RDMs(np.array(data)), [(train, others)], [(test, own)],
                ceil_set=[(ceiling, own)], method=theirs, fitter=fit,
            )  # fmt: skip
            np.testing.assert_allclose(found.scores[f, g], peer.evaluations.item(), atol=EQUAL)
            np.testing.assert_allclose(found.lower[f, g], peer.noise_ceiling[0], atol=EQUAL)


def test_no_tested_entry_is_ever_fitted():
    """Changing the pairs of tested subjects and stimuli, or pairs across, changes no weight."""
    data, models = _rdms()
    options = {"kind": "weighted", "method": "cosine", "subject_folds": SUBJECTS,
               "stimulus_folds": STIMULI}  # fmt: skip
    before = flexible_model(data, models, **options).parameters[0, 0]
    fitted = pairs_within(np.flatnonzero(STIMULI != 0), N_STIMULI)
    changed = np.array(data)
    other = np.setdiff1d(np.arange(data.shape[1]), fitted)
    changed[:, other] = 9.0
    changed[SUBJECTS == 0] = 5.0
    changed[SUBJECTS == 0, 0] = 4.0
    after = flexible_model(changed, models, **options).parameters[0, 0]
    np.testing.assert_allclose(after, before, atol=EXACT)


@pytest.mark.parametrize("kind", ["weighted", "selected"])
def test_freedom_alone_wins_nothing(kind):
    """Simulated without signal: 60 data sets score within 4 standard errors of 0."""
    means = []
    for seed in range(60):
        data, models = _rdms(seed, signal=0.0)
        found = flexible_model(data, models, kind=kind, method="pearson",
                               subject_folds=SUBJECTS, stimulus_folds=STIMULI)  # fmt: skip
        means.append(np.nanmean(found.scores))
    assert abs(np.mean(means)) < STANDARD_ERRORS * np.std(means, ddof=1) / np.sqrt(len(means))


def test_the_true_model_is_selected():
    """Planted: the third model carries the data and is chosen in every fold."""
    data, models = _rdms(signal=5.0)
    found = flexible_model(data, models, kind="selected", method="pearson",
                           subject_folds=SUBJECTS, stimulus_folds=STIMULI)  # fmt: skip
    assert (found.parameters.argmax(axis=2) == 2).all()
    assert (found.scores > 0.5).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject_folds": np.zeros(6)}, "subject_folds must put each of 6"),
        ({"stimulus_folds": np.arange(12) % 5}, "of at least 3; got 12 entries in 5 folds"),
        ({"stimulus_folds": np.arange(3)}, "stimulus_folds must put each of 12"),
        ({"kind": "interpolated"}, "kind must be one of"),
    ],
)
def test_wrong_calls_say_what_to_do(change, said):
    """Folds that leave nothing to test, and kinds that there are not."""
    data, models = _rdms()
    options = {"kind": "weighted", "method": "cosine", "subject_folds": SUBJECTS,
               "stimulus_folds": STIMULI, **change}  # fmt: skip
    with pytest.raises(UsageError, match=said):
        flexible_model(data, models, **options)
