"""The commands ``neuroai cache ls | verify | gc | explain``."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuroai.errors import IntegrityError, NeuroaiError, UsageError

if TYPE_CHECKING:
    from neuroai.experiment.cache import ActivationCache, Entry
    from neuroai.experiment.cache_key import CacheKey

LONGEST = 60
SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}

cache_app = typer.Typer(
    no_args_is_help=True,
    help="Look after the activations that 'compare --cache' and 'run --cache' keep.",
)

Start = Annotated[str, typer.Argument(metavar="ENTRY", help="The first digits of an entry.")]


@cache_app.command("ls")
def list_entries() -> None:
    """List what is kept, the last used first.

    \b
    Example
      neuroai cache ls
    """
    cache = _cache()
    entries = cache.entries()
    if not entries:
        typer.echo(f"Nothing is kept in {cache.folder}.")
        return
    rows = [("entry", "network", "stimuli", "layers", "reduce", "size", "last used")]
    typer.echo("\n".join(_aligned([*rows, *(_row(entry) for entry in entries)])))
    total = sum(entry.n_bytes for entry in entries)
    typer.echo(f"{len(entries)} entries, {in_size(total)}, in {cache.folder}", err=True)


@cache_app.command()
def verify() -> None:
    """Compare every file of every entry with its seal; exit with 6 if one was changed.

    \b
    Example
      neuroai cache verify
    """
    cache = _cache()
    damaged = 0
    for entry in cache.entries():
        trouble = _trouble(entry)
        damaged += bool(trouble) and entry.finished
        typer.echo(f"{entry.short}  {trouble or 'ok'}")
    for stray in cache.strays():
        damaged += 1
        typer.echo(f"{stray.name[:12]}  its key is missing or cannot be read")
    if damaged:
        raise IntegrityError(
            f"{damaged} entries are damaged. 'neuroai cache gc' removes them; they are then "
            "computed anew."
        )


@cache_app.command()
def gc(
    older_than: Annotated[
        int | None,
        typer.Option("--older-than", min=0, metavar="DAYS", help="Also those unused for DAYS."),
    ] = None,
    max_size: Annotated[
        str, typer.Option("--max-size", metavar="SIZE", help="Keep at most SIZE, such as 10GiB.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove what was not finished or is damaged, and what is old or too much.

    Entries that a process is writing just now stay.

    \b
    Examples
      neuroai cache gc --dry-run
      neuroai cache gc --older-than 30 --max-size 10GiB
    """
    limit = read_bytes(max_size) if max_size else None
    cache = _cache()
    freed = 0
    for entry, reason in _superfluous(cache, older_than, limit):
        size = _size(entry)
        removed = dry_run or cache.remove(entry)
        name = (entry if isinstance(entry, Path) else entry.folder).name[:12]
        word = "would remove" if dry_run else "removed" if removed else "in use, kept"
        typer.echo(f"{word} {name} ({in_size(size)}): {reason}")
        freed += size if removed else 0
    typer.echo(f"{in_size(freed)} {'would be' if dry_run else 'were'} freed.", err=True)


@cache_app.command()
def explain(
    entry: Start,
    other: Annotated[
        str, typer.Argument(metavar="[OTHER]", help="Another entry: show what differs.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the fields as JSON.")] = False,
) -> None:
    """Say what an entry hangs on, or in which fields two entries differ.

    If any one field of a request differs, the entry does not serve and the network runs anew.

    \b
    Examples
      neuroai cache explain 3f2a
      neuroai cache explain 3f2a 9c41
    """
    cache = _cache()
    first = cache.entry(entry).key
    if not other:
        _print_fields(first, as_json)
        return
    second = cache.entry(other).key
    names = first.differing(second)
    if as_json:
        both = {name: [first.fields.get(name), second.fields.get(name)] for name in names}
        typer.echo(json.dumps(both, indent=2, ensure_ascii=False))
        return
    typer.echo("\n".join(difference_lines(first, second)) or "They do not differ.")


def difference_lines(first: CacheKey, second: CacheKey) -> list[str]:
    """Spell the fields in which two keys differ, one a line."""
    return [
        f"{name}: {_short(first.fields.get(name))} | {_short(second.fields.get(name))}"
        for name in first.differing(second)
    ]


def read_bytes(text: str) -> int:
    """Read a size.

    Examples
    --------
    >>> read_bytes("2KiB"), read_bytes("1.5 GiB")
    (2048, 1610612736)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if match is None:
        raise UsageError(f"A size is a number and a unit, such as 500MiB or 10GiB; got '{text}'.")
    return int(float(match[1]) * SIZES[match[2].upper()])


def in_size(n_bytes: int) -> str:
    """Spell a number of bytes.

    Examples
    --------
    >>> in_size(10), in_size(3 * 2**20), in_size(5 * 2**30)
    ('10 B', '3.0 MiB', '5.0 GiB')
    """
    size, unit = float(n_bytes), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def _cache() -> ActivationCache:
    from neuroai.experiment.cache import ActivationCache

    return ActivationCache()


def _row(entry: Entry) -> tuple[str, ...]:
    fields = entry.key.fields
    state = in_size(entry.n_bytes) if entry.finished else "unfinished"
    return (
        entry.short,
        str(fields.get("system", "")),
        f"{fields.get('stimulus_set', '')} ({fields.get('n_stimuli', '?')})",
        str(len(fields.get("layers", ()))),
        str(fields.get("reduce", "")),
        state,
        f"{entry.last_used:%Y-%m-%d %H:%M}",
    )


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _trouble(entry: Entry) -> str:
    try:
        entry.check()
    except (NeuroaiError, OSError) as error:
        return str(error)
    return ""


def _size(entry: Entry | Path) -> int:
    if isinstance(entry, Path):
        return sum(path.stat().st_size for path in entry.rglob("*") if path.is_file())
    return entry.n_bytes


def _superfluous(
    cache: ActivationCache, older_than: int | None, limit: int | None
) -> list[tuple[Entry | Path, str]]:
    """Choose what goes, each with the reason; entries come with the last used first."""
    found: list[tuple[Entry | Path, str]] = [
        (stray, "its key is missing or cannot be read") for stray in cache.strays()
    ]
    now, kept = datetime.datetime.now(datetime.UTC), 0
    for entry in cache.entries():
        trouble = _trouble(entry)
        days = (now - entry.last_used).total_seconds() / 86_400
        if trouble:
            found.append((entry, trouble))
        elif older_than is not None and days >= older_than:
            found.append((entry, f"not used for {days:.0f} days"))
        elif limit is not None and kept + entry.n_bytes > limit:
            found.append((entry, f"more than {in_size(limit)} in all"))
        else:
            kept += entry.n_bytes
    return found


def _print_fields(key: CacheKey, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(dict(key.fields), indent=2, sort_keys=True, ensure_ascii=False))
        return
    typer.echo("\n".join(f"{name}: {_short(key.fields[name])}" for name in sorted(key.fields)))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
