"""The command line: ``neuroai demo | compare | check | run | ls | info | fetch | cache | doctor``.

Every command imports what it needs when it runs, so that ``neuroai --help`` stays quick. What a
program may read goes to stdout (tables, ``--json``); what a person follows goes to stderr.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuroai._cli_cache import cache_app
from neuroai._cli_case import case
from neuroai._cli_check import check
from neuroai._cli_extract import extract
from neuroai._cli_lesion import lesion
from neuroai._cli_lists import doctor, fetch, info, list_names
from neuroai.errors import NeuroaiError, ResourceError, UsageError

if TYPE_CHECKING:
    from neuroai.format.results import Results

FILES = ("report.html", "scores.csv", "scores.nc", "provenance.json")
SIMULATED = "data"  # folder of the demo's files, inside that of its results
DATA_SUFFIXES = (".py", ".nc", ".zarr", ".toml")
UNEXPECTED = 1
DISTANCE_HELP = "correlation, squared-euclidean, mahalanobis, crossnobis or poisson-kl."

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Add --debug to any command to see the traceback of an error.",
)

Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Folder for the results. Default: ./neuroai-<name>."),
]
Models = Annotated[
    list[str],
    typer.Option(
        "--model",
        "-m",
        metavar="SPEC",
        help="hf:FOLDER, hf:ORG/NAME@REVISION, builtin:NAME, py:module:factory or acts:FILE; "
        "add '?init=random&seeds=0,1,2' for untrained twins. Give it once a model.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of every random draw.")]
Device = Annotated[str, typer.Option("--device", help="Where networks run: cpu, cuda, mps.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]
Json = Annotated[bool, typer.Option("--json", help="Print scores as JSON lines on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no table.")]
Contrast = Annotated[
    str, typer.Option("--contrast", help="What the localiser contrasts; see 'neuroai info'.")
]
Cache = Annotated[
    bool, typer.Option("--cache", help="Keep activations on disk for the next run; see 'cache'.")
]
NullCount = Annotated[
    int | None,
    typer.Option("--n-null", min=1, help="Permutations of stimulus labels behind each p."),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``neuroai``; those of the process by default.

    Returns
    -------
    int
        0 ok, 1 unexpected, 2 usage, 3 bad data, 4 missing extra, 5 resources, 6 integrity,
        130 interrupted.

    Examples
    --------
    >>> main(["--version"])
    neuroai 0...
    0
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        with _plain_warnings():
            app(args=[word for word in words if word != "--debug"], prog_name="neuroai")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:  # the outermost frame: whatever happened is told in one line
        if debug:
            traceback.print_exc()
        message, code = _explain(error)
        _say(f"error: {message}")
        if code == UNEXPECTED and not debug:
            _say("Run again with --debug to see where it happened.")
        return code
    return 0


def _explain(error: Exception) -> tuple[str, int]:
    if isinstance(error, NeuroaiError):
        return str(error), error.exit_code
    message = f"{type(error).__name__}: {error}"
    out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if out_of_memory:
        return (
            f"Memory ran out ({message}). Choose fewer layers with --layers.",
            ResourceError.exit_code,
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk is full ({message}). Choose another --out.", ResourceError.exit_code
    return message, UNEXPECTED


@contextmanager
def _plain_warnings() -> Iterator[None]:
    def show(message: Warning | str, *_: object) -> None:
        _say(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _version(wanted: bool) -> None:
    if wanted:
        from neuroai import __version__

        typer.echo(f"neuroai {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Ask a brain and a network the same question, and put the answers side by side.

    Three levels are asked: what a system does (computation), by which representations
    (algorithm), and which parts carry it (implementation, by lesions).

    \b
    Begin with
      neuroai demo                        a known truth, recovered; no network, under a minute
      neuroai ls datasets                 what can be compared
      neuroai compare kriegeskorte2008 --model hf:FOLDER
    """


@app.command()
def demo(out: Out = None, seed: Seed = 0, as_json: Json = False, quiet: Quiet = False) -> None:
    """Recover a known truth from a simulated brain.

    The brain is written as fMRI (BIDS NIfTI), EEG (FIF), spikes (NWB) and choices (TSV), read back
    as your own files are, and compared with a small trained network and its untrained twin. Needs
    no network and no file beyond the install. The page puts what was planted beside what was
    recovered; the files stay in OUT/data.

    \b
    Examples
      neuroai demo
      neuroai check neuroai-demo/data
      neuroai compare neuroai-demo/data/demo.toml --model builtin:small_convnet
      neuroai demo --out first-look --seed 1
    """
    folder = _prepare(out, "demo")
    _say(f"The simulated brain's files are kept in {folder / SIMULATED}")
    from neuroai._cli_threads import one_thread
    from neuroai.experiment.demo import run_demo

    with one_thread():
        results = run_demo(seed=seed, folder=folder / SIMULATED, progress=not quiet)
        _deliver(results, folder, as_json=as_json, quiet=quiet)


