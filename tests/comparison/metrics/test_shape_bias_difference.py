"""Difference of shape biases against counts."""

from __future__ import annotations

import numpy as np

from neuroai.comparison.metrics.shape_bias_difference import shape_bias_difference
from neuroai.testing import EXACT, readonly


def test_is_the_difference_of_shares():
    """Each bias is shape / (shape + texture): choices of neither do not count."""
    human = readonly([[1, 1, 1, 0, np.nan, np.nan]])
    network = readonly([[0, 0, 1, np.nan, 0, 0]])
    expected = 1 / 5 - 3 / 4
    np.testing.assert_allclose(shape_bias_difference(human, network), [[expected]], atol=EXACT)


def test_resamples_draw_stimuli():
    """A weight of 0 leaves a stimulus out, of 2 counts it twice."""
    human, network = readonly([[1.0, 0.0, 1.0]]), readonly([[0.0, 0.0, 1.0]])
    weights = readonly([[2, 0, 1], [0, 3, 0]])
    found = shape_bias_difference(human, network, weights=weights)
    np.testing.assert_allclose(found, [[[1 / 3 - 1]], [[0.0]]], atol=EXACT)


def test_naming_neither_cue_is_undefined():
    """An observer who never names shape or texture has no bias."""
    neither = readonly([[np.nan, np.nan]])
    assert np.isnan(shape_bias_difference(neither, readonly([[1.0, 0.0]]))).all()
