"""T4: intervals of 95 % hold the true value 93 to 97 % of the time."""

from __future__ import annotations

import functools
from functools import partial

import numpy as np
import pytest
from calibration_cases import Calibration, Size, assert_calibrated, coverage_sizes, rdms_of

from neuroai.comparison.statistics.contrasts import RdmContrasts
from neuroai.comparison.statistics.evaluators import GramEvaluator, RdmEvaluator
from neuroai.comparison.statistics.inference import Inference, calibration_notes, summarise
from neuroai.numerics.gram import centred_gram
from neuroai.numerics.intervals import t_interval
from neuroai.numerics.psychometric import fit_psychometric
from neuroai.numerics.psychometric_bootstrap import bootstrap_psychometric
from neuroai.numerics.rdm_ceiling import noise_ceiling
from neuroai.numerics.rdm_flexible import flexible_model
from neuroai.numerics.rdm_flexible_bootstrap import flexible_variance
from neuroai.numerics.rdm_vectors import n_stimuli_of
from neuroai.numerics.resample import bootstrap_counts
from neuroai.numerics.sigmoids import psychometric_function

# As many as a comparison takes by default: fewer make the variance noisier, and its floor higher.
N_SAMPLES = Inference.n_bootstrap
N_REFITS = 200
# The true value is the mean over this many further simulations: its own error is below a
# thirtieth of the width of one interval.
N_TRUTH = 4000
SUBJECT_NOISE, MODEL_NOISE = 1.0, 0.7
CKA = "cka-debiased"


def patterns(rng: np.random.Generator, n_subjects: int, n_stimuli: int) -> tuple[np.ndarray, ...]:
    """Draw responses of subjects and of a better and a worse model, to new stimuli each time."""
    truth = rng.standard_normal((n_stimuli, 5))
    # Each subject weighs the dimensions in its own way, so that subjects differ beyond noise.
    weights = np.exp(0.3 * rng.standard_normal((n_subjects, 1, 5)))
    noise = SUBJECT_NOISE * rng.standard_normal((n_subjects, n_stimuli, 5))
    levels = np.array([MODEL_NOISE, 2 * MODEL_NOISE])[:, None, None]
    models = truth + levels * rng.standard_normal((2, n_stimuli, 5))
    return weights * truth + noise, models


def draw(rng: np.random.Generator, n_subjects: int, n_stimuli: int) -> tuple[np.ndarray, ...]:
    """Draw the RDMs of such responses."""
    data, models = patterns(rng, n_subjects, n_stimuli)
    return rdms_of(data), rdms_of(models)


def drawn_evaluator(
    rng: np.random.Generator, method: str, n_subjects: int, n_stimuli: int
) -> RdmEvaluator | GramEvaluator:
    """Draw what a comparator of RDMs, or debiased CKA, compares."""
    if method == CKA:
        both = patterns(rng, n_subjects, n_stimuli)
        return GramEvaluator(*(np.array([centred_gram(one) for one in side]) for side in both))
    data, models = draw(rng, n_subjects, n_stimuli)
    return RdmEvaluator(data=data, models=models, method=method, n_stimuli=n_stimuli)


@functools.cache
def true_values(method: str, n_subjects: int, n_stimuli: int) -> np.ndarray:
    """Give the expected scores of both models, from simulations of their own."""
    rng = np.random.default_rng([7, n_subjects, n_stimuli])
    found = [
        drawn_evaluator(rng, method, n_subjects, n_stimuli).observed().mean(axis=0)
        for _ in range(N_TRUTH)
    ]
    return np.mean(found, axis=0)


def covered(
    n: int,
    rng: np.random.Generator,
    *,
    method: str,
    n_stimuli: int,
    n_subjects: int,
    difference: bool,
) -> np.ndarray:
    """Say of each simulation whether the interval holds the true score, or true difference."""
    first, second = true_values(method, n_subjects, n_stimuli)
    truth = first - second if difference else first
    found = np.empty(n)
    for i in range(n):
        evaluator = drawn_evaluator(rng, method, n_subjects, n_stimuli)
        observed = evaluator.observed()
        samples = evaluator.resampled(bootstrap_counts(N_SAMPLES, n_stimuli, rng=rng))
        one, many, without = (
            scores[..., :1] - scores[..., 1:] if difference else scores[..., :1]
            for scores in (observed, samples, evaluator.left_out())
        )
        summary = summarise(
            one,
            samples=many,
            left_out=without,
            null=None,
            n_stimuli=n_stimuli,
            inference=Inference(n_bootstrap=N_SAMPLES, n_null=0, seed=i),
        )
        found[i] = summary.ci_low <= truth <= summary.ci_high
    return found


@functools.cache
def true_ceiling(n_subjects: int, n_stimuli: int) -> float:
    """Give the expected lower noise ceiling, from simulations of its own."""
    rng = np.random.default_rng([9, n_subjects, n_stimuli])
    drawn = (draw(rng, n_subjects, n_stimuli)[0] for _ in range(N_TRUTH))
    return float(np.mean([noise_ceiling(data, method="pearson")[0] for data in drawn]))


def ceiling_covered(
    n: int, rng: np.random.Generator, *, n_stimuli: int, n_subjects: int
) -> np.ndarray:
    """Say of each simulation whether the interval holds the expected lower ceiling."""
    truth = true_ceiling(n_subjects, n_stimuli)
    found = np.empty(n)
    # The lower ceiling follows the scores of the two models, and comes before the upper one.
    contrast = np.array([0.0, 0.0, 1.0, 0.0])
    for i in range(n):
        data, models = draw(rng, n_subjects, n_stimuli)
        how = Inference(n_bootstrap=N_SAMPLES, seed=i)
        made = RdmContrasts.of(data, models[None], "pearson", how)
        variance, dof = made.variance(contrast)
        low, high = t_interval(made.observed @ contrast, variance, dof=dof)
        found[i] = low <= truth <= high
    return found


