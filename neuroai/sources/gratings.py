"""A grating with a round figure of another orientation or phase: scenes told by their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neuroai.checks import in_range, one_of

if TYPE_CHECKING:
    from PIL.Image import Image

SIDES = ("left", "right")
DIFFERENCES = ("orientation", "phase")
GREY, REACH = 127.5, 127.5


@dataclass(frozen=True)
class FigureGround:
    """A full-screen grating with a round figure on its left or right; ``image()`` draws it.

    Attributes
    ----------
    orientation : float
        Orientation of the figure's bars in degrees; 0 is vertical, 90 horizontal.
    side : {"left", "right"}
        Where the figure stands: its centre at a quarter or three quarters of the width.
    differs_by : {"orientation", "phase"}
        What tells the figure from its ground: bars at a right angle, or bars shifted by half a
        period.
    ground_contrast : float
        Contrast of the ground from 0 (uniform grey) to 1 (that of the figure).
    phase : float
        Phase of the figure's grating in periods, from 0 to 1.
    period, diameter : float
        Of the grating and of the figure, as shares of the width.
    size : int
        Pixels of width and height.

    Examples
    --------
    >>> scene = FigureGround(orientation=0, side="left", differs_by="phase", size=32)
    >>> scene.image().size
    (32, 32)
    """

    orientation: float
    side: str
    differs_by: str
    ground_contrast: float = 1.0
    phase: float = 0.0
    period: float = 0.125
    diameter: float = 0.4
    size: int = 112

    def __post_init__(self) -> None:
        one_of(self.side, SIDES, option="side")
        one_of(self.differs_by, DIFFERENCES, option="differs_by")
        in_range(self.ground_contrast, option="ground_contrast", low=0, high=1)

    def array(self) -> np.ndarray:
        """Give the luminance, shape (size, size), from 0 to 255, uint8."""
        at = (np.arange(self.size) + 0.5) / self.size
        x, y = np.meshgrid(at, at)
        shifted = self.differs_by == "phase"
        figure = self._grating(x, y, self.orientation, self.phase)
        ground = self._grating(
            x, y, self.orientation + (0 if shifted else 90), self.phase + (0.5 if shifted else 0)
        )
        centre = 0.25 if self.side == "left" else 0.75
        inside = np.hypot(x - centre, y - 0.5) <= self.diameter / 2
        wave = np.where(inside, figure, self.ground_contrast * ground)
        return np.round(GREY + REACH * wave).astype(np.uint8)

    def _grating(self, x: np.ndarray, y: np.ndarray, degrees: float, phase: float) -> np.ndarray:
        angle = np.deg2rad(degrees)
        along = x * np.cos(angle) + y * np.sin(angle)
        return np.sin(2 * np.pi * (along / self.period + phase))

    def image(self) -> Image:
        """Draw the scene, in grey, as RGB."""
        from PIL import Image as pillow

        return pillow.fromarray(np.repeat(self.array()[:, :, None], 3, axis=2))
