"""Oddity: which of several stimuli is of another kind?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neuroai.analyses.computation._oddity_trials import (
    OddityTrials,
    drawn_trials,
    trial_names,
    trials_of_table,
)
from neuroai.analyses.computation._published_oddity import published_oddity
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.format.align import stimulus_means
from neuroai.format.answers import Answer, NotMeasurable, part_of
from neuroai.format.audit import usable_units
from neuroai.format.schema import OPTION_STIMULUS_ID, STIMULUS
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.distances import correlation_distance
from neuroai.numerics.odd_one_out import least_alike
from neuroai.systems.base import System
from neuroai.systems.brain import Recorded

BY = ("trial", "experiment")

CARD = AnalysisCard(
    name="oddity",
    level="computation",
    question="Which of several stimuli is of another kind?",
    form="table",
    defined_on="published accuracies, recorded choices by option, and activity of one region",
    citation="Bonnen, Yamins & Wagner 2021, doi:10.1016/j.neuron.2021.06.018",
)


@dataclass(frozen=True)
class _Found:
    """Accuracies of one subject and region by trial."""

    subject: str
    region: str
    accuracy: np.ndarray
    n: int


def oddity(
    system: System,
    *,
    trials: xr.Dataset | None = None,
    label: str = "category",
    stimuli: StimulusSet | None = None,
    region: str | None = None,
    undefined: str = "raise",
    by: str = "trial",
    n_options: int = 4,
    limit: int = 500,
    seed: int = 0,
) -> Answer | NotMeasurable:
    """Give how often the odd stimulus is found, trial by trial.

    Published accuracies come first, then recorded choices among the stimuli of a trial. A system
    that did not choose (a network, or a recorded brain whose `region` is named) finds the odd one
    by the activity of a region: the stimulus whose mean pattern correlates least with the others.
    Those trials are the ones given in `trials`; without them they are drawn from the stimuli, and
    are then nobody else's trials unless the same stimuli, label, limit and seed are asked for.

    Parameters
    ----------
    system : System
        A brain or a model.
    trials : xarray.Dataset, optional
        Behaviour table with ``option_stimulus_id(trial, option)`` and the id of the odd one as
        ``truth``; whose choices it holds does not matter.
    label : str
        Column of the stimuli that says of what kind they are, for drawing trials.
    stimuli : StimulusSet, optional
        What to show a model, or which stimuli of a brain to keep.
    region : str, optional
        Region (layer) whose activity chooses; the last one of a model by default.
    undefined : {"raise", "drop"}
        What to do with units that hold NaN.
    by : {"trial", "experiment"}
        Published accuracies by trial, or by experiment with every person (patient, control) as a
        subject and its lesion as the coordinate ``intervention``.
    n_options : int
        Stimuli of a trial that is drawn, at least 3.
    limit : int
        Trials that are drawn.
    seed : int
        Seed of the draw.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)``, mean accuracy in [0, 1]; ``n`` trials;
        ``per_stimulus(subject, region, stimulus)``, where a stimulus is a trial, or
        ``value_by_experiment``. The parameter ``choice_by`` is published, recorded or activity;
        ``chance`` is 1 / n_options where it is known. Ties are no choice and are counted.

    Raises
    ------
    UsageError
        Fewer than three options.

    References
    ----------
    Bonnen, Yamins & Wagner 2021, doi:10.1016/j.neuron.2021.06.018; Barense et al. 2007,
    doi:10.1016/j.neuropsychologia.2007.05.008

    Examples
    --------
    A person who finds the odd one in one of two trials.

    >>> from neuroai.testing import chooser
    >>> person = chooser({"option_stimulus_id": [["a", "b", "c"], ["a", "c", "d"]],
    ...                   "truth": ["c", "d"], "choice": ["c", "a"]})
    >>> oddity(person).data.value.values
    array([[0.5]])
    """
    one_of(by, BY, option="by")
    if n_options < 3 or limit < 1:
        raise UsageError(
            f"n_options must be at least 3 and limit at least 1; got {n_options} and {limit}."
        )
    if region is None and isinstance(system, Recorded):
        published = published_oddity(system, by=by, stimuli=stimuli)
        if published is not None:
            return published
        if by == "experiment":
            return NotMeasurable(f"no accuracy of '{system.name}' by experiment was published")
        own = _recorded(system, trials)
        if own is not None:
            return own
    if by == "experiment":
        return NotMeasurable(f"'{system.name}' took part in no published experiment on oddity")
    shown = system.stimuli if stimuli is None else stimuli
    if trials is None and shown is None:
        return NotMeasurable("oddity needs trials, or stimuli to draw them from")
    drawn = trials is None
    made = (
        drawn_trials(shown, label=label, n_options=n_options, limit=limit, seed=seed)
        if drawn
        else trials_of_table(trials)
    )
    if isinstance(made, NotMeasurable):
        return made
    parameters = {"label": label, "limit": limit, "seed": seed} if drawn else {}
    return _by_activity(system, made, shown, region, undefined, parameters=parameters)


def _recorded(system: Recorded, trials: xr.Dataset | None) -> Answer | None:
    """Accuracy of the system's own choices among the stimuli of a trial; None without any."""
    tables = [
        table
        for table in system.data.behaviour
        if {OPTION_STIMULUS_ID, "choice", "truth"} <= set(table.variables)
    ]
    if not tables:
        return None
    # Without intervention, or under the one that the system is under.
    asked = ChoiceTask(name=str(tables[0].attrs.get("task", "")), options=(), truth="truth")
    table = system.choices(asked)
    if isinstance(table, NotMeasurable):
        return None
    made = trials_of_table(table if trials is None else trials)
    place = {name: i for i, name in enumerate(made.ids)}
    rows = np.array([place.get(name, -1) for name in trial_names(table)])
    choice, truth = (table[name].values.astype(str) for name in ("choice", "truth"))
    counted = (rows >= 0) & (choice != "")
    found = []
    for subject in dict.fromkeys(table["subject"].values.astype(str)):
        mine = counted & (table["subject"].values.astype(str) == subject)
        n = np.bincount(rows[mine], minlength=len(place))
        right = np.bincount(rows[mine], weights=choice[mine] == truth[mine], minlength=len(place))
        share = np.where(n > 0, right / np.maximum(n, 1), np.nan)
        found.append(_Found(str(subject), "behaviour", share, int(n.sum())))
    return _answer(
        system, made, found, choice_by="recorded", stimulus_set=system.stimuli.name,
        undefined={"trials without a choice": int((choice == "").sum())},
    )  # fmt: skip


