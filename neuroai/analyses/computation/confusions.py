"""Confusions: which option is mistaken for which?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import PER_STIMULUS, Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.confusion import empty_rows, option_codes, pooled_confusions
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="confusions",
    level="computation",
    question="Which option does the system mistake for which?",
    form="confusion",
    defined_on="recorded choices, networks with outputs for the options, and activity read out",
    citation="Rajalingham, Schmidt & DiCarlo 2015, doi:10.1523/JNEUROSCI.5181-14.2015",
)


def confusions(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    """Count how often each subject chose each option for each true one, over all trials.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`.

    Returns
    -------
    Answer or NotMeasurable
        Form ``confusion``: ``confusion(subject, region, truth, choice)`` in trials, options in
        the order of the task. ``choice_counts(subject, region, stimulus, choice)`` and
        ``truth_code(stimulus)`` (place of the truth in the options, -1 for none) are what it adds
        up. Trials without a choice are counted as undefined.

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
    >>> confusions(human, task=task).data.confusion.values.tolist()
    [[[[1.0, 1.0], [0.0, 0.0]]]]
    """
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    counts, truth = _counts(trials), _truth(trials)
    pooled = np.stack([pooled_confusions(part, truth) for part in counts.swapaxes(0, 1)], axis=1)
    return answer_of(
        trials,
        {
            "confusion": (("subject", "region", "truth", "choice"), pooled),
            "choice_counts": ((*PER_STIMULUS, "choice"), counts),
            "truth_code": ((STIMULUS,), truth),
        },
        form=CARD.form,
        question=CARD.name,
        coords={"truth": task.options, "choice": task.options},
        undefined={"options without a trial": int(empty_rows(pooled).sum())},
    )


def _counts(trials: Trials) -> np.ndarray:
    codes = option_codes(trials.table["choice"], options=trials.task.options)
    return np.stack(
        [trials.sums(codes == place) for place in range(len(trials.task.options))], axis=-1
    )


def _truth(trials: Trials) -> np.ndarray:
    truth = trials.table.drop_duplicates("stimulus").set_index("stimulus")["truth"]
    return option_codes(truth.loc[list(trials.labels("stimulus"))], options=trials.task.options)
