"""Sounds: one channel, finite, with a rate; content hashed with it."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError
from neuroai.format.sounds import Sound
from neuroai.format.stimuli import content_sha256


def test_the_rate_is_part_of_the_content():
    """The same samples at another rate are another sound."""
    samples = np.linspace(-1, 1, 50)
    assert content_sha256(Sound(samples, 8000)) == content_sha256(Sound(samples.copy(), 8000))
    assert content_sha256(Sound(samples, 8000)) != content_sha256(Sound(samples, 16000))
    assert content_sha256(Sound(samples, 8000)) != content_sha256(samples)


@pytest.mark.parametrize(
    ("samples", "rate", "said"),
    [
        (np.zeros((10, 2)), 8000, "Average the channels"),
        (np.zeros(10, dtype=np.int16), 8000, "divide whole numbers"),
        (np.zeros(0), 8000, "one channel of floats"),
        (np.array([0.0, np.nan]), 8000, "finite samples"),
        (np.zeros(10), 0, "positive rate"),
    ],
)
def test_what_is_no_sound_is_told(samples, rate, said):
    """Channels, whole numbers, nothing, NaN and a rate of 0."""
    with pytest.raises(DataError, match=said):
        Sound(samples, rate)
