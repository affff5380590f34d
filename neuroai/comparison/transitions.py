"""Two systems' labelled behaviour: does the same follow the same?"""

from __future__ import annotations

import numpy as np

from neuroai.comparison.paired import Context
from neuroai.errors import AlignmentError, UsageError
from neuroai.format.answers import Answer
from neuroai.format.scores import Score
from neuroai.numerics.transitions import transition_divergence, transition_test

METRIC = "transition-divergence"
COUNTS = "transition_of_sequence"
MIN_SEQUENCES = 2


def compare_transitions(
    brain: Answer, model: Answer, *, context: Context, n_null: int = 999, seed: int = 0
) -> Score:
    r"""Compare transition matrices: 0 where the same labels follow each other alike, 1 never.

    .. math:: D = \sum_i u_i\, \mathrm{JS}_2(P^a_{i \cdot}, P^b_{i \cdot})

    The null permutes whole sequences (sessions) between the systems; p is small where they differ
    by more than their sessions do. The median of the null is what two samples of one law would
    give, and stands in the note: a divergence is never 0 in finite data.

    Parameters
    ----------
    brain, model : Answer
        Answers of ``transitions`` with the same labels.
    context : Context
        Level, data set and kind of candidate.
    n_null : int
        Permutations.
    seed : int
        Seed of the permutations.

    Returns
    -------
    Score
        Value in [0, 1] bits; with fewer than two sequences on a side there is no p.

    Raises
    ------
    UsageError
        An answer holds no transitions.
    AlignmentError
        The labels differ.

    References
    ----------
    Lin 1991, doi:10.1109/18.61115

    Examples
    --------
    >>> from neuroai.analyses.computation.transitions import transitions
    >>> from neuroai.cards import ChoiceTask
    >>> from neuroai.testing import chooser
    >>> task = ChoiceTask(name="task", options=("rear", "run"), truth="none")
    >>> mouse = transitions(chooser({"choice": ["rear", "run"] * 4}), task=task)
    >>> agent = transitions(chooser({"choice": ["rear", "rear", "run", "run"] * 4}), task=task)
    >>> context = Context(level="computation", dataset="toy")
    >>> round(compare_transitions(mouse, agent, context=context).value, 2)
    0.34
    """
    for answer in (brain, model):
        if COUNTS not in answer.data:
            raise UsageError(
                f"The answer of '{answer.system}' to '{answer.question}' holds no transitions."
            )
    labels = [tuple(map(str, answer.data["before"].values)) for answer in (brain, model)]
    if set(labels[0]) != set(labels[1]):
        raise AlignmentError(
            f"The labels differ: {', '.join(sorted(set(labels[0]) ^ set(labels[1])))} on one side "
            "only. Label both systems with the same behaviours."
        )
    a, b = (
        answer.data[COUNTS].sel(before=list(labels[0]), after=list(labels[0])).values
        for answer in (brain, model)
    )
    value, p, null, note = transition_divergence(a.sum(axis=0), b.sum(axis=0)), np.nan, [], ""
    if min(len(a), len(b)) >= MIN_SEQUENCES and n_null:
        value, p, null = transition_test(a, b, n_permutations=n_null, seed=seed)
        note = f"sequences of one law would give {np.nanmedian(null):.4f}"
    defined = np.isfinite(value)
    return Score(
        level=context.level,
        analysis=f"{brain.question}: {context.task}" if context.task else brain.question,
        metric=METRIC,
        dataset=context.dataset,
        stimulus_set=brain.stimulus_set,
        brain_region=brain.system,
        model=model.system,
        model_region=model.regions[0],
        candidate_kind=context.candidate_kind,
        value=float(value),
        p=float(p),
        null="sequences permuted between systems" if len(null) else "",
        n_null=len(null),
        n_brain_subjects=len(brain.subjects),
        n_model_subjects=len(model.subjects),
        status="ok" if defined else "undefined",
        note=note if defined else "no label was followed by another on both sides",
        history={"brain": dict(brain.parameters), "model": dict(model.parameters)},
    )
