"""Sounds as stimuli: samples and their rate, which belong together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroai.errors import DataError


@dataclass(frozen=True, eq=False)
class Sound:
    """One sound.

    Attributes
    ----------
    samples : numpy.ndarray, shape (n_samples,)
        Sound pressure in arbitrary units, of one channel; floats, as a rule in [-1, 1].
    rate : float
        Samples a second.

    Raises
    ------
    DataError
        Not one channel of finite numbers, or no positive rate.

    Examples
    --------
    >>> Sound(np.zeros(8000, dtype=np.float32), 16000).duration
    0.5
    """

    samples: np.ndarray
    rate: float

    def __post_init__(self) -> None:
        samples = np.asarray(self.samples)
        if samples.ndim != 1 or samples.dtype.kind != "f" or not len(samples):
            raise DataError(
                "A sound is one channel of floats with shape (n_samples,); got "
                f"{samples.dtype} {samples.shape}. Average the channels, and divide whole numbers "
                "by their largest value."
            )
        if not np.isfinite(samples).all() or not self.rate > 0:
            raise DataError(f"A sound has finite samples and a positive rate; got {self.rate} Hz.")
        object.__setattr__(self, "samples", samples)

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.rate
