"""Cards: the facts that each registered file states about itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from neuroai.errors import RegistryError

LEVELS = ("computation", "algorithm", "implementation")
COMPARES = ("rdm", "responses", "choices", "confusion", "table", "profile")


def _refuse_missing(card: object, optional: tuple[str, ...] = ()) -> None:
    missing = [
        item.name
        for item in dataclasses.fields(card)  # type: ignore[arg-type]
        if item.name not in optional and getattr(card, item.name) in ("", (), None)
    ]
    if missing:
        raise RegistryError(
            f"The {type(card).__name__} '{getattr(card, 'name', '?')}' leaves out: "
            f"{', '.join(missing)}. Every fact must be stated."
        )


@dataclass(frozen=True)
class Contrast:
    """A comparison of two groups of stimuli, for localisers.

    Attributes
    ----------
    column : str
        Column of the stimulus table.
    positive, negative : tuple of str
        Values of the column on either side; an empty `negative` means every other value.
    """

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChoiceTask:
    """A forced choice among named options.

    Attributes
    ----------
    name : str
        Name of the task; behaviour tables carry it in the attr ``task``.
    options : tuple of str
        What can be chosen.
    truth : str
        Column of the stimulus table that holds the right option.
    where : tuple of (str, str)
        Column and value that select the stimuli of the task; empty for all stimuli.
    readout : bool
        Whether a system without outputs for the options may choose by a readout fitted,
        with cross-validation, on its activity.
    """

    name: str
    options: tuple[str, ...]
    truth: str
    where: tuple[str, str] | tuple[()] = ()
    readout: bool = False


@dataclass(frozen=True)
class DatasetCard:
    """What a data set is, where it comes from and what can be asked of it.

    `answers` maps each level to what can be asked, or to the reason why nothing can.
    """

    name: str
    title: str
    folder: str
    url: str
    licence: str
    citation: str
    doi: str
    modality: tuple[str, ...]
    systems: tuple[str, ...]
    n_stimuli: int
    size_mib: float
    answers: Mapping[str, str]
    contrasts: Mapping[str, Contrast] = field(default_factory=dict)
    tasks: tuple[ChoiceTask, ...] = ()
    simulated: bool = False

    def __post_init__(self) -> None:
        _refuse_missing(self, optional=("contrasts", "tasks", "doi", "simulated"))
        if set(self.answers) != set(LEVELS):
            raise RegistryError(
                f"The DatasetCard '{self.name}' must say for each of {', '.join(LEVELS)} what "
                "can be asked, or why nothing can."
            )


@dataclass(frozen=True)
class ModelCard:
    """What a registered network is, and where it comes from."""

    name: str
    title: str
    can: str
    licence: str
    citation: str
    revision: str
    input_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        _refuse_missing(self)


@dataclass(frozen=True)
class AnalysisCard:
    """A question that is put to one system.

    `form` is the form of the answer; `defined_on` says on which systems it is defined.
    """

    name: str
    level: str
    question: str
    form: str
    defined_on: str
    citation: str

    def __post_init__(self) -> None:
        _refuse_missing(self)
        if self.level not in LEVELS or self.form not in COMPARES:
            raise RegistryError(
                f"The AnalysisCard '{self.name}' has level {self.level!r} and form "
                f"{self.form!r}; levels are {LEVELS}, forms {COMPARES}."
            )


@dataclass(frozen=True)
class MetricCard:
    """A number that compares two answers.

    `comparator` names the kernel of an RDM metric and is empty for others; `ignores` lists what
    leaves the score as it is (``scale``, ``rotation``, ``offset``, ``order``).
    """

    name: str
    compares: str
    title: str
    perfect: float
    worst: float
    symmetric: bool
    ignores: tuple[str, ...]
    citation: str
    comparator: str = ""
    chance: float | None = 0.0

    def __post_init__(self) -> None:
        _refuse_missing(self, optional=("comparator", "chance", "ignores"))
        if self.compares not in COMPARES:
            raise RegistryError(f"The MetricCard '{self.name}' compares {self.compares!r}.")


@dataclass(frozen=True)
class LesionCard:
    """What a lesion, a stimulation or a patch puts in the place of activity or weights.

    Attributes
    ----------
    name, title, citation : str
        Name, a sentence and a reference.
    null_strength, full_strength : float
        Strengths at which nothing, and all, is done.
    reversible : bool
        Whether what was changed can be given back.
    needs : tuple of str
        Options of the function besides strength: ``mean``, ``sd`` and ``bank`` of reference
        activity, ``source`` (other activity or weights), ``rng``, ``seed``, ``amount``, ``vector``.
    acts_on : tuple of str
        ``activity``, ``weights`` or both.
    erases : bool
        Whether at full strength nothing of what was there is left.
    """

    name: str
    title: str
    null_strength: float
    full_strength: float
    reversible: bool
    citation: str
    needs: tuple[str, ...] = ()
    acts_on: tuple[str, ...] = ("activity",)
    erases: bool = True

    def __post_init__(self) -> None:
        _refuse_missing(self, optional=("needs",))


@dataclass(frozen=True)
class BenchmarkCard:
    """A sentence made of known names: which question, on which data, by which metric."""

    name: str
    level: str
    question: str
    dataset: str
    system: str
    analysis: str
    metric: str
    regions: tuple[str, ...]
    chance: float
    citation: str
    version: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    references: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _refuse_missing(self, optional=("parameters", "references", "regions"))
        if self.level not in LEVELS:
            raise RegistryError(f"The BenchmarkCard '{self.name}' has level {self.level!r}.")
