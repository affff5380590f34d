"""Metrics of responses against plain formulas, and through labelled answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from neuroai.analyses.algorithm.responses import responses
from neuroai.comparison.compare import compare
from neuroai.comparison.metrics.cca import cca
from neuroai.comparison.metrics.cka_biased import cka_biased
from neuroai.comparison.metrics.procrustes import procrustes
from neuroai.comparison.metrics.pwcca import pwcca
from neuroai.comparison.metrics.svcca import svcca
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.inference import Inference
from neuroai.testing import EXACT, random_recording

QUICK = Inference(n_bootstrap=60, n_null=19)
NAMES = (
    "cka-biased", "cka-rbf", "cka-minibatch", "cca", "svcca", "pwcca", "procrustes",
    "procrustes-held-out", "nbs", "permutation-matching", "semi-matching", "soft-matching",
)  # fmt: skip
DISTANCES = ("shape-angular", "shape-euclidean")


@pytest.fixture
def pair(random_array):
    """Responses to 30 stimuli of four and of six units."""
    return random_array(30, 4, seed=1), random_array(30, 6, seed=2)


def test_alignment_is_the_cosine_of_centred_gram_matrices(pair):
    """Term by term."""
    k, m = ((x - x.mean(axis=0)) @ (x - x.mean(axis=0)).T for x in pair)
    expected = (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert cka_biased(*pair) == pytest.approx(expected, abs=EXACT)


def test_procrustes_is_the_fit_of_scipy_s_rotation(pair):
    """The sum of singular values that scipy returns, at equal size."""
    a, b = (x - x.mean(axis=0) for x in pair)
    a = np.hstack([a, np.zeros((30, 2))])
    scale = orthogonal_procrustes(a, b)[1]
    expected = scale / np.linalg.norm(a) / np.linalg.norm(b)
    assert procrustes(*pair) == pytest.approx(expected, abs=EXACT)


def test_canonical_correlations_are_those_of_whitened_sides(pair):
    """CCA by whitening; of few units SVCCA keeps all, and PWCCA weighs the same correlations."""
    a, b = (x - x.mean(axis=0) for x in pair)
    rho = np.linalg.svd(np.linalg.qr(a)[0].T @ np.linalg.qr(b)[0])[1]
    assert cca(*pair) == pytest.approx(rho.mean(), abs=EXACT)
    assert svcca(*pair) == pytest.approx(cca(*pair), abs=EXACT)
    assert rho.min() <= pwcca(*pair) <= rho.max()


def score_with_itself(name):
    """Compare a recording of noise with itself."""
    import pandas as pd

    from neuroai.format.holdings import SystemData
    from neuroai.format.stimuli import stimulus_set
    from neuroai.systems.brain import Recorded

    recording = random_recording(n_stimuli=14, n_units=4, seed=3)
    ids = sorted(set(recording["stimulus_id"].values))
    shown = stimulus_set(pd.DataFrame({"stimulus_id": ids}), name="noise")
    facts = SystemData("noise", "brain", "none", recordings=(recording,))
    answer = responses(Recorded(data=facts, stimuli=shown))
    context = Context(level="algorithm", dataset="noise", candidate_kind="subject")
    [score] = compare(answer, answer, metric=name, context=context, inference=QUICK)
    assert score.history["resampling"] == "jackknife over stimuli"
    return score


@pytest.mark.parametrize("name", NAMES)
def test_scores_of_labelled_answers(name):
    """Each metric has a value, an interval within its range and a permutation p."""
    score = score_with_itself(name)
    assert score.value == pytest.approx(1) and score.p == pytest.approx(0.05)
    assert 0 <= score.ci_low <= score.ci_high <= 1


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_are_significant_where_they_are_small(name):
    """No permuted copy is as near as a recording is to itself: p is 1 / 20, not 1."""
    score = score_with_itself(name)
    assert score.value == pytest.approx(0, abs=EXACT) and score.p == pytest.approx(0.05)
    assert 0 <= score.ci_low <= score.ci_high
