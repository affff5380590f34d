"""Series moved in time: whole runs turn, by enough, and by every amount alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.run_shifts import run_shifts

RUNS = np.repeat(["b", "a", "c"], [12, 9, 20])


def _draw(n_shifts=500, least=3, runs=RUNS, seed=0):
    return run_shifts(runs, n_shifts=n_shifts, least=least, rng=np.random.default_rng(seed))


def test_every_run_turns_as_a_whole():
    """Neighbours stay neighbours but where the ends of a run meet, and no row leaves its run."""
    orders = _draw()
    np.testing.assert_array_equal(np.sort(orders, axis=1)[:, :], np.tile(np.arange(41), (500, 1)))
    for run in "abc":
        rows = np.flatnonzero(RUNS == run)
        turned = orders[:, rows]
        assert (RUNS[turned] == run).all()
        assert ((np.diff(turned, axis=1) == 1).sum(axis=1) == len(rows) - 2).all()


def test_shifts_are_far_enough_and_all_as_likely():
    """Of 20 rows, moved by 3 to 17: chi-squared over the fifteen."""
    moved = (_draw(n_shifts=6000)[:, 21] - 21) % 20
    values, counts = np.unique(moved, return_counts=True)
    assert values.tolist() == list(range(3, 18))
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
    """Short runs, scattered runs, and numbers below one."""
    with pytest.raises(DataError, match=r"Run 'a' has 9 rows; to move it by 5 rows .* needs 10"):
        _draw(least=5)
    with pytest.raises(DataError, match="some come back later"):
        _draw(runs=["a", "b", "a"], least=1)
    with pytest.raises(UsageError, match="must be at least 1; got 1 and 0"):
        _draw(n_shifts=1, least=0)
