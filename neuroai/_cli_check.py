"""``neuroai check``: what a lab's own files are, what is wrong, and a draft of a description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuroai.errors import DataError, UsageError

if TYPE_CHECKING:
    from neuroai.sources.finding import Finding

SHOWN_PARTS = 12


def check(
    files: Annotated[list[str], typer.Argument(help="Files or folders of your own.")],
    write: Annotated[
        Path | None,
        typer.Option("--write", "-w", metavar="TOML", help="Draft a description into this file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Say what files are, what is in them and what is wrong.

    With --write a description is drafted, which 'neuroai compare' takes. The exit code is 3 if a
    file cannot be used. A pickle is never opened.

    \b
    Examples
      neuroai check sub-01_bold.nii.gz sub-01_events.tsv --write mydata.toml
      neuroai check bids-folder stimuli --write mydata.toml
      neuroai compare mydata.toml --model hf:FOLDER
    """
    if write is not None:
        _refuse_target(write)
    from neuroai.sources.recognise import recognise_all

    findings = recognise_all(files)
    if as_json:
        plain = [finding.as_dict() for finding in findings]
        typer.echo(json.dumps(plain, indent=2, ensure_ascii=False, default=str))
    else:
        typer.echo("\n\n".join("\n".join(_lines(finding)) for finding in findings))
    unusable = [part.path for f in findings for part in f.flat() if not part.usable]
    unusable += [f.path for f in findings if f.parts and f.wrong]
    if unusable:
        kept = "" if write is None else f" {write} was not written: leave them out, or mend them."
        raise DataError(
            f"{len(unusable)} of the files cannot be used: "
            f"{', '.join(str(path) for path in unusable[:5])}.{kept}"
        )
    if write is not None:
        _write(findings, write)


def _refuse_target(path: Path) -> None:
    if path.suffix != ".toml":
        raise UsageError(f"A description ends in .toml; got {path}. Say --write mydata.toml.")
    if path.exists():
        raise UsageError(f"{path} is there already. Choose another name, or remove it first.")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}. Make it first.")


def _write(findings: Sequence[Finding], path: Path) -> None:
    from neuroai.sources.description_draft import draft

    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "mydata"
    path.write_text(draft(findings, folder=path.absolute().parent, name=name), encoding="utf-8")
    typer.echo(
        f"Wrote {path}. Look at the lines marked with '<-', then: "
        f"neuroai compare {path} --model hf:FOLDER",
        err=True,
    )


def _lines(finding: Finding) -> Iterator[str]:
    yield f"{_shown(finding.path)}: {finding.title}"
    yield from (f"  {sentence}" for sentence in finding.found)
    yield from (f"  note: {sentence}" for sentence in finding.odd)
    yield from (f"  WRONG: {sentence}" for sentence in finding.wrong)
    if finding.do:
        yield f"  → {finding.do}"
    noted = [part for part in finding.parts if part.wrong or part.odd or not part.usable]
    plain = [part for part in finding.parts if part not in noted]
    for part in plain[:SHOWN_PARTS]:
        yield f"  {part.path.relative_to(finding.path)}: {part.title}"
    if len(plain) > SHOWN_PARTS:
        yield f"  and {len(plain) - SHOWN_PARTS} more without a fault"
    for part in noted:
        yield from (f"  {line}" for line in _lines(part))


def _shown(path: Path) -> str:
    """Write a path on one line, whatever its name holds."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(path))
