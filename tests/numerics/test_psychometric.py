"""Psychometric fits against scipy's optimiser, psignifit and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from neuroai.errors import DataError, UsageError
from neuroai.numerics.psychometric import fit_psychometric
from neuroai.numerics.psychometric_bootstrap import bootstrap_psychometric
from neuroai.numerics.sigmoids import SIGMOIDS, psychometric_function
from neuroai.testing import EXACT, STANDARD_ERRORS

LEVELS = np.linspace(-2, 2, 8)
N = np.full(8, 60)
# Both climb until the log likelihood, of the order of 100, gains less than 1e-8 or so.
SAME_LIKELIHOOD = 1e-6
# psignifit's priors are flat there; its search for the maximum stops at about 1e-5 of it.
FOUND = 1e-4


def simulated(*, sigmoid: str, decreasing: bool, n_fits: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw counts of a yes/no observer with lapses and guesses."""
    levels = np.exp(LEVELS) if sigmoid == "weibull" else LEVELS
    p = psychometric_function(
        levels, threshold=1.2, width=1.5, lapse=0.03, guess=0.1, sigmoid=sigmoid,
        decreasing=decreasing,
    )  # fmt: skip
    return levels, np.random.default_rng(4).binomial(N, p, size=(n_fits, 8))


@pytest.mark.parametrize("decreasing", [False, True])
@pytest.mark.parametrize("sigmoid", SIGMOIDS)
def test_reaches_the_maximum_that_scipy_finds(sigmoid: str, decreasing: bool) -> None:
    """Within the same bounds L-BFGS-B from several starts finds no higher likelihood."""
    levels, yes = simulated(sigmoid=sigmoid, decreasing=decreasing, n_fits=2)
    fit = fit_psychometric(levels, yes, N, sigmoid=sigmoid, guess=None, decreasing=decreasing)
    for row, counts in enumerate(yes):

        def loss(v, counts=counts):
            p = psychometric_function(
                levels, threshold=v[0], width=v[1], lapse=v[2], guess=v[3], sigmoid=sigmoid,
                decreasing=decreasing,
            )  # fmt: skip
            p = np.clip(p, 1e-12, 1 - 1e-12)
            return -(counts * np.log(p) + (N - counts) * np.log1p(-p)).sum()

        low = 0.1 if sigmoid == "weibull" else -4
        bounds = [(low, 8), (0.06, 16), (0, 0.1), (0, 0.5)]
        starts = [[m, w, 0.02, 0.1] for m in (0.8, 1.5) for w in (0.7, 2)]
        best = min(minimize(loss, s, bounds=bounds, method="L-BFGS-B").fun for s in starts)
        own = loss([fit.threshold[row], fit.width[row], fit.lapse[row], fit.guess[row]])
        assert own == pytest.approx(-fit.log_likelihood[row], abs=EXACT * 1e2)
        assert own <= best + SAME_LIKELIHOOD


@pytest.mark.parametrize("sigmoid", ["norm", "logistic", "gumbel", "rgumbel"])
def test_agrees_with_psignifit(sigmoid: str) -> None:
    """psignifit's function is ours, and so is its maximum where its priors are flat."""
    psignifit = pytest.importorskip("psignifit")
    levels = np.linspace(1, 9, 9)
    n = np.full(9, 200)
    p = psychometric_function(levels, threshold=5.0, width=4.0, lapse=0.02, guess=0.5,
                              sigmoid=sigmoid)  # fmt: skip
    yes = np.random.default_rng(1).binomial(n, p)
    result = psignifit.psignifit(
        np.column_stack([levels, yes, n]),
        experiment_type="2AFC",
        sigmoid=sigmoid,
        fixed_parameters={"lambda": 0.02, "eta": 0.0},
    )
    theirs = result.get_parameter_estimate(estimate_type="MAP")
    fit = fit_psychometric(levels, yes, n, sigmoid=sigmoid, lapse=0.02)
    assert fit.threshold[0] == pytest.approx(theirs["threshold"], rel=FOUND)
    assert fit.width[0] == pytest.approx(theirs["width"], rel=FOUND)
    ours = psychometric_function(levels, threshold=theirs["threshold"], width=theirs["width"],
                                 lapse=0.02, guess=0.5, sigmoid=sigmoid)  # fmt: skip
    family = result.configuration.make_sigmoid()
    unscaled = family(levels, theirs["threshold"], theirs["width"])
    np.testing.assert_allclose(ours, 0.5 + 0.48 * unscaled, atol=EXACT)


