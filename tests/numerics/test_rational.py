"""Rational models: likelihoods by hand, and recovery of parameters and of models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from neuroai.errors import AlignmentError, DataError, UnknownName, UsageError
from neuroai.numerics.observers import NAMES, observer_named
from neuroai.numerics.rational import (
    ChoiceTrials,
    Observer,
    fit_observer,
    held_out_log_likelihoods,
    observer_log_likelihood,
    simulate_observer,
)
from neuroai.testing import EXACT

N = 1200
EVIDENCE = np.tile([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0], N // 6)
SEQUENCE = np.repeat(np.arange(4), N // 4)
# Parameters of the simulated observers, in the order of each.
TRUTH = {
    "bayesian": [1.0, 0.7, 0.06],
    "ideal": [0.8, 0.08],
    "win-stay": [0.85, 0.35],
    "coin": [0.6],
}
# Without a prior, and with noise beyond all evidence, the Bayesian is one of the others.
NESTED = ({"bayesian", "ideal"}, {"bayesian", "coin"})
# What 1,200 trials leave open: about three standard errors of each.
OPEN = {"bayesian": [0.25, 0.07, 0.06], "ideal": [0.2, 0.05], "win-stay": [0.05, 0.07],
        "coin": [0.05]}  # fmt: skip


def drawn(name: str, seed: int) -> ChoiceTrials:
    """Simulate a model with its true parameters."""
    order = np.random.default_rng([seed, 1]).permutation(N)
    return simulate_observer(
        observer_named(name, evidence=EVIDENCE), np.array(TRUTH[name]), EVIDENCE[order], SEQUENCE,
        rng=np.random.default_rng(seed),
    )  # fmt: skip


def test_bayesian_choice_is_that_of_the_posterior():
    """Simulating measurements and comparing posteriors gives the stated probability."""
    sigma, prior, lapse = 1.2, 0.7, 0.1
    mean, spread = np.abs(EVIDENCE).mean(), np.abs(EVIDENCE).std()
    measured = np.linspace(-12, 12, 200_001)
    sd = np.hypot(sigma, spread)
    posterior = prior * norm.pdf(measured, mean, sd) > (1 - prior) * norm.pdf(measured, -mean, sd)
    for s in (-1.0, 0.0, 1.0):
        density = norm.pdf(measured, s, sigma)
        chosen = (density * posterior).sum() / density.sum()
        expected = lapse / 2 + (1 - lapse) * chosen
        trials = ChoiceTrials(np.array([s]), np.ones(1), np.ones(1), np.zeros(1))
        model = observer_named("bayesian", evidence=EVIDENCE)
        found = model.probability(np.array([sigma, prior, lapse]), trials)[0]
        assert found == pytest.approx(expected, abs=1e-4)  # the grid's step


def test_the_ideal_observer_is_the_bayesian_without_a_prior():
    """With equal priors the two are one model."""
    trials = drawn("ideal", 0)
    bayesian, ideal = (observer_named(n, evidence=EVIDENCE) for n in ("bayesian", "ideal"))
    np.testing.assert_allclose(
        bayesian.probability(np.array([0.8, 0.5, 0.1]), trials),
        ideal.probability(np.array([0.8, 0.1]), trials),
        atol=EXACT,
    )


def test_win_stay_by_hand():
    """After a right choice it stays, after a wrong one it leaves, and a session starts at 0.5."""
    trials = ChoiceTrials(
        np.zeros(4), np.array([1, 1, 0, 1]), np.array([1, 0, 0, 1]), np.array([0, 0, 0, 1])
    )
    model = observer_named("win-stay", evidence=EVIDENCE)
    found = model.probability(np.array([0.9, 0.2]), trials)
    np.testing.assert_allclose(found, [0.5, 0.9, 0.2, 0.5], atol=EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_recovered(name):
    """The fit to simulated choices finds the parameters that made them."""
    found = fit_observer(observer_named(name, evidence=EVIDENCE), drawn(name, 1))
    assert (np.abs(found.values - TRUTH[name]) < OPEN[name]).all(), found.values
    assert found.bic == pytest.approx(len(TRUTH[name]) * np.log(N) - 2 * found.log_likelihood)


@pytest.mark.parametrize("name", NAMES)
def test_models_are_recovered(name):
    """Held out, the model that made the choices wins, or the simpler that contains its choices."""
    models = [observer_named(n, evidence=EVIDENCE) for n in NAMES]
    found = held_out_log_likelihoods(models, drawn(name, 2), n_folds=2).sum(axis=1)
    best = found[NAMES.index(name)]
    # The wider model describes the choices of the narrower as well, but not better than chance.
    assert best > found.max() - 3
    for other, value in zip(NAMES, found, strict=True):
        if other != name and {name, other} not in NESTED:
            assert best - value > 5, other


def test_a_prior_is_told_from_none():
    """The choices of a biased observer are worth more bits to the model that knows a prior."""
    models = [observer_named(n, evidence=EVIDENCE) for n in ("bayesian", "ideal")]
    found = held_out_log_likelihoods(models, drawn("bayesian", 3), n_folds=2).sum(axis=1)
    assert found[0] - found[1] > 20


def test_held_out_trials_are_not_fitted():
    """A model that could learn one trial by heart gains nothing on it held out."""
    trials = ChoiceTrials(np.zeros(6), np.array([1, 0, 1, 0, 1, 0]), np.ones(6), np.zeros(6))

    def by_heart(values, trials):
        return values

    model = Observer("heart", {f"p{i}": (0.01, 0.99) for i in range(6)}, by_heart)
    fitted = fit_observer(model, trials)
    assert fitted.log_likelihood > -0.1
    held = held_out_log_likelihoods([model], trials, n_folds=2)[0]
    assert held.sum() < 6 * np.log(0.51)
    with pytest.raises(DataError, match="needs trials to be fitted on"):
        fit_observer(model, trials, use=np.zeros(6, dtype=bool))


def test_likelihood_is_that_of_the_choice():
    """ln p of what was chosen, trial by trial."""
    trials = ChoiceTrials(np.zeros(2), np.array([1, 0]), np.ones(2), np.zeros(2))
    coin = observer_named("coin", evidence=EVIDENCE)
    found = observer_log_likelihood(coin, np.array([0.8]), trials)
    np.testing.assert_allclose(found, np.log([0.8, 0.2]), atol=EXACT)


def test_misuse_is_told_in_words():
    """Misspelt and repeated models, no evidence, too few folds, and columns that do not fit."""
    trials = drawn("coin", 0)
    with pytest.raises(UnknownName, match="Did you mean 'bayesian'"):
        observer_named("bayesan", evidence=EVIDENCE)
    with pytest.raises(DataError, match="not always 0"):
        observer_named("ideal", evidence=np.zeros(3))
    coin = observer_named("coin", evidence=EVIDENCE)
    with pytest.raises(AlignmentError, match="more than once in the models"):
        held_out_log_likelihoods([coin, coin], trials)
    with pytest.raises(UsageError, match="got 1 folds"):
        held_out_log_likelihoods([coin], trials, n_folds=1)
    with pytest.raises(DataError, match="one entry a trial"):
        ChoiceTrials(np.zeros(2), np.zeros(3), np.zeros(2), np.zeros(2))
    with pytest.raises(DataError, match="must be 0 or 1"):
        ChoiceTrials(np.zeros(1), np.array([2]), np.zeros(1), np.zeros(1))
