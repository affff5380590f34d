"""Series moved in time: whole runs turn, by every amount alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.run_shifts import run_shifts

RUNS = np.repeat(["b", "a", "c"], [12, 9, 20])


def _draw(n_shifts=500, runs=RUNS, seed=0):
    return run_shifts(runs, n_shifts=n_shifts, rng=np.random.default_rng(seed))


def test_every_run_turns_as_a_whole():
    """Neighbours stay neighbours but where the ends of a run meet, and no row leaves its run."""
    orders = _draw()
    np.testing.assert_array_equal(np.sort(orders, axis=1)[:, :], np.tile(np.arange(41), (500, 1)))
    for run in "abc":
        rows = np.flatnonzero(RUNS == run)
        turned = orders[:, rows]
        assert (RUNS[turned] == run).all()
        # Its ends meet within it, unless it was not moved.
        assert ((np.diff(turned, axis=1) == 1).sum(axis=1) >= len(rows) - 2).all()


def test_all_shifts_are_as_likely():
    """Of 20 rows, moved by 0 to 19: chi-squared over the twenty."""
    moved = (_draw(n_shifts=6000)[:, 21] - 21) % 20
    values, counts = np.unique(moved, return_counts=True)
    assert values.tolist() == list(range(20))
    # One in a thousand, with a seed fixed beforehand.
    assert stats.chisquare(counts).pvalue > 1e-3


def test_runs_move_apart():
    """Shifts of two runs are independent."""
    orders = _draw(n_shifts=4000)
    first, last = (orders[:, 0] - 0) % 12, (orders[:, 21] - 21) % 20
    # Four standard errors of a correlation of 0.
    assert abs(np.corrcoef(first, last)[0, 1]) < 4 / np.sqrt(4000)


def test_the_same_seed_draws_the_same():
    """And another draws others."""
    np.testing.assert_array_equal(_draw(), _draw())
    assert (_draw() != _draw(seed=1)).any()


def test_what_cannot_be_moved_is_told():
    """Scattered runs, and no shift at all."""
    with pytest.raises(DataError, match="some come back later"):
        _draw(runs=["a", "b", "a"])
    with pytest.raises(UsageError, match="must be at least 1; got 0"):
        _draw(n_shifts=0)
