"""Deficit profiles of a network: the elements that prefer a contrast, lesioned dose by dose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuroai.analyses.implementation.dose_curve import MIN_CONTROLS, activity_strata
from neuroai.analyses.implementation.localiser import (
    Localised,
    contrast_groups,
    contrast_half,
    localise,
)
from neuroai.cards import ChoiceTask, Contrast
from neuroai.checks import one_of
from neuroai.errors import UsageError
from neuroai.experiment.lesion_batch import Measure, batched_dose_curve
from neuroai.experiment.met import met_stimuli
from neuroai.experiment.profiles import D_PRIME, LOGIT, Profile, sensitivity, share
from neuroai.format.answers import NotMeasurable
from neuroai.format.splits import halves
from neuroai.format.stimuli import StimulusSet
from neuroai.numerics.readout import Readout, fit_readout, predict
from neuroai.systems.bench import LesionBench
from neuroai.systems.decisions import classes_of, option_probabilities
from neuroai.systems.model import Model

DOSES = (0.25, 0.5, 1.0)
SIGNS = ("positive", "negative", "absolute")


def network_profiles(
    model: Model,
    stimuli: StimulusSet,
    tasks: Sequence[ChoiceTask],
    *,
    contrast: Contrast,
    region: str,
    fraction: float = 0.05,
    sign: str = "positive",
    kind: str = "mean",
    doses: Sequence[float] = DOSES,
    n_controls: int = MIN_CONTROLS,
    seed: int = 0,
) -> tuple[Profile, ...] | NotMeasurable:
    """Lesion the elements of a layer that prefer a contrast, and ask every task.

    Stimuli are halved. On one half the target is chosen and, where the network's outputs do not
    name the options, a readout of its last layer is fitted to the intact network; on the other
    half the choices are counted. Then the halves change places, and the counts are added up.

    Parameters
    ----------
    model : Model
        One network (one subject).
    stimuli : StimulusSet
        With the columns of contrast and tasks.
    tasks : sequence of ChoiceTask
        What is asked.
    contrast : Contrast
        Whose preferring elements are the target.
    region : str
        Layer.
    fraction : float
        Share of the layer's elements in the target, in (0, 1].
    sign : {"positive", "negative", "absolute"}
        Which elements count as preferring.
    kind : str
        What replaces their activity, such as ``mean`` or ``zero``.
    doses : sequence of float
        Shares of the target, each in (0, 1].
    n_controls : int
        Random lesions of each dose, matched in size and activity; at least 100.
    seed : int
        Seed of halves and draws.

    Returns
    -------
    tuple of Profile, or NotMeasurable
        One a dose.
    """
    one_of(sign, SIGNS, option="sign")
    if not tasks or len(model.subjects) != 1:
        raise UsageError(
            f"One network and a task or more are wanted; got {len(model.subjects)} and "
            f"{len(tasks)}."
        )
    shown = met_stimuli(model, stimuli)
    if not shown.available:
        return NotMeasurable("the stimuli are not at hand")
    found = localise(
        model, contrast=contrast, stimuli=shown, regions=[region], fraction=fraction, sign=sign,
        seed=seed,
    )  # fmt: skip
    if isinstance(found, NotMeasurable):
        return found
    [row] = found
    in_a = _halves(shown, contrast, tasks, seed=seed)
    parts = []
    for flipped in (False, True):
        t = row.t_heldout if flipped else row.t_chosen
        target, strata, elements = choose_target(row, t, fraction=fraction, sign=sign)
        bench, measure = _counter(model, shown, tasks, row.region, in_a ^ flipped)
        curve = batched_dose_curve(
            bench, measure, layers=model.regions[-1:], kind=kind, targets=target,
            elements=elements, strata=strata, doses=doses, n_controls=n_controls,
            seed=seed + flipped,
        )  # fmt: skip
        if isinstance(curve, NotMeasurable):
            return curve
        parts.append(curve)
    where = f"{row.region}, {contrast.column}: {' or '.join(contrast.positive)}"
    return tuple(
        _profile(parts, tasks, place, float(dose), model.name, where, row.element_kind, kind)
        for place, dose in enumerate(doses)
    )


def _halves(
    stimuli: StimulusSet, contrast: Contrast, tasks: Sequence[ChoiceTask], *, seed: int
) -> np.ndarray:
    """Give half A (True) or B of every stimulus: that of the localiser, and of tasks beyond it."""
    half = contrast_half(contrast_groups(stimuli, contrast), seed=seed)
    rest = [key for key in stimuli.ids if key not in half]
    if rest:
        labels = [
            " ".join(str(stimuli.table.loc[key, task.truth]) for task in tasks) for key in rest
        ]
        split = halves(rest, condition=labels, n_splits=1, seed=seed)[0]
        half |= dict(zip(rest, (bool(one) for one in split), strict=True))
    return np.array([half[key] for key in stimuli.ids])


def choose_target(
    row: Localised, t: np.ndarray, *, fraction: float, sign: str
) -> tuple[list[int], np.ndarray, list[int]]:
    """Give the target by t, the activity levels of all elements, and the elements, by number."""
    strength = {"positive": t, "negative": -t, "absolute": np.abs(t)}[sign]
    elements = np.flatnonzero(np.isfinite(row.t_chosen) & np.isfinite(row.t_heldout))
    order = elements[np.argsort(-strength[elements], kind="stable")]
    target = order[: max(1, round(fraction * len(row.elements)))]
    strata = activity_strata(row.mean_activity[elements], elements, target)
    named = [int(row.elements[p]) for p in target]
    return named, strata, [int(row.elements[p]) for p in elements]


def _counter(
    model: Model, stimuli: StimulusSet, tasks: Sequence[ChoiceTask], region: str, train: np.ndarray
) -> tuple[LesionBench, Measure]:
    """Give a bench of the tested half, and what counts the choices on every task."""
    pairs = list(zip(stimuli.ids, train, strict=True))
    learnt = stimuli.restrict([key for key, is_a in pairs if is_a])
    tested = stimuli.restrict([key for key, is_a in pairs if not is_a])
    deciders = [_Decider.fitted(model, learnt, tested, task) for task in tasks]
    last = model.regions[-1]

    def measure(outputs: np.ndarray, read: Mapping[str, np.ndarray]) -> dict[str, float]:
        activity = np.asarray(read[last]).reshape(len(outputs), -1)
        return {
            f"{number} {name}": count
            for number, one in enumerate(deciders)
            for name, count in one.counts(outputs, activity).items()
        }

    return model.lesion_bench(region, tested, reference=learnt), measure


@dataclass(frozen=True)
class _Decider:
    """How a network chooses on one task: by its outputs, or by a readout of its last layer."""

    options: tuple[str, ...]
    truth: np.ndarray
    asked: np.ndarray
    classes: tuple[tuple[int, ...], ...] | None
    readout: Readout | None

    @classmethod
    def fitted(
        cls, model: Model, learnt: StimulusSet, tested: StimulusSet, task: ChoiceTask
    ) -> _Decider:
        """Fit a readout to the intact network, unless its outputs name the options."""
        truth, asked = _of_task(tested, task)
        known, rows = _of_task(learnt, task)
        if len(set(known[rows])) < 2 or not asked.any():
            raise UsageError(
                f"The task '{task.name}' leaves no two options on each half of the stimuli."
            )
        classes = classes_of(task.options, model.output_map, model.labels)
        if not isinstance(classes, NotMeasurable):
            return cls(task.options, truth, asked, classes, None)
        last = model.regions[-1]
        shown = learnt.restrict([k for k, kept in zip(learnt.ids, rows, strict=True) if kept])
        activity = np.asarray(model.sweep(shown, layers=(last,)).layers[last].values)
        readout = fit_readout(activity.reshape(len(activity), -1), known[rows].tolist())
        return cls(task.options, truth, asked, None, readout)

    def counts(self, outputs: np.ndarray, activity: np.ndarray) -> dict[str, float]:
        """Count right and wrong choices, of the first option and of the others."""
        rows = self.asked
        if self.classes is not None:
            best = option_probabilities(outputs[rows], self.classes).argmax(axis=1)
            chosen = np.array(self.options, dtype=object)[best]
        else:
            chosen = predict(self.readout, activity[rows]).labels
        right, first = chosen == self.truth[rows], self.truth[rows] == self.options[0]
        return {
            "hits": float((right & first).sum()), "misses": float((~right & first).sum()),
            "rejected": float((right & ~first).sum()), "alarms": float((~right & ~first).sum()),
        }  # fmt: skip


def _of_task(stimuli: StimulusSet, task: ChoiceTask) -> tuple[np.ndarray, np.ndarray]:
    """Give the right option of every stimulus, and which stimuli belong to the task."""
    truth = np.array([str(one) for one in stimuli.column(task.truth)], dtype=object)
    asked = np.isin(truth.astype(str), task.options)
    if task.where:
        column, value = task.where
        asked &= stimuli.column(column).astype(str) == value
    return truth, asked


def _profile(
    parts: Sequence[Mapping[str, Mapping[str, np.ndarray]]],
    tasks: Sequence[ChoiceTask],
    place: int,
    dose: float,
    system: str,
    where: str,
    element: str,
    kind: str,
) -> Profile:
    columns = [_task_numbers(parts, number, task, place) for number, task in enumerate(tasks)]
    measure, intact, lesioned, controls, accuracy, shares, n = zip(*columns, strict=True)
    n_hit = int(parts[0]["0 hits"]["n_targets"][place])
    return Profile(
        system=system, region=where.partition(",")[0], target=where, origin="simulated", dose=dose,
        tasks=tuple(task.name for task in tasks), measures=measure,
        intact=np.array(intact), lesioned=np.array(lesioned),
        controls=np.stack(controls, axis=1), accuracy=np.array(accuracy).T,
        control_accuracy=np.stack(shares, axis=1), n_lesioned=n_hit, n_trials=n,
        note=f"{n_hit} {element}s replaced by {kind}; chosen on one half of the stimuli, tested on "
        "the other, both ways",
    )  # fmt: skip


def _task_numbers(parts, number: int, task: ChoiceTask, place: int):
    """Add the counts of both halves up and turn them into a measure."""

    def summed(which: str) -> tuple[np.ndarray, ...]:
        found = []
        for name in ("hits", "misses", "alarms", "rejected"):
            curves = [part[f"{number} {name}"] for part in parts]
            values = [c[which] if which == "baseline" else c[which][place] for c in curves]
            found.append(np.sum(values, axis=0))
        return tuple(found)

    measure = D_PRIME if len(task.options) == 2 else LOGIT
    before, after, random = (summed(name) for name in ("baseline", "targeted", "controls"))
    intact, lesioned, controls = (sensitivity(c, measure=measure) for c in (before, after, random))
    return (
        measure, float(intact), float(lesioned), controls - intact,
        (share(before), share(after)), share(random), int(np.sum(before)),
    )  # fmt: skip
