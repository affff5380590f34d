"""Fault suites: how many cases each has, in two sizes, and the table of what was found."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

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
    share : int
        Otherwise one of so many is run: 10, or more where a case takes long.
    """

    code: str
    promise: str
    cases: int
    run: Callable[[int, np.random.Generator], Outcome]
    share: int = SHARE

    def size(self) -> int:
        """Give the number of cases of this run."""
        return self.cases if os.environ.get(FULL) else max(1, self.cases // self.share)

    def outcome(self) -> Outcome:
        """Run the cases of this size, with a seed of the fault's own."""
        seed = int.from_bytes(self.code.encode(), "big")
        return self.run(self.size(), np.random.default_rng(seed))


def assert_held(fault: Fault) -> None:
    """Run a fault's cases and fail with the first broken promises, or where too few were tried."""
    outcome = fault.outcome()
    assert not outcome.broken, f"{len(outcome.broken)} of {outcome.tried}: {outcome.broken[:3]}"
    assert outcome.tried >= fault.size(), f"{outcome.tried} cases tried, {fault.size()} wanted"


@dataclass(frozen=True)
class Child:
    """A forked process that was waited for.

    Attributes
    ----------
    code : int
        Its exit code; the number of the signal that ended it, below 0.
    said : str
        What it wrote.
    """

    code: int
    said: str


def in_child(task: Callable[[], str], *, folder: Path, memory: int | None = None) -> Child:
    """Run a task in a forked process, so that neither a crash nor a limit touches this one.

    Parameters
    ----------
    task : callable
        Gives what is to be said; an exception ends the process with code 1 and says its name.
    folder : pathlib.Path
        Where the process puts what it says.
    memory : int, optional
        Bytes of address space that it may take beyond what this process has.
    """
    told = folder / f"said-{time.monotonic_ns()}"
    told.touch()
    child = os.fork()
    if not child:
        code = 1
        try:
            _quiet()
            if memory is not None:
                limit = _address_space() + memory
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            told.write_text(task(), encoding="utf-8")
            code = 0
        except BaseException as error:
            told.write_text(f"{type(error).__name__}: {error}"[:2000], encoding="utf-8")
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    said = told.read_text(encoding="utf-8", errors="replace")
    told.unlink()
    return Child(os.waitstatus_to_exitcode(status), said)


def _quiet() -> None:
    """Let nothing of a child's output mix with the parent's."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def stopped(child: int) -> bool:
    """Halt a process at once, and say whether it still runs (else it has been waited for)."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGSTOP)
    _, status = os.waitpid(child, os.WUNTRACED)
    return os.WIFSTOPPED(status)


def open_files(child: int) -> list[str]:
    """Name the files that a halted process has open."""
    found = []
    for handle in Path(f"/proc/{child}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(os.readlink(handle))
    return found
