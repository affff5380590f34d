"""Ask a brain and a network the same question, and put the answers side by side.

Public names are loaded when they are first used, so that ``import neuroai`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from neuroai import errors as errors
    from neuroai.comparison.fusion import fusion
    from neuroai.comparison.statistics.model_tests import rdm_model_tests
    from neuroai.comparison.statistics.over_time import compare_over_time
    from neuroai.comparison.statistics.several_models import fitted_model, models_together
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
    "compare_over_time": "neuroai.comparison.statistics.over_time",
    "fitted_model": "neuroai.comparison.statistics.several_models",
    "fusion": "neuroai.comparison.fusion",
    "load_brain": "neuroai.experiment.api",
    "grid": "neuroai.experiment.grid",
    "intervene": "neuroai.systems.intervene",
    "link": "neuroai.experiment.link",
    "load_model": "neuroai.experiment.api",
    "models_together": "neuroai.comparison.statistics.several_models",
    "rdm_model_tests": "neuroai.comparison.statistics.model_tests",
    "run_case": "neuroai.experiment.case",
    "NotMeasurable": "neuroai.format.answers",
}

__all__ = [
    "Intervention",
    "NotMeasurable",
    "__version__",
    "ask",
    "compare",
    "compare_over_time",
    "errors",
    "fitted_model",
    "fusion",
    "grid",
    "intervene",
    "link",
    "load_brain",
    "load_model",
    "models_together",
    "rdm_model_tests",
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
