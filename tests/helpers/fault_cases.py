"""Fault suites: how many cases each has, in two sizes, and the table of what was found."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

FULL = "NEUROAI_FAULTS_FULL"
SHARE = 10


@dataclass
class Outcome:
    """Cases tried, and a sentence for each in which the promise was broken.

    Attributes
    ----------
    tried : int
        Cases run.
    broken : list of str
        What went wrong, a sentence a case; empty where the promise holds.
    counts : dict of str to int
        Further counts worth a line in the table, such as kills while a chunk was open.
    """

    tried: int = 0
    broken: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def check(self, holds: object, otherwise: str) -> None:
        """Count one case, and keep the sentence where it does not hold."""
        self.tried += 1
        if not holds:
            self.broken.append(otherwise)

    def count(self, name: str, by: int = 1) -> None:
        """Add to a further count."""
        self.counts[name] = self.counts.get(name, 0) + by


@dataclass(frozen=True)
class Fault:
    """One fault that the software must hold against.

    Attributes
    ----------
    code : str
        Its number in the table, such as ``F17``.
    promise : str
        What must hold, in one line.
    cases : int
        Cases of the full size; a tenth (at least 1) is run otherwise.
    run : callable
        ``run(cases, rng)`` gives an Outcome.
    """

    code: str
    promise: str
    cases: int
    run: Callable[[int, np.random.Generator], Outcome]

    def size(self) -> int:
        """Give the number of cases of this run."""
        return self.cases if os.environ.get(FULL) else max(1, self.cases // SHARE)

    def outcome(self) -> Outcome:
        """Run the cases of this size, with a seed of the fault's own."""
        seed = int.from_bytes(self.code.encode(), "big")
        return self.run(self.size(), np.random.default_rng(seed))


def assert_held(fault: Fault) -> None:
    """Run a fault's cases and fail with the first broken promises, or where too few were tried."""
    outcome = fault.outcome()
    assert not outcome.broken, f"{len(outcome.broken)} of {outcome.tried}: {outcome.broken[:3]}"
    assert outcome.tried >= fault.size(), f"{outcome.tried} cases tried, {fault.size()} wanted"
