"""Ranks of single-precision numbers against scipy, on every way through the bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from neuroai.errors import DataError, UsageError
from neuroai.numerics.ranks_float32 import (
    _ranks_on_device,
    average_ranks_of,
    ranks_of_float32,
)
from neuroai.testing import readonly

RNG = np.random.default_rng(0)
CASES = {
    "distances": RNG.random((40, 4950)) * 0.6 + 0.7,
    "more than 32 bits hold": RNG.standard_normal((3, 9000)),
    "heavy ties": RNG.integers(0, 5, (30, 1000)),
    "heavy ties, many entries": RNG.integers(-3, 3, (3, 9000)),
    "all alike": np.zeros((3, 7)),
    "both zeros": np.array([[0.0, -0.0, -1.0]]),
    "near the largest": RNG.standard_normal((4, 50)) * 8e37,
    "near the smallest": RNG.standard_normal((4, 50)) * 1e-44,
    "long tails": RNG.standard_normal((40, 100)) ** 9,
    "one entry": RNG.standard_normal((2, 1)),
}


@pytest.mark.parametrize("case", list(CASES))
def test_equal_to_scipy(case):
    """Every value has scipy's average rank, however near its neighbours it lies."""
    values = readonly(CASES[case], dtype="float32")
    np.testing.assert_array_equal(ranks_of_float32(values), stats.rankdata(values, axis=1))


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors_are_ranked_alike_on_every_path(case, dtype):
    """The path of devices, run on the processor, gives the same ranks as the fast one."""
    values = torch.tensor(CASES[case], dtype=dtype)
    expected = stats.rankdata(values.numpy(), axis=1)
    np.testing.assert_array_equal(average_ranks_of(values).numpy(), expected)
    np.testing.assert_array_equal(_ranks_on_device(values).numpy(), expected)


def test_wrong_input_is_told():
    """Double precision and NaN are refused with what to do."""
    with pytest.raises(UsageError, match=r"Use ranks\.average_ranks"):
        ranks_of_float32(np.zeros((2, 3)))
    with pytest.raises(DataError, match="1 of 3 entries of values are not finite"):
        ranks_of_float32(np.array([[1, np.nan, 2]], dtype=np.float32))