def fitted_score(data, models, rng, *, kind):
    """Score a mixture, or a choice, of the models under one random deal into two folds each."""
    n_subjects, n_stimuli = len(data), n_stimuli_of(data.shape[1])
    folds = {
        "subject_folds": rng.permutation(n_subjects) % 2,
        "stimulus_folds": rng.permutation(n_stimuli) % 2,
    }
    found = flexible_model(data, models, kind=kind, method="pearson", **folds)
    return float(np.nan_to_num(found.scores).mean())


@functools.cache
def true_fitted(kind: str, n_subjects: int, n_stimuli: int) -> float:
    """Give the expected score of a fitted model, from simulations of its own."""
    rng = np.random.default_rng([8, n_subjects, n_stimuli])
    drawn = (draw(rng, n_subjects, n_stimuli) for _ in range(N_TRUTH))
    return float(np.mean([fitted_score(*one, rng, kind=kind) for one in drawn]))


def fitted_covered(
    n: int, rng: np.random.Generator, *, kind: str, n_stimuli: int, n_subjects: int, n_samples: int
) -> np.ndarray:
    """Say whether the interval of a fitted model's score holds the expected one."""
    truth = true_fitted(kind, n_subjects, n_stimuli)
    found = np.empty(n)
    for i in range(n):
        data, models = draw(rng, n_subjects, n_stimuli)
        value = fitted_score(data, models, rng, kind=kind)
        spread = flexible_variance(
            data, models, kind=kind, method="pearson", n_samples=n_samples, rng=rng
        )
        low, high = t_interval(value, spread.variance, dof=spread.dof)
        found[i] = low <= truth <= high
    return found


CEILINGS = [
    Calibration(
        "T4",
        "coverage of 95 % intervals",
        f"lower noise ceiling, pearson, {n_stimuli} stimuli, {n_subjects} subjects",
        partial(ceiling_covered, n_stimuli=n_stimuli, n_subjects=n_subjects),
        *coverage_sizes(n=100),
    )
    for n_stimuli, n_subjects in ((20, 8), (20, 20), (60, 8))
]

# An observer of eight levels who guesses half of the time and lapses now and then.
LEVELS, THRESHOLD, WIDTH, LAPSE = np.linspace(-2.0, 2.0, 8), 0.2, 2.5, 0.03


def threshold_covered(n: int, rng: np.random.Generator, *, n_trials: int) -> np.ndarray:
    """Say whether the interval of a psychometric threshold, lapses fitted, holds the true one."""
    p = psychometric_function(LEVELS, threshold=THRESHOLD, width=WIDTH, lapse=LAPSE, guess=0.5)
    shown = np.full(len(LEVELS), n_trials)
    found = np.empty(n)
    for i in range(n):
        one = fit_psychometric(LEVELS, rng.binomial(shown, p), shown)
        ends = bootstrap_psychometric(one, LEVELS, shown, rng=rng, n_samples=N_REFITS)
        found[i] = ends.low["threshold"] <= THRESHOLD <= ends.high["threshold"]
    return found


def _case(method: str, n_stimuli: int, n_subjects: int, *, difference: bool) -> Calibration:
    small, full = coverage_sizes(n=300)
    if calibration_notes(n_subjects, n_stimuli):
        small, full = Size(300), Size(20_000)
    how = {"method": method, "n_stimuli": n_stimuli, "n_subjects": n_subjects}
    what = "difference of two models" if difference else "score of a model"
    cell = f"{what}, {method}, {n_stimuli} stimuli, {n_subjects} subjects"
    run = partial(covered, **how, difference=difference)
    return Calibration("T4", "coverage of 95 % intervals", cell, run, small, full)


CASES = [
    _case(method, *size, difference=difference)
    for method, sizes in (
        ("pearson", ((8, 5), (20, 8), (20, 20), (60, 8), (60, 20))),
        ("spearman", ((20, 8), (20, 20))),
        ("whitened-pearson", ((20, 8),)),
        (CKA, ((20, 8), (20, 20))),
    )
    for difference in (False, True)
    for size in sizes
]

CASES += CEILINGS
CASES += [
    Calibration(
        "T4",
        "coverage of 95 % intervals",
        f"threshold of a psychometric function, lapses fitted, 8 levels of {n_trials} trials",
        partial(threshold_covered, n_trials=n_trials),
        *coverage_sizes(n=100),
    )
    for n_trials in (50, 200)
]


CASES += [
    Calibration(
        "T4",
        "coverage of 95 % intervals",
        f"{kind} model of two, fitted and scored in folds, pearson, 20 stimuli, 8 subjects",
        partial(fitted_covered, kind=kind, n_stimuli=20, n_subjects=8, n_samples=N_REFITS),
        Size(8),
        # Thousands of fits an interval: fewer simulations, within four standard errors of .95.
        Size(400, 0.95 - 4 * 0.0109, 0.95 + 4 * 0.0109),
    )
    for kind in ("weighted", "selected")
]

# A fitted model is fitted some thousand times an interval, which takes a second.
WITH_TESTS = [
    c
    for c in CASES
    if ("pearson, 20 stimuli, 8" in c.cell and "fitted" not in c.cell) or "200 trials" in c.cell
]


@pytest.mark.parametrize("case", WITH_TESTS, ids=str)
def test_intervals_hold_the_true_value(case):
    """New stimuli, new subjects and new noise each time."""
    assert_calibrated(case)
