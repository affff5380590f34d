"""T11: random lesions are not special, a planted module is found; T15: nor is the best layer."""

from __future__ import annotations

import numpy as np
import pytest
from calibration_cases import LEVEL, Calibration, Size, assert_calibrated, at_most
from scipy import stats

from neuroai.analyses.implementation.dose_curve import activity_strata, dose_curve
from neuroai.analyses.implementation.localiser import localise
from neuroai.numerics.readout import fit_readout, predict
from neuroai.testing import contrast_brain

N_UNITS, N_STIMULI, N_PLANTED = 100, 60, 10
KS_LEVEL = 0.01


def system(rng, *, planted):
    """Make activity of three classes that planted units know well and all units a little."""
    truth = np.arange(N_STIMULI) % 3
    values = rng.normal(size=(N_STIMULI, N_UNITS))
    values += 0.4 * rng.normal(size=(3, N_UNITS))[truth]
    if planted:
        values[:, :N_PLANTED] += 3 * np.eye(3)[:, np.arange(N_PLANTED) % 3][truth]
    return values, truth.astype(str)


def asked(values, truth, rng):
    """Give the accuracy on half B of a readout that was fitted to the intact half A."""
    train = rng.permutation(N_STIMULI) < N_STIMULI // 2
    readout = fit_readout(values[train], truth[train].tolist())
    means = values[train].mean(axis=0)

    def question(hit):
        under = values[~train].copy()
        under[:, list(hit)] = means[list(hit)]
        chosen = predict(readout, under)
        # The margin of the right class varies where the number of right choices is the same.
        scores = np.asarray(chosen.scores, dtype=float)
        right = scores[np.arange(len(under)), truth[~train].astype(int)]
        return {"evidence": float((right - scores.mean(axis=1)).mean())}

    return question, np.abs(values[train]).mean(axis=0)


def p_of(rng, *, targets, planted, doses=(1.0,)):
    """Give the p of a target at each dose, among controls that are as active."""
    values, truth = system(rng, planted=planted)
    question, activity = asked(values, truth, rng)
    elements = np.arange(N_UNITS)
    curve = dose_curve(
        question, targets=targets, elements=elements, doses=doses,
        strata=activity_strata(activity, elements, targets), seed=int(rng.integers(2**31)),
    )  # fmt: skip
    return curve["evidence"]["p"]


def random_lesions(n, rng):
    """Lesion ten random units: p of each."""
    return np.array(
        [
            p_of(rng, targets=rng.choice(N_UNITS, N_PLANTED, replace=False), planted=True)[0]
            for _ in range(n)
        ]
    )


def rejected(n, rng):
    """Say which random lesions are called special at .05."""
    return random_lesions(n, rng) <= LEVEL


def found_at_a_fifth(n, rng):
    """Say which planted modules are found at doses of 20 % and of all."""
    p = [p_of(rng, targets=range(N_PLANTED), planted=True, doses=(0.2, 1.0)) for _ in range(n)]
    return (np.array(p) <= LEVEL).all(axis=1)


def best_of_fifty(n, rng):
    """Localise in 50 layers of noise and test the one that looks best, on the other half."""
    found = []
    for _ in range(n):
        seed = int(rng.integers(2**31))
        brain, contrast = contrast_brain(n_stimuli=40, n_units=500, n_planted=0, seed=seed)
        [row] = localise(brain, contrast=contrast, seed=seed)
        layers = np.arange(500).reshape(50, 10)
        best = layers[row.t_chosen[layers].mean(axis=1).argmax()]
        t = row.t_heldout[best].mean() / (row.t_heldout[best].std(ddof=1) / np.sqrt(10))
        found.append(stats.t.sf(t, 9) <= LEVEL)
    return np.array(found)


CASES = [
    Calibration("T11", "rejections at .05", "ten random units, controls as active", rejected,
                *at_most(0.06, n=60, n_full=2000)),
    Calibration("T11", "modules found at .05", "planted module of ten units, dose 20 % and all",
                found_at_a_fifth, Size(20, 0.95, 1.0), Size(1000, 0.95, 1.0)),
    Calibration("T15", "rejections at .05", "best of 50 noise layers by a localiser, held out",
                best_of_fifty, *at_most(0.06, n=60, n_full=5000)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_lesions_are_called_special_where_they_are(case):
    """Random sets at the level at most; a planted module nearly always."""
    assert_calibrated(case)


def test_p_of_random_lesions_is_uniform():
    """Kolmogorov and Smirnov against the uniform, p above .01; p has steps of 1 / 101."""
    rng = np.random.default_rng(11)
    p = random_lesions(80, rng) - rng.random(80) / 101
    assert stats.kstest(p, "uniform").pvalue > KS_LEVEL
