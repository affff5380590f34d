"""Crossnobis distances here and in rsatoolbox, in float64. Run: pytest benchmarks/speed -s."""

from __future__ import annotations

import numpy as np
import pytest
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm
from rsatoolbox.rdm.calc_unbalanced import calc_rdm_unbalanced

from neuroai.numerics.crossnobis import crossnobis
from neuroai.numerics.noise_precision import NoiseCovariance

SAME = 1e-8
OPTIONS = {"method": "crossnobis", "descriptor": "stimulus", "cv_descriptor": "run"}


def _problem(n_stimuli, n_runs, n_units):
    """Return one showing of each stimulus in each run, and rsatoolbox's data set of them."""
    rng = np.random.default_rng(0)
    stimuli, runs = np.tile(np.arange(n_stimuli), n_runs), np.repeat(np.arange(n_runs), n_stimuli)
    x = rng.standard_normal((n_stimuli, n_units))[stimuli] + rng.standard_normal(
        (len(runs), n_units)
    )
    labels = {"stimulus": stimuli.astype(float), "run": runs.astype(float)}
    return x, stimuli, runs, Dataset(x, obs_descriptors=labels)


def test_balanced(duel):
    """200 stimuli, 10 runs, 5,000 channels, as they are."""
    x, stimuli, runs, data = _problem(200, 10, 5_000)
    found = crossnobis(x, stimuli, runs)[0]
    assert np.abs(found - calc_rdm(data, **OPTIONS).get_matrices()[0]).max() < SAME
    duel(
        "crossnobis, 200 stimuli x 10 runs x 5,000 channels",
        lambda: crossnobis(x, stimuli, runs),
        lambda: calc_rdm(data, **OPTIONS),
        peer="rsatoolbox",
    )


def test_balanced_with_a_full_noise_precision(duel):
    """The same, whitened; the factor of the covariance is there already, and so is its inverse."""
    x, stimuli, runs, data = _problem(200, 10, 5_000)
    rng = np.random.default_rng(1)
    factor = rng.standard_normal((5_000, 50)) / 10
    noise = NoiseCovariance(factor @ factor.T + np.eye(5_000), shrinkage=0.0, dof=1)
    precision = np.linalg.inv(noise.covariance)
    peer = {**OPTIONS, "noise": precision}
    found = crossnobis(noise.whiten(x), stimuli, runs)[0]
    assert np.abs(found - calc_rdm(data, **peer).get_matrices()[0]).max() < SAME
    for name, bound in (
        ("ours", lambda: crossnobis(noise.whiten(x), stimuli, runs)),
        ("the product alone, which bounds both", lambda: x @ precision),
    ):
        duel(
            f"crossnobis with a full noise covariance, 200 x 10 x 5,000: {name}",
            bound,
            lambda: calc_rdm(data, **peer),
            peer="rsatoolbox",
        )


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_unbalanced(duel, missing):
    """92 stimuli, 8 runs, 1,000 channels, all showings there or one in ten missing."""
    x, stimuli, runs, _ = _problem(92, 8, 1_000)
    kept = np.random.default_rng(2).random(len(x)) >= missing
    x, stimuli, runs = x[kept], stimuli[kept], runs[kept]
    labels = {"stimulus": stimuli.astype(float), "run": runs.astype(float)}
    data = Dataset(x, obs_descriptors=labels)
    found = crossnobis(x, stimuli, runs)[0]
    theirs = calc_rdm_unbalanced(data, **OPTIONS).get_matrices()[0]
    # With cells missing theirs averages each product over other runs than its neighbours.
    assert missing or np.abs(found - theirs).max() < SAME
    duel(
        f"crossnobis, {missing:.0%} of cells missing, 92 x 8 x 1,000: ours",
        lambda: crossnobis(x, stimuli, runs),
        lambda: calc_rdm_unbalanced(data, **OPTIONS),
        peer="rsatoolbox's unbalanced routine",
    )
