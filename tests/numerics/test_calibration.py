"""Calibration against scikit-learn, and Murphy's identity."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from neuroai.errors import DataError, UsageError
from neuroai.numerics.calibration import calibrate
from neuroai.testing import EXACT, STANDARD_ERRORS, readonly


@pytest.fixture
def trials() -> tuple[np.ndarray, np.ndarray]:
    """A too confident observer's 500 trials."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 500)
    return readonly(confidence), readonly((rng.random(500) < confidence**2).astype(float))


def test_equals_scikit_learn(trials):
    """Brier score and the curve of equal-width bins that hold trials."""
    confidence, correct = trials
    found = calibrate(confidence, correct, n_bins=8)
    np.testing.assert_allclose(found.brier, brier_score_loss(correct, confidence), atol=EXACT)
    accuracy, mean = calibration_curve(correct, confidence, n_bins=8)
    kept = found.n > 0
    np.testing.assert_allclose(found.accuracy[kept], accuracy, atol=EXACT)
    np.testing.assert_allclose(found.confidence[kept], mean, atol=EXACT)
    np.testing.assert_allclose(found.ece, found.n[kept] / 500 @ np.abs(accuracy - mean), atol=EXACT)


def test_parts_add_up_to_the_score_of_binned_confidence(trials):
    """Reliability - resolution + uncertainty is the Brier score of the bins' mean confidences."""
    confidence, correct = trials
    for binning in ("width", "count"):
        found = calibrate(confidence, correct, n_bins=7, binning=binning)
        edges = np.sort(confidence)
        place = (
            np.ceil(confidence * 7).astype(int) - 1
            if binning == "width"
            else np.searchsorted(edges, confidence) * 7 // 500
        )
        rounded = brier_score_loss(correct, found.confidence[place])
        parts = found.reliability - found.resolution + found.uncertainty
        np.testing.assert_allclose(parts, rounded, atol=EXACT)


def test_bins_of_equal_counts_hold_as_many(trials):
    """Without ties the counts differ by one at most; ties share a bin."""
    confidence, correct = trials
    n = calibrate(confidence, correct, n_bins=7, binning="count").n
    assert n.sum() == 500 and np.ptp(n) <= 1
    assert (calibrate(np.full(9, 0.5), np.ones(9), n_bins=3, binning="count").n > 0).sum() == 1


def test_a_calibrated_observer_has_no_error_beyond_sampling():
    """Right as often as said: ECE falls to what 4 standard errors allow."""
    rng = np.random.default_rng(2)
    confidence = rng.uniform(0.5, 1, 20_000)
    correct = (rng.random(20_000) < confidence).astype(float)
    found = calibrate(confidence, correct, n_bins=5)
    assert found.ece < STANDARD_ERRORS * 0.5 / np.sqrt(20_000 / 3)
    assert found.reliability < found.resolution < found.uncertainty


def test_what_is_no_probability_is_refused():
    """Ratings must be rescaled; no trials and no bins are errors."""
    with pytest.raises(DataError, match=r"in \[0, 1\]; got 1 to 5. Rescale"):
        calibrate(np.array([1.0, 5.0]), np.ones(2))
    with pytest.raises(DataError, match="one confidence a trial"):
        calibrate(np.empty(0), np.empty(0))
    with pytest.raises(UsageError, match="n_bins must be at least 1; got 0"):
        calibrate(np.array([0.5]), np.ones(1), n_bins=0)
    with pytest.raises(UsageError, match="Did you mean 'width'"):
        calibrate(np.array([0.5]), np.ones(1), binning="widht")