@app.command()
def compare(
    dataset: Annotated[
        str, typer.Argument(help="A name from 'neuroai ls datasets', or a .toml, .py, .nc, .zarr.")
    ],
    model: Models,
    out: Out = None,
    layers: Annotated[
        list[str] | None,
        typer.Option("--layers", metavar="GLOB", help="Layers to read, such as 'layer.2*'."),
    ] = None,
    regions: Annotated[
        list[str] | None,
        typer.Option("--regions", metavar="GLOB", help="Brain regions to compare with."),
    ] = None,
    metric: Annotated[
        str, typer.Option("--metric", help="See 'neuroai ls metrics'.")
    ] = "rdm-spearman",
    distance: Annotated[str, typer.Option("--distance", help=DISTANCE_HELP)] = "correlation",
    lesions: Annotated[
        str, typer.Option("--lesions", help="first (model), full (every model, layer, kind), none.")
    ] = "first",
    contrast: Contrast = "",
    stimuli: Annotated[
        str, typer.Option("--stimuli", help="same, or shared: keep those that both sides know.")
    ] = "same",
    n_null: NullCount = None,
    seed: Seed = 0,
    device: Device = "cpu",
    cache: Cache = False,
    offline: Offline = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Ask brains and networks the same questions.

    Writes report.html, scores.csv, scores.nc and provenance.json to --out.

    \b
    Examples
      neuroai compare kriegeskorte2008 -m hf:FOLDER -m 'hf:FOLDER?init=random&seeds=0,1,2'
      neuroai compare geirhos2019 -m hf:ORG/NAME@REVISION --lesions none --json
      neuroai compare mine.nc -m acts:layers.npz --layers 'conv*' --out mine
    """
    folder = _prepare(out, dataset)
    from neuroai.experiment.api import compare as compare_systems

    counts = {} if n_null is None else {"n_null": n_null}
    results = compare_systems(
        dataset,
        model,
        layers=layers,
        regions=regions,
        metric=metric,
        distance=distance,
        lesions=lesions,
        contrast=contrast,
        stimuli=stimuli,
        seed=seed,
        device=device,
        cache=cache,
        offline=offline,
        progress=not quiet,
        **counts,
    )
    _deliver(results, folder, as_json=as_json, quiet=quiet)


@app.command()
def run(
    benchmarks: Annotated[list[str], typer.Argument(help="Names from 'neuroai ls benchmarks'.")],
    model: Models,
    out: Out = None,
    n_null: NullCount = None,
    seed: Seed = 0,
    device: Device = "cpu",
    cache: Cache = False,
    offline: Offline = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run benchmarks on one or more networks.

    A benchmark is a fixed question on fixed data, comparable from one network to the next.

    \b
    Examples
      neuroai run kriegeskorte2008-it-rdm -m hf:FOLDER
      neuroai run kriegeskorte2008-it-rdm geirhos2019-error-consistency -m hf:FOLDER --json
    """
    folder = _prepare(out, benchmarks[0] if len(benchmarks) == 1 else "benchmarks")
    from neuroai.experiment.benchmarks import run_benchmarks

    counts = {} if n_null is None else {"n_null": n_null}
    results = run_benchmarks(
        benchmarks,
        model,
        seed=seed,
        device=device,
        cache=cache,
        offline=offline,
        progress=not quiet,
        **counts,
    )
    _deliver(results, folder, as_json=as_json, quiet=quiet)


app.command()(case)
app.command()(check)
app.command()(extract)
app.command()(lesion)


app.command("ls")(list_names)
app.command()(info)
app.command()(fetch)
app.command()(doctor)
app.add_typer(cache_app, name="cache")


def _prepare(out: Path | None, name: str) -> Path:
    """Choose the folder and say what will be written; refuse what cannot be one before any work."""
    short = Path(name).name
    for suffix in DATA_SUFFIXES:
        short = short.removesuffix(suffix)
    folder = (Path(f"neuroai-{short}") if out is None else out).expanduser().absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UsageError(
            f"{folder} cannot be a folder for results: {there} is not a folder that can be "
            "written to. Choose another --out."
        )
    _say(f"Will write {', '.join(FILES[:-1])} and {FILES[-1]} to {folder}")
    return folder


def _deliver(results: Results, folder: Path, *, as_json: bool, quiet: bool) -> None:
    from neuroai._cli_outputs import headline, json_lines
    from neuroai.reports.terminal import terminal_table
    from neuroai.reports.write import write_outputs

    page = write_outputs(results, folder)[FILES[0]]
    if as_json:
        typer.echo("\n".join(json_lines(results)))
    elif not quiet:
        typer.echo(terminal_table(results))
    _say(f"{headline(results)} → {page}")


if __name__ == "__main__":
    sys.exit(main())
