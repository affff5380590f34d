"""Accuracy: how often is the system right?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import PER_STIMULUS, Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="accuracy",
    level="computation",
    question="How often is the system right?",
    form="table",
    defined_on="recorded choices, networks with outputs for the options, and activity read out",
    citation="Geirhos et al. 2021, arXiv:2106.07411",
)


def accuracy(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    r"""Give the share of right choices of every subject, over all and by condition.

    .. math:: \frac{1}{S} \sum_{s} \frac{n_{right}(s)}{n(s)}

    Every stimulus counts once, however often it was shown.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)`` in [0, 1], NaN without a trial that could be
        right or wrong; ``n(subject, region)`` trials; ``per_stimulus(subject, region, stimulus)``
        in [0, 1]; and, where trials have conditions, ``value_by_condition`` and
        ``n_by_condition(subject, region, condition)``.

    Raises
    ------
    UnknownName
        A choice is not among the options.

    Examples
    --------
    >>> from neuroai.format.build import behaviour
    >>> from neuroai.format.holdings import SystemData
    >>> from neuroai.systems.brain import Recorded
    >>> from neuroai.testing import toy_stimuli
    >>> trials = behaviour(
    ...     {"subject": ["p", "p"], "stimulus_id": ["a", "b"], "choice": ["cat", "dog"],
    ...      "truth": ["cat", "cat"]},
    ...     system="human", kind="brain", stimulus_set="toy", task="naming")
    >>> human = Recorded(data=SystemData("human", "brain", "Homo sapiens", behaviour=(trials,)),
    ...                  stimuli=toy_stimuli())
    >>> task = ChoiceTask(name="naming", options=("cat", "dog"), truth="category")
    >>> accuracy(human, task=task).data.value.values.tolist()
    [[0.5]]
    """
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    correct = trials.table["correct"].to_numpy()
    known = ~np.isnan(correct)
    shares = _shares(trials, known)
    value = _mean_share(shares)
    return answer_of(
        trials,
        {
            "value": (PER_STIMULUS[:2], value),
            "n": (PER_STIMULUS[:2], trials.sums(known).sum(axis=2).astype(np.int64)),
            "per_stimulus": (PER_STIMULUS, shares),
            **_by_condition(trials, known),
        },
        form=CARD.form,
        question=CARD.name,
        coords={"condition": trials.labels("condition")},
        undefined={"subjects without a trial": int(np.isnan(value).sum())},
    )


def _by_condition(
    trials: Trials, known: np.ndarray
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    conditions = trials.labels("condition")
    if not any(conditions):
        return {}
    of_trial = trials.table["condition"].to_numpy()
    means = [_mean_share(_shares(trials, known & (of_trial == name))) for name in conditions]
    dims = (*PER_STIMULUS[:2], "condition")
    return {
        "value_by_condition": (dims, np.stack(means, axis=-1)),
        "n_by_condition": (dims, trials.sums(known, by="condition").astype(np.int64)),
    }


def _shares(trials: Trials, counted: np.ndarray) -> np.ndarray:
    """Share of the counted trials of each stimulus that are right; NaN without one."""
    n = trials.sums(counted)
    right = trials.sums(np.where(counted, trials.table["correct"], 0))
    return np.where(n > 0, right / np.maximum(n, 1), np.nan)


def _mean_share(shares: np.ndarray) -> np.ndarray:
    """Mean over stimuli of what is defined; NaN where nothing is."""
    n = (~np.isnan(shares)).sum(axis=-1)
    return np.where(n > 0, np.nan_to_num(shares).sum(axis=-1) / np.maximum(n, 1), np.nan)
