"""LDA at every time and from every time to every other, beside mne with scikit-learn's LDA."""

from __future__ import annotations

import numpy as np
import pytest
from mne.decoding import GeneralizingEstimator, SlidingEstimator, cross_val_multiscore
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import PredefinedSplit

from neuroai.numerics.decoding import decode, temporal_generalisation

N_TRIALS, N_CHANNELS, N_FOLDS = 500, 64, 5
N_COMPARED = 20  # times whose accuracies are held to be the same


@pytest.mark.parametrize("shrinkage", ["auto", 0.1])
@pytest.mark.parametrize("job", ["every time", "temporal generalisation"])
def test_decoding_speed(duel, job, shrinkage):
    """Both run the same folds and give the same accuracies of every fold; the ratio is printed."""
    n_times = 300 if job == "every time" else 100
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((N_TRIALS, N_CHANNELS, n_times))
    labels, folds = np.arange(N_TRIALS) % 2, np.arange(N_TRIALS) // 2 % N_FOLDS
    sliding = job == "every time"
    theirs = (SlidingEstimator if sliding else GeneralizingEstimator)(
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage), verbose=False
    )
    ours = decode if sliding else temporal_generalisation
    few, split = patterns[..., :N_COMPARED], PredefinedSplit(folds)
    found = ours(few, labels, folds, shrinkage=shrinkage).fold_scores
    assert np.array_equal(found, cross_val_multiscore(theirs, few, labels, cv=split))
    duel(
        f"LDA, shrinkage {shrinkage}, {job}, {N_TRIALS} x {N_CHANNELS} x {n_times}",
        lambda: ours(patterns, labels, folds, shrinkage=shrinkage),
        lambda: cross_val_multiscore(theirs, patterns, labels, cv=split),
        peer="mne with scikit-learn",
    )
