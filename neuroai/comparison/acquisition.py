"""Two learners: do they acquire the same things in the same order?"""

from __future__ import annotations

import itertools
import math

import numpy as np

from neuroai.comparison.paired import Context
from neuroai.errors import UsageError
from neuroai.format.answers import Answer
from neuroai.format.scores import Score
from neuroai.numerics.learning import order_agreement

METRIC = "order-of-acquisition"
TIMES = "half_time_by_condition"
MOST_EXACT = 5040
_SAME = 1e-12


def compare_acquisition(
    brain: Answer, model: Answer, *, context: Context, n_null: int = 999, seed: int = 0
) -> Score:
    r"""Compare the order in which two systems learn the same conditions, by Kendall's tau-b.

    Sessions, ages and training steps are not commensurable; orders are. Times are medians over the
    subjects (seeds) of each side, and a condition that was never learnt comes last. The null
    relabels the conditions of one side: all orders where there are few, else random ones.

    Parameters
    ----------
    brain, model : Answer
        Answers of ``learning_curve`` with conditions.
    context : Context
        Level, data set and kind of candidate.
    n_null : int
        Random orders, where there are too many to go through.
    seed : int
        Seed of these orders.

    Returns
    -------
    Score
        tau-b in [-1, 1] with a one-sided p; ``undefined`` where fewer than two conditions are
        shared, or a side learnt all at once. Conditions of one side only are counted in the note.

    Raises
    ------
    UsageError
        An answer holds no times by condition.

    References
    ----------
    Kendall 1945, doi:10.1093/biomet/33.3.239; Evanson, Lakretz & King 2023,
    doi:10.18653/v1/2023.findings-acl.773

    Examples
    --------
    >>> from neuroai.testing import toy_brain
    >>> from neuroai.analyses.algorithm.rdm import rdm
    >>> answer = rdm(toy_brain(), distance="squared-euclidean")
    >>> compare_acquisition(answer, answer, context=Context(level="computation", dataset="toy"))
    Traceback (most recent call last):
        ...
    neuroai.errors.UsageError: The answer of 'toy' to 'rdm' says of no condition when it was ...
    """
    for answer in (brain, model):
        if TIMES not in answer.data:
            raise UsageError(
                f"The answer of '{answer.system}' to '{answer.question}' says of no condition when "
                "it was learnt; ask 'learning_curve' of trials with conditions."
            )
    sides = [_times(answer) for answer in (brain, model)]
    shared = sorted(set(sides[0]) & set(sides[1]))
    apart = len(set(sides[0]) ^ set(sides[1]))
    a, b = (np.array([side[name] for name in shared]) for side in sides)
    value = order_agreement(a, b)
    base = {
        "level": context.level,
        "analysis": f"{brain.question}: {context.task}" if context.task else brain.question,
        "metric": METRIC,
        "dataset": context.dataset,
        "stimulus_set": brain.stimulus_set,
        "brain_region": brain.system,
        "model": model.system,
        "model_region": model.regions[0],
        "candidate_kind": context.candidate_kind,
        "n_brain_subjects": len(brain.subjects),
        "n_model_subjects": len(model.subjects),
        "history": {"brain": dict(brain.parameters), "model": dict(model.parameters)},
    }
    said = f"{len(shared)} conditions" + (f", {apart} on one side only" if apart else "")
    if not np.isfinite(value):
        return Score(**base, status="undefined", note=f"no order to compare: {said}")
    null = _null(a, b, n_null, seed)
    reached = int((null >= value - _SAME).sum())
    # Going through all orders counts the actual one among them.
    exact = len(null) == math.factorial(len(shared))
    p = reached / len(null) if exact else (1 + reached) / (1 + len(null))
    return Score(
        **base, value=value, p=p, null="conditions relabelled", n_null=len(null), note=said
    )


def _times(answer: Answer) -> dict[str, float]:
    """Median over subjects of when each condition was learnt; infinite where most never did."""
    times = answer.data[TIMES].isel(region=0).transpose("subject", "condition")
    values = np.where(np.isnan(times.values), np.inf, times.values)
    # The upper of two middle values: a median between a time and never would be neither.
    middle = np.sort(values, axis=0)[len(values) // 2]
    return dict(zip(map(str, times["condition"].values), middle, strict=True))


def _null(a: np.ndarray, b: np.ndarray, n_null: int, seed: int) -> np.ndarray:
    if math.factorial(len(a)) <= MOST_EXACT:
        orders = list(itertools.permutations(range(len(a))))
    else:
        rng = np.random.default_rng(seed)
        orders = [rng.permutation(len(a)) for _ in range(n_null)]
    return np.array([order_agreement(a, b[list(order)]) for order in orders])
