"""Difference of accuracies against plain means."""

from __future__ import annotations

import numpy as np

from neuroai.comparison.metrics.accuracy_difference import accuracy_difference
from neuroai.testing import EXACT, readonly


def test_is_the_difference_of_means():
    """The second's mean minus the first's, each over the stimuli that observer met."""
    rng = np.random.default_rng(4)
    a, b = rng.random((3, 30)), rng.random((2, 30))
    a[0, :5], b[1, 10:] = np.nan, np.nan
    a, b = readonly(a), readonly(b)
    expected = np.nanmean(b, axis=1)[None] - np.nanmean(a, axis=1)[:, None]
    np.testing.assert_allclose(accuracy_difference(a, b), expected, atol=EXACT)


def test_swapping_the_sides_changes_the_sign():
    """A network better than the brain is positive; the other way round negative."""
    brain, network = readonly([[1, 0, 0, 0]], dtype=float), readonly([[1, 1, 1, 0]], dtype=float)
    assert accuracy_difference(brain, network).item() == 0.5
    assert accuracy_difference(network, brain).item() == -0.5


def test_an_observer_without_trials_is_undefined():
    """No trial is no accuracy, rather than 0."""
    nothing = readonly([[np.nan, np.nan]])
    assert np.isnan(accuracy_difference(nothing, readonly([[1.0, 0.0]]))).all()
