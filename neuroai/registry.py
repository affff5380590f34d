"""Registries: folders of files, each stating its own card; mechanism only."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from neuroai.checks import known_name
from neuroai.errors import RegistryError


@dataclass(frozen=True)
class Entry:
    """One registered file: its card, its function (None for a benchmark) and where it stands."""

    card: Any
    function: Callable[..., Any] | None
    path: str


@dataclass(frozen=True)
class Registry:
    """Everything of one kind: the files of a folder and the plug-ins of an entry-point group.

    A file states ``CARD`` and one public function. The folder is read the first time that a name
    is asked for.

    Parameters
    ----------
    kind : str
        What a user calls one of these, such as ``"metric"``.
    card_type : type
        Class of the cards.
    group : str
        Entry-point group in which other packages register modules.
    folder : Path
        Folder that is read.
    prefix : str
        Module name of the folder; files are loaded as ``<prefix>.<stem>``.
    function : str
        Name of the function in each file; empty if it is the file's own name.
    by_path : bool
        Load files by their path, for folders that must not be importable packages.
    """

    kind: str
    card_type: type
    group: str
    folder: Path
    prefix: str
    function: str = ""
    by_path: bool = False

    def names(self) -> tuple[str, ...]:
        """Give the registered names in order."""
        return tuple(sorted(_read(self)))

    def get(self, name: str) -> Entry:
        """Give the entry of a name, or raise UnknownName with the near miss."""
        entries = _read(self)
        # Data sets lie beside the package in a checkout, and inside it where it is installed.
        beside = not self.folder.is_relative_to(Path(__file__).parent)
        place = self.folder.name if beside else self.prefix.replace(".", "/")
        do = f"To add one, put a file in {place}."
        return entries[known_name(name, entries, kind=self.kind, do=do)]

    def alone(self, name: str) -> Entry | None:
        """Give the entry of the file that is called like the name, without reading the others.

        None where there is no such file, or its card has another name. Two files of one name are
        refused where all are read, by `names` and `entries`.
        """
        path = self.folder / f"{name.replace('-', '_')}.py"
        if path.stem.startswith("_") or not path.is_file():
            return None
        entry = entry_of(_load(path, self), registry=self, stem=path.stem)
        return entry if entry.card.name == name else None

    def entries(self) -> tuple[Entry, ...]:
        """Give every entry, ordered by name."""
        return tuple(entry for _, entry in sorted(_read(self).items()))


@functools.cache
def _read(registry: Registry) -> MappingProxyType[str, Entry]:
    entries: dict[str, Entry] = {}
    for path in sorted(registry.folder.glob("*.py")):
        if not path.stem.startswith("_"):
            module = _load(path, registry)
            _add(entries, entry_of(module, registry=registry, stem=path.stem), registry)
    for point in importlib.metadata.entry_points(group=registry.group):
        entry = _plugin(point, registry)
        if entry is not None:
            _add(entries, entry, registry)
    return MappingProxyType(entries)


def _load(path: Path, registry: Registry) -> ModuleType:
    name = f"{registry.prefix}.{path.stem}"
    return module_from(path, name=name) if registry.by_path else importlib.import_module(name)


def module_from(path: Path, *, name: str) -> ModuleType:
    """Load a Python file under a module name, without its folder on the path."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RegistryError(f"{path} cannot be loaded as a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _plugin(point: importlib.metadata.EntryPoint, registry: Registry) -> Entry | None:
    try:
        return entry_of(point.load(), registry=registry, stem=point.value.rpartition(".")[2])
    except (Exception, SystemExit) as error:  # whatever a plug-in does, the others are listed
        warnings.warn(
            f"The {registry.kind} plug-in '{point.name}' ({point.value}) was left out: "
            f"{type(error).__name__}: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def entry_of(module: ModuleType, *, registry: Registry, stem: str) -> Entry:
    """Check one module against the registry's rules and return its entry.

    Raises
    ------
    RegistryError
        The card is missing or of another kind, the function is missing, or it hides parameters
        behind ``*args`` or ``**kwargs``.
    """
    path = str(getattr(module, "__file__", module.__name__))
    card = getattr(module, "CARD", None)
    if not isinstance(card, registry.card_type):
        raise RegistryError(
            f"{path} must state CARD = {registry.card_type.__name__}(...); "
            f"got {type(card).__name__}."
        )
    function = getattr(module, registry.function or stem, None)
    if not callable(function):
        raise RegistryError(f"{path} must define the function '{registry.function or stem}'.")
    hidden = [
        str(parameter)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    if hidden:
        raise RegistryError(
            f"{path}: {function.__name__} hides parameters in {', '.join(hidden)}. "
            "Name every option."
        )
    return Entry(card=card, function=function, path=path)


def _add(entries: dict[str, Entry], entry: Entry, registry: Registry) -> None:
    name = entry.card.name
    if name in entries:
        raise RegistryError(
            f"Two files register the {registry.kind} '{name}': {entries[name].path} and "
            f"{entry.path}. Rename one."
        )
    entries[name] = entry