def test_recovers_the_parameters_of_many_observers() -> None:
    """Medians of 400 fits lie at the truth within 4 standard errors of a median."""
    levels, yes = simulated(sigmoid="norm", decreasing=False, n_fits=400)
    fit = fit_psychometric(levels, yes, N, guess=None)
    for found, truth in ((fit.threshold, 1.2), (fit.width, 1.5)):
        error = 1.25 * found.std() / np.sqrt(len(found))
        # Small samples widen the width's estimate a little: its bias is of the order 1 / n.
        assert abs(np.median(found) - truth) < STANDARD_ERRORS * error + 0.03


def test_deviance_is_twice_the_missing_likelihood() -> None:
    """A function through every point has none; a bent row of shares has much."""
    p = psychometric_function(LEVELS, threshold=0.0, width=2.0, guess=0.5)
    exact = fit_psychometric(LEVELS, 1e6 * p, np.full(8, 1e6), lapse=0.0)
    assert exact.deviance[0] == pytest.approx(0, abs=1e-3)  # of the order of 1e6 x rounding of p
    bent = fit_psychometric(LEVELS, [60, 20, 60, 20, 60, 20, 60, 20], N)
    assert bent.deviance[0] > 100


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 60 data sets 95 % intervals of threshold and width miss the truth as often as chance."""
    p = psychometric_function(LEVELS, threshold=0.3, width=2.5, lapse=0.0, guess=0.5)
    rng, n = np.random.default_rng(6), np.full(8, 100)
    covered = np.zeros(2)
    for _ in range(60):
        yes = rng.binomial(n, p)
        fit = fit_psychometric(LEVELS, yes, n, lapse=0.0)
        found = bootstrap_psychometric(fit, LEVELS, n, rng=rng, n_samples=100, fixed_lapse=0.0)
        covered += [
            found.low["threshold"] <= 0.3 <= found.high["threshold"],
            found.low["width"] <= 2.5 <= found.high["width"],
        ]
    # Percentile intervals of 100 samples at 100 trials a level: 3 % below nominal at most, and
    # four binomial standard errors.
    assert (covered >= 60 * 0.92 - STANDARD_ERRORS * np.sqrt(60 * 0.95 * 0.05)).all()
    assert covered.sum() < 120


def test_goodness_of_fit_tells_good_from_bad() -> None:
    """Data of the function are no worse than most simulations; shares that go up and down are."""
    rng = np.random.default_rng(3)
    p = psychometric_function(LEVELS, threshold=0.0, width=2.0, guess=0.5)
    good = fit_psychometric(LEVELS, rng.binomial(N, p), N)
    bad = fit_psychometric(LEVELS, [60, 30, 60, 30, 60, 30, 60, 30], N)
    p_good, p_bad = (
        bootstrap_psychometric(f, LEVELS, N, rng=rng, n_samples=200).deviance_p for f in (good, bad)
    )
    assert p_good > 0.05
    assert p_bad == pytest.approx(1 / 201, abs=EXACT)


def test_a_step_and_a_flat_line_are_called_undetermined() -> None:
    """Perfect separation has no width, and guessing no threshold: the fit says so."""
    yes = [[0, 0, 0, 0, 60, 60, 60, 60], [30] * 8, [2, 5, 10, 20, 40, 50, 55, 58]]
    fit = fit_psychometric(LEVELS, yes, N, guess=0.0, lapse=0.0)
    assert fit.undetermined.tolist() == [True, True, False]
    assert np.isfinite(fit.log_likelihood).all()


@pytest.mark.parametrize(
    ("levels", "yes", "error"),
    [
        ([1, 2], [1, 2], "at 3 levels or more; got 2"),
        ([1, 1, 2], [1, 2, 3], "Add up the trials of each level"),
        ([1, 2, 3], [1, 2, 99], "fewer trials than responses"),
    ],
)
def test_counts_that_tell_nothing_are_refused(levels, yes, error) -> None:
    """Two levels, repeated levels, and more responses than trials."""
    with pytest.raises(DataError, match=error):
        fit_psychometric(np.array(levels, float), yes, np.full(len(levels), 60))


def test_rates_out_of_range_are_refused() -> None:
    """A guess rate is a probability, and leaves room for a response."""
    with pytest.raises(UsageError, match=r"guess must lie in \[0.0, 0.9\]; got -0.1"):
        fit_psychometric(LEVELS, N // 2, N, guess=-0.1)
    with pytest.raises(UsageError, match="their sum below 1"):
        fit_psychometric(LEVELS, N // 2, N, guess=0.9, lapse=0.1)
