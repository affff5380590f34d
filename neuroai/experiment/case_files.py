"""Worked cases by name: TOML files that list questions for a brain and a network."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from neuroai.cards import LEVELS, ChoiceTask, Contrast
from neuroai.checks import known_name, near_miss, one_of
from neuroai.errors import NeuroaiError, RegistryError, UsageError
from neuroai.experiment.benchmark_files import benchmarks_folder
from neuroai.format.cases import SHARED
from neuroai.sources.catalogue import DATASETS

KIND = "worked case"
FOLDER = "cases"
NOT_MEASURABLE = "not_measurable"
# What a side may say besides the options of what it is asked.
SIDE_FACTS = ("ask", "dataset", "system", "measure", "select", "neutral", "note", NOT_MEASURABLE)

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SideFile(_Strict):
    """Which data set and system a side is, where a question does not say otherwise."""

    dataset: Text
    system: str = ""


class StimuliFile(_Strict):
    """Whether both sides meet the same stimuli: ``same``, ``re-created`` or ``no``."""

    shared: Text
    note: Text


class TaskFile(_Strict):
    """A choice task that a data set's card does not name."""

    name: Text
    dataset: Text
    options: Annotated[list[Text], Field(min_length=2)]
    truth: Text
    where: list[Text] = []

    @property
    def task(self) -> ChoiceTask:
        """The task; networks and recordings without choices may use a readout."""
        where = (self.where[0], self.where[1]) if self.where else ()
        return ChoiceTask(self.name, tuple(self.options), self.truth, where, readout=True)


class ContrastFile(_Strict):
    """A contrast that a data set's card does not name."""

    name: Text
    dataset: Text
    column: Text
    positive: list[Text]
    negative: list[Text] = []

    @property
    def contrast(self) -> Contrast:
        """The contrast."""
        return Contrast(self.column, tuple(self.positive), tuple(self.negative))


class QuestionFile(_Strict):
    """One question: what each side is asked, and how the answers are compared."""

    id: Name
    level: Text
    question: Text
    brain: dict[str, Any]
    network: dict[str, Any]
    compare: str = ""
    shared: str = ""


class CaseFile(_Strict):
    """What the file of a worked case holds."""

    name: Name
    title: Text
    question: Text
    version: Text
    citation: Text
    brain: SideFile
    network: SideFile
    stimuli: StimuliFile
    questions: Annotated[list[QuestionFile], Field(min_length=1)]
    tasks: list[TaskFile] = []
    contrasts: list[ContrastFile] = []


def cases_folder() -> Path:
    """Give the folder of the worked cases: the checkout's, else the installed one."""
    return benchmarks_folder() / FOLDER


def case_files(folder: Path | None = None) -> dict[str, Path]:
    """Give the file of every worked case, by name.

    Examples
    --------
    >>> sorted(case_files())
    ['faces', 'figure-detection', 'oddity']
    """
    return {path.stem: path for path in sorted((folder or cases_folder()).glob("*.toml"))}


def read_case(name_or_path: str | Path, *, folder: Path | None = None) -> CaseFile:
    """Read a worked case and check that every name in it exists.

    Parameters
    ----------
    name_or_path : str or path
        A name from ``neuroai ls cases``, or a ``.toml`` file.
    folder : path, optional
        The folder to look names up in; that of the installation by default.

    Raises
    ------
    UnknownName
        There is no such case; the nearest are named.
    RegistryError
        The file is malformed, leaves out a fact or names what does not exist; it is named.

    Examples
    --------
    >>> read_case("faces").brain.dataset
    'afraz2015'
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        files = case_files(folder)
        do = "'neuroai ls cases' lists them; a path to a .toml file works as well."
        path = files[known_name(str(name_or_path), files, kind=KIND, do=do)]
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    try:
        case = CaseFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        _check(case)
    except ValidationError as error:
        raise RegistryError(f"{path}: {_explained(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegistryError(f"{path} is not a TOML file in UTF-8: {error}.") from error
    except NeuroaiError as error:
        raise RegistryError(f"{path}: {error}") from error
    return case


def _check(case: CaseFile) -> None:
    from neuroai.comparison.catalogue import METRICS

    one_of(case.stimuli.shared, SHARED, option="stimuli.shared")
    ids = [question.id for question in case.questions]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise UsageError(f"Two questions have the id '{twice[0]}'. Rename one.")
    for question in case.questions:
        one_of(question.level, LEVELS, option=f"level of '{question.id}'")
        if question.shared:
            one_of(question.shared, SHARED, option=f"shared of '{question.id}'")
        if question.compare:
            METRICS.get(question.compare)
        for side in (question.brain, question.network):
            _check_side(question.id, side)


def _check_side(where: str, side: dict[str, Any]) -> None:
    if NOT_MEASURABLE in side:
        if set(side) - {NOT_MEASURABLE, "dataset", "system"}:
            raise UsageError(
                f"'{where}' says why a side is not measurable, and asks it something as well."
            )
        return
    if "ask" not in side:
        wrong = near_miss(next(iter(side)), SIDE_FACTS) if side else ""
        raise UsageError(
            f"A side of '{where}' names nothing to ask: give ask=..., or not_measurable=... with "
            f"the reason. {wrong}".strip()
        )


def named_datasets(case: CaseFile) -> tuple[str, ...]:
    """Give every data set that a case needs, once each.

    Registered names are looked up, so that a misspelt one is told before anything is loaded.
    """
    found = [case.brain.dataset, case.network.dataset]
    sides: Iterable[dict[str, Any]] = (s for q in case.questions for s in (q.brain, q.network))
    found += [str(side["dataset"]) for side in sides if "dataset" in side]
    found += [one.dataset for one in (*case.tasks, *case.contrasts)]
    names = tuple(dict.fromkeys(found))
    for name in names:
        if not Path(name).suffix:
            DATASETS.get(name)
    return names


def _explained(error: ValidationError) -> str:
    """Say what is wrong with a file, fact by fact."""
    found, problems = error.errors(include_url=False), []
    missing = [_place(item["loc"]) for item in found if item["type"] == "missing"]
    if missing:
        problems.append(f"it leaves out {', '.join(missing)}; every fact must be stated.")
    for item in found:
        where = _place(item["loc"])
        if item["type"] == "extra_forbidden":
            known = _facts_beside(item["loc"])
            problems.append(f"there is no fact '{where}'. {near_miss(str(item['loc'][-1]), known)}")
        elif item["type"] != "missing":
            problems.append(f"{where}: {item['msg']}; got {item['input']!r:.60}.")
    return " ".join(dict.fromkeys(problems))


def _place(parts: Iterable[object]) -> str:
    return ".".join(str(part) for part in parts)


def _facts_beside(place: tuple[object, ...]) -> list[str]:
    """Give the facts that may stand where an unknown one stood."""
    forms = {
        "brain": SideFile, "network": SideFile, "stimuli": StimuliFile, "tasks": TaskFile,
        "contrasts": ContrastFile, "questions": QuestionFile,
    }  # fmt: skip
    form = forms.get(str(place[0]), CaseFile) if len(place) > 1 else CaseFile
    return list(form.model_fields)
