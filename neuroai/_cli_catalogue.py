"""What ``neuroai ls`` and ``neuroai info`` print: the cards of everything registered."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neuroai.checks import known_name
from neuroai.registry import Entry

KINDS = ("datasets", "models", "analyses", "metrics", "lesions", "benchmarks")
COLUMNS = {
    "datasets": ("name", "n_stimuli", "size_mib", "licence", "title"),
    "models": ("name", "licence", "title"),
    "analyses": ("name", "level", "question"),
    "metrics": ("name", "compares", "title"),
    "lesions": ("name", "title"),
    "benchmarks": ("name", "level", "question"),
}
INDENT = "  "
# More values of a default are told by their number and ends.
MANY_VALUES = 6


def entries_of(kind: str) -> tuple[Entry, ...]:
    """Give everything registered of one kind, ordered by name."""
    if kind == "datasets":
        from neuroai.sources.catalogue import DATASETS

        return DATASETS.entries()
    if kind in ("models", "lesions"):
        from neuroai.systems.catalogue import LESIONS, MODELS

        return (MODELS if kind == "models" else LESIONS).entries()
    if kind == "metrics":
        from neuroai.comparison.catalogue import METRICS

        return METRICS.entries()
    if kind == "analyses":
        from neuroai.analyses.catalogue import all_analyses

        return all_analyses()
    from neuroai.experiment.benchmark_files import benchmark_entries

    return benchmark_entries()


def kind_lines(kind: str) -> list[str]:
    """Give the table of one kind: one line an entry, under a line of headings."""
    columns = COLUMNS[kind]
    rows = [[_cell(getattr(entry.card, name)) for name in columns] for entry in entries_of(kind)]
    return aligned([[name.replace("_", " ") for name in columns], *rows])


def case_lines() -> list[str]:
    """Give the worked cases: name, data sets of brain and network, and number of questions."""
    from neuroai.experiment.case_files import case_files, read_case

    cases = [read_case(path) for path in case_files().values()]
    rows = [
        [c.name, c.brain.dataset, c.network.dataset, str(len(c.questions)), c.title] for c in cases
    ]
    return aligned([["name", "brain", "network", "questions", "title"], *rows])


def layer_lines(spec: str) -> list[str]:
    """Give a model's layers in the order of ``named_modules()``, with those read by default."""
    from neuroai.systems.layers import named_layers
    from neuroai.systems.load import load_model
    from neuroai.systems.model import Model

    system = load_model(spec)
    if not isinstance(system, Model):
        return list(system.regions)
    read = system.regions
    rows = [
        [name, type(layer).__name__, "yes" if name in read else ""]
        for name, layer in named_layers(system.module()).items()
    ]
    return aligned([["layer", "type", "read by default"], *rows])


def info_lines(name: str) -> list[str]:
    """Give the card of every registered thing of this name.

    Raises
    ------
    UnknownName
        Nothing is called so; the message holds the near miss of all kinds.
    """
    found = {kind: entries_of(kind) for kind in KINDS}
    known_name(
        name,
        {entry.card.name for entries in found.values() for entry in entries},
        kind="dataset, model, analysis, metric, lesion or benchmark",
        do="'neuroai ls KIND' lists the names of a kind.",
    )
    hits = [entry for entries in found.values() for entry in entries if entry.card.name == name]
    return [line for entry in hits for line in card_lines(entry)]


def card_lines(entry: Entry) -> list[str]:
    """Give the facts of one card, the options of its function and its file."""
    facts = {f.name: getattr(entry.card, f.name) for f in dataclasses.fields(entry.card)}
    lines = [f"{facts.pop('name')} ({type(entry.card).__name__})"]
    for name, value in facts.items():
        lines += _fact_lines(name.replace("_", " "), value, depth=1)
    if entry.function is not None:
        options = inspect.signature(entry.function).parameters.values()
        named = [_option(o) for o in options if o.kind is o.KEYWORD_ONLY]
        lines += _fact_lines("options", named, depth=1)
    return [*lines, f"{INDENT}file: {entry.path}"]


def _option(option: inspect.Parameter) -> str:
    """Say an option with its default: that it has none, and many numbers by their ends."""
    default = option.default
    if default is option.empty:
        return f"{option.name} (needed)"
    if isinstance(default, tuple) and len(default) > MANY_VALUES:
        return f"{option.name}={len(default)} values from {default[0]:g} to {default[-1]:g}"
    return f"{option.name}={default!r}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Line up the columns of a table with two blanks between them.

    Examples
    --------
    >>> aligned([["name", "n"], ["a", "12"]])
    ['name  n', 'a     12']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _fact_lines(name: str, value: Any, *, depth: int) -> list[str]:
    indent = INDENT * depth
    if dataclasses.is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        inner = [_fact_lines(str(key), item, depth=depth + 1) for key, item in value.items()]
        return [f"{indent}{name}:", *(line for lines in inner for line in lines)] if inner else []
    if _is_listing(value) and any(dataclasses.is_dataclass(item) for item in value):
        named = {getattr(item, "name", str(i)): item for i, item in enumerate(value)}
        return _fact_lines(name, named, depth=depth)
    text = _cell(value)
    return [f"{indent}{name}: {text}"] if text else []


def _is_listing(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)


def _cell(value: Any) -> str:
    if _is_listing(value):
        return ", ".join(str(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)
