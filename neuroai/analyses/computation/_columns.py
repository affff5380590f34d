"""Numbers and signs of trials: levels, evidence, and subjects put together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from neuroai.analyses.computation._trials import Trials
from neuroai.checks import listing
from neuroai.format.answers import NotMeasurable

GROUP = "group"


def numbers_of(trials: Trials, name: str) -> np.ndarray | NotMeasurable:
    """Give a number of every trial: a column of the trials, else of the table of stimuli.

    NaN where it is not stated; NotMeasurable where no trial states one.
    """
    if name in trials.table:
        values = trials.table[name]
    elif trials.shown is not None and name in trials.shown.table.columns:
        values = pd.Series(trials.shown.column(name, trials.table["stimulus"]))
    else:
        return NotMeasurable(
            f"neither the trials of the task '{trials.task.name}' nor its stimuli state a {name}"
        )
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    if np.isnan(numbers).all():
        return NotMeasurable(
            f"no trial of the task '{trials.task.name}' has a number as its {name}"
        )
    return numbers


def pooled(trials: Trials) -> Trials:
    """Take all subjects for one, called ``group``; their order among themselves is kept."""
    table = trials.table.assign(owner=trials.table["subject"], subject=GROUP)
    n = len(trials.subjects)
    return dataclasses.replace(
        trials, table=table, notes=(*trials.notes, f"the trials of {n} subjects are pooled")
    )


def two_options(trials: Trials) -> tuple[str, str] | NotMeasurable:
    """Give the two options of a task, the second of which is choice 1."""
    if len(trials.task.options) != 2:
        return NotMeasurable(
            f"the task '{trials.task.name}' has {len(trials.task.options)} options "
            f"({listing(trials.task.options)}); a binary choice is needed"
        )
    return trials.task.options[0], trials.task.options[1]


def signed_evidence(trials: Trials, level: str | None) -> np.ndarray | NotMeasurable:
    """Give the strength of the stimulus towards the second option, trial by trial.

    The sign is that of the truth; without a `level` every stimulus has strength 1. Levels that are
    negative on some trials are taken to be signed already.
    """
    options = two_options(trials)
    if isinstance(options, NotMeasurable):
        return options
    truth = trials.table["truth"].to_numpy(dtype=object)
    sign = np.where(truth == options[1], 1.0, np.where(truth == options[0], -1.0, np.nan))
    if level is None:
        return sign
    numbers = numbers_of(trials, level)
    if isinstance(numbers, NotMeasurable):
        return numbers
    return numbers if np.nanmin(numbers) < 0 else sign * numbers


def sequences(trials: Trials) -> np.ndarray:
    """Number what runs without a break: the session of a subject, and the run within it."""
    names = [
        name for name in ("owner", "subject", "region", "session", "run") if name in trials.table
    ]
    return trials.table.groupby(names, sort=False, dropna=False).ngroup().to_numpy()


def has_order(trials: Trials) -> bool:
    """Say whether trials came one after another: a network's answers to single stimuli do not."""
    return trials.system.kind == "brain" or trials.choice_by == "recorded"
