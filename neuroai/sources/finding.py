"""What was found in a file or folder: its kind, its content, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Finding:
    """What one file or folder is.

    Attributes
    ----------
    path : pathlib.Path
        The file or folder.
    kind : str
        Such as ``bold``, ``mask``, ``events``, ``eeg``, ``nwb``, ``behaviour``, ``stimuli``,
        ``images``, ``form``, ``activations``, ``bids``, ``pickle``, ``unreadable``, ``unknown``.
    title : str
        The same for a person.
    found : tuple of str
        Sizes, channels, columns, tables: one sentence each.
    wrong : tuple of str
        What forbids the use of the file.
    odd : tuple of str
        What a reader must know, but forbids nothing.
    do : str
        What to do next.
    facts : mapping
        What a draft of a description is made of: plain numbers, texts, lists and mappings.
    parts : tuple of Finding
        For a folder, what is in it.
    """

    path: Path
    kind: str
    title: str
    found: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    do: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Finding, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether nothing forbids the use of this file, nor of any part of this folder."""
        return not self.wrong and all(part.usable for part in self.parts)

    def flat(self) -> Iterator[Finding]:
        """Give this finding, or those of the folder's files."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.flat()

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values, as JSON takes them.

        Examples
        --------
        >>> Finding(Path("a.csv"), "behaviour", "a table").as_dict()["kind"]
        'behaviour'
        """
        return {
            "path": str(self.path),
            "kind": self.kind,
            "title": self.title,
            "usable": self.usable,
            "found": list(self.found),
            "wrong": list(self.wrong),
            "odd": list(self.odd),
            "do": self.do,
            "facts": dict(self.facts),
            "parts": [part.as_dict() for part in self.parts],
        }
