"""Accuracy along something graded, such as contrast: a curve of each side, and its slope."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

from neuroai.analyses.computation.accuracy import accuracy
from neuroai.checks import known_name
from neuroai.experiment.case_numbers import t_numbers
from neuroai.experiment.case_side import Numbers, Reply, Side
from neuroai.format.answers import NotMeasurable
from neuroai.format.cases import Curve

FEWEST_LEVELS = 3


def graded(
    side: Side,
    *,
    task: str,
    by: str,
    label: str = "",
    readout_region: str = "",
    bins: int = 10,
    reverse: bool = False,
) -> Reply:
    """Give accuracy at every level of a column, and the slope of accuracy on it.

    Parameters
    ----------
    side : Side
        A brain, whose behaviour table holds the column; or a network, whose stimuli do.
    task : str
        Task whose accuracy is asked.
    by : str
        Column with the level.
    label : str
        What the level is, in words.
    readout_region : str
        Layer that chooses, for a network without outputs for the options.
    bins : int
        Levels drawn at most; more are joined in bins of equal width.
    reverse : bool
        Take one less the level.

    Returns
    -------
    Reply
        The slope is that of least squares over trials, by subject; over stimuli for one network.
    """
    asked = side.task(task)
    found = _trials(side, asked, by, readout_region)
    if isinstance(found, NotMeasurable):
        return side.unmeasured(found.reason)
    found["level"] = 1 - found["level"] if reverse else found["level"]
    if found["level"].nunique() < FEWEST_LEVELS:
        return side.unmeasured(f"'{by}' has fewer than {FEWEST_LEVELS} levels on '{task}'")
    words = label or by
    cell = side.cell(
        _slope(side, found), measure=f"slope of accuracy on {words}",
        where=readout_region or task, note=_note(found),
    )  # fmt: skip
    curve = _curve(side, found, task=task, label=words, bins=bins, chance=1 / len(asked.options))
    return Reply(cell, curves=(curve,))


def _trials(side: Side, task, by: str, readout_region: str) -> pd.DataFrame | NotMeasurable:
    """Give subject, level and correctness, one row a trial (a stimulus, for a network)."""
    if side.kind == "brain":
        table = side.system.choices(task)
        if isinstance(table, NotMeasurable):
            return table
        known_name(by, [str(name) for name in table], kind=f"column of the trials of '{task.name}'")
        frame = table[["subject", by, "correct"]].to_dataframe().reset_index(drop=True)
        return frame.rename(columns={by: "level"}).dropna()
    stimuli = side.stimuli()
    known_name(by, list(stimuli.table.columns), kind="column of the stimuli")
    answer = accuracy(
        side.system, task=task, stimuli=stimuli, readout_region=readout_region or None
    )
    if isinstance(answer, NotMeasurable):
        return answer
    each = answer.data["per_stimulus"].isel(region=0).transpose("subject", "stimulus")
    levels = stimuli.column(by, list(answer.data["stimulus"].values)).astype(float)
    rows = [
        (subject, level, value)
        for subject, values in zip(answer.subjects, each.values, strict=True)
        for level, value in zip(levels, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["subject", "level", "correct"]).dropna()


def _note(found: pd.DataFrame) -> str:
    return f"accuracy {found['correct'].mean():.3f} over {len(found):,} trials"


def _slope(side: Side, found: pd.DataFrame) -> Numbers:
    slopes, errors = [], []
    for _, rows in found.groupby("subject"):
        if rows["level"].nunique() > 1:
            fit = stats.linregress(rows["level"], rows["correct"])
            slopes.append(float(fit.slope))
            errors.append(float(fit.stderr))
    unit = "subjects" if side.kind == "brain" else "seeds"
    if len(slopes) >= FEWEST_LEVELS:
        return t_numbers(slopes, neutral=0.0, unit=unit)
    if not slopes:
        return Numbers(math.nan)
    n = len(found)
    slope, error = float(np.mean(slopes)), float(np.sqrt(np.sum(np.square(errors)))) / len(slopes)
    wide = float(stats.t.ppf(0.975, n - 2)) * error
    p = float(2 * stats.t.sf(abs(slope) / error, n - 2)) if error > 0 else 1.0
    trial = "trials" if side.kind == "brain" else "stimuli"
    return Numbers(
        slope, slope - wide, slope + wide, 0.0, n, trial, p, f"no slope (t over {trial})"
    )


def _curve(
    side: Side, found: pd.DataFrame, *, task: str, label: str, bins: int, chance: float
) -> Curve:
    """Join levels into bins and give each its share of right choices with a Wilson interval."""
    level = found["level"].to_numpy(dtype=float)
    if len(np.unique(level)) > bins:
        edges = np.linspace(level.min(), level.max(), bins + 1)
        place = np.clip(np.digitize(level, edges) - 1, 0, bins - 1)
    else:
        place = np.unique(level, return_inverse=True)[1]
    rows = []
    for one in np.unique(place):
        mine = place == one
        right = float(found["correct"].to_numpy()[mine].sum())
        n = int(mine.sum())
        test = stats.binomtest(round(right), n)
        interval = test.proportion_ci(method="wilson")
        rows.append((level[mine].mean(), right / n, interval.low, interval.high, n))
    x, y, low, high, n = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return Curve(
        name=f"{side.system.name}: {task}", side=side.name, line=side.system.name, x=x, y=y,
        low=low, high=high, n=n, x_label=label, y_label="share right", neutral=chance,
        note="trials of all subjects together; Wilson intervals",
    )  # fmt: skip
