"""float32 gives what float64 gives of the same numbers: what is left to the order of sums."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tensor_jobs import AGREES, JOBS, assert_agree

# Distances that single precision does not tell apart share a rank there, and none in double; that
# their ranks do not hang on the order of sums is tested with the searchlight.
TIED = ("searchlight, spearman",)


def _single(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(np.array(array, dtype=np.float32))


@pytest.mark.parametrize("job", [name for name in JOBS if name not in TIED])
def test_single_precision_is_double_precision_rounded(job):
    """Every job that takes tensors: a card may sum in any order and stays within this of here."""
    exact = JOBS[job](lambda array: _single(array).double())
    assert_agree(exact, JOBS[job](_single), bound=AGREES)
