"""Calibration cases: what is simulated, what must hold, in two sizes, and the table of both."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FULL = "NEUROAI_CALIBRATION_FULL"
LEVEL = 0.05
STANDARD_ERRORS = 4
# With 39 permutations p is a multiple of 1 / 40, so that a level of .05 can be kept exactly.
N_PERMUTATIONS = 39


@dataclass(frozen=True)
class Size:
    """How many simulations, and between which bounds the mean of what they give must lie.

    Attributes
    ----------
    n : int
        Simulations.
    low, high : float
        Bounds; infinite where nothing is promised and the value is printed alone.
    """

    n: int
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Calibration:
    """One property that simulations of known truth must show.

    Attributes
    ----------
    code : str
        Its number in the table, such as ``T1``.
    what : str
        What the value is, such as ``rejections at .05``.
    cell : str
        The design, such as ``pearson, 20 stimuli, 5 subjects``.
    simulate : callable
        ``simulate(n, rng)`` gives an array of n values whose mean is taken.
    small, full : Size
        With the tests, and by the command that writes the table.
    in_errors : bool
        Whether the bounds are in standard errors of the mean, for estimates that must be unbiased.
    """

    code: str
    what: str
    cell: str
    simulate: Callable[[int, np.random.Generator], np.ndarray]
    small: Size
    full: Size
    in_errors: bool = False

    def size(self) -> Size:
        """Give the size of this run."""
        return self.full if os.environ.get(FULL) else self.small

    def part(self, n: int, number: int) -> np.ndarray:
        """Give n of the values, from a stream of random numbers of the part's own."""
        words = f"{self.code}/{self.what}/{self.cell}"
        rng = np.random.default_rng([int.from_bytes(words.encode(), "big"), number])
        values = np.asarray(self.simulate(n, rng), dtype=float)
        if values.shape != (n,):
            raise ValueError(f"{words}: {n} values were wanted, {values.shape} came.")
        return values

    def bounds(self, values: np.ndarray) -> tuple[float, float]:
        """Give the bounds of the mean of the values."""
        size = self.size()
        unit = float(values.std(ddof=1) / np.sqrt(len(values))) if self.in_errors else 1.0
        return size.low * unit, size.high * unit

    def __str__(self) -> str:
        return f"{self.code} {self.what}: {self.cell}"


def level_sizes(*, n: int = 1000, n_full: int = 20_000) -> tuple[Size, Size]:
    """Give the sizes of a test that must reject at its level: .05 within four standard errors."""
    width = STANDARD_ERRORS * np.sqrt(LEVEL * (1 - LEVEL) / n)
    return Size(n, LEVEL - width, LEVEL + width), Size(n_full, 0.04, 0.06)


def at_most(rate: float, *, n: int, n_full: int = 20_000) -> tuple[Size, Size]:
    """Give the sizes of a test that must not reject more often than a rate."""
    width = STANDARD_ERRORS * np.sqrt(rate * (1 - rate) / n)
    return Size(n, 0.0, rate + width), Size(n_full, 0.0, rate)


def coverage_sizes(*, n: int, n_full: int = 20_000) -> tuple[Size, Size]:
    """Give the sizes of a 95 % interval: .95 within four standard errors; .93 to .97 in full."""
    width = STANDARD_ERRORS * np.sqrt(0.95 * 0.05 / n)
    return Size(n, 0.93 - width, 1.0), Size(n_full, 0.93, 0.97)


def unbiased_sizes(*, n: int, n_full: int = 20_000) -> tuple[Size, Size]:
    """Give the sizes of an estimate of 0: the mean within four standard errors of it."""
    low, high = -STANDARD_ERRORS, STANDARD_ERRORS
    return Size(n, low, high), Size(n_full, low, high)


def unrelated_patterns(
    rng: np.random.Generator, n: int, n_stimuli: int, n_units: int = 5
) -> np.ndarray:
    """Draw responses without any relation, shape (n, n_stimuli, n_units)."""
    return rng.standard_normal((n, n_stimuli, n_units))


def rdms_of(patterns: np.ndarray) -> np.ndarray:
    """Give the squared Euclidean RDM vector of each set of patterns, (n, n_stimuli, n_units).

    All sets at once, since simulations make hundreds of thousands of them.
    """
    squares = (patterns**2).sum(axis=2)
    products = patterns @ patterns.transpose(0, 2, 1)
    square = squares[:, :, None] + squares[:, None, :] - 2 * products
    rows, columns = np.triu_indices(patterns.shape[1], k=1)
    return square[:, rows, columns]


def assert_calibrated(case: Calibration) -> None:
    """Run the size of this run and fail where the mean lies outside its bounds."""
    values = case.part(case.size().n, 0)
    mean, (low, high) = float(values.mean()), case.bounds(values)
    assert low <= mean <= high, (
        f"{case}: {mean:.4f} of {len(values)} simulations, wanted {low:.4f} to {high:.4f}"
    )
