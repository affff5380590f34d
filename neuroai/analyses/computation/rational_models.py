"""Rational models: which model of an observer predicts the choices best, with what parameters?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroai.analyses.computation._columns import (
    has_order,
    sequences,
    signed_evidence,
    two_options,
)
from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import known_name, no_duplicates
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.observers import NAMES, observer_named
from neuroai.numerics.rational import (
    ChoiceTrials,
    Observer,
    fit_observer,
    held_out_log_likelihoods,
)
from neuroai.systems.base import System

MIN_TRIALS = 40

CARD = AnalysisCard(
    name="rational_models",
    level="computation",
    question="Which model of an observer predicts the choices best, and with what parameters?",
    form="table",
    defined_on="choices between two options; heuristics on history where trials have an order",
    citation="Wilson & Collins 2019, doi:10.7554/eLife.49547",
)


def rational_models(
    system: System,
    *,
    task: ChoiceTask,
    level: str | None = None,
    models: Sequence[str | Observer] = NAMES,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
    n_folds: int = 5,
    seed: int = 0,
) -> Answer | NotMeasurable:
    r"""Fit models of an observer to the choices, and compare them on trials held out.

    .. math:: \mathrm{bits}_m = \frac{1}{n \ln 2} \sum_i \ln p_m(y_i \mid \hat\theta^{(-i)}) + 1

    ``bayesian`` combines noisy evidence with a prior and lapses, ``ideal`` is the same without a
    prior, ``win-stay`` goes by the last outcome alone, ``coin`` by nothing; see
    :func:`neuroai.numerics.observers.observer_named`. That a model predicts choices does not say
    that the system computes as the model does.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`; the task has two options.
    level : str, optional
        Column with the strength of the stimulus, signed by the truth as in ``choice_glm``; every
        stimulus has strength 1 by default.
    models : sequence of str or Observer
        Among ``bayesian, ideal, win-stay, coin``, or models of one's own: a
        :class:`neuroai.numerics.rational.Observer` states a name, bounded parameters and the
        probability of the second option in every trial.
    n_folds : int
        Folds of trials.
    seed : int
        Seed of folds and starts.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region, model)``, bits a trial that the model gains over
        guessing, on trials held out (at most 1, 0 for a fair coin, negative where it misleads);
        ``best(subject, region)``, the model of the largest; ``bic``; ``n`` trials; and
        ``estimate_by_parameter(subject, region, model_parameter)``. Models on history are left out,
        and named, for a network. Subjects with fewer than 40 trials are NaN and counted.

    Raises
    ------
    UnknownName
        No such model.
    AlignmentError
        A model is named twice.

    References
    ----------
    Wilson & Collins 2019, doi:10.7554/eLife.49547

    Examples
    --------
    >>> from neuroai.testing import chooser
    >>> truth = ["a", "b"] * 30
    >>> choice = ["b" if i % 9 == 0 else t for i, t in enumerate(truth)]
    >>> task = ChoiceTask(name="task", options=("a", "b"), truth="truth")
    >>> person = chooser({"truth": truth, "choice": choice})
    >>> rational_models(person, task=task, models=("ideal", "coin")).data.best.values.tolist()
    [['ideal']]
    """
    names = [m.name if isinstance(m, Observer) else m for m in models]
    no_duplicates(names, where="models")
    for model in models:
        if not isinstance(model, Observer):
            known_name(model, NAMES, kind="model of choice")
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    evidence = signed_evidence(trials, level)
    if isinstance(evidence, NotMeasurable):
        return evidence
    known = ~np.isnan(evidence)
    if not known.any() or not np.abs(evidence[known]).max():
        return NotMeasurable(f"no stimulus of the task '{task.name}' speaks for either option")
    observers = [
        m if isinstance(m, Observer) else observer_named(m, evidence=evidence[known])
        for m in models
    ]
    notes = []
    if not has_order(trials):
        left = [o.name for o in observers if o.uses_history]
        observers = [o for o in observers if not o.uses_history]
        notes = [f"{', '.join(left)} left out: trials of a network have no order"] * bool(left)
    if not observers:
        return NotMeasurable(
            f"every model asked for goes by the trial before; '{system.name}' has no order of "
            "trials"
        )
    return _answer(trials, evidence, observers, notes, level=level, n_folds=n_folds, seed=seed)


def _choice_trials(trials: Trials, rows: np.ndarray, evidence: np.ndarray, second: str):
    """Trials of one subject with a choice, an outcome and evidence."""
    table = trials.table.loc[rows]
    correct = table["correct"].to_numpy(dtype=float)
    usable = (table["choice"] != "").to_numpy() & ~np.isnan(correct) & ~np.isnan(evidence[rows])
    return ChoiceTrials(
        evidence=evidence[rows][usable],
        choice=(table["choice"] == second).to_numpy(dtype=float)[usable],
        correct=correct[usable],
        sequence=sequences(trials)[rows][usable],
    )


def _answer(
    trials: Trials,
    evidence: np.ndarray,
    observers: Sequence[Observer],
    notes: Sequence[str],
    *,
    level: str | None,
    n_folds: int,
    seed: int,
) -> Answer:
    shape = (len(trials.subjects), len(trials.regions))
    names = [f"{o.name}: {p}" for o in observers for p in o.parameters]
    bits, bic = (np.full((*shape, len(observers)), np.nan) for _ in range(2))
    estimates, n = np.full((*shape, len(names)), np.nan), np.zeros(shape, dtype=np.int64)
    best = np.full(shape, "", dtype=object)
    options = two_options(trials)
    for row, column, part in trials.parts():
        mine = _choice_trials(trials, part.index.to_numpy(), evidence, str(options[1]))
        n[row, column] = len(mine)
        if len(mine) < MIN_TRIALS:
            continue
        held = held_out_log_likelihoods(observers, mine, n_folds=n_folds, seed=seed)
        bits[row, column] = held.mean(axis=1) / np.log(2) + 1
        best[row, column] = observers[int(held.sum(axis=1).argmax())].name
        fits = [fit_observer(observer, mine, seed=seed) for observer in observers]
        bic[row, column] = [fit.bic for fit in fits]
        estimates[row, column] = np.concatenate([fit.values for fit in fits])
    dims = ("subject", "region")
    return answer_of(
        trials,
        {
            "value": ((*dims, "model"), bits),
            "best": (dims, best),
            "bic": ((*dims, "model"), bic),
            "estimate_by_parameter": ((*dims, "model_parameter"), estimates),
            "n": (dims, n),
        },
        form=CARD.form,
        question=CARD.name,
        coords={"model": [o.name for o in observers], "model_parameter": names},
        parameters={
            "level": level or "truth", "n_folds": n_folds, "seed": seed,
            "first": options[0], "second": options[1],
        },
        notes=notes,
        undefined={"subjects with too few trials": int((n < MIN_TRIALS).sum())},
    )  # fmt: skip
