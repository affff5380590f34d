"""Benchmarks by name: TOML files that name a question, its data and its metric."""

from __future__ import annotations

import importlib.metadata
import tomllib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from neuroai.analyses.algorithm.rdm import DISTANCES
from neuroai.analyses.catalogue import analysis
from neuroai.cards import LEVELS, BenchmarkCard, DatasetCard
from neuroai.checks import known_name, near_miss, one_of
from neuroai.comparison.catalogue import METRICS
from neuroai.errors import NeuroaiError, RegistryError, UsageError
from neuroai.experiment.options import DOSES
from neuroai.registry import Entry
from neuroai.sources.catalogue import DATASETS
from neuroai.sources.manifest import datasets_folder

GROUP = "neuroai.benchmarks"
KIND = "benchmark"
# What may be set for each analysis that a benchmark can ask; True where it must be.
PARAMETERS: Mapping[str, Mapping[str, bool]] = {
    "rdm": {"distance": False},
    "similarity": {},
    "odd_one_out": {},
    "choices": {"task": True},
    "accuracy": {"task": True},
    "shape_bias": {"task": True},
    "dose_curve": {"contrast": True, "dose": False, "distance": False},
}
SHOWN_INPUT = 60

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class BenchmarkFile(BaseModel):
    """What a benchmark's file holds; the values are names, numbers and sentences."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Text
    level: Text
    question: Text
    dataset: Text
    system: Text
    analysis: Text
    metric: Text
    regions: list[Text]
    chance: Annotated[float, Field(allow_inf_nan=False)]
    citation: Text
    version: Text
    parameters: dict[str, Text | float] = {}
    references: list[Text] = []


def benchmarks_folder() -> Path:
    """Give the folder of the registered benchmarks: the checkout's, else the installed one."""
    data = datasets_folder()
    return data.with_name(data.name.replace("datasets", "benchmarks"))


def benchmark_entries(folder: Path | None = None) -> tuple[Entry, ...]:
    """Give every registered benchmark, ordered by name.

    Files are ``<level>/<name>.toml``. Other packages register a module that states
    ``FOLDER``, the path of a folder of such files, in the entry-point group
    ``neuroai.benchmarks``; one that fails is reported and left out.

    Parameters
    ----------
    folder : pathlib.Path, optional
        The folder to read; that of the installation by default.

    Returns
    -------
    tuple of Entry
        Card and path; a benchmark has no function.

    Raises
    ------
    RegistryError
        A file is malformed, leaves out a fact, names what does not exist, or shares its name with
        another; the file is named.

    Examples
    --------
    >>> [e.card.name for e in benchmark_entries() if e.card.level == "algorithm"]
    ['kriegeskorte2008-it-rdm', 'kriegeskorte2008-monkey-it-rdm']
    """
    entries: dict[str, Entry] = {}
    for entry in _folder_entries(benchmarks_folder() if folder is None else folder):
        _add(entries, entry)
    for point in importlib.metadata.entry_points(group=GROUP):
        for entry in _plugin(point):
            _add(entries, entry)
    return tuple(entry for _, entry in sorted(entries.items()))


def benchmark(name: str, *, folder: Path | None = None) -> Entry:
    """Give the benchmark of a name.

    Raises
    ------
    UnknownName
        No benchmark is called so; the nearest are named.

    Examples
    --------
    >>> benchmark("geirhos2019-error-consistency").card.metric
    'error-consistency'
    """
    entries = {entry.card.name: entry for entry in benchmark_entries(folder)}
    do = "'neuroai ls benchmarks' lists them; to add one, put a file in benchmarks/<level>."
    return entries[known_name(name, entries, kind=KIND, do=do)]


