"""Ask a brain and a network the same question, and put the answers side by side.

Public names are loaded when they are first used, so that ``import neuroai`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from neuroai import errors as errors
    from neuroai.experiment.api import ask, compare, load_brain, load_model
    from neuroai.experiment.case import run_case
    from neuroai.experiment.grid import grid
    from neuroai.experiment.link import link
    from neuroai.format.answers import NotMeasurable
    from neuroai.systems.intervene import intervene
    from neuroai.systems.intervention import Intervention

_HOMES = {
    "Intervention": "neuroai.systems.intervention",
    "ask": "neuroai.experiment.api",
    "compare": "neuroai.experiment.api",
    "load_brain": "neuroai.experiment.api",
    "grid": "neuroai.experiment.grid",
    "intervene": "neuroai.systems.intervene",
    "link": "neuroai.experiment.link",
    "load_model": "neuroai.experiment.api",
    "run_case": "neuroai.experiment.case",
    "NotMeasurable": "neuroai.format.answers",
}

__all__ = [
    "Intervention",
    "NotMeasurable",
    "__version__",
    "ask",
    "compare",
    "errors",
    "grid",
    "intervene",
    "link",
    "load_brain",
    "load_model",
    "run_case",
]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return importlib.import_module("neuroai.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'neuroai' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
