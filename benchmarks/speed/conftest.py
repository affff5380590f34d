"""Time a task here and in another library in one run, and print the ratio."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import pytest


def seconds(task: Callable[[], object], *, rounds: int = 1) -> float:
    """Return the shortest of some runs of a task."""
    shortest = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        task()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


def peer_seconds(task: Callable[[], object], *, rounds: int = 1) -> float:
    """Time a peer's task without the warnings it raises, which are not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return seconds(task, rounds=rounds)


@pytest.fixture
def beside_peer() -> Callable[..., None]:
    """Return a function that times a peer and prints both times and their ratio."""

    def report(
        name: str,
        ours: float,
        task: Callable[[], object],
        *,
        rounds: int = 1,
        share: float = 1.0,
        note: str = "",
    ) -> None:
        # A peer that is slow runs a share of the work, and its time is scaled.
        theirs = peer_seconds(task, rounds=rounds) / share
        ratio = theirs / ours
        print(f"\n{name}: ours {ours:.4g} s, rsatoolbox {theirs:.4g} s, {ratio:.3g} x {note}")

    return report


@pytest.fixture
def duel() -> Callable[..., float]:
    """Return a function that runs ours and a peer's task in turn and prints the ratio of medians.

    Runs alternate, so that a machine that slows down slows both; the spread is that of each.
    """

    def run(
        name: str,
        ours: Callable[[], object],
        theirs: Callable[[], object],
        *,
        peer: str,
        rounds: int = 5,
        share: float = 1.0,
        note: str = "",
    ) -> float:
        """Time both; `share` is the part of the work that the peer does, its time is scaled."""
        own, other = [], []
        for _ in range(rounds):
            own.append(seconds(ours))
            other.append(peer_seconds(theirs) / share)
        ratio = statistics.median(other) / statistics.median(own)
        print(f"\n{name}: ours {_spread(own)}, {peer} {_spread(other)}, {ratio:.3g} x {note}")
        return ratio

    return run


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.4g} s [{min(times):.4g}, {max(times):.4g}]"