def read_benchmark(path: Path) -> BenchmarkCard:
    """Read one file and check that every name in it exists.

    Parameters
    ----------
    path : pathlib.Path
        ``<level>/<name>.toml``.

    Raises
    ------
    RegistryError
        As in `benchmark_entries`.
    """
    try:
        facts = BenchmarkFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        card = BenchmarkCard(
            **{
                **facts.model_dump(),
                "regions": tuple(facts.regions),
                "references": tuple(facts.references),
            }
        )
        _check_place(card, path)
        _check_names(card)
    except ValidationError as error:
        raise RegistryError(f"{path}: {_explained(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegistryError(f"{path} is not a TOML file in UTF-8: {error}.") from error
    except NeuroaiError as error:
        raise RegistryError(f"{path}: {error}") from error
    return card


def _folder_entries(folder: Path) -> list[Entry]:
    return [
        Entry(card=read_benchmark(path), function=None, path=str(path))
        for level in LEVELS
        for path in sorted((folder / level).glob("*.toml"))
    ]


def _plugin(point: importlib.metadata.EntryPoint) -> list[Entry]:
    try:
        folder = getattr(point.load(), "FOLDER", None)
        if not isinstance(folder, Path) or not folder.is_dir():
            raise RegistryError(f"it must state FOLDER, the path of a folder; got {folder!r}")
        return _folder_entries(folder)
    except Exception as error:  # a plug-in may fail in any way; the others must still be listed
        warnings.warn(
            f"The benchmark plug-in '{point.name}' ({point.value}) was left out: "
            f"{type(error).__name__}: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return []


def _add(entries: dict[str, Entry], entry: Entry) -> None:
    name = entry.card.name
    if name in entries:
        raise RegistryError(
            f"Two files register the benchmark '{name}': {entries[name].path} and {entry.path}. "
            "Rename one."
        )
    entries[name] = entry


def _explained(error: ValidationError) -> str:
    """Say what is wrong with a file, fact by fact."""
    known, problems = list(BenchmarkFile.model_fields), []
    found = error.errors(include_url=False)
    missing = [str(item["loc"][0]) for item in found if item["type"] == "missing"]
    if missing:
        problems.append(f"it leaves out {', '.join(missing)}; every fact must be stated.")
    for item in found:
        where = ".".join(str(part) for part in item["loc"][:2])
        if item["type"] == "extra_forbidden":
            problems.append(f"a benchmark has no fact '{where}'. {near_miss(where, known)}")
        elif item["type"] != "missing":
            got = repr(item["input"])
            short = got if len(got) <= SHOWN_INPUT else got[: SHOWN_INPUT - 1] + "…"
            problems.append(f"{where}: {item['msg']}; got {short}.")
    return " ".join(dict.fromkeys(problems))


def _check_place(card: BenchmarkCard, path: Path) -> None:
    if (card.level, card.name) != (path.parent.name, path.stem):
        raise RegistryError(
            f"it states the level '{card.level}' and the name '{card.name}', so its place is "
            f"{card.level}/{card.name}.toml. Move the file or mend it."
        )


def _check_names(card: BenchmarkCard) -> None:
    dataset: DatasetCard = DATASETS.get(card.dataset).card
    for name in (card.system, *card.references):
        known_name(name, dataset.systems, kind=f"system of '{dataset.name}'")
    asked = analysis(card.analysis).card
    known_name(card.analysis, PARAMETERS, kind="analysis that a benchmark can ask")
    if asked.level != card.level:
        raise UsageError(
            f"the analysis '{asked.name}' belongs to the level '{asked.level}', not '{card.level}'."
        )
    _check_metric(card, form=asked.form)
    _check_parameters(card, dataset)


def _check_metric(card: BenchmarkCard, *, form: str) -> None:
    # The one file, where there is one: to read all of them takes seconds.
    compares = (METRICS.alone(card.metric) or METRICS.get(card.metric)).card.compares
    # Confusions are added up from choices, and a lesion changes the match of RDMs.
    wanted = {"confusion": "choices"}.get(compares, compares)
    given = {"profile": "rdm"}.get(form, form)
    if wanted != given:
        raise UsageError(
            f"the metric '{card.metric}' compares '{wanted}', and the analysis "
            f"'{card.analysis}' answers in the form '{form}'."
        )


def _check_parameters(card: BenchmarkCard, dataset: DatasetCard) -> None:
    known = PARAMETERS[card.analysis]
    for name in card.parameters:
        known_name(name, known, kind=f"parameter of a benchmark of '{card.analysis}'")
    missing = [name for name, needed in known.items() if needed and name not in card.parameters]
    if missing:
        raise UsageError(f"[parameters] leaves out {', '.join(missing)}.")
    values: dict[str, Any] = dict(card.parameters)
    if "task" in values:
        tasks = [task.name for task in dataset.tasks]
        known_name(str(values["task"]), tasks, kind=f"task of '{dataset.name}'")
    if "contrast" in values:
        known_name(str(values["contrast"]), dataset.contrasts, kind=f"contrast of '{dataset.name}'")
    if "distance" in values:
        one_of(str(values["distance"]), DISTANCES, option="distance")
    if "dose" in values and values["dose"] not in DOSES:
        raise UsageError(f"dose must be one of {', '.join(map(str, DOSES))}; got {values['dose']}.")
