"""Networks from a Python function that the user names."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from neuroai.checks import near_miss
from neuroai.errors import UsageError
from neuroai.registry import module_from
from neuroai.systems.model import Model


def load_factory(target: str) -> nn.Module | Model:
    """Call ``MODULE:FACTORY`` or ``FILE.py:FACTORY`` and give the network it returns.

    Naming it is the user's word that its code may run. A module that is not installed is also
    looked for as a file in the working folder.

    Raises
    ------
    UsageError
        The module, the function or a network is missing.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise UsageError(f"'py:{target}' must read py:MODULE:FACTORY or py:FILE.py:FACTORY.")
    module = _module(place)
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise UsageError(f"'{place}' has no function '{name}'. {near_miss(name, known)}")
    made: Any = function()
    if not isinstance(made, (nn.Module, Model)):
        raise UsageError(
            f"'{target}' must give a torch.nn.Module or a Model; it gave {type(made).__name__}."
        )
    return made


def _module(place: str) -> ModuleType:
    path = Path(place if place.endswith(".py") else place.replace(".", "/") + ".py")
    if place.endswith(".py") and not path.exists():
        raise UsageError(f"There is no file '{path}'.")
    if path.exists():
        return module_from(path, name=f"neuroai_user_{path.stem}")
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"No module is called '{error.name}', and there is no file '{path}'. Install the "
            "module, or name a file: py:FILE.py:FACTORY."
        ) from error
