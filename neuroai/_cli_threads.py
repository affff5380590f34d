"""How many threads a command takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Work on one thread, and give back the number that there was.

    For many small arrays: threads that wait for each other gain a tenth on an idle machine, and
    on a busy one they take four times as long.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
