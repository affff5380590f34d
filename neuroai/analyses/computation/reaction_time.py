"""Reaction times: how long does the system take?"""

from __future__ import annotations

import numpy as np

from neuroai.analyses.computation._columns import numbers_of
from neuroai.analyses.computation._gather import gather
from neuroai.analyses.computation._trials import PER_STIMULUS, Trials, answer_of
from neuroai.cards import AnalysisCard, ChoiceTask
from neuroai.checks import in_range, one_of
from neuroai.errors import UsageError
from neuroai.format.answers import Answer, NotMeasurable
from neuroai.format.stimuli import StimulusSet
from neuroai.systems.base import System

PROXIES = ("none", "entropy", "steps")
OUTCOMES = ("right", "wrong")

CARD = AnalysisCard(
    name="reaction_time",
    level="computation",
    question="How long does the system take to choose?",
    form="table",
    defined_on="recorded response times; networks only by a proxy that is asked for and named",
    citation="Spoerer et al. 2020, doi:10.1371/journal.pcbi.1008215",
)


def reaction_time(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None = None,
    readout_region: str | None = None,
    undefined: str = "raise",
    proxy: str = "none",
    confidence: float = 0.9,
) -> Answer | NotMeasurable:
    r"""Give median response times, by stimulus, condition and outcome.

    A network takes no time that could be compared with a person's: it answers `NotMeasurable`
    unless a proxy is asked for. ``entropy`` is that of the probabilities of the options, in bits.
    ``steps`` is the first time of a region's activity at which a cross-validated readout gives its
    choice a probability of `confidence` or more: steps of a recurrent network, seconds of a
    recording. The proxy and its unit are part of the answer, and only ranks over stimuli compare a
    proxy with a time.

    Parameters
    ----------
    system, task, stimuli, readout_region, undefined
        As in :func:`neuroai.analyses.computation.choices.choices`; `readout_region` is used by
        ``steps``.
    proxy : {"none", "entropy", "steps"}
        What stands for a response time.
    confidence : float
        Probability that a readout must reach, in (0, 1); of ``steps`` alone.

    Returns
    -------
    Answer or NotMeasurable
        Form ``table``: ``value(subject, region)``, the median over trials, in the unit that the
        parameter ``unit`` states (s, bit, step, ...); ``n`` trials; ``per_stimulus`` medians;
        ``value_by_condition`` and, for right and wrong choices, ``value_by_outcome`` with their
        numbers. Trials without a time (and those in which no readout is sure) are counted.

    Raises
    ------
    UsageError
        No such proxy, a confidence out of range, or a region to read out without ``steps``.

    References
    ----------
    Spoerer et al. 2020, doi:10.1371/journal.pcbi.1008215

    Examples
    --------
    >>> from neuroai.testing import chooser
    >>> person = chooser({"truth": ["a"] * 3, "choice": ["a", "b", "a"],
    ...                   "response_time": [0.4, 0.9, 0.5]})
    >>> task = ChoiceTask(name="task", options=("a", "b"), truth="truth")
    >>> found = reaction_time(person, task=task).data
    >>> found.value.item(), found.value_by_outcome.values.tolist()
    (0.5, [[[0.45, 0.9]]])
    """
    one_of(proxy, PROXIES, option="proxy")
    in_range(confidence, option="confidence", low=0.0, high=1.0, low_open=True)
    if readout_region is not None and proxy != "steps":
        raise UsageError(
            "readout_region is read out step by step: it goes with proxy='steps' alone."
        )
    if proxy == "steps":
        return _steps(
            system, task=task, stimuli=stimuli, region=readout_region, undefined=undefined,
            confidence=confidence,
        )  # fmt: skip
    trials = gather(system, task=task, stimuli=stimuli, readout_region=None, undefined=undefined)
    if isinstance(trials, NotMeasurable):
        return trials
    column = "response_time" if proxy == "none" else proxy
    times = numbers_of(trials, column)
    if isinstance(times, NotMeasurable):
        if proxy != "none":
            return NotMeasurable(
                f"'{system.name}' gives no probabilities whose {proxy} could serve"
            )
        ask = "; ask for a proxy: proxy='entropy' or 'steps'" if system.kind == "model" else ""
        return NotMeasurable(
            f"no response time of '{system.name}' on '{task.name}' was recorded{ask}"
        )
    return _answer(trials, times, proxy=proxy, unit="s" if proxy == "none" else "bit")


