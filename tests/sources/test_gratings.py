"""Gratings with a figure: what differs, where, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import UsageError
from neuroai.sources.gratings import FigureGround

SIZE = 112
# Rounding to whole grey levels.
LEVEL = 1


def scene(**options: object) -> np.ndarray:
    """Draw a scene as signed luminance."""
    facts = {"orientation": 0.0, "side": "left", "differs_by": "orientation", **options}
    return FigureGround(**facts).array().astype(int) - 127


def test_a_figure_by_phase_is_its_ground_shifted_by_half_a_period() -> None:
    """Inside the figure luminance is that of the ground with its sign turned."""
    with_figure = scene(differs_by="phase")
    other = scene(differs_by="phase", side="right")
    middle = SIZE // 2
    inside = with_figure[middle, SIZE // 4 - 8 : SIZE // 4 + 8]
    ground = other[middle, SIZE // 4 - 8 : SIZE // 4 + 8]
    np.testing.assert_allclose(inside, -ground, atol=2 * LEVEL)


def test_a_figure_by_orientation_stands_at_a_right_angle() -> None:
    """The ground of vertical bars is horizontal: constant along rows outside the figure."""
    found = scene()
    assert (np.ptp(found[:5], axis=1) <= LEVEL).all()
    assert np.ptp(found[SIZE // 2, : SIZE // 2]) > 200


def test_a_ground_without_contrast_is_grey() -> None:
    """Then the figure alone is a grating, on the side that is said."""
    found = scene(ground_contrast=0.0, side="right")
    assert (np.abs(found[:, : SIZE // 2]) <= LEVEL).all()
    assert np.ptp(found[:, SIZE // 2 :]) > 200


def test_sides_hold_one_figure_each() -> None:
    """On a grey ground as many pixels are patterned on the left as on the right."""
    counts = [(np.abs(scene(ground_contrast=0.0, side=s)) > LEVEL).sum() for s in ("left", "right")]
    assert abs(counts[0] - counts[1]) < 0.1 * counts[0]


def test_what_cannot_be_drawn_is_refused() -> None:
    """An unknown side or difference, and a contrast beyond 1."""
    with pytest.raises(UsageError, match="side must be one of"):
        scene(side="middle")
    with pytest.raises(UsageError, match="Did you mean 'phase'"):
        scene(differs_by="phases")
    with pytest.raises(UsageError, match="ground_contrast must lie in"):
        scene(ground_contrast=1.5)
