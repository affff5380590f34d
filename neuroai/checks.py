"""Checks that every part shares: each says what was wanted, what came and what to do."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Collection, Iterable
from types import ModuleType

from neuroai.errors import AlignmentError, MissingExtra, UnknownName, UsageError

SHOWN = 5


def listing(names: Iterable[object], *, shown: int = SHOWN) -> str:
    """Join names for a sentence, the first few by name and the rest by count.

    Examples
    --------
    >>> listing(["a", "b", "c"], shown=2)
    'a, b and 1 more'
    """
    names = [str(name) for name in names]
    if len(names) <= shown:
        return ", ".join(names)
    return f"{', '.join(names[:shown])} and {len(names) - shown} more"


def near_miss(name: str, known: Collection[str], *, shown: int = 3) -> str:
    """Say which known names come nearest to a misspelt one, or list what there is.

    Examples
    --------
    >>> near_miss("rdm-persn", ["rdm-pearson", "cka"])
    "Did you mean 'rdm-pearson'?"
    >>> near_miss("zzz", ["rdm-pearson", "cka"])
    'There is: cka, rdm-pearson.'
    >>> near_miss("layer.2", ["net.layer.1", "net.layer.2", "net.layer.2.bias"])
    "Did you mean 'net.layer.2'?"
    """
    folded = {key.lower(): key for key in sorted(known, reverse=True)}
    # The end of a dotted name is what people remember of it.
    ends = [key for key in folded if key.endswith(f".{name.lower()}")]
    close = ends or difflib.get_close_matches(name.lower(), list(folded), n=shown, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(f"'{folded[key]}'" for key in close[:shown]) + "?"
    if not known:
        return "There is none."
    return f"There is: {listing(sorted(known), shown=12)}."


def known_name(name: str, known: Collection[str], *, kind: str, do: str = "") -> str:
    """Return `name` if it is known, else raise with the near miss.

    Raises
    ------
    UnknownName
        The name is not among `known`.

    Examples
    --------
    >>> known_name("cka", ["cka"], kind="metric")
    'cka'
    """
    if name in known:
        return name
    message = f"No {kind} is called '{name}'. {near_miss(name, known)}"
    raise UnknownName(f"{message} {do}".strip())


def one_of(value: str, allowed: Collection[str], *, option: str) -> str:
    """Return `value` if it is among the allowed ones, else raise a UsageError that lists them.

    Examples
    --------
    >>> one_of("mean", ("zero", "mean"), option="kind")
    'mean'
    """
    if value in allowed:
        return value
    choices = ", ".join(f"'{choice}'" for choice in allowed)
    raise UsageError(
        f"{option} must be one of {choices}; got {value!r}. {near_miss(str(value), allowed)}"
    )


def in_range(
    value: float, *, option: str, low: float, high: float, low_open: bool = False
) -> float:
    """Return `value` if it lies in the stated range, else raise a UsageError.

    Examples
    --------
    >>> in_range(0.5, option="dose", low=0, high=1)
    0.5
    """
    above = value > low if low_open else value >= low
    if above and value <= high:
        return value
    left = "(" if low_open else "["
    raise UsageError(f"{option} must lie in {left}{low}, {high}]; got {value}.")


def no_duplicates(ids: Iterable[object], *, where: str) -> None:
    """Raise an AlignmentError that names the ids which occur more than once."""
    seen: set[object] = set()
    twice: dict[object, None] = {}
    for key in ids:
        if key in seen:
            twice[key] = None
        seen.add(key)
    if twice:
        raise AlignmentError(
            f"{len(twice)} id(s) occur more than once in {where}: {listing(twice)}. "
            "Ids must be unique; rename or drop the copies."
        )


def need(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional package, or say what to install.

    Raises
    ------
    MissingExtra
        The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"{purpose} needs the package '{module}', which does not import here ({error}). "
            f'Install it: pip install "neuroai-compare[{extra}]"'
        ) from error
