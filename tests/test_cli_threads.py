"""Commands of many small arrays work on one thread, and give the others back."""

from __future__ import annotations

import pytest
import torch
from threadpoolctl import threadpool_info

from neuroai._cli_threads import one_thread


def _threads() -> tuple[int, list[int]]:
    return torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]


def test_the_number_of_threads_is_given_back():
    """Within, every pool has one thread; afterwards, and after an error, what it had before."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        outside = _threads()
        with pytest.raises(KeyError), one_thread():
            assert _threads() == (1, [1] * len(outside[1]))
            raise KeyError
        assert _threads() == outside
    finally:
        torch.set_num_threads(before)
