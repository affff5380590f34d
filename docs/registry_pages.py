"""Writes a page of the reference for each kind of registered thing, from the cards."""

from __future__ import annotations

from pathlib import Path

from neuroai import _cli_catalogue as catalogue


def write(folder: Path) -> None:
    """Write one page a kind, and an index of them, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in catalogue.KINDS:
        (folder / f"{kind}.rst").write_text(page(kind), encoding="utf-8")


def page(kind: str) -> str:
    """Give the page of one kind: a card an entry, as ``neuroai info`` prints it."""
    title = kind.capitalize()
    parts = [title, "=" * len(title), ""]
    for entry in catalogue.entries_of(kind):
        name = entry.card.name
        lines = [line for line in catalogue.card_lines(entry)[1:] if "file: " not in line]
        parts += [name, "-" * len(name), "", ".. code-block:: text", ""]
        parts += [f"   {line}" for line in lines] + [""]
    return "\n".join(parts)
