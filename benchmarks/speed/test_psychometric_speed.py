"""Psychometric fits here and in psignifit. Run: pytest benchmarks/speed -s."""

from __future__ import annotations

import numpy as np
import psignifit

from neuroai.numerics.psychometric import fit_psychometric
from neuroai.numerics.psychometric_bootstrap import bootstrap_psychometric
from neuroai.numerics.sigmoids import psychometric_function

LEVELS, N = np.linspace(1, 9, 9), np.full(9, 60)
SAME = 1e-3  # psignifit's search for the maximum stops at about 1e-5 of it


def test_one_function_with_intervals(duel):
    """One data set: ours with 1,000 simulated ones, psignifit's with its posterior on a grid."""
    p = psychometric_function(LEVELS, threshold=5.0, width=4.0, lapse=0.02, guess=0.5)
    yes = np.random.default_rng(1).binomial(N, p)
    fixed = {"lambda": 0.02, "eta": 0.0}

    def ours():
        fit = fit_psychometric(LEVELS, yes, N, lapse=0.02)
        rng = np.random.default_rng(0)
        bootstrap_psychometric(fit, LEVELS, N, rng=rng, fixed_lapse=0.02)
        return fit

    def theirs():
        data = np.column_stack([LEVELS, yes, N])
        return psignifit.psignifit(data, experiment_type="2AFC", fixed_parameters=fixed)

    found = theirs().get_parameter_estimate(estimate_type="MAP")
    assert abs(ours().threshold[0] - found["threshold"]) < SAME * found["threshold"]
    duel("a psychometric function with intervals", ours, theirs, peer="psignifit", rounds=3)


def test_a_thousand_functions(duel):
    """A sweep: 1,000 data sets fitted at once; psignifit does ten, and its time is scaled."""
    p = psychometric_function(LEVELS, threshold=5.0, width=4.0, lapse=0.02, guess=0.5)
    yes = np.random.default_rng(2).binomial(N, p, size=(1000, 9))

    def theirs():
        return [
            psignifit.psignifit(
                np.column_stack([LEVELS, row, N]), experiment_type="2AFC",
                fixed_parameters={"lambda": 0.02, "eta": 0.0},
            )
            for row in yes[:10]
        ]  # fmt: skip

    wanted = [fit.get_parameter_estimate(estimate_type="MAP")["threshold"] for fit in theirs()]
    found = fit_psychometric(LEVELS, yes, N, lapse=0.02).threshold[:10]
    np.testing.assert_allclose(found, wanted, rtol=SAME)
    duel(
        "1,000 psychometric functions", lambda: fit_psychometric(LEVELS, yes, N, lapse=0.02),
        theirs, peer="psignifit", rounds=1, share=0.01,
    )  # fmt: skip
