"""Transitions: which behaviour follows which?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._columns import has_order
from neuroai.analyses.computation._trials import BEHAVIOUR, answer_of, known_stimuli, trials_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.transitions import transition_counts
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="transitions",
    level="computation",
    question="Which behaviour follows which, and how predictably?",
    form="table",
    defined_on="labelled behaviour in order: motifs of an animal, or of an agent's rollouts",
    citation="Datta et al. 2019, doi:10.1016/j.neuron.2019.09.038",
)


def transitions(
    system: System, *, task: ChoiceTask, stimuli: StimulusSet | None = None
) -> Answer | NotMeasurable:
    r"""Count which label follows which, session by session.

    The behaviour is labelled already: the column ``choice`` of the table holds the label of every
    event (motif, state, category), in order; a missing label breaks the sequence. How predictable
    the next label is from the last is the mutual information

    .. math:: I = \sum_{ij} p_{ij} \log_2 \frac{p_{ij}}{p_{i\cdot}\, p_{\cdot j}}

    Parameters
    ----------
    system : System
        A recorded animal or agent. A network that answers single stimuli has no sequence.
    task : ChoiceTask
        Its options are the labels.
    stimuli : StimulusSet, optional
        Which stimuli (recordings, mazes, texts) to keep.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)``, I in bits (at least 0; biased upwards in short
        sequences); ``n`` transitions; ``transition(subject, region, before, after)`` counts; and
        ``transition_of_sequence(sequence, before, after)`` with the coordinate
        ``subject_of_sequence``: sessions, which are what can be permuted between systems.

    Raises
    ------
    UnknownName
        A label is not among the options.

    References
    ----------
    Datta et al. 2019, doi:10.1016/j.neuron.2019.09.038; Merel et al. 2020, arXiv:1911.09451

    Examples
    --------
    Two labels that alternate: the next one is known, which is one bit.

    >>> from neuroai.testing import chooser
    >>> mouse = chooser({"choice": ["rear", "run"] * 4 + ["rear"]})
    >>> task = ChoiceTask(name="task", options=("rear", "run"), truth="none")
    >>> transitions(mouse, task=task).data.value.values
    array([[1.]])
    """
    shown = known_stimuli(system, task, stimuli)
    behaviour = system.choices(task, shown)
    if isinstance(behaviour, NotMeasurable):
        return behaviour
    trials = trials_of(behaviour, system=system, task=task, shown=shown)
    if isinstance(trials, NotMeasurable):
        return trials
    if not has_order(trials):
        return NotMeasurable(
            f"'{system.name}' answers stimuli one by one: nothing follows anything"
        )
    if len(task.options) < 2:
        return NotMeasurable(f"the task '{task.name}' names no labels that could follow each other")
    counts, names, owners = [], [], []
    parts = [name for name in ("session", "run") if name in trials.table]
    for subject in trials.subjects:
        mine = trials.table[trials.table["subject"] == subject]
        keys = mine[parts].astype(str).agg("/".join, axis=1) if parts else mine["subject"] * 0
        labels = ["/".join((subject, key)).rstrip("/") for key in keys]
        found = transition_counts(list(mine["choice"]), labels, options=task.options)
        counts.append(found)
        names += list(dict.fromkeys(labels))
        owners += [subject] * len(found)
    per_subject = np.stack([part.sum(axis=0) for part in counts])[:, None]
    value = np.array([[_information(part[0])] for part in per_subject])
    dims = ("subject", "region")
    answer = answer_of(
        trials,
        {
            "value": (dims, value),
            "n": (dims, per_subject.sum(axis=(2, 3)).astype(np.int64)),
            "transition": ((*dims, "before", "after"), per_subject),
            "transition_of_sequence": (("sequence", "before", "after"), np.concatenate(counts)),
            "subject_of_sequence": (("sequence",), np.array(owners, dtype=object)),
        },
        form=CARD.form,
        question=CARD.name,
        coords={"before": task.options, "after": task.options, "sequence": names},
        undefined={"subjects without a transition": int(np.isnan(value).sum())},
    )
    assert answer.regions == (BEHAVIOUR,)
    return answer


def _information(counts: np.ndarray) -> float:
    """Mutual information of the last and the next label in bits; NaN without a transition."""
    if not counts.sum():
        return float("nan")
    p = counts / counts.sum()
    apart = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    return max(
        float((p * np.log2(np.where(p > 0, p / np.where(apart > 0, apart, 1), 1))).sum()), 0.0
    )