def _by_activity(
    system: System,
    made: OddityTrials,
    shown: StimulusSet | None,
    region: str | None,
    undefined: str,
    *,
    parameters: Mapping[str, object],
) -> Answer | NotMeasurable:
    if not system.regions:
        return NotMeasurable(f"'{system.name}' has no region whose activity could choose")
    needed = sorted(set(made.members.ravel()))
    kept = None if shown is None else shown.restrict([k for k in needed if k in set(shown.ids)])
    recordings = system.recordings(kept, regions=[region or system.regions[-1]])
    if isinstance(recordings, NotMeasurable):
        return recordings
    found, notes, ties, unmet = [], [], 0, 0
    for recording in recordings:
        usable, audited = usable_units(recording, undefined=undefined)
        means = stimulus_means(usable)
        subject, name = part_of(recording)
        ids = [str(key) for key in means[STIMULUS].values]
        rdm = np.asarray(correlation_distance(means.values.reshape(len(ids), -1)))
        place = {key: i for i, key in enumerate(ids)}
        rows = np.array([[place.get(m, -1) for m in row] for row in made.members])
        met = (rows >= 0).all(axis=1)
        codes = np.full(len(rows), -1)
        if met.any():
            codes[met] = least_alike(rdm, rows[met])
        chosen = made.members[np.arange(len(rows)), np.maximum(codes, 0)]
        accuracy = np.where(codes >= 0, (chosen == made.odd).astype(float), np.nan)
        found.append(_Found(subject, name, accuracy, int((codes >= 0).sum())))
        unmet += int((~met).sum())
        ties += int((met & (codes < 0)).sum())
        notes += [f"{name}: {sentence}" for sentence in audited.sentences()]
    if not found or not any(part.n for part in found):
        return NotMeasurable(f"'{system.name}' met the stimuli of no oddity trial")
    return _answer(
        system,
        made,
        found,
        choice_by="activity",
        stimulus_set=shown.name if shown is not None else "",
        parameters=parameters,
        notes=tuple(dict.fromkeys(notes)),
        undefined={"trials whose stimuli were not met": unmet, "trials without an odd one": ties},
    )


def _answer(
    system: System,
    made: OddityTrials,
    found: Sequence[_Found],
    *,
    choice_by: str,
    stimulus_set: str,
    undefined: Mapping[str, int],
    parameters: Mapping[str, object] | None = None,
    notes: tuple[str, ...] = (),
) -> Answer:
    subjects = list(dict.fromkeys(part.subject for part in found))
    regions = list(dict.fromkeys(part.region for part in found))
    shape = (len(subjects), len(regions), len(made.ids))
    accuracy, n = np.full(shape, np.nan), np.zeros(shape[:2], dtype=np.int64)
    for part in found:
        at = subjects.index(part.subject), regions.index(part.region)
        accuracy[at], n[at] = part.accuracy, part.n
    known = (~np.isnan(accuracy)).sum(axis=2)
    value = np.where(known > 0, np.nan_to_num(accuracy).sum(axis=2) / np.maximum(known, 1), np.nan)
    dims = ("subject", "region")
    data = xr.Dataset(
        {
            "value": (dims, value),
            "n": (dims, n),
            "per_stimulus": ((*dims, STIMULUS), accuracy),
        },
        coords={
            "subject": np.array(subjects, dtype=object),
            "region": np.array(regions, dtype=object),
            STIMULUS: np.array(made.ids, dtype=object),
        },
    )
    return Answer(
        form=CARD.form,
        data=data,
        question=CARD.name,
        parameters={
            "choice_by": choice_by, "chance": 1 / made.members.shape[1], **(parameters or {}),
        },
        system=system.name,
        kind=system.kind,
        stimulus_set=stimulus_set,
        notes=notes,
        undefined={
            **undefined,
            "subjects without a trial": int(np.isnan(value).sum()),
            "trials that a subject did not judge": int(np.isnan(accuracy).sum()),
        },
    )  # fmt: skip
