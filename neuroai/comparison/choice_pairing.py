"""Answers about choices made ready for a metric."""

from __future__ import annotations

import numpy as np

from neuroai.comparison.paired import Paired
from neuroai.comparison.statistics.choice_evaluators import (
    ConfusionEvaluator,
    MatrixEvaluator,
    TripletEvaluator,
)
from neuroai.comparison.statistics.evaluators import Evaluator
from neuroai.errors import UsageError
from neuroai.format.answers import Answer
from neuroai.format.schema import STIMULUS
from neuroai.numerics.agreement import kappa_bounds
from neuroai.numerics.confusion import option_codes
from neuroai.registry import Entry

KAPPA = "error-consistency"
VARIABLES = {"choices": "correct", "table": "per_stimulus"}


def paired_choices(brain: Answer, model: Answer, *, region: str, entry: Entry) -> Paired:
    """Pair the choices of one brain region with those of every candidate region.

    Raises
    ------
    UsageError
        A table holds nothing stimulus by stimulus.
    """
    triplets = "code" in brain.data and "code" in model.data
    variable = "code" if triplets else VARIABLES.get(entry.card.compares, "correct")
    if variable not in brain.data or variable not in model.data:
        raise UsageError(
            f"The answer to '{brain.question}' holds nothing stimulus by stimulus that "
            f"'{entry.card.name}' could compare."
        )
    subjects, mine = _rows(brain, region, variable)
    columns, theirs, undefined = [], [], []
    for name in model.regions:
        seeds, rows = _rows(model, name, variable)
        if not len(rows):
            undefined.append((name, f"no choice of '{model.system}' is defined"))
        columns += [(name, seed) for seed in seeds]
        theirs += list(rows)
    if not subjects:
        reason = f"no choice of '{brain.system}' is defined"
        undefined, columns, theirs = [(name, reason) for name in model.regions], [], []
    b = np.array(theirs) if theirs else np.empty((0, mine.shape[1]))
    missing = int(np.isnan(mine).sum() + np.isnan(b).sum())
    return Paired(
        brain_region=region,
        subjects=subjects,
        regions=tuple(name for name, _ in columns),
        seeds=tuple(seed for _, seed in columns),
        evaluator=_evaluator(brain, model, region, mine, b, entry=entry, triplets=triplets),
        n_undefined=missing,
        undefined=tuple(undefined),
        notes=(
            *((f"{missing} answers missing",) if missing else ()),
            *(kappa_range(mine, b) if entry.card.name == KAPPA else ()),
        ),
        null=entry.card.chance is not None and not triplets,
        chance=entry.card.chance if entry.card.chance is not None else 0.0,
        bounds=(entry.card.worst, entry.card.perfect) if entry.card.symmetric else (-1.0, 1.0),
        side="greater" if entry.card.symmetric else "two-sided",
    )


def kappa_range(a: np.ndarray, b: np.ndarray) -> tuple[str, ...]:
    """Say between which values of kappa the accuracies of the pairs leave room, on average.

    Examples
    --------
    >>> kappa_range(np.array([[1.0, 1, 0, 0]]), np.array([[1.0, 1, 1, 0]]))
    ('accuracies of 0.50 and 0.75 allow kappa from -0.50 to 0.50',)
    """
    if not a.size or not b.size:
        return ()
    p_a, p_b = (np.nanmean(v, axis=1) for v in (a, b))
    low, high = kappa_bounds(p_a[:, None], p_b[None])
    defined = np.isfinite(low)
    if not defined.any():
        return ()
    return (
        f"accuracies of {p_a.mean():.2f} and {p_b.mean():.2f} allow kappa from "
        f"{low[defined].mean():.2f} to {high[defined].mean():.2f}",
    )


def _rows(answer: Answer, region: str, variable: str) -> tuple[tuple[str, ...], np.ndarray]:
    values = answer.data[variable].sel(region=region).transpose("subject", STIMULUS)
    rows = values.values.astype(float)
    defined = ~np.isnan(rows).all(axis=1)
    names = [str(name) for name in values["subject"].values]
    return tuple(n for n, ok in zip(names, defined, strict=True) if ok), rows[defined]


def _evaluator(
    brain: Answer,
    model: Answer,
    region: str,
    a: np.ndarray,
    b: np.ndarray,
    *,
    entry: Entry,
    triplets: bool,
) -> Evaluator:
    if triplets:
        names = brain.data["members"].transpose(STIMULUS, ...).values.astype(str)
        ids, members = np.unique(names, return_inverse=True)
        return TripletEvaluator(
            a=a,
            b=b,
            members=members.reshape(names.shape),
            n_stimuli=len(ids),
            metric=entry.function,
        )
    if entry.card.compares == "confusion":
        return _confusions(brain, model, region)
    return MatrixEvaluator(a=a, b=b, metric=entry.function, symmetric=entry.card.symmetric)


def _confusions(brain: Answer, model: Answer, region: str) -> ConfusionEvaluator:
    truth = brain.data["truth"].values.astype(str)
    chosen = {
        str(v) for side in (brain, model) for v in np.unique(side.data["choice"].values.astype(str))
    }
    options = sorted((set(truth) | chosen) - {""})
    codes = option_codes(list(truth), options=options)
    mine = _counts(brain, region, options)
    theirs = np.concatenate([_counts(model, name, options) for name in model.regions])
    return ConfusionEvaluator(a=mine, b=theirs, truth=codes)


def _counts(answer: Answer, region: str, options: list[str]) -> np.ndarray:
    """Give one-hot choices (n_subjects, n_stimuli, n_options) of the subjects who chose at all."""
    chosen = answer.data["choice"].sel(region=region).transpose("subject", STIMULUS).values
    correct = answer.data["correct"].sel(region=region).transpose("subject", STIMULUS).values
    chosen = chosen[~np.isnan(correct.astype(float)).all(axis=1)].astype(str)
    codes = np.array(
        [option_codes(list(row), options=options) for row in chosen], dtype=int
    ).reshape(chosen.shape)
    return (codes[:, :, None] == np.arange(len(options))).astype(float)
