"""Capacity of points and balls against closed forms, and of clouds against sorting itself."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import chi, norm

from neuroai.errors import DataError, UsageError
from neuroai.numerics.capacity import manifold_capacity
from neuroai.testing import EXACT, STANDARD_ERRORS, readonly

# The closed form is integrated to this, far below the error of 3,000 draws.
INTEGRAL = 1e-4
# Some directions are met by the whole disc, whose anchor lies inside it.
BEHIND = 0.4
# Two sets of 50 directions for three clouds.
DRAWN = 0.3


def points_capacity(margin):
    """Gardner's integral for points."""
    return 1 / quad(lambda t: norm.pdf(t) * (t - margin) ** 2, -np.inf, margin)[0]


def ball_capacity(radius, dimension):
    """The published integral for balls: a cone that the direction lies in, beside, or behind."""

    def squared(t0, t):
        if t0 >= radius * t:
            return 0.0
        if t0 >= -t / radius:
            return (radius * t - t0) ** 2 / (1 + radius**2)
        return t0**2 + t**2

    weighted = dblquad(
        lambda t0, t: squared(t0, t) * norm.pdf(t0) * chi.pdf(t, dimension), 0, 8, -8, 8,
        epsabs=INTEGRAL,
    )[0]  # fmt: skip
    return 1 / weighted


def far_apart(shapes, n_units=60):
    """Place clouds around the ends of axes, so that centres have length 1 about their mean."""
    centres = np.zeros((2, n_units))
    centres[0, -1], centres[1, -1] = 1, -1
    clouds = []
    for centre, shape in zip(centres, shapes, strict=True):
        cloud = np.zeros((len(shape), n_units))
        cloud[:, : shape.shape[1]] = shape
        clouds.append(readonly(cloud + centre))
    return clouds


@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_points_have_the_capacity_of_gardner(margin):
    """2 without a margin; four standard errors of 20,000 draws of a squared half normal."""
    clouds = far_apart([np.zeros((1, 1))] * 2)
    found = manifold_capacity(clouds, margin=margin, n_samples=20000)
    wanted = points_capacity(margin)
    if margin == 0:
        assert wanted == pytest.approx(2)
    spread = np.sqrt(1.25 + 4 * margin) / np.sqrt(2 * 20000)
    assert abs(1 / found.capacity - 1 / wanted) < STANDARD_ERRORS * spread
    assert (found.radii == 0).all() and (found.dimensions == 0).all()


@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_circles_have_the_capacity_of_balls(radius):
    """A fine circle has the corners of a disc: dimension two, within four standard errors."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    circle = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = manifold_capacity(far_apart([circle, circle]), n_samples=3000)
    wanted = ball_capacity(radius, 2)
    inverse = 1 / found.capacities
    error = np.sqrt(3) / wanted / np.sqrt(2 * 3000)
    assert abs(inverse.mean() - 1 / wanted) < STANDARD_ERRORS * error
    assert found.radii == pytest.approx([radius] * 2, rel=BEHIND)


def test_wider_clouds_have_less_capacity_and_more_radius():
    """The same points, twice as far out."""
    shape = np.random.default_rng(0).standard_normal((12, 6)) * 0.3
    shape -= shape.mean(0)
    narrow, wide = (manifold_capacity(far_apart([k * shape] * 2)) for k in (1, 3))
    assert narrow.capacity > wide.capacity + 0.1
    assert (narrow.radii < wide.radii).all() and (wide.dimensions <= 6 + 1).all()


def test_rotation_scale_and_offset_change_nothing():
    """Only the shape of the clouds relative to their centres counts."""
    rng = np.random.default_rng(1)
    clouds = [rng.standard_normal((7, 10)) + centre for centre in 3 * np.eye(3, 10)]
    rotation = np.linalg.qr(rng.standard_normal((10, 10)))[0]
    one = manifold_capacity(clouds, n_samples=50)
    other = manifold_capacity([5 * cloud @ rotation - 2 for cloud in clouds], n_samples=50)
    # The basis of a cloud is fixed up to signs, which a draw of directions does not know.
    assert one.capacity == pytest.approx(other.capacity, rel=DRAWN)
    assert one.centre_correlation == pytest.approx(other.centre_correlation, abs=EXACT)


def test_wrong_calls_say_what_to_do():
    """One cloud, clouds about one centre, options out of range, and NaN."""
    clouds = far_apart([np.zeros((1, 1))] * 2)
    with pytest.raises(UsageError, match="at least two clouds"):
        manifold_capacity(clouds[:1])
    with pytest.raises(UsageError, match="margin must be at least 0 and n_samples at least 1"):
        manifold_capacity(clouds, margin=-1)
    with pytest.raises(DataError, match="lies at the mean of all"):
        manifold_capacity([clouds[0], clouds[0]])
    with pytest.raises(DataError, match="1 of 60 entries of clouds are not finite"):
        manifold_capacity([clouds[0], np.where(clouds[1] == -1, np.nan, clouds[1])])
