"""Choices: what was chosen on each stimulus, and was it right?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import PER_STIMULUS, Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.schema import STIMULUS
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

CARD = AnalysisCard(
    name="choices",
    level="computation",
    question="What does the system choose on each stimulus, and is it right?",
    form="choices",
    defined_on="recorded choices, networks with outputs for the options, and activity read out",
    citation="Geirhos, Meding & Wichmann 2020, arXiv:2006.16736",
)


def choices(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
) -> Answer | NotMeasurable:
    """Give one choice of every subject on every stimulus of a task.

    Where a subject met a stimulus several times, the first trial is kept: one draw of that
    subject's answers, as from an observer who met it once. Neither a majority (which is more
    consistent than any trial) nor only the stimuli of unanimous answers (which are the easy
    ones) would have the chance level that error consistency assumes. The order is that of the
    columns ``session, run, repeat, trial_index, onset`` where the table has them, else its own;
    how many stimuli were repeated is noted, and ``accuracy`` uses every trial.

    Whether a trial is right is what the table says in ``correct``; without that column, choice
    and truth are compared, and a trial without a choice is missing.

    Parameters
    ----------
    system : System
        A brain or a model.
    task : ChoiceTask
        The options, and where the right one stands.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep; all that were shown by default.
    readout_region : str, optional
        Region (layer) whose activity chooses, by shrunk linear discriminants cross-validated over
        stimuli. By default it is used only where the system has no choices of its own and the
        task allows a readout; it is the last region then.
    undefined : {"raise", "drop"}
        What a readout does with units that hold NaN.

    Returns
    -------
    Answer or NotMeasurable
        Form ``choices``. Per (subject, region, stimulus): ``choice`` (``''`` where missing),
        ``correct`` (1, 0, NaN where missing), ``accuracy`` (share of all trials that are right,
        in [0, 1]), ``n_trials``; ``truth(stimulus)``. The region is ``behaviour``, or the one that
        was read out; the parameter ``choice_by`` is recorded, outputs or readout.

    Raises
    ------
    UnknownName
        A choice is not among the options.
    DataError
        Units of the readout hold NaN and `undefined` is ``raise``.

    References
    ----------
    Geirhos, Meding & Wichmann 2020, doi:10.48550/arXiv.2006.16736

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
    >>> choices(human, task=task).data.correct.values.tolist()
    [[[1.0, 0.0]]]
    """
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    correct = trials.table["correct"].to_numpy()
    answered = (~np.isnan(correct) | (trials.table["choice"] != "")).to_numpy()
    n_trials = trials.sums(answered)
    n_known, n_right = trials.sums(~np.isnan(correct)), trials.sums(correct)
    first_choice, first_correct = _first(trials, answered)
    repeated = int((n_trials > 1).sum())
    note = f"{repeated} stimuli were met more than once by a subject: the first trial is kept"
    return answer_of(
        trials,
        {
            "choice": (PER_STIMULUS, first_choice),
            "correct": (PER_STIMULUS, first_correct),
            "accuracy": (PER_STIMULUS, np.where(n_known, n_right / np.maximum(n_known, 1), np.nan)),
            "n_trials": (PER_STIMULUS, n_trials.astype(np.int64)),
            "truth": ((STIMULUS,), _truth(trials)),
        },
        form=CARD.form,
        question=CARD.name,
        notes=[note] if repeated else [],
    )


def _first(trials: Trials, answered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choice and correctness of the first answered trial of each subject, region and stimulus."""
    shape = (len(trials.subjects), len(trials.regions), len(trials.labels("stimulus")))
    choice, correct = np.full(shape, "", dtype=object), np.full(shape, np.nan)
    # Later rows are written first, so that the first trial stays.
    backwards = np.flatnonzero(answered)[::-1]
    places = tuple(place[backwards] for place in trials.places())
    choice[places] = trials.table["choice"].to_numpy(dtype=object)[backwards]
    correct[places] = trials.table["correct"].to_numpy()[backwards]
    return choice, correct


def _truth(trials: Trials) -> np.ndarray:
    truth = trials.table.drop_duplicates("stimulus").set_index("stimulus")["truth"]
    return truth.loc[list(trials.labels("stimulus"))].to_numpy(dtype=object)
