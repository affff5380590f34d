"""Delays are built run by run, and made only where they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from neuroai.errors import DataError, UsageError
from neuroai.numerics.delays import delayed
from neuroai.testing import EXACT, readonly

RUNS = ["a"] * 5 + ["b"] * 4


def _features(n=9, p=2):
    return readonly(np.random.default_rng(0).standard_normal((n, p)))


@pytest.mark.parametrize("edges", ["drop", "zero"])
def test_every_row_is_that_of_a_plain_loop(edges):
    """Row i at delay d is row i - d of the same run; elsewhere 0, or the row is dropped."""
    x, delays = _features(), [-1, 0, 2]
    found = delayed(x, runs=RUNS, delays=delays, edges=edges)
    expected, whole = np.zeros((9, 3, 2)), []
    for i in range(9):
        inside = [0 <= i - d < 9 and RUNS[i - d] == RUNS[i] for d in delays]
        for place, (d, there) in enumerate(zip(delays, inside, strict=True)):
            expected[i, place] = x[i - d] if there else 0
        whole.append(all(inside))
    rows = np.flatnonzero(whole) if edges == "drop" else np.arange(9)
    assert found.kept.tolist() == rows.tolist() and found.shape == (9, 6)
    np.testing.assert_array_equal(found.rows(), expected.reshape(9, -1)[rows])
    np.testing.assert_array_equal(found.rows([3, 7]), expected.reshape(9, -1)[[3, 7]])


@pytest.mark.parametrize("edges", ["drop", "zero"])
def test_inner_products_need_no_delayed_features(edges):
    """The Gram matrix is that of the delayed features about the plain mean."""
    x = _features()
    found = delayed(x, runs=RUNS, delays=[0, 1, 3], edges=edges)
    rows = delayed(x - x.mean(axis=0), runs=RUNS, delays=[0, 1, 3], edges=edges).rows()
    np.testing.assert_allclose(found.gram(), rows @ rows.T, atol=EXACT)


def test_nothing_passes_the_border_of_a_run():
    """What happens in one run leaves the rows of the other as they are."""
    x = np.array(_features())
    before = delayed(x, runs=RUNS, delays=[0, 1, 2], edges="zero").rows()
    x[:5] = 99
    after = delayed(x, runs=RUNS, delays=[0, 1, 2], edges="zero").rows()
    np.testing.assert_array_equal(before[5:], after[5:])


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"delays": []}, UsageError, "different whole numbers of rows; got \\[\\]"),
        ({"delays": [1, 1]}, UsageError, "different whole numbers"),
        ({"delays": [0.5]}, UsageError, "different whole numbers"),
        ({"delays": [0, 7]}, DataError, "reach beyond every run"),
        ({"delays": [0], "runs": ["a", "b"] * 4 + ["a"]}, DataError, "must follow one another"),
        ({"delays": [0], "runs": ["a"]}, UsageError, "one run a row"),
        ({"delays": [0], "edges": "wrap"}, UsageError, "edges must be one of"),
    ],
)
def test_wrong_input_is_told(options, error, said):
    """Delays, runs and edges."""
    with pytest.raises(error, match=said):
        delayed(_features(), **{"runs": RUNS, **options})
