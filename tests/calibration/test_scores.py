"""Scores keep their level and their intervals cover, through the evaluators of comparisons."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from neuroai.comparison.metrics.error_consistency import error_consistency
from neuroai.comparison.paired import Context
from neuroai.comparison.statistics.choice_evaluators import MatrixEvaluator
from neuroai.comparison.statistics.evaluators import GramEvaluator, RdmEvaluator
from neuroai.comparison.statistics.inference import Inference, null_p
from neuroai.comparison.values import value_scores
from neuroai.format.answers import Answer
from neuroai.numerics.distances import squared_euclidean
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.rdm_vectors import to_vector
from neuroai.numerics.resample import stimulus_permutations
from neuroai.testing import STANDARD_ERRORS

N_NULLS = 1000
# With 39 permutations p is a multiple of 1 / 40, so that a level of .05 can be kept exactly.
N_PERMUTATIONS = 39
LEVEL = 0.05
SEED = 20240611


def _rdms(rng: np.random.Generator, n: int, n_stimuli: int) -> np.ndarray:
    return np.array(
        [to_vector(squared_euclidean(rng.standard_normal((n_stimuli, 4)))) for _ in range(n)]
    )


def _rdm_null(rng: np.random.Generator) -> RdmEvaluator:
    data, models = _rdms(rng, 2, 10), _rdms(rng, 1, 10)
    return RdmEvaluator(data=data, models=models, method="spearman", n_stimuli=10)


def _choice_null(rng: np.random.Generator) -> MatrixEvaluator:
    a, b = (rng.random((n, 30)) < 0.6 for n in (2, 1))
    return MatrixEvaluator(a=a.astype(float), b=b.astype(float), metric=error_consistency)


def _gram_null(rng: np.random.Generator) -> GramEvaluator:
    data, models = (
        np.array([centred_gram(rng.standard_normal((8, 5))) for _ in range(n)]) for n in (2, 1)
    )
    return GramEvaluator(data=data, models=models)


@pytest.mark.parametrize("draw", [_rdm_null, _choice_null, _gram_null])
def test_unrelated_answers_are_rejected_at_the_level(draw):
    """Of 1,000 unrelated answers between 2.2 and 7.8 percent have p of at most .05."""
    rng = np.random.default_rng(SEED)
    rejected = 0
    for _ in range(N_NULLS):
        evaluator = draw(rng)
        orders = stimulus_permutations(N_PERMUTATIONS, evaluator.n_stimuli, rng=rng)
        null = evaluator.permuted(orders).mean(axis=(1, 2))
        p, _ = null_p(float(evaluator.observed().mean()), null)
        rejected += p <= LEVEL
    # Four standard errors of a share of .05 in 1,000 are .0276.
    assert 0.022 <= rejected / N_NULLS <= 0.078


def _accuracy_of(correct: np.ndarray) -> Answer:
    dims = ("subject", "region", "stimulus")
    data = xr.Dataset(
        {"per_stimulus": (dims, correct[:, None].astype(float))},
        coords={
            "subject": np.array([f"p{i}" for i in range(len(correct))], dtype=object),
            "region": np.array(["behaviour"], dtype=object),
            "stimulus": np.array([f"s{i:02d}" for i in range(correct.shape[1])], dtype=object),
        },
    )
    return Answer(
        form="table", data=data, question="accuracy", parameters={}, system="people",
        kind="brain", stimulus_set="made up",
    )  # fmt: skip


def test_intervals_of_an_accuracy_cover_the_truth():
    """New subjects and new stimuli each time: 95 % intervals hold the population's accuracy.

    Subjects differ in skill, stimuli in difficulty. Bounds are four standard errors of 200
    simulations wide.
    """
    n_sims, n_subjects, n_stimuli = 200, 10, 30
    rng = np.random.default_rng(SEED)
    context = Context(level="computation", dataset="made up")
    inference = Inference(n_bootstrap=200, n_null=0)
    # Skill and difficulty are symmetric around 0, so the population's accuracy is one half.
    covered = 0
    for _ in range(n_sims):
        skill, ease = rng.normal(0, 0.8, (n_subjects, 1)), rng.normal(0, 0.8, (1, n_stimuli))
        chance = 1 / (1 + np.exp(-(skill + ease)))
        correct = rng.random((n_subjects, n_stimuli)) < chance
        [score] = value_scores(_accuracy_of(correct), context=context, inference=inference)
        assert "uncalibrated" not in score.note
        covered += score.ci_low <= 0.5 <= score.ci_high
    error = math.sqrt(0.95 * 0.05 / n_sims)
    assert 0.95 - STANDARD_ERRORS * error <= covered / n_sims <= 0.95 + STANDARD_ERRORS * error
