"""S4: a path that a table states stays inside its folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import NeuroaiError
from neuroai.sources.inside import stays_inside

PARTS = ("..", "a/../..", "./..", "a/b/../../..", "..\\..", "a/..\\..")
STARTS = ("/etc/passwd", "~/x", "C:\\x", "//host/share", "\x00x", "link/x", "", " ", "a\nb")


def run(cases, rng):
    """Draw paths that leave the folder in every way that is known."""
    found = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "stimuli"
        (root / "a" / "b").mkdir(parents=True)
        os.symlink(folder, root / "link")
        (root / "a" / "b" / "good.png").touch()
        for case in range(cases):
            given = STARTS[case % len(STARTS)]
            if case % 2:
                given = f"{rng.choice(PARTS)}/{rng.choice(['x.png', 'etc/passwd', ''])}"
            try:
                where = stays_inside(root, given)
            except NeuroaiError:
                where = None
            found.check(where is None, f"{given!r} led to {where}")
        found.check(stays_inside(root, "a/b/good.png").exists(), "a plain path is refused")
    return found


FAULT = Fault("S4", "a path in metadata stays inside its folder", 50, run)


def test_s4():
    """No path leads outside."""
    assert_held(FAULT)
