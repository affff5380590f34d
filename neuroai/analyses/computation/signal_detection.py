"""Signal detection: how sensitive is the system, and how biased?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import PER_STIMULUS, Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import known_name, one_of
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.detection import a_prime, criterion, d_prime, log_beta
from neuroai.numerics.mafc import mafc_d_prime
from neuroai.systems.base import System

DESIGNS = ("auto", "yes-no", "mafc")
COUNTS = ("hits", "misses", "false_alarms", "correct_rejections")

CARD = AnalysisCard(
    name="signal_detection",
    level="computation",
    question="How well does the system tell the options apart, whatever its bias?",
    form="table",
    defined_on="recorded choices, networks with outputs for the options, and activity read out",
    citation="Hautus 1995, doi:10.3758/BF03203619",
)


def signal_detection(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
    design: str = "auto",
    signal: str | None = None,
) -> Answer | NotMeasurable:
    r"""Give d' of every subject, over all trials and by condition, and the criterion.

    With two options one is the signal, and

    .. math:: d' = z(H) - z(F), \quad c = -\tfrac12 [z(H) + z(F)]

    with the log-linear correction of both rates. Among m options (``mafc``) d' is that of an
    unbiased observer who chooses the largest of m evidences, by integration.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`.
    design : {"auto", "yes-no", "mafc"}
        ``yes-no`` for two options, else ``mafc``; or as stated. It is part of the answer.
    signal : str, optional
        The option that counts as the signal of ``yes-no``; the last one by default.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)``, d' in standard deviations; ``n`` trials;
        ``value_by_condition`` and ``n_by_condition`` where trials have conditions. ``yes-no`` also
        gives ``criterion`` (positive where the signal is named too rarely), ``log_beta``,
        ``a_prime`` and the four counts.

    Raises
    ------
    UsageError
        ``yes-no`` is asked of a task without two options, or a signal is stated for ``mafc``.
    UnknownName
        The signal, or a choice, is not among the options.

    References
    ----------
    Green & Swets 1966; Hautus 1995, doi:10.3758/BF03203619

    Examples
    --------
    Eight hits of ten and two false alarms of ten: z(8.5 / 11) - z(2.5 / 11).

    >>> from neuroai.testing import chooser
    >>> person = chooser({"truth": ["no"] * 10 + ["yes"] * 10,
    ...                   "choice": ["yes"] * 2 + ["no"] * 8 + ["no"] * 2 + ["yes"] * 8})
    >>> task = ChoiceTask(name="task", options=("no", "yes"), truth="truth")
    >>> signal_detection(person, task=task).data.value.values.round(3)
    array([[1.496]])
    """
    one_of(design, DESIGNS, option="design")
    options = task.options
    if design == "auto":
        design = "yes-no" if len(options) == 2 else "mafc"
    if design == "yes-no" and len(options) != 2:
        raise UsageError(
            f"design='yes-no' needs a task of two options; '{task.name}' has {len(options)}. Use "
            "design='mafc'."
        )
    if signal is not None:
        known_name(signal, options, kind="option")
        if design == "mafc":
            raise UsageError("signal=... goes with design='yes-no': among m options none is it.")
    trials = gather(
        system, task=task, stimuli=stimuli, readout_region=readout_region, undefined=undefined
    )
    if isinstance(trials, NotMeasurable):
        return trials
    if len(options) < 2:
        return NotMeasurable(f"the task '{task.name}' names no options to tell apart")
    if design == "yes-no":
        return _yes_no(trials, signal=options[-1] if signal is None else signal)
    return _mafc(trials)


def _answer(trials: Trials, variables: dict, value: np.ndarray, **parameters: object) -> Answer:
    return answer_of(
        trials,
        variables,
        form=CARD.form,
        question=CARD.name,
        coords={"condition": trials.labels("condition")},
        parameters=parameters,
        undefined={"subjects without a d'": int(np.isnan(value).sum())},
    )


def _yes_no(trials: Trials, *, signal: str) -> Answer:
    table = trials.table
    answered = (table["choice"] != "").to_numpy()
    is_signal = (table["truth"] == signal).to_numpy()
    # Trials whose truth is not an option are neither signal nor noise.
    known = answered & (table["truth"] != "").to_numpy()
    said = (table["choice"] == signal).to_numpy()
    cells = (known & is_signal & said, known & is_signal & ~said,
             known & ~is_signal & said, known & ~is_signal & ~said)  # fmt: skip
    counts = [trials.sums(cell).sum(axis=2) for cell in cells]
    dims = PER_STIMULUS[:2]
    value = d_prime(*counts)
    variables = {
        "value": (dims, value),
        "criterion": (dims, criterion(*counts)),
        "log_beta": (dims, log_beta(*counts)),
        "a_prime": (dims, a_prime(*counts)),
        "n": (dims, np.sum(counts, axis=0).astype(np.int64)),
        **{name: (dims, c.astype(np.int64)) for name, c in zip(COUNTS, counts, strict=True)},
    }
    if any(trials.labels("condition")):
        by = [trials.sums(cell, by="condition") for cell in cells]
        variables["value_by_condition"] = ((*dims, "condition"), d_prime(*by))
        variables["n_by_condition"] = ((*dims, "condition"), np.sum(by, axis=0).astype(np.int64))
    return _answer(trials, variables, value, design="yes-no", signal=signal)


def _mafc(trials: Trials) -> Answer:
    correct = trials.table["correct"].to_numpy(dtype=float)
    known, m, dims = ~np.isnan(correct), len(trials.task.options), PER_STIMULUS[:2]
    right, total = (trials.sums(values).sum(axis=2) for values in (correct, known))
    value = mafc_d_prime(right, total, n_alternatives=m)
    variables = {"value": (dims, value), "n": (dims, total.astype(np.int64))}
    if any(trials.labels("condition")):
        right, total = (trials.sums(values, by="condition") for values in (correct, known))
        by = mafc_d_prime(right, total, n_alternatives=m)
        variables["value_by_condition"] = ((*dims, "condition"), by)
        variables["n_by_condition"] = ((*dims, "condition"), total.astype(np.int64))
    return _answer(trials, variables, value, design="mafc", n_alternatives=m)
