"""The command ``neuroai case``: one recipe of questions for a brain and a network, one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from neuroai.errors import UsageError


def case(
    name: Annotated[str, typer.Argument(help="A name from 'neuroai ls cases', or a .toml file.")],
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="SPEC", help="A network, as in 'compare'.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder. Default: ./neuroai-case-<name>.")
    ] = None,
    controls: Annotated[
        int, typer.Option("--controls", min=100, help="Random lesions of the same size.")
    ] = 100,
    n_null: Annotated[int, typer.Option("--n-null", min=1, help="Permutations behind a p.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every random draw.")] = 0,
    device: Annotated[str, typer.Option("--device", help="Where the network runs.")] = "cpu",
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON lines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table.")] = False,
) -> None:
    """Ask the questions of a worked case, at three levels, in one table.

    Each line holds the brain's cell and the network's, their nulls and a verdict; "not measurable"
    is a cell like any other. Writes report.html, scores.csv, table.csv and provenance.json. A case
    is a configuration: another concept needs another file, and no code.

    \b
    Examples
      neuroai case figure-detection --model hf:FOLDER
      neuroai case mine.toml --model builtin:small_convnet --out mine
    """
    folder = (Path(f"neuroai-case-{Path(name).stem}") if out is None else out).expanduser()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; results need a folder. Choose another --out.")
    from neuroai.experiment.case import run_case
    from neuroai.format.cases import table_rows
    from neuroai.reports.case_page import case_lines, write_case

    found = run_case(
        name, model, n_null=n_null, n_controls=controls, seed=seed, device=device,
        offline=offline, progress=not quiet,
    )  # fmt: skip
    page = write_case(found, folder)["report.html"]
    if as_json:
        typer.echo("\n".join(json.dumps(_plain(row)) for row in table_rows(found)))
    elif not quiet:
        typer.echo(case_lines(found))
    typer.echo(f"{len(found.lines)} questions → {page}", err=True)


def _plain(row: dict[str, object]) -> dict[str, object]:
    """Give null for numbers that do not exist: JSON has no NaN."""
    return {
        name: None if isinstance(value, float) and value != value else value
        for name, value in row.items()
    }
