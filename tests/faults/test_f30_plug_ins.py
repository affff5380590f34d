"""F30: a plug-in that fails at import is named and left out; all others are listed."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import tempfile
import types
import warnings
from pathlib import Path
from unittest import mock

from fault_cases import Fault, Outcome, assert_held

from neuroai.systems.lesion import LESIONS

BAD = {
    "syntax": "def (",
    "missing_import": "import a_package_that_is_not_there",
    "raises": "raise RuntimeError('at import')",
    "exits": "import sys\nsys.exit(3)",
    "divides": "x = 1 / 0",
    "no_card": "def apply(activity):\n    return activity\n",
    "wrong_card": "CARD = 3\ndef apply(activity):\n    return activity\n",
    "no_function": "from neuroai.systems.lesions.zero import CARD\n",
    "hides": "from neuroai.systems.lesions.zero import CARD\ndef apply(a, **rest):\n    return 1\n",
    "recursion": "def f():\n    return f()\nf()\n",
}


class _Point:
    """An entry point whose module is a file."""

    def __init__(self, path):
        self.name, self.value, self.path = path.stem, f"plug_in.{path.stem}", path

    def load(self):
        """Run the file, as importing it would."""
        module = types.ModuleType(self.value)
        module.__file__ = str(self.path)
        exec(compile(self.path.read_text(), self.path, "exec"), module.__dict__)
        return module


def run(cases, _rng):
    """Offer bad plug-ins to a registry, one at a time and all at once."""
    found = Outcome()
    names = list(BAD)[:cases]
    with tempfile.TemporaryDirectory() as folder:
        points = []
        for name in BAD:
            path = Path(folder) / f"{name}.py"
            path.write_text(BAD[name])
            points.append(_Point(path))
        for name in names:
            _offer(found, [point for point in points if point.name == name], names=[name])
        _offer(found, points, names=list(BAD))
    return found


def _offer(found, points, *, names):
    """Read a fresh registry, which knows the package's own lesions, with these plug-ins."""
    registry = dataclasses.replace(LESIONS, group=f"group.{'.'.join(names)}")
    own = {path.stem for path in LESIONS.folder.glob("*.py") if not path.stem.startswith("_")}
    with (
        mock.patch.object(importlib.metadata, "entry_points", lambda *, group: tuple(points)),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            listed = {Path(entry.path).stem for entry in registry.entries()}
        except BaseException as error:
            listed = {f"nothing ({type(error).__name__})"}
    told = " ".join(str(one.message) for one in caught)
    found.check(listed == own, f"{names}: listed were {sorted(listed)}")
    for name in names:
        found.check(f"'{name}'" in told, f"{name} was not named")


FAULT = Fault("F30", "a plug-in that fails at import is named, the others listed", 10, run)


def test_f30():
    """Ten bad plug-ins are ten sentences."""
    assert_held(FAULT)
