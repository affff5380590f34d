"""Networks that hear: sounds are brought to the network's rate, and layers have frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroai.errors import DataError
from neuroai.format.sounds import Sound
from neuroai.systems.sequences import SEQUENCE, Frames

# Rates are whole numbers of hertz as a rule; a fraction with larger terms would filter for minutes.
LARGEST_TERM = 1000


@dataclass(frozen=True)
class Heard:
    """Turns a sound into what a network of transformers takes.

    Attributes
    ----------
    extractor : transformers.SequenceFeatureExtractor
        Gives the samples, normalised, or a spectrogram.
    """

    extractor: Any

    @property
    def rate(self) -> int:
        """Samples a second that the network was trained with."""
        return int(self.extractor.sampling_rate)

    def __call__(self, sound: Any) -> Tensor:
        """Give samples (n_samples,), or a spectrogram as the network has it."""
        if not isinstance(sound, Sound):
            raise DataError(
                "A network that hears takes sounds (neuroai.format.sounds.Sound, samples with "
                f"their rate); got {type(sound).__name__}."
            )
        samples = resampled(sound, self.rate)
        given = self.extractor(samples, sampling_rate=self.rate, return_tensors="pt")
        name = self.extractor.model_input_names[0]
        return torch.as_tensor(given[name])[0].float()


def resampled(sound: Sound, rate: int) -> np.ndarray:
    """Bring a sound to another rate by a polyphase filter.

    Examples
    --------
    >>> len(resampled(Sound(np.zeros(8000), 8000), 16000))
    16000
    """
    if sound.rate == rate:
        return np.asarray(sound.samples, dtype=np.float32)
    from scipy.signal import resample_poly

    ratio = Fraction(rate / sound.rate).limit_denominator(LARGEST_TERM)
    changed = resample_poly(sound.samples.astype(np.float64), ratio.numerator, ratio.denominator)
    return changed.astype(np.float32)


def built_audio_network(make: Callable[[], nn.Module]) -> nn.Module:
    """Build a network and call the positions of its layers frames."""
    module = make()
    setattr(module, SEQUENCE, Frames())
    return module
