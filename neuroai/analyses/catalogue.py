"""What is registered as an analysis: a folder for each of Marr's levels, and plug-ins."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from neuroai.cards import AnalysisCard
from neuroai.checks import known_name
from neuroai.errors import RegistryError
from neuroai.registry import Entry, Registry

_HERE = Path(__file__).parent
GROUP = "neuroai.analyses"


def _level(name: str) -> Registry:
    return Registry(
        kind="analysis",
        card_type=AnalysisCard,
        # Plug-ins of every level share one group, which PLUGINS reads.
        group="",
        folder=_HERE / name,
        prefix=f"neuroai.analyses.{name}",
    )


COMPUTATION = _level("computation")
ALGORITHM = _level("algorithm")
IMPLEMENTATION = _level("implementation")
LEVELS = MappingProxyType(
    {"computation": COMPUTATION, "algorithm": ALGORITHM, "implementation": IMPLEMENTATION}
)
PLUGINS = Registry(
    kind="analysis",
    card_type=AnalysisCard,
    group=GROUP,
    # No folder of that name: plug-ins come from other packages alone.
    folder=_HERE / "plugins",
    prefix="neuroai.analyses.plugins",
)


def all_analyses() -> tuple[Entry, ...]:
    """Give every registered analysis, by level, then by name.

    Raises
    ------
    RegistryError
        A name is registered twice, or a card states another level than its folder.

    Examples
    --------
    >>> [entry.card.name for entry in all_analyses() if entry.card.level == "computation"][:3]
    ['accuracy', 'calibration', 'choice_glm']
    """
    entries: dict[str, Entry] = {}
    for level, registry in LEVELS.items():
        found = [*registry.entries(), *_plugins(level)]
        for entry in sorted(found, key=lambda entry: entry.card.name):
            if entry.card.level != level:
                raise RegistryError(
                    f"{entry.path} states level '{entry.card.level}' but lies in the folder of "
                    f"'{level}'. Move the file or mend its card."
                )
            if entry.card.name in entries:
                raise RegistryError(
                    f"Two files register the analysis '{entry.card.name}': "
                    f"{entries[entry.card.name].path} and {entry.path}. Rename one."
                )
            entries[entry.card.name] = entry
    return tuple(entries.values())


def analysis(name: str) -> Entry:
    """Give the analysis of a name, whatever its level.

    Raises
    ------
    UnknownName
        No analysis is called so; the nearest are named.

    Examples
    --------
    >>> analysis("accuracy").card.level
    'computation'
    """
    # The one file, where there is one: to read all of them takes seconds.
    found = [entry for entry in (r.alone(name) for r in LEVELS.values()) if entry is not None]
    if len(found) == 1:
        return found[0]
    entries = {entry.card.name: entry for entry in all_analyses()}
    do = "To add one, put a file in neuroai/analyses/<level>."
    return entries[known_name(name, entries, kind="analysis", do=do)]


def _plugins(level: str) -> list[Entry]:
    return [entry for entry in PLUGINS.entries() if entry.card.level == level]
