"""Images by stimulus id, loaded when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class ImageFiles:
    """Images in files; ``images(stimulus_id)`` opens one as RGB.

    Attributes
    ----------
    paths : mapping
        From stimulus id to file. An id that is not in it raises FileNotFoundError: the image is
        not at hand.
    """

    paths: Mapping[str, Path]

    def __call__(self, stimulus_id: str) -> Image:
        """Open the image of one stimulus."""
        from PIL import Image as pillow

        if stimulus_id not in self.paths:
            raise FileNotFoundError(f"The image of stimulus '{stimulus_id}' is not at hand.")
        with pillow.open(self.paths[stimulus_id]) as image:
            return image.convert("RGB")


@dataclass(frozen=True)
class ImageArrays:
    """Images in memory; ``images(stimulus_id)`` gives one as RGB.

    Attributes
    ----------
    arrays : mapping
        From stimulus id to an array of shape (rows, columns, 3), uint8.
    """

    arrays: Mapping[str, np.ndarray]

    def __call__(self, stimulus_id: str) -> Image:
        """Give the image of one stimulus."""
        from PIL import Image as pillow

        if stimulus_id not in self.arrays:
            raise FileNotFoundError(f"The image of stimulus '{stimulus_id}' is not at hand.")
        return pillow.fromarray(self.arrays[stimulus_id])
