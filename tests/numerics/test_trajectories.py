"""Distances and speeds of paths without the noise of their means, and when paths part."""

from itertools import combinations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.trajectories import (
    first_lasting,
    parting_threshold,
    trajectory_distances,
    trajectory_speed,
)
from neuroai.testing import EQUAL, STANDARD_ERRORS, readonly

N_UNITS, N_TIMES = 5, 6


def rows(seed, n_rows=6, move=0.0):
    """Draw noisy paths that move away from time 3 on, read-only."""
    values = np.random.default_rng(seed).standard_normal((n_rows, N_UNITS, N_TIMES))
    values[:, 0, 3:] += move
    return readonly(values)


def test_the_distance_is_the_mean_product_of_independent_differences():
    """All pairs of different showings on either side, written out, for 200 inputs."""
    for seed in range(200):
        a, b = rows(seed, 3), rows(seed + 999, 4)
        products = [
            (a[i] - b[k]) * (a[j] - b[m])
            for i, j in combinations(range(3), 2)
            for k, m in combinations(range(4), 2)
        ] + [
            (a[i] - b[m]) * (a[j] - b[k])
            for i, j in combinations(range(3), 2)
            for k, m in combinations(range(4), 2)
        ]
        wanted = np.mean(products, axis=0).sum(0) / N_UNITS
        np.testing.assert_allclose(trajectory_distances([a, b])[0, 1], wanted, atol=EQUAL)


def test_noise_has_no_distance_and_no_speed():
    """Over 400 draws means are 0 where nothing moves, and the planted square where it does."""
    found = np.array(
        [trajectory_distances([rows(s), rows(s + 500, move=2.0)])[0, 1] for s in range(400)]
    )
    error = found.std(0) / np.sqrt(len(found))
    true = np.where(np.arange(N_TIMES) < 3, 0.0, 4.0 / N_UNITS)
    assert (np.abs(found.mean(0) - true) < STANDARD_ERRORS * error).all()
    speeds = np.array([trajectory_speed([rows(s)], np.arange(6.0))[0] for s in range(400)])
    squares = np.sign(speeds) * speeds**2
    assert (np.abs(squares.mean(0)) < STANDARD_ERRORS * squares.std(0) / 20).all()
    assert (found < 0).any() and (speeds < 0).any()


def test_without_noise_distance_and_speed_are_those_of_the_paths():
    """A network that repeats itself: one showing is the path."""
    a, b = rows(0, 1), rows(1, 1)
    wanted = np.mean((a[0] - b[0]) ** 2, axis=0)
    found = trajectory_distances([a, b], noisy=False)
    np.testing.assert_allclose(found[0, 1], wanted, atol=EQUAL)
    np.testing.assert_array_equal(found, found.transpose(1, 0, 2))
    times = np.array([0.0, 1, 2, 4, 5, 6])
    speed = np.sqrt(np.mean(np.diff(a[0]) ** 2, axis=0)) / np.diff(times)
    np.testing.assert_allclose(trajectory_speed([a], times, noisy=False)[0], speed, atol=EQUAL)


def test_the_first_lasting_time_passes_over_short_excursions():
    """One value above is not enough where two are asked for; none is -1."""
    values = np.array([0, 5, 0, 0, 5, 5, 5.0])
    assert first_lasting(values, threshold=1, n_lasting=1) == 1
    assert first_lasting(values, threshold=1, n_lasting=2) == 4
    assert first_lasting(values, threshold=1, n_lasting=4) == -1
    assert first_lasting(values, threshold=1, n_lasting=9) == -1


def test_the_threshold_holds_over_all_times():
    """Of 200 pairs without a difference at most 5 % and four standard errors ever exceed it."""
    above = 0
    for seed in range(200):
        a, b = rows(seed, 8), rows(seed + 4000, 8)
        rng = np.random.default_rng(seed)
        limit = parting_threshold(a, b, n_permutations=39, rng=rng)
        above += trajectory_distances([a, b])[0, 1].max() > limit
    assert above / 200 < 0.05 + STANDARD_ERRORS * np.sqrt(0.05 * 0.95 / 200)


def test_wrong_calls_say_what_to_do():
    """One noisy showing, other shapes, times that do not increase, too few deals, NaN."""
    with pytest.raises(UsageError, match="with at least 2 rows; got"):
        trajectory_distances([rows(0), rows(1, 1)])
    with pytest.raises(UsageError, match="of one shape"):
        trajectory_distances([rows(0), rows(1)[:, :3]])
    with pytest.raises(UsageError, match="times must increase"):
        trajectory_speed([rows(0)], np.zeros(6))
    with pytest.raises(UsageError, match="needs at least 19 permutations; got 5"):
        parting_threshold(rows(0), rows(1), n_permutations=5, rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="n_lasting must be at least 1"):
        first_lasting(np.ones(3), threshold=0, n_lasting=0)
    with pytest.raises(DataError, match="not finite"):
        trajectory_distances([rows(0), np.full((2, N_UNITS, N_TIMES), np.nan)])
