"""Worked cases: what a brain and a network answered, question by question, at three levels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from neuroai.checks import one_of
from neuroai.errors import FormatError
from neuroai.format.answers import Answer
from neuroai.format.results import DoseCurve
from neuroai.format.schema import LEVELS, STATUSES
from neuroai.format.scores import Score

SIDES = ("brain", "network")
SHARED = ("same", "re-created", "no")


@dataclass(frozen=True)
class Cell:
    """What one side answered to one question.

    Attributes
    ----------
    side : {"brain", "network"}
        Whose cell.
    dataset, system, where : str
        Data set, system, and its region, layer or condition.
    measure : str
        What the number is, such as ``accuracy`` or ``change of d'``.
    value, ci_low, ci_high : float
        The number and its 95 % interval; NaN where there is none.
    neutral : float
        The value that no effect would give, such as chance; NaN where there is none.
    n, unit : int, str
        How many, and of what (``mice``, ``stimuli``): the unit of inference.
    p, null : float, str
        The p-value, and what its null hypothesis is.
    origin : str
        ``computed``, ``published``, ``measured``, ``virtual`` or ``simulated``.
    status : str
        ``ok``, ``undefined`` or ``not_measurable``; `note` says why.
    note : str
        What a reader must know.
    """

    side: str
    dataset: str
    system: str
    measure: str
    where: str = ""
    value: float = math.nan
    ci_low: float = math.nan
    ci_high: float = math.nan
    neutral: float = math.nan
    n: int = 0
    unit: str = ""
    p: float = math.nan
    null: str = ""
    origin: str = "computed"
    status: str = "ok"
    note: str = ""

    def __post_init__(self) -> None:
        one_of(self.side, SIDES, option="side")
        one_of(self.status, STATUSES, option="status")
        if (self.status == "ok") != math.isfinite(self.value):
            raise FormatError(
                f"A cell with status '{self.status}' has value {self.value}: a value is finite "
                "exactly when the status is ok."
            )
        if self.status != "ok" and not self.note:
            raise FormatError(f"A cell with status '{self.status}' needs a note that says why.")

    @property
    def effect(self) -> float:
        """Sign of an effect beyond its null at .05; 0 without one, NaN where p is not known."""
        if self.status != "ok" or not math.isfinite(self.p):
            return math.nan
        if self.p > 0.05:
            return 0.0
        centre = self.neutral if math.isfinite(self.neutral) else 0.0
        return float(np.sign(self.value - centre))


@dataclass(frozen=True)
class Curve:
    """A measure along something graded, such as accuracy by contrast, for a figure.

    `name` is the figure's title, `line` what this line shows; `x`, `y`, `low`, `high` and `n` have
    the shape (n_points,); `neutral` is drawn as a dotted line; `ticks` name the points where they
    are categories.
    """

    name: str
    side: str
    line: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    x_label: str
    y_label: str
    neutral: float = math.nan
    note: str = ""
    ticks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One row of the table: a question, both answers, and what follows.

    `shared` says whether both sides met the same stimuli: ``same``, ``re-created`` or ``no``.
    """

    id: str
    level: str
    question: str
    analysis: str
    brain: Cell
    network: Cell
    shared: str
    verdict: str

    def __post_init__(self) -> None:
        one_of(self.level, LEVELS, option="level")
        one_of(self.shared, SHARED, option="shared")

    @property
    def cells(self) -> tuple[Cell, Cell]:
        """Both answers."""
        return self.brain, self.network


@dataclass(frozen=True)
class CaseResults:
    """Everything that one worked case found, as its page reads it.

    `pictures` holds for every line (by id) the curves, dose curves and answers of its figures.
    """

    name: str
    title: str
    question: str
    simulated: bool
    lines: tuple[Line, ...]
    curves: Mapping[str, tuple[Curve, ...]] = field(default_factory=dict)
    dose_curves: Mapping[str, tuple[DoseCurve, ...]] = field(default_factory=dict)
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    stimuli_note: str = ""
    audit: tuple[str, ...] = ()
    stimulus_labels: Mapping[str, str] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)


TABLE_COLUMNS = (
    *("level", "question_id", "question", "side", "dataset", "system", "where", "measure"),
    *("value", "ci_low", "ci_high", "neutral", "n", "unit", "p", "null", "origin", "status"),
    *("stimuli_shared", "verdict", "note"),
)


def table_rows(results: CaseResults) -> tuple[dict[str, object], ...]:
    """Give the table as rows, one a question and side, with the columns `TABLE_COLUMNS`."""
    return tuple(
        {
            "level": line.level,
            "question_id": line.id,
            "question": line.question,
            "stimuli_shared": line.shared,
            "verdict": line.verdict,
            **{
                name: getattr(cell, name)
                for name in TABLE_COLUMNS
                if name in Cell.__dataclass_fields__
            },
        }
        for line in results.lines
        for cell in line.cells
    )


def case_scores(results: CaseResults) -> tuple[Score, ...]:
    """Give every cell as a row of ``scores.csv``.

    Examples
    --------
    >>> nothing = CaseResults(name="none", title="none", question="", simulated=False, lines=())
    >>> case_scores(nothing)
    ()
    """
    return tuple(_score(results, line, cell) for line in results.lines for cell in line.cells)


def _score(results: CaseResults, line: Line, cell: Cell) -> Score:
    is_brain = cell.side == "brain"
    place = f"{cell.system} {cell.where}".strip()
    facts = {"unit": cell.unit, "n": cell.n, "stimuli shared": line.shared, "origin": cell.origin}
    told = "; ".join(f"{name} {value}" for name, value in facts.items() if value)
    return Score(
        level=line.level,
        analysis=line.id,
        metric=cell.measure,
        dataset=cell.dataset,
        stimulus_set=cell.dataset,
        brain_region=place if is_brain else "",
        model="" if is_brain else cell.system,
        model_region="" if is_brain else cell.where,
        value=cell.value,
        ci_low=cell.ci_low,
        ci_high=cell.ci_high,
        p=cell.p,
        null=cell.null,
        n_stimuli=cell.n if cell.unit == "stimuli" else 0,
        n_brain_subjects=cell.n if is_brain and cell.unit not in ("stimuli", "trials") else 0,
        status=cell.status,
        benchmark_version=results.name,
        note="; ".join(filter(None, (told, cell.note))),
        history={"question": line.question, "verdict": line.verdict},
    )


def unmeasured_cell(cell: Cell, reason: str) -> Cell:
    """Give a cell that says why there is no number."""
    return replace(
        cell, value=math.nan, ci_low=math.nan, ci_high=math.nan, p=math.nan, n=0,
        status="not_measurable", note=reason,
    )  # fmt: skip
