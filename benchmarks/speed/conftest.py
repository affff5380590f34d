"""Time a task here and in another library in one run, and print the ratio.

With ``--figures FILE`` every ratio is kept in a JSON file as well, one entry a job, from which
``python benchmarks/speed/table.py`` writes the page of the docs.
"""

from __future__ import annotations

import json
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

FIGURES = pytest.StashKey[dict[str, dict[str, object]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that keeps the figures."""
    parser.addoption("--figures", type=Path, help="keep every ratio in this JSON file")


def pytest_configure(config: pytest.Config) -> None:
    """Begin without a figure."""
    config.stash[FIGURES] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Put the figures of this run in the place of older ones of the same jobs."""
    path = session.config.getoption("--figures")
    if path is None:
        return
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept.update(session.config.stash[FIGURES])
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def keep(
    config: pytest.Config, name: str, peer: str, own: list[float], other: list[float], note: str
) -> float:
    """Print both times with their spread and the ratio of medians, and keep them."""
    ratio = statistics.median(other) / statistics.median(own)
    print(f"\n{name}: ours {_spread(own)}, {peer} {_spread(other)}, {ratio:.3g} x {note}")
    config.stash[FIGURES][f"{name} | {peer}"] = {
        "ours": own,
        "peer": other,
        "ratio": ratio,
        "note": note,
        "threads": os.environ.get("OMP_NUM_THREADS", str(os.cpu_count())),
    }
    return ratio


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
def duel(pytestconfig: pytest.Config) -> Callable[..., float]:
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
        own_share: float = 1.0,
        note: str = "",
    ) -> float:
        """Time both; shares are the part of the work that each does, by which times are scaled."""
        own, other = [], []
        for _ in range(rounds):
            own.append(seconds(ours) / own_share)
            other.append(peer_seconds(theirs) / share)
        return keep(pytestconfig, name, peer, own, other, note)

    return run


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.4g} s [{min(times):.4g}, {max(times):.4g}]"
