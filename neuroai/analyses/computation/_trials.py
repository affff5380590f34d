"""Trials of a choice task, whether choices were recorded, computed or read out of activity."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from neuroai.cards import ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.build import text
from neuroai.format.schema import STIMULUS, STIMULUS_ID, TRIAL
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.confusion import option_codes
from neuroai.systems.base import System

BEHAVIOUR = "behaviour"
NO_CHOICE = "trials without a choice"
PER_STIMULUS = ("subject", "region", STIMULUS)
COLUMNS = ("subject", "region", "stimulus", "choice", "truth", "correct", "condition")
# Columns that say which of several trials came first; the order of the table decides the rest.
ORDER = ("session", "run", "repeat", "trial_index", "onset")


@dataclass(frozen=True)
class Trials:
    """Every trial of a task that one system ran.

    `table` has the columns COLUMNS and whatever else was recorded of every trial, earlier trials
    first; `shown` are the stimuli of the task, where the system or the caller knows them.
    """

    table: pd.DataFrame
    system: System
    task: ChoiceTask
    choice_by: str
    shown: StimulusSet | None
    notes: tuple[str, ...] = ()
    undefined: Mapping[str, int] = field(default_factory=dict)

    @functools.cached_property
    def subjects(self) -> tuple[str, ...]:
        """Subjects with trials, in the order of the system, others after them by name."""
        here = set(self.table["subject"].unique().tolist())
        known = [name for name in self.system.subjects if name in here]
        return (*known, *sorted(here - set(known)))

    @property
    def regions(self) -> tuple[str, ...]:
        """Where the choices come from: ``behaviour``, or the regions that were read out."""
        return tuple(self.table["region"].unique().tolist())

    def labels(self, column: str) -> tuple[str, ...]:
        """Give the values of a column, sorted."""
        return self._stimuli if column == STIMULUS else self._labels(column)

    @functools.cached_property
    def _stimuli(self) -> tuple[str, ...]:
        return self._labels(STIMULUS)

    def _labels(self, column: str) -> tuple[str, ...]:
        return tuple(sorted(self.table[column].unique().tolist()))

    def parts(self) -> Iterator[tuple[int, int, pd.DataFrame]]:
        """Go through the trials of every subject and region, with their places."""
        for row, subject in enumerate(self.subjects):
            mine = self.table[self.table["subject"] == subject]
            for column, region in enumerate(self.regions):
                yield row, column, mine[mine["region"] == region]

    def places(self, by: str = "stimulus") -> tuple[np.ndarray, ...]:
        """Give the place of every trial in an array (subject, region, `by`)."""
        return self._places if by == STIMULUS else self._places_by(by)

    @functools.cached_property
    def _places(self) -> tuple[np.ndarray, ...]:
        return self._places_by(STIMULUS)

    def _places_by(self, by: str) -> tuple[np.ndarray, ...]:
        axes = (("subject", self.subjects), ("region", self.regions), (by, self.labels(by)))
        return tuple(pd.Index(names).get_indexer(self.table[column]) for column, names in axes)

    def sums(self, values: np.ndarray, *, by: str = "stimulus") -> np.ndarray:
        """Add the values of trials up into (subject, region, `by`), leaving NaN out."""
        total = np.zeros((len(self.subjects), len(self.regions), len(self.labels(by))))
        np.add.at(total, self.places(by), np.nan_to_num(np.asarray(values, dtype=float)))
        return total


def known_stimuli(
    system: System, task: ChoiceTask, stimuli: StimulusSet | None
) -> StimulusSet | None:
    """Give the stimuli of the task: those asked for, else those that were shown."""
    shown = system.stimuli if stimuli is None else stimuli
    return shown.where(*task.where) if shown is not None and task.where else shown


def trials_of(
    behaviour: xr.Dataset, *, system: System, task: ChoiceTask, shown: StimulusSet | None
) -> Trials | NotMeasurable:
    """Check a behaviour table and give its trials, earlier ones first."""
    missing = [name for name in ("choice", STIMULUS_ID) if name not in behaviour]
    if missing:
        return NotMeasurable(f"the trials of the task '{task.name}' state no {missing[0]}")
    columns = {
        str(name): values.values
        for name, values in behaviour.variables.items()
        if values.dims == (TRIAL,) and name not in (*COLUMNS, STIMULUS_ID)
    }
    if "condition" in behaviour:
        columns["condition"] = behaviour["condition"].values
    table = pd.DataFrame(
        {
            "subject": text(behaviour["subject"].values),
            "region": BEHAVIOUR,
            "stimulus": text(behaviour[STIMULUS_ID].values),
            "choice": text(behaviour["choice"].values),
            **columns,
        }
    )
    if "truth" in behaviour:
        table["truth"] = text(behaviour["truth"].values)
    if "correct" in behaviour:
        table["correct"] = np.asarray(behaviour["correct"].values, dtype=float)
    if shown is not None:
        table = table[table["stimulus"].isin(shown.ids)]
    if table.empty:
        return NotMeasurable(f"'{system.name}' ran no trial of the task '{task.name}'")
    table = in_order(_completed(table, task=task, shown=shown))
    return finished(
        table,
        system=system,
        task=task,
        shown=shown,
        choice_by=str(behaviour.attrs.get("choice_by", "recorded")),
        notes=tuple(filter(None, [str(behaviour.attrs.get("note", ""))])),
    )


def finished(
    table: pd.DataFrame,
    *,
    system: System,
    task: ChoiceTask,
    shown: StimulusSet | None,
    choice_by: str,
    notes: Sequence[str] = (),
) -> Trials:
    """Check the options of a complete table and count what is missing."""
    for column in ("choice", "truth"):
        if task.options:
            option_codes(table[column].unique(), options=task.options)
    counts = {
        NO_CHOICE: int((table["choice"] == "").sum()),
        "trials without a truth": int((table["truth"] == "").sum()),
    }
    further = [name for name in table.columns if name not in COLUMNS]
    return Trials(
        table=table.reset_index(drop=True)[[*COLUMNS, *further]],
        system=system,
        task=task,
        choice_by=choice_by,
        shown=shown,
        notes=tuple(notes),
        undefined={name: n for name, n in counts.items() if n},
    )


def answer_of(
    trials: Trials,
    variables: Mapping[str, tuple[tuple[str, ...], np.ndarray]],
    *,
    form: str,
    question: str,
    coords: Mapping[str, Sequence[str]] | None = None,
    parameters: Mapping[str, object] | None = None,
    notes: Sequence[str] = (),
    undefined: Mapping[str, int] | None = None,
) -> Answer:
    """Label variables along subject, region, stimulus and further coords as an answer."""
    axes = {
        "subject": trials.subjects,
        "region": trials.regions,
        STIMULUS: trials.labels("stimulus"),
        **(coords or {}),
    }
    used = {dim for dims, _ in variables.values() for dim in dims}
    labels = {name: np.array(values, dtype=object) for name, values in axes.items() if name in used}
    shown, system = trials.shown, trials.system
    return Answer(
        form=form,
        data=xr.Dataset(dict(variables), coords=labels),
        question=question,
        parameters={"task": trials.task.name, "choice_by": trials.choice_by, **(parameters or {})},
        system=system.name,
        kind=system.kind,
        stimulus_set=shown.name if shown is not None else "",
        notes=(*trials.notes, *notes),
        undefined={**trials.undefined, **(undefined or {})},
    )


def _completed(table: pd.DataFrame, *, task: ChoiceTask, shown: StimulusSet | None) -> pd.DataFrame:
    """Fill in truth, correctness and condition, where the table leaves them out."""
    table = table.copy()
    for column, source in (("truth", task.truth), ("condition", "condition")):
        if column not in table:
            known = shown is not None and source in shown.table.columns
            table[column] = text(shown.column(source, table["stimulus"])) if known else ""
    if "correct" not in table:
        # Without a choice or a truth it is unknown whether the observer would have been right.
        right = (table["choice"] == table["truth"]).astype(float)
        table["correct"] = right.where((table["choice"] != "") & (table["truth"] != ""))
    return table


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sort trials by session, run, repeat and onset, as far as the table has these columns."""
    keys = {}
    for name in (name for name in ORDER if name in table):
        numbers = pd.to_numeric(table[name], errors="coerce")
        keys[name] = table[name].astype(str) if numbers.isna().any() else numbers
    if not keys:
        return table
    return table.iloc[
        pd.DataFrame(keys).reset_index(drop=True).sort_values(list(keys), kind="stable").index
    ]
