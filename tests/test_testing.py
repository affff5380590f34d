"""The public test helpers give what they promise: known patterns, noise, and a planted module."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import IntegrityError
from neuroai.format.validate import validate
from neuroai.testing import (
    EQUAL,
    EXACT,
    SINGLE,
    STANDARD_ERRORS,
    contrast_brain,
    random_recording,
    readonly,
    toy_brain,
    toy_stimuli,
)


def test_tolerances_are_ordered() -> None:
    """Algebra in double precision is held tighter than another implementation, or single."""
    assert 0 < EXACT < EQUAL < SINGLE < 1 and STANDARD_ERRORS == 4


def test_readonly_refuses_writing_and_copies() -> None:
    """A function that writes into its input fails, and the source is not locked."""
    source = np.zeros(2)
    locked = readonly(source, dtype="float32")
    with pytest.raises(ValueError, match="read-only"):
        locked[0] = 1
    source[0] = 1
    assert locked.dtype == np.float32 and locked[0] == 0


def test_toy_stimuli_can_be_loaded_and_are_checked() -> None:
    """Images are grey levels by place in the alphabet, and their hashes are held."""
    stimuli = toy_stimuli(4)
    assert stimuli.available == stimuli.ids == ("a", "b", "c", "d")
    assert (stimuli.content("c") == 2).all()
    stimuli.content("b")[:] = 9
    with pytest.raises(IntegrityError, match="'b' of 'toy'"):
        stimuli.content("b")


def test_toy_brain_has_the_stated_patterns() -> None:
    """Three stimuli, two units, one region."""
    (recording,) = toy_brain().recordings()
    np.testing.assert_array_equal(recording.values, [[0, 0], [1, 1], [2, 0]])
    assert recording.stimulus_id.values.tolist() == list(toy_brain().stimuli.ids)


def test_random_recording_is_valid_noise() -> None:
    """Mean and variance are those of standard normal noise, within 4 standard errors."""
    noise = validate(random_recording(n_stimuli=50, n_units=40, n_repeats=5, seed=1))
    n = noise.size
    assert abs(noise.values.mean()) < STANDARD_ERRORS / np.sqrt(n)
    assert abs(noise.values.var() - 1) < STANDARD_ERRORS * np.sqrt(2 / n)
    assert np.unique(noise.stimulus_id.values, return_counts=True)[1].tolist() == [5] * 50


def test_random_recordings_hang_on_the_seed() -> None:
    """One seed gives one recording, another gives another."""
    first, again, other = (random_recording(seed=s).values for s in (2, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_contrast_brain_plants_what_it_says() -> None:
    """The first units differ by the effect, the others do not, within 4 standard errors."""
    brain, contrast = contrast_brain(n_stimuli=400, n_units=30, n_planted=10, effect=2.0, seed=3)
    (recording,) = brain.recordings()
    face = brain.stimuli.column(contrast.column) == contrast.positive[0]
    difference = recording.values[face].mean(axis=0) - recording.values[~face].mean(axis=0)
    bound = STANDARD_ERRORS * np.sqrt(2 / 200)
    assert np.abs(difference[:10] - 2).max() < bound and np.abs(difference[10:]).max() < bound
