"""One side of a question of a worked case: who is asked, with which options, and the reply."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from neuroai.cards import ChoiceTask, Contrast
from neuroai.checks import known_name
from neuroai.format.answers import Answer
from neuroai.format.cases import Cell, Curve
from neuroai.format.holdings import Holdings
from neuroai.format.results import DoseCurve
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System


@dataclass(frozen=True)
class Settings:
    """How often is drawn, shuffled and lesioned, and the seed of all of it."""

    n_bootstrap: int = 1000
    n_null: int = 1000
    n_controls: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Numbers:
    """The numbers of a cell; see `neuroai.format.cases.Cell`."""

    value: float
    ci_low: float = math.nan
    ci_high: float = math.nan
    neutral: float = math.nan
    n: int = 0
    unit: str = ""
    p: float = math.nan
    null: str = ""


@dataclass(frozen=True)
class Reply:
    """What one side replied: its cell of the table, and what its figures are drawn from."""

    cell: Cell
    curves: tuple[Curve, ...] = ()
    dose_curves: tuple[DoseCurve, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Side:
    """One side made ready.

    Attributes
    ----------
    name : {"brain", "network"}
        Which side.
    system : System
        Who is asked.
    holdings : Holdings
        The data set: that of the brain, or whose stimuli the network meets.
    tasks, contrasts : mapping
        By name, those of the card and those of the case.
    settings : Settings
        How.
    facts : mapping
        What the question says of this side, apart from options.
    earlier : mapping
        The brain's replies to the questions before, by id.
    question : str
        Id of the question.
    lesion_tasks : mapping
        Tasks that any question of the case asks of lesions, by the stimuli's ``where``.
    memo : dict
        What was computed for earlier questions of the case.
    """

    name: str
    system: System
    holdings: Holdings
    tasks: Mapping[str, ChoiceTask]
    contrasts: Mapping[str, Contrast]
    settings: Settings
    facts: Mapping[str, Any] = field(default_factory=dict)
    earlier: Mapping[str, Reply] = field(default_factory=dict)
    question: str = ""
    lesion_tasks: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def kind(self) -> str:
        """``brain`` or ``model``."""
        return self.system.kind

    def task(self, name: str) -> ChoiceTask:
        """Give a task by name, or the near miss."""
        return self.tasks[known_name(name, self.tasks, kind=f"task of '{self._data}'")]

    def contrast(self, name: str) -> Contrast:
        """Give a contrast by name, or the near miss."""
        known = self.contrasts
        return known[known_name(name, known, kind=f"contrast of '{self._data}'")]

    def stimuli(self, where: Sequence[str] = ()) -> StimulusSet:
        """Give the stimuli, those with one value of a column where two words say so."""
        everything = self.holdings.stimuli
        return everything.where(where[0], str(where[1])) if where else everything

    def cell(
        self,
        numbers: Numbers,
        *,
        measure: str,
        where: str = "",
        origin: str = "computed",
        note: str = "",
    ) -> Cell:
        """Give a cell of this side; the note of the question stands before that of the answer."""
        told = "; ".join(filter(None, (str(self.facts.get("note", "")), note)))
        known = math.isfinite(numbers.value)
        return Cell(
            side=self.name, dataset=self._data, system=self.system.name, measure=measure,
            where=where, origin=origin, status="ok" if known else "undefined",
            note=told or ("" if known else "the answer is not defined"), **asdict(numbers),
        )  # fmt: skip

    def unmeasured(self, reason: str, *, measure: str = "") -> Reply:
        """Reply that there is no number, and why."""
        blank = Cell(
            side=self.name, dataset=self._data, system=self.system.name, measure=measure,
            status="not_measurable", note=reason,
        )  # fmt: skip
        return Reply(blank)

    @property
    def _data(self) -> str:
        return self.holdings.card.name