def _answer(trials: Trials, times: np.ndarray, *, proxy: str, unit: str, **more: object) -> Answer:
    dims, known = PER_STIMULUS[:2], ~np.isnan(times)
    correct = trials.table["correct"].to_numpy(dtype=float)
    outcome = np.where(correct == 1, "right", np.where(correct == 0, "wrong", "")).astype(object)
    by = {
        "stimulus": trials.table["stimulus"].to_numpy(dtype=object),
        "condition": trials.table["condition"].to_numpy(dtype=object),
        "outcome": outcome,
    }
    names = {k: trials.labels(k) for k in ("stimulus", "condition")} | {"outcome": OUTCOMES}
    variables = {
        "value": (dims, _medians(trials, times)),
        "n": (dims, trials.sums(known).sum(axis=2).astype(np.int64)),
        "per_stimulus": (PER_STIMULUS, _medians(trials, times, by["stimulus"], names["stimulus"])),
        "value_by_outcome": (
            (*dims, "outcome"),
            _medians(trials, times, by["outcome"], OUTCOMES),
        ),
    }
    if any(names["condition"]):
        medians = _medians(trials, times, by["condition"], names["condition"])
        variables["value_by_condition"] = ((*dims, "condition"), medians)
    missing = {
        name: int(np.isnan(values).sum())
        for name, (_, values) in variables.items()
        if values.dtype.kind == "f"
    }
    return answer_of(
        trials,
        variables,
        form=CARD.form,
        question=CARD.name,
        coords={"condition": names["condition"], "outcome": OUTCOMES},
        parameters={"proxy": proxy, "unit": unit, **more},
        undefined={
            "trials without a time": int((~known).sum()),
            **{f"{name} without a trial": n for name, n in missing.items() if n},
        },
    )


def _medians(
    trials: Trials,
    times: np.ndarray,
    labels: np.ndarray | None = None,
    names: tuple[str, ...] = (),
) -> np.ndarray:
    """Median of the known times of every subject, region and label; NaN without one."""
    shape = (len(trials.subjects), len(trials.regions))
    found = np.full(shape if labels is None else (*shape, len(names)), np.nan)
    places = {name: place for place, name in enumerate(names)}
    for row, column, part in trials.parts():
        mine = part.index.to_numpy()[~np.isnan(times[part.index])]
        if labels is None:
            if len(mine):
                found[row, column] = np.median(times[mine])
            continue
        codes = np.array([places.get(name, -1) for name in labels[mine]], dtype=int)
        order = np.argsort(codes, kind="stable")
        cuts = np.flatnonzero(np.diff(codes[order])) + 1
        for group in np.split(order, cuts):
            if len(group) and codes[group[0]] >= 0:
                found[row, column, codes[group[0]]] = np.median(times[mine[group]])
    return found


def _steps(
    system: System,
    *,
    task: ChoiceTask,
    stimuli: StimulusSet | None,
    region: str | None,
    undefined: str,
    confidence: float,
) -> Answer | NotMeasurable:
    """Read activity out at every time, and note when the readout becomes sure."""
    if region is None and not system.regions:
        return NotMeasurable(f"'{system.name}' has no activity whose steps could be counted")
    trials = gather(
        system,
        task=task,
        stimuli=stimuli,
        readout_region=region or system.regions[-1],
        undefined=undefined,
        sure_at=confidence,
    )
    if isinstance(trials, NotMeasurable):
        return trials
    times = trials.table["sure_time"].to_numpy(dtype=float)
    unit = str(trials.table["time_unit"].iloc[0])
    return _answer(trials, times, proxy="steps", unit=unit, confidence=confidence)
