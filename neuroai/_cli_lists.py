"""The commands ``neuroai ls | info | fetch | doctor``: what there is, and what is here."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroai.checks import known_name
from neuroai.errors import UsageError


def list_names(
    kind: Annotated[
        str,
        typer.Argument(
            help="datasets, models, analyses, metrics, lesions, benchmarks, cases, or layers MODEL."
        ),
    ],
    model: Annotated[str, typer.Argument(metavar="[MODEL]", help="For 'ls layers'.")] = "",
) -> None:
    """List what is registered, or the layers of a model.

    \b
    Examples
      neuroai ls datasets
      neuroai ls layers hf:FOLDER
    """
    from neuroai import _cli_catalogue as catalogue

    known_name(kind, (*catalogue.KINDS, "cases", "layers"), kind="list")
    if (kind == "layers") != bool(model):
        raise UsageError("Only 'neuroai ls layers MODEL' takes a model, and it needs one.")
    if kind == "layers":
        lines = catalogue.layer_lines(model)
    elif kind == "cases":
        lines = catalogue.case_lines()
    else:
        lines = catalogue.kind_lines(kind)
    typer.echo("\n".join(lines))


def info(
    name: Annotated[str, typer.Argument(help="A name from any 'neuroai ls' list.")],
) -> None:
    """Print the card of anything registered.

    \b
    Example
      neuroai info kriegeskorte2008
    """
    from neuroai import _cli_catalogue as catalogue

    typer.echo("\n".join(catalogue.info_lines(name)))


def fetch(
    dataset: Annotated[str, typer.Argument(help="A name from 'neuroai ls datasets'.")],
) -> None:
    """Download a data set once and check it.

    The hash of every file is checked, also of those that are here already.

    \b
    Example
      neuroai fetch kriegeskorte2008
    """
    from neuroai.sources.catalogue import DATASETS
    from neuroai.sources.download import cache_folder, fetch_listed

    card = DATASETS.get(dataset).card
    typer.echo(
        f"Files of {card.name} (about {card.size_mib:g} MiB) are kept in {cache_folder()}", err=True
    )
    paths = fetch_listed(card.folder)
    typer.echo(f"{len(paths)} files are here and their hashes agree.", err=True)


def doctor() -> None:
    """Say what is installed and what goes wrong.

    Prints versions, devices, memory, disk, extras and known conflicts.
    """
    from neuroai import _cli_doctor

    lines, complete = _cli_doctor.examine()
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if complete else 4)
