"""Learning curves: how fast does performance rise, to where, and what is learnt first?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from neuroai.analyses.computation._columns import numbers_of
from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.learning import MIN_STAGES, fit_learning
from neuroai.systems.base import System

STAGE = "stage"

CARD = AnalysisCard(
    name="learning_curve",
    level="computation",
    question="How fast does the system learn, up to where, and what does it learn first?",
    form="table",
    defined_on="trials of several sessions, and networks at several points of their training",
    citation="Heathcote, Brown & Mewhort 2000, doi:10.3758/BF03212979",
)


def learning_curve(
    system: System,
    *,
    task: ChoiceTask,
    by: str = "session",
    checkpoints: Mapping[float, System] | None = None,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Fit an exponential learning curve to every subject, and the order of conditions.

    .. math:: p(t) = p_\infty - (p_\infty - p_0)\, e^{-r (t - t_0)}

    Sessions and training steps are not commensurable: compare shapes (asymptote, gain) and the
    order in which conditions are learnt, never rates across systems.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`.
    by : str
        Column of numbers that says when a trial was run: ``session``, ``trial_index`` ...
    checkpoints : mapping of float to System, optional
        The same network at earlier points of its training, by step; the system itself is the last
        one only if it is among them. Without them a network's choices are of one moment.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)``, the asymptote in [0, 1]; ``start``; ``rate`` per
        unit of the stage; ``gain``, twice the log likelihood over no learning; ``n`` trials;
        ``value_by_stage`` and ``n_by_stage(subject, region, stage)``; and
        ``half_time_by_condition``, the first stage at which a condition has covered half of its
        way from its first to its best share (NaN, and counted, where it never rose).

    Raises
    ------
    UsageError
        Fewer checkpoints than a curve needs.

    References
    ----------
    Heathcote, Brown & Mewhort 2000, doi:10.3758/BF03212979

    Examples
    --------
    >>> from neuroai.testing import chooser
    >>> right = [5, 8, 9, 9]  # of ten in each of four sessions
    >>> runs = [("a" if i < n else "b", str(s)) for s, n in enumerate(right) for i in range(10)]
    >>> choice, session = zip(*runs)
    >>> person = chooser({"choice": choice, "truth": ["a"] * 40, "session": session})
    >>> task = ChoiceTask(name="task", options=("a", "b"), truth="truth")
    >>> found = learning_curve(person, task=task).data
    >>> found.value_by_stage.values[0, 0], found.value.values.round(1)
    (array([0.5, 0.8, 0.9, 0.9]), array([[0.9]]))
    """
    ask = {
        "task": task, "stimuli": stimuli, "readout_region": readout_region, "undefined": undefined,
    }  # fmt: skip
    if checkpoints is not None:
        trials = _at_checkpoints(checkpoints, ask)
    else:
        trials = gather(system, **ask)
    if isinstance(trials, NotMeasurable):
        return trials
    if checkpoints is None and system.kind == "model" and trials.choice_by != "recorded":
        return NotMeasurable(
            f"the choices of '{system.name}' are of one moment; give checkpoints={{step: network}}"
        )
    stage = numbers_of(trials, STAGE if checkpoints is not None else by)
    if isinstance(stage, NotMeasurable):
        return stage
    return _answer(replace(trials, system=system), stage, by="step" if checkpoints else by)


def _at_checkpoints(
    checkpoints: Mapping[float, System], ask: Mapping[str, object]
) -> Trials | NotMeasurable:
    """Put the trials of every checkpoint below each other, with their step."""
    if len(checkpoints) < MIN_STAGES:
        raise UsageError(
            f"A learning curve needs {MIN_STAGES} checkpoints or more; got {len(checkpoints)}."
        )
    tables, last = [], None
    for step in sorted(checkpoints):
        last = gather(checkpoints[step], **ask)
        if isinstance(last, NotMeasurable):
            return last
        tables.append(last.table.assign(**{STAGE: float(step)}))
    return replace(last, table=pd.concat(tables, ignore_index=True))


def _answer(trials: Trials, stage: np.ndarray, *, by: str) -> Answer | NotMeasurable:
    correct = trials.table["correct"].to_numpy(dtype=float)
    known = ~np.isnan(stage) & ~np.isnan(correct)
    grid = np.unique(stage[known])
    if len(grid) < MIN_STAGES:
        return NotMeasurable(
            f"the trials of '{trials.system.name}' are of {len(grid)} stages; a learning curve "
            f"needs {MIN_STAGES} or more"
        )
    right, total = _counts(trials, stage, correct, known, grid)
    shape = right.shape[:2]
    found = {k: np.full(shape, np.nan) for k in ("value", "start", "rate", "gain")}
    for place in np.ndindex(shape):
        met = total[place] > 0
        if met.sum() >= MIN_STAGES:
            fit = fit_learning(grid[met], right[place][met], total[place][met])
            for name, values in found.items():
                values[place] = fit.asymptote if name == "value" else getattr(fit, name)
    dims = ("subject", "region")
    share = np.where(total > 0, right / np.maximum(total, 1), np.nan)
    variables = {
        **{k: (dims, v) for k, v in found.items()},
        "n": (dims, total.sum(axis=2).astype(np.int64)),
        "value_by_stage": ((*dims, "stage"), share),
        "n_by_stage": ((*dims, "stage"), total.astype(np.int64)),
    }
    never = 0
    conditions = trials.labels("condition")
    if any(conditions):
        half = np.stack([
            _half_times(*_counts(
                trials, stage, correct,
                known & (trials.table["condition"] == name).to_numpy(), grid), grid)
            for name in conditions
        ], axis=-1)  # fmt: skip
        variables["half_time_by_condition"] = ((*dims, "condition"), half)
        never = int(np.isnan(half).sum())
    answer = answer_of(
        trials,
        variables,
        form=CARD.form,
        question=CARD.name,
        coords={"stage": grid, "condition": conditions},
        parameters={"by": by},
        undefined={
            "trials without a stage or an outcome": int((~known).sum()),
            "subjects with too few stages": int(np.isnan(found["value"]).sum()),
            "stages that a subject did not run": int((total == 0).sum()),
            **({"conditions that never rose": never} if never else {}),
        },
    )
    return replace(answer, data=answer.data.assign_coords(stage=grid))


def _counts(
    trials: Trials, stage: np.ndarray, correct: np.ndarray, used: np.ndarray, grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Right choices and trials (subject, region, stage)."""
    shape = (len(trials.subjects), len(trials.regions), len(grid))
    right, total = np.zeros(shape), np.zeros(shape)
    subject, region, _ = (place[used] for place in trials.places())
    places = (subject, region, np.searchsorted(grid, stage[used]))
    np.add.at(right, places, correct[used])
    np.add.at(total, places, 1)
    return right, total


def _half_times(right: np.ndarray, total: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """First stage at which half of the way from the first to the best share is covered."""
    share = np.where(total > 0, right / np.maximum(total, 1), np.nan)
    found = np.full(share.shape[:2], np.nan)
    for place in np.ndindex(found.shape):
        met = np.flatnonzero(~np.isnan(share[place]))
        if not len(met):
            continue
        first, best = share[place][met[0]], share[place][met].max()
        if best > first:
            reached = share[place][met] >= (first + best) / 2
            found[place] = grid[met[reached.argmax()]]
    return found
